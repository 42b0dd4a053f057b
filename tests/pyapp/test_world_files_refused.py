"""What the files world refuses, in a shell's words and in a person's."""

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


NO_FILE = "No such file or directory"


@pytest.mark.parametrize(
    ("tree", "asked", "output", "text"),
    [
        (SMALL, call("cd", folder="x"), f"bash: cd: x: {NO_FILE}", "There is no folder called x."),
        (
            SMALL,
            call("cd", folder="void"),
            "bash: cd: void: Not a directory",
            "void is a file, not a folder.",
        ),
        (
            SMALL,
            call("mkdir", dir_name="a"),
            "mkdir: cannot create directory 'a': File exists",
            "a exists already.",
        ),
        (
            SMALL,
            call("mkdir", dir_name="x/y"),
            f"mkdir: cannot create directory 'x/y': {NO_FILE}",
            "There is no x/y: x is missing.",
        ),
        (
            SMALL,
            call("mkdir", dir_name="/x"),
            "mkdir: cannot create directory '/x': Permission denied",
            "Only what is in your home folder can be changed.",
        ),
        (
            SMALL,
            call("touch", file_name="void/x"),
            "touch: cannot touch 'void/x': Not a directory",
            "void is not a folder.",
        ),
        (
            SMALL,
            call("touch", file_name="x\ty"),
            "touch: cannot touch 'x\ty': Invalid argument",
            "A name cannot contain line breaks or other control characters.",
        ),
        (
            SMALL,
            call("touch", file_name="é" * 128),
            f"touch: cannot touch '{'é' * 128}': File name too long",
            "A name can have 255 bytes at most.",
        ),
        (
            SMALL,
            call("echo", content="x", file_name="a"),
            "bash: a: Is a directory",
            "a is a folder, not a file.",
        ),
        (
            SMALL,
            call("echo", content="x\0", file_name="n"),
            "bash: n: Invalid argument",
            "A file holds text alone, without NUL characters.",
        ),
        (
            SMALL,
            call("echo", content="x" * FILE_BYTES, file_name="n"),
            "bash: n: File too large",
            "A file can hold 64 KB at most.",
        ),
        (
            HEAVY,
            call("echo", content="x", file_name="n"),
            "bash: n: No space left on device",
            "There is room for 1 MB of text only.",
        ),
        (
            FULL,
            call("touch", file_name="n"),
            "touch: cannot touch 'n': No space left on device",
            "There is room for 500 files and folders only.",
        ),
        (
            DEEP,
            call("touch", file_name="/".join("d" * DEPTH) + "/n"),
            f"touch: cannot touch '{'d/' * DEPTH}n': File name too long",
            "Folders can be 16 levels deep at most.",
        ),
        (
            DEEP,
            call("cp", source="d/d/d", destination="d/d/d/d/n"),
            "cp: cannot copy a directory, 'd/d/d', into itself, 'd/d/d/d/n'",
            "A folder cannot go into itself.",
        ),
        (
            SMALL,
            call("cat", file_name="notes.md"),
            f"cat: notes.md: {NO_FILE}",
            "There is no file called notes.md.",
        ),
        (
            SMALL,
            call("cat", file_name="My File"),
            f"cat: 'My File': {NO_FILE}",
            "There is no file called My File. Did you mean my file.txt?",
        ),
        (
            SMALL,
            call("cat", file_name="One.TXT"),
            f"cat: One.TXT: {NO_FILE}",
            "There is no file called One.TXT. Did you mean one.txt?",
        ),
        (
            SMALL,
            call("cat", file_name="b/void"),
            f"cat: b/void: {NO_FILE}",
            "There is no file called b/void. Did you mean void?",
        ),
        (
            SMALL,
            call("rm", file_name="*.txt"),
            f"rm: cannot remove '*.txt': {NO_FILE}",
            "There is no file or folder called *.txt. A name has to be said in full, "
            "without * or ?.",
        ),
        (SMALL, call("cat", file_name="a"), "cat: a: Is a directory", "a is a folder, not a file."),
        (SMALL, call("wc", file_name="a"), "wc: a: Is a directory", None),
        (SMALL, call("sort", file_name="a"), "sort: read failed: a: Is a directory", None),
        (SMALL, call("sort", file_name="x"), f"sort: cannot read: x: {NO_FILE}", None),
        (SMALL, call("tail", file_name="a"), "tail: error reading 'a': Is a directory", None),
        (SMALL, call("tail", file_name="x"), f"tail: cannot open 'x' for reading: {NO_FILE}", None),
        (SMALL, call("grep", file_name="x y", pattern="o"), f"grep: x y: {NO_FILE}", None),
        (SMALL, call("find", path="x"), f"find: 'x': {NO_FILE}", None),
        (SMALL, call("diff", file_name1="void", file_name2="x"), f"diff: x: {NO_FILE}", None),
        (SMALL, call("mv", source="x", destination="a"), f"mv: cannot stat 'x': {NO_FILE}", None),
        (
            SMALL,
            call("mv", source="{}", destination="a"),
            f"mv: cannot stat '{{}}': {NO_FILE}",
            None,
        ),
        (
            SMALL,
            call("mv", source="void", destination="x/y"),
            f"mv: cannot move 'void' to 'x/y': {NO_FILE}",
            None,
        ),
        (
            SMALL,
            call("mv", source="void", destination="void"),
            "mv: 'void' and 'void' are the same file",
            "void is there already.",
        ),
        (
            SMALL,
            call("mv", source="a", destination="a/b"),
            "mv: cannot move 'a' to a subdirectory of itself, 'a/b/a'",
            "A folder cannot go into itself.",
        ),
        (
            SMALL,
            call("mv", source="void", destination="/"),
            "mv: cannot move 'void' to '/void': Permission denied",
            "Only what is in your home folder can be changed.",
        ),
        (
            SMALL,
            call("mv", source="a", destination="void"),
            "mv: cannot overwrite non-directory 'void' with directory 'a'",
            "void is a file; a folder cannot take its place.",
        ),
        (
            Tree.of({"x": "1", "d": None, "d/x": None}),
            call("mv", source="x", destination="d"),
            "mv: cannot overwrite directory 'd/x' with non-directory",
            "d/x is a folder; a file cannot take its place.",
        ),
        (
            Tree.of({"x": None, "d": None, "d/x": None, "d/x/y": ""}),
            call("mv", source="x", destination="d"),
            "mv: cannot move 'x' to 'd/x': Directory not empty",
            "d/x exists already and is not empty.",
        ),
        (
            SMALL,
            call("mv", source=".", destination="a"),
            "mv: cannot move '.' to 'a/.': Permission denied",
            "Only what is in your home folder can be changed.",
        ),
        (SMALL, call("cp", source="x", destination="a"), f"cp: cannot stat 'x': {NO_FILE}", None),
        (
            SMALL,
            call("cp", source="void", destination="x/y"),
            f"cp: cannot create regular file 'x/y': {NO_FILE}",
            None,
        ),
        (
            SMALL,
            call("cp", source="void", destination="x/"),
            "cp: cannot create regular file 'x/': Not a directory",
            "There is no folder x/.",
        ),
        (
            FULL,
            call("cp", source="1", destination="n"),
            "cp: cannot create regular file 'n': No space left on device",
            "There is room for 500 files and folders only.",
        ),
        (
            SMALL,
            call("rm", file_name=".."),
            "rm: refusing to remove '.' or '..' directory: skipping '..'",
            "Say the folder by its name.",
        ),
        (
            SMALL,
            call("rm", file_name="~"),
            f"rm: cannot remove '{HOME}': Permission denied",
            "Only what is in your home folder can be changed.",
        ),
        (
            SMALL,
            call("rmdir", dir_name="a"),
            "rmdir: failed to remove 'a': Directory not empty",
            "a is not empty: it holds 3 things. "
            "To delete it all, say “delete a and everything in it”.",
        ),
        (
            SMALL,
            call("rmdir", dir_name="void"),
            "rmdir: failed to remove 'void': Not a directory",
            "void is a file, not a folder.",
        ),
    ],
    ids=str,
)
def test_what_is_refused(tree: Tree, asked: ToolCall, output: str, text: str | None) -> None:
    outcome = FILES.apply(tree, asked)
    assert (outcome.ok, outcome.changed) == (False, ())
    assert outcome.state is tree
    assert outcome.data
    assert (outcome.data["output"], outcome.data["error"]) == (output, True)
    assert outcome.text == text or text is None
    assert FILES.danger(tree, asked) is None
