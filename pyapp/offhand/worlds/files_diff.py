"""Comparing two texts as `diff` does: the lines to change, in its normal output format."""

from __future__ import annotations

from difflib import SequenceMatcher

WORK = 300_000
"""Pairs of lines that may have to be compared; more would keep a page busy for seconds."""


def lines_of(text: str) -> list[str]:
    """The lines of a text without their ends; an unfinished last line is a line."""
    return text.removesuffix("\n").split("\n") if text else []


def hunks(old: str, new: str) -> list[list[str]] | None:
    """The places where texts differ, each as the lines that `diff` prints; None: too much to do."""
    before, after = _kept(old), _kept(new)
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    left, right = before[start : len(before) - end], after[start : len(after) - end]
    if len(left) * len(right) > WORK:
        return None
    # The heuristic for long texts would leave out lines that come often.
    steps = SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    return [
        _hunk((left[i:k], start + i), (right[j:m], start + j))
        for tag, i, k, j, m in steps
        if tag != "equal"
    ]


def _kept(text: str) -> list[str]:
    """Lines with what ends them, so that a last line that is not ended differs from one that is."""
    lines = [f"{line}\n" for line in lines_of(text)]
    return lines if text.endswith("\n") or not lines else [*lines[:-1], lines[-1][:-1]]


def _common(one: list[str], other: list[str]) -> int:
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _hunk(old: tuple[list[str], int], new: tuple[list[str], int]) -> list[str]:
    """One difference: the lines on either side, each with the number of lines before them."""
    letter = "c" if old[0] and new[0] else "d" if old[0] else "a"
    head = f"{_range(*old)}{letter}{_range(*new)}"
    divider = ["---"] if letter == "c" else []
    return [head, *_marked("<", old[0]), *divider, *_marked(">", new[0])]


def _range(lines: list[str], before: int) -> str:
    """Line numbers, from 1; of no lines, the line that they would follow."""
    if len(lines) > 1:
        return f"{before + 1},{before + len(lines)}"
    return str(before + len(lines))


def _marked(mark: str, lines: list[str]) -> list[str]:
    out = [f"{mark} {line.removesuffix(chr(10))}" for line in lines]
    unfinished = bool(lines) and not lines[-1].endswith("\n")
    return [*out, "\\ No newline at end of file"] if unfinished else out
