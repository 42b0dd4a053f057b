"""What the files world asks for, offers, warns of and shows."""

from __future__ import annotations

from typing import Any

import pytest

from offhand.dialect import ToolCall
from offhand.worlds.files import Files
from offhand.worlds.files_tree import (
    DEPTH,
    ENTRIES,
    FILE_BYTES,
    HOME,
    TOTAL_BYTES,
    Tree,
    problem_with_name,
)
from tests.pyapp.file_calls import SMALL

FILES = Files()
BEGIN = FILES.begin()
FULL = Tree.of(dict.fromkeys((f"{number}" for number in range(ENTRIES)), ""))
HEAVY = Tree.of({f"{n}": "x" * FILE_BYTES for n in range(TOTAL_BYTES // FILE_BYTES)})
DEEP = Tree.of({"/".join("d" * depth): None for depth in range(1, DEPTH + 1)})


def call(command: str, **arguments: Any) -> ToolCall:
    """A call from the command's name and its arguments."""
    return ToolCall(command, arguments)


@pytest.mark.parametrize(
    ("asked", "missing"),
    [
        (call("pwd"), ()),
        (call("ls"), ()),
        (call("du"), ()),
        (call("find"), ()),
        (call("cd"), ("folder",)),
        (call("mkdir"), ("dir_name",)),
        (call("touch", file_name=""), ("file_name",)),
        (call("echo", file_name="x"), ("content",)),
        (call("echo", content=""), ()),
        (call("cat", file_name=None), ("file_name",)),
        (call("wc", mode="w"), ("file_name",)),
        (call("sort"), ("file_name",)),
        (call("grep"), ("pattern", "file_name")),
        (call("grep", pattern="x"), ("file_name",)),
        (call("tail", lines=3), ("file_name",)),
        (call("diff", file_name2="x"), ("file_name1",)),
        (call("mv"), ("source", "destination")),
        (call("cp", source="x"), ("destination",)),
        (call("rm"), ("file_name",)),
        (call("rmdir"), ("dir_name",)),
    ],
    ids=str,
)
def test_what_is_missing(asked: ToolCall, missing: tuple[str, ...]) -> None:
    assert FILES.missing(SMALL, asked) == missing
    assert FILES.danger(SMALL, asked) is None


@pytest.mark.parametrize(
    ("asked", "slot", "values"),
    [
        (call("cat"), "file_name", ["my file.txt", "one.txt", "void", ".rc"]),
        (call("cd"), "folder", ["..", "a", "b"]),
        (call("rmdir"), "dir_name", ["b"]),
        (call("rm"), "file_name", ["my file.txt", "one.txt", "void", ".rc", "a", "b"]),
        (call("mv", source="a"), "destination", ["b"]),
        (call("cp", destination="b"), "source", ["my file.txt", "one.txt", "void", ".rc", "a"]),
        (call("diff", file_name1="one.txt"), "file_name2", ["my file.txt", "void", ".rc"]),
        (call("find"), "path", ["a", "b"]),
        (call("find"), "name", []),
        (call("grep"), "pattern", []),
        (call("grep"), "file_name", ["my file.txt", "one.txt", "void", ".rc"]),
        (call("wc"), "mode", ["l", "w", "c"]),
        (call("tail"), "lines", []),
        (call("mkdir"), "dir_name", []),
        (call("touch"), "file_name", []),
        (call("echo", content="x"), "file_name", []),
    ],
    ids=str,
)
def test_what_is_offered(asked: ToolCall, slot: str, values: list[str]) -> None:
    assert [option.value for option in FILES.options(SMALL, asked, slot)] == values


def test_at_most_eight_are_offered() -> None:
    assert len(FILES.options(FULL, call("cat"), "file_name")) == 8


@pytest.mark.parametrize(
    ("asked", "question"),
    [
        (call("rm", file_name="void"), "Delete void?"),
        (call("rm", file_name="~/b"), "Delete the empty folder b?"),
        (call("rm", file_name="a/b"), "Delete a/b and the one thing in it?"),
        (call("rm", file_name="a"), "Delete a and the 3 things in it?"),
        (call("rm", file_name="x"), None),
        (call("rmdir", dir_name="b"), None),
        (call("echo", content="x", file_name="one.txt"), "one.txt exists already. Overwrite it?"),
        (call("echo", content="one", file_name="a/one.txt"), None),
        (call("echo", content="x", file_name="void"), None),
        (call("echo", content="x", file_name="n"), None),
        (call("echo", content="x"), None),
        (call("cp", source="void", destination="one.txt"), "one.txt exists already. Overwrite it?"),
        (call("mv", source="one.txt", destination="a"), "a/one.txt exists already. Overwrite it?"),
        (call("mv", source="one.txt", destination="n"), None),
        (call("mv", source="a", destination="void"), None),
        (call("cat", file_name="one.txt"), None),
    ],
    ids=str,
)
def test_what_is_warned_of(asked: ToolCall, question: str | None) -> None:
    assert FILES.danger(SMALL, asked) == question


def test_several_files_written_over_are_counted() -> None:
    below = {"a": None, "a/x": "1", "a/y": "1", "b": None, "b/a": None, "b/a/x": "2", "b/a/y": "2"}
    asked = call("cp", source="a", destination="b")
    assert FILES.danger(Tree.of(below), asked) == "2 files exist there already. Overwrite them?"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (call("pwd"), "Say which folder this is"),
        (call("ls", a=True), "Show what is here, hidden entries too"),
        (call("cd", folder=".."), "Go up one folder"),
        (call("cd", folder="docs"), "Go to docs"),
        (call("mkdir", dir_name="x"), "Make the new folder x"),
        (call("touch"), "Make a new file"),
        (call("echo", content="hi", file_name="x"), "Write “hi” to x"),
        (call("echo", content="hi"), "Print “hi”"),
        (call("cat", file_name="x"), "Show x"),
        (call("find", name="x"), "Look for names with “x” here and below"),
        (call("find", name="*.md"), "Look for names like *.md here and below"),
        (call("find", path="y"), "Look for everything in y and below"),
        (call("wc", file_name="x", mode="w"), "Count the words of x"),
        (call("sort", file_name="x"), "Show x with its lines in order"),
        (call("grep", pattern="x"), "Show the lines of a file that contain “x”"),
        (call("du"), "Say how much space this folder takes"),
        (call("tail", file_name="x", lines=1), "Show the last line of x"),
        (call("tail", file_name="x"), "Show the last 10 lines of x"),
        (call("diff", file_name2="x"), "Compare a file with x"),
        (call("mv", source="x"), "Move x"),
        (call("rm"), "Delete a file"),
        (call("rmdir", dir_name="x"), "Remove the folder x"),
        (call("cp", source="x", destination="y"), "Copy x to y"),
    ],
    ids=str,
)
def test_in_plain_words(asked: ToolCall, words: str) -> None:
    assert FILES.describe(asked) == words


def test_the_view() -> None:
    tree = Tree.of({"b": None, "b/é": "é", ".h": None, ".h/x": ""}, f"{HOME}/b")
    rows = [tuple(entry.values()) for entry in FILES.view(tree)["tree"]]
    assert rows == [
        (f"{HOME}/.h", ".h", "dir", 0, 0, True, False),
        (f"{HOME}/.h/x", "x", "file", 0, 1, True, False),
        (f"{HOME}/b", "b", "dir", 2, 0, False, True),
        (f"{HOME}/b/é", "é", "file", 2, 1, False, False),
    ]
    assert (FILES.view(tree)["cwd"], FILES.view(tree)["used"]) == ("~/b", 2)
    above = FILES.apply(tree, call("cd", folder="/")).state
    assert FILES.view(above)["cwd"] == "/"


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"entries": {}},
        {"cwd": HOME, "entries": []},
        {"cwd": 1, "entries": {}},
        {"cwd": HOME, "entries": {}, "more": 1},
        {"cwd": "/nowhere", "entries": {}},
        {"cwd": HOME, "entries": {"a": 1}},
        {"cwd": HOME, "entries": {"a/b": ""}},
        {"cwd": HOME, "entries": {"a": "", "a/b": ""}},
        {"cwd": HOME, "entries": {"../a": ""}},
        {"cwd": HOME, "entries": {"": ""}},
        {"cwd": HOME, "entries": {"a\ud800": ""}},
        {"cwd": HOME, "entries": {"a": "\ud800"}},
        {"cwd": HOME, "entries": {"a": "x" * (FILE_BYTES + 1)}},
        {"cwd": HOME, "entries": dict.fromkeys(map(str, range(ENTRIES + 1)), "")},
    ],
)
def test_saved_data_that_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        FILES.read(data)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a\0", "\x7f", "\u2028", "é" * 128])
def test_names_that_are_refused(name: str) -> None:
    assert problem_with_name(name)


@pytest.mark.parametrize("name", ["a", "...", ".a", "a b", "é ✓", "-r", "*", "é" * 127])
def test_names_that_are_taken(name: str) -> None:
    assert problem_with_name(name) is None


def test_the_beginning_gives_the_examples_something_to_do() -> None:
    def output(asked: ToolCall) -> str:
        outcome = FILES.apply(BEGIN, asked)
        assert outcome.ok
        assert outcome.data
        return str(outcome.data["output"])

    assert 18 <= sum(text is not None for text in BEGIN.entries.values()) <= 24
    assert len(output(call("ls", a=True))) > len(output(call("ls")))
    assert output(call("grep", file_name="server.log", pattern="timeout")).count("\n") >= 2
    assert output(call("wc", file_name="report.md", mode="w"))
    assert output(call("mv", source="draft.txt", destination="final.txt")) == ""
    assert FILES.danger(BEGIN, call("echo", content="milk", file_name="shopping.txt"))
    assert output(call("diff", file_name1="documents/report_old.md", file_name2="report.md"))


def test_texts_that_differ_too_much_to_compare() -> None:
    old = "".join(f"{number}\n" for number in range(548))
    new = "".join(f"{number}\n" for number in range(548, 1096))
    outcome = FILES.apply(
        Tree.of({"old": old, "new": new}), call("diff", file_name1="old", file_name2="new")
    )
    assert outcome.text == "old and new differ in too many lines."
