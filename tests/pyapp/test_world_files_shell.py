"""The commands as typed, run by a real shell on real files, do and print the same."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhand.dialect import ToolCall
from offhand.worlds.files import Files
from offhand.worlds.files_tree import HOME, Tree
from tests.pyapp.file_calls import SMALL, calls

FILES = Files()
TOOLS = ("bash", "sort", "tail", "wc", "grep", "diff", "find", "patch")
pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS), reason="no shell to compare with"
)
LINES = st.lists(st.sampled_from(["", "a", "b", "ab", "B", "é", " a b"]), max_size=12)
ENDS = st.sampled_from(["", "\n"])
WRITTEN = st.builds(lambda lines, end: "\n".join(lines) + end if lines else "", LINES, ENDS)


def lay_out(tree: Tree, home: Path) -> None:
    """Put a tree's files where a real shell finds them."""
    home.mkdir()
    for path, text in tree.below_home().items():
        if text is None:
            (home / path).mkdir()
        else:
            (home / path).write_text(text, newline="")


def found(home: Path) -> dict[str, str | None]:
    """What a real home holds."""
    return {
        path.relative_to(home).as_posix(): None if path.is_dir() else path.read_text()
        for path in home.rglob("*")
    }


def run(tree: Tree, home: Path, command: str) -> tuple[str, str]:
    """What a real shell prints in the tree's folder, and what it complains of."""
    result = subprocess.run(
        ["bash", "-c", command.replace(HOME, str(home))],
        cwd=str(home) + tree.cwd[len(HOME) :],
        env={"HOME": str(home), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=20,
    )
    complaint = result.stderr.replace(str(home), HOME).replace("bash: line 1: ", "bash: ")
    complaint = complaint.translate({ord("‘"): "'", ord("’"): "'"})  # noqa: RUF001
    return result.stdout.replace(str(home), HOME), complaint


def same_as_shell(tree: Tree, call: ToolCall) -> Tree:
    """Hold a call against the shell; returns the tree after it."""
    outcome = FILES.apply(tree, call)
    assert outcome.data
    if call.name == "diff" and "Is a directory" in outcome.data["output"]:
        return tree  # A shell goes on to compare what the folder holds.
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "you"
        lay_out(tree, home)
        output, complaint = run(tree, home, outcome.data["command"])
        # Of a folder that cannot go into itself a shell copies a part before it says so.
        if "into itself" not in complaint:
            assert found(home) == outcome.state.below_home(), outcome.data["command"]
    if not outcome.ok:
        assert complaint.splitlines()[0] == outcome.data["output"]
    elif call.name == "find":
        assert sorted(output.splitlines()) == sorted(outcome.data["output"].splitlines())
    elif call.name != "du":
        assert (output.removesuffix("\n"), complaint) == (outcome.data["output"], "")
    return outcome.state


def comparable(call: ToolCall) -> bool:
    """Whether a real shell has no words or ways of its own for the call."""
    values = [value for value in call.arguments.values() if isinstance(value, str)]
    if call.name in ("mv", "cp", "rm", "rmdir") and any(
        value.split("/")[-1] in (".", "..", "") or "~" in value for value in values
    ):
        return False
    # Above home a shell may write, and the world says that it may not.
    if any(value.startswith("../") for value in values):
        return False
    return not any(value.endswith("/") for value in values) or call.name in ("cd", "find", "mkdir")


@settings(max_examples=40, deadline=None)
@given(st.lists(calls().filter(comparable), min_size=1, max_size=4))
def test_a_shell_does_the_same(chain: list[ToolCall]) -> None:
    tree = SMALL
    for call in chain:
        tree = same_as_shell(tree, call)


@settings(max_examples=25, deadline=None)
@given(WRITTEN, st.sampled_from(["sort", "tail", "grep", "wc", "cat"]), st.integers(1, 13))
def test_reading_a_text(text: str, command: str, lines: int) -> None:
    text = text if command not in ("wc", "tail") or text.endswith("\n") else f"{text}\n"
    given: dict[str, dict[str, Any]]
    given = {"tail": {"lines": lines}, "grep": {"pattern": "a"}, "wc": {"mode": "lwc"[lines % 3]}}
    call = ToolCall(command, {"file_name": "f", **given.get(command, {})})
    same_as_shell(Tree.of({"f": text}), call)


@settings(max_examples=25, deadline=None)
@given(WRITTEN, WRITTEN)
def test_a_difference_applied_gives_the_other_text(old: str, new: str) -> None:
    tree = Tree.of({"old": old, "new": new})
    outcome = FILES.apply(tree, ToolCall("diff", {"file_name1": "old", "file_name2": "new"}))
    assert outcome.data
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "you"
        lay_out(tree, home)
        (home / "changes").write_text(f"{outcome.data['output']}\n" if old != new else "")
        run(tree, home, "patch --normal old changes")
        assert (home / "old").read_text() == new


@settings(max_examples=25, deadline=None)
@given(st.data(), ENDS, ENDS)
def test_differences_between_lines_that_come_once(data: st.DataObject, end: str, stop: str) -> None:
    """Where no line comes twice, there is one way to say what differs."""
    lines = [f"line {number}" for number in range(12)]
    old = data.draw(st.lists(st.sampled_from(lines), unique=True).map(sorted))
    new = data.draw(st.lists(st.sampled_from(lines), unique=True).map(sorted))
    texts = {"old": "\n".join(old) + end * bool(old), "new": "\n".join(new) + stop * bool(new)}
    call = ToolCall("diff", {"file_name1": "old", "file_name2": "new"})
    same_as_shell(Tree.of(texts), call)
