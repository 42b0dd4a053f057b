"""People at a shell that they talk to."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from offhand_export.synth.check import Claim
from offhand_export.synth.domains import Domain
from offhand_export.synth.domains.files_values import COPIED, draw_lines
from offhand_export.synth.grammar import Span
from offhand_export.synth.noise import Writer, writers
from offhand_export.synth.simulate import Habits
from offhand_export.synth.values import Kind, in_words

_MARKS = "'\"`\u2018\u2019\u201c\u201d"
_PAIRS = (("'", "'"), ("'", "'"), ('"', '"'), ('"', '"'), ("`", "`"), ("\u201c", "\u201d"))


@dataclass(frozen=True, slots=True)
class Quoting:
    """A writer with a habit of quoting names and texts; labels never hold the quotes.

    Attributes:
        writer: case, punctuation and slips.
        marks: opening and closing quote.
        names: chance that a name in one word is quoted; texts and names with spaces are
            quoted far more often, since nobody could tell where they end.
    """

    writer: Writer
    marks: tuple[str, str]
    names: float

    def __call__(self, spans: Sequence[Span], rng: random.Random) -> str:
        """The message as this person types it."""
        out: list[Span] = []
        rest = list(spans)
        while rest:
            span = rest.pop(0)
            kind = span.slot.partition(":")[2]
            before, after = out[-1].text if out else "", rest[0].text if rest else ""
            written = before[-1:] if after and before[-1:] == after[:1] else ""
            if kind in COPIED and written and written in _MARKS:
                out[-1] = Span(before[:-1], out[-1].slot)
                rest[0] = Span(after[1:], rest[0].slot)
                out.append(_quoted(span, (written, written)))
            elif kind in COPIED and rng.random() < self._chance(span.text, kind, before, rest):
                out.append(_quoted(span, self.marks))
            else:
                out.append(span)
        return self.writer([span for span in out if span.text], rng)

    def _chance(self, text: str, kind: str, before: str, rest: Sequence[Span]) -> float:
        # If only unquoted words follow ("print hello thanks"), they could be the text's.
        loose = len(rest) == 1 and rest[0].text[:1] == " "
        if text[-1] in ".?!" or (loose and (kind == "text" or " " in text)):
            return 1.0
        if kind == "text":
            if not rest and before.endswith(": "):  # the colon says where it begins
                return 0.5
            return 0.93 if " " in text or "," in text else 0.7
        if " " in text:
            return 0.9
        return max(self.names, 0.45) if kind == "pattern" else self.names


def _quoted(span: Span, marks: tuple[str, str]) -> Span:
    """The value in quotes that do not occur in it; its own slot keeps them from the noise too."""
    left, right = marks
    if left in span.text or right in span.text:
        left = right = "'" if '"' in span.text else '"'
    return Span(f"{left}{span.text}{right}", span.slot)


def voice(rng: random.Random) -> Quoting:
    """Draws how one person writes and quotes."""
    return Quoting(
        writer=writers(copied=tuple(COPIED))(rng),
        marks=rng.choice(_PAIRS),
        names=rng.choice((0.0, 0.0, 0.05, 0.35, 0.95)),
    )


def _say_number(value: int, rng: random.Random) -> str:
    return in_words(value) if rng.random() < 0.3 else str(value)


_SAID = {
    "..": re.compile(r"\b(?:up|back|backwards|parent|above|out|outer|outside|leave|exit|level|"
                     r"higher|enclosing|containing|contains|ascend|again|once more|another|"
                     r"same)\b", re.I),
    "~": re.compile(r"\bhome\b", re.I),
    "/": re.compile(r"\b(?:root|top)\b", re.I),
}  # fmt: skip
_ONE_LINE = re.compile(
    r"\b(?:last|final|very|bottom|closing|single|newest|latest) (?:line|one|entry|row)\b", re.I
)


def support(claim: Claim) -> bool | None:
    """Folders that have a sign are said in words ("one level up"), and "the last line" is one.

    Where the words are not found, the general rules decide.
    """
    text = claim.texts[-1]
    said = _SAID.get(claim.value) if isinstance(claim.value, str) else None
    if said is not None and claim.slot in ("folder", "destination", "path") and said.search(text):
        return True
    if claim.slot == "lines" and claim.value == 1 and _ONE_LINE.search(text):
        return True
    return None


DOMAIN = Domain(
    kinds={**COPIED, "lines": Kind(draw_lines, _say_number)},
    habits=Habits(
        openings={
            "pwd": 1.0,
            "ls": 1.6,
            "cd": 2.0,
            "mkdir": 1.6,
            "touch": 1.6,
            "echo": 2.0,
            "cat": 1.8,
            "find": 1.8,
            "wc": 1.8,
            "sort": 1.3,
            "grep": 1.9,
            "du": 1.3,
            "tail": 1.7,
            "diff": 1.6,
            "mv": 2.2,
            "rm": 1.6,
            "rmdir": 1.4,
            "cp": 2.0,
        },
        turns=(2, 5, 6, 5, 4, 2, 1),
    ),
    voice=voice,
    support=support,
)
