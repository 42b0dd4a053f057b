"""The files world, call by call: what it does, says, asks for, warns of and refuses."""

from __future__ import annotations

from typing import Any

import pytest

from offhand.catalogs import load as load_catalog
from offhand.dialect import ToolCall
from offhand.worlds import load
from offhand.worlds.files import COMMANDS, Files
from offhand.worlds.files_tree import (
    DEPTH,
    ENTRIES,
    FILE_BYTES,
    HOME,
    TOTAL_BYTES,
    Tree,
)
from tests.pyapp.file_calls import SLOTS, SMALL

FILES = Files()
BEGIN = FILES.begin()
FULL = Tree.of(dict.fromkeys((f"{number}" for number in range(ENTRIES)), ""))
HEAVY = Tree.of({f"{n}": "x" * FILE_BYTES for n in range(TOTAL_BYTES // FILE_BYTES)})
DEEP = Tree.of({"/".join("d" * depth): None for depth in range(1, DEPTH + 1)})


def call(line: str, **arguments: Any) -> ToolCall:
    """A call from the command's name and its arguments."""
    return ToolCall(line, arguments)


def test_it_is_the_world_of_its_catalog() -> None:
    catalog = load_catalog("files")
    assert isinstance(load("files"), Files)
    assert [tool.name for tool in catalog.tools] == list(COMMANDS)
    assert {tool.name for tool in catalog.tools} == SLOTS.keys()


@pytest.mark.parametrize(
    ("asked", "command", "output", "text"),
    [
        (call("pwd"), "pwd", HOME, f"You are in {HOME}."),
        (
            call("ls"),
            "ls",
            "a\nb\nmy file.txt\none.txt\nvoid",
            "Your home folder holds 3 files, 2 folders and 1 hidden.",
        ),
        (
            call("ls", a=True),
            "ls -a",
            ".\n..\n.rc\na\nb\nmy file.txt\none.txt\nvoid",
            "Your home folder holds 4 files and 2 folders.",
        ),
        (call("cd", folder="a/b"), "cd a/b", "", "You are in ~/a/b."),
        (call("cd", folder="."), "cd .", "", "You are still in your home folder."),
        (call("mkdir", dir_name="n w"), "mkdir 'n w'", "", "Made the folder n w."),
        (call("mkdir", dir_name="a/n/"), "mkdir a/n/", "", "Made the folder a/n."),
        (call("touch", file_name="n"), "touch n", "", "Made the empty file n."),
        (call("touch", file_name="-n"), "touch -- -n", "", "Made the empty file -n."),
        (call("touch", file_name="void"), "touch void", "", "void is there already."),
        (call("echo", content="hi"), "echo hi", "hi", "Printed it."),
        (call("echo", content="-n"), "printf '%s\\n' -n", "-n", "Printed it."),
        (
            call("echo", content="it's", file_name="~/it's"),
            """echo 'it'"'"'s' > ~/'it'"'"'s'""",
            "",
            "Wrote it to it's.",
        ),
        (call("cat", file_name="my file.txt"), "cat 'my file.txt'", "b\na\nb", None),
        (call("cat", file_name="void"), "cat void", "", "void is empty."),
        (call("cat", file_name="a/one.txt"), "cat a/one.txt", "one", "a/one.txt has 1 line."),
        (
            call("find", name="one"),
            "find . -name '*one*'",
            "./a/b/one.txt\n./a/one.txt\n./one.txt",
            "Found 3 names with “one”.",
        ),
        (call("find", path="a"), "find a", "a\na/b\na/b/one.txt\na/one.txt", "Found 4 names."),
        (
            call("find", path="~/b", name="x"),
            "find ~/b -name '*x*'",
            "",
            None,
        ),
        (call("find", name="v*d"), "find . -name 'v*d'", "./void", "Found 1 name like v*d."),
        (call("wc", file_name="one.txt"), "wc -l one.txt", "3 one.txt", "one.txt has 3 lines."),
        (call("wc", file_name="one.txt", mode="c"), "wc -m one.txt", "14 one.txt", None),
        (call("sort", file_name="my file.txt"), "sort 'my file.txt'", "a\nb\nb", None),
        (
            call("grep", file_name="one.txt", pattern="t"),
            "grep t one.txt",
            "two\nthree",
            "2 lines of one.txt contain “t”.",
        ),
        (
            call("grep", file_name="one.txt", pattern="."),
            "grep -F . one.txt",
            "",
            "No line of one.txt contains “.”.",
        ),
        (call("grep", file_name="one.txt", pattern="-x"), "grep -e -x one.txt", "", None),
        (
            call("grep", file_name="one.txt", pattern="TWO"),
            "grep TWO one.txt",
            "",
            "No line of one.txt contains “TWO”. With other capitals, 1 would.",
        ),
        (call("du"), "du -sb", "34\t.", "Your home folder takes 34 bytes."),
        (call("du", human_readable=True), "du -sh", "34\t.", "Your home folder takes 34 bytes."),
        (
            call("tail", file_name="one.txt", lines=1),
            "tail -n 1 one.txt",
            "three",
            "Here is the last line of one.txt.",
        ),
        (call("tail", file_name="one.txt"), "tail one.txt", "one\ntwo\nthree", None),
        (
            call("diff", file_name1="one.txt", file_name2="a/one.txt"),
            "diff one.txt a/one.txt",
            "2,3d1\n< two\n< three",
            "one.txt and a/one.txt differ in 1 place.",
        ),
        (
            call("diff", file_name1="void", file_name2="void"),
            "diff void void",
            "",
            "void and void say the same.",
        ),
        (call("mv", source="void", destination="n"), "mv void n", "", "Renamed void to n."),
        (call("mv", source="void", destination="a"), "mv void a", "", "Moved void into a."),
        (call("mv", source="a/b", destination="b/n"), "mv a/b b/n", "", "Moved a/b to b/n."),
        (call("rm", file_name="void"), "rm void", "", "Deleted void."),
        (call("rm", file_name="a"), "rm -r a", "", "Deleted a and the 3 things in it."),
        (call("rmdir", dir_name="b"), "rmdir b", "", "Removed the empty folder b."),
        (call("cp", source="void", destination="n"), "cp void n", "", "Copied void to n."),
        (call("cp", source="a", destination="b"), "cp -r a b", "", "Copied a into b."),
    ],
    ids=str,
)
def test_what_is_done(asked: ToolCall, command: str, output: str, text: str | None) -> None:
    outcome = FILES.apply(SMALL, asked)
    assert outcome.ok
    terminal = {"kind": "terminal", "command": command, "output": output, "error": False}
    assert outcome.data == terminal
    assert outcome.text == text or text is None


@pytest.mark.parametrize(
    ("asked", "gone", "new"),
    [
        (call("mkdir", dir_name="n"), [], {"n": None}),
        (call("touch", file_name="a/n"), [], {"a/n": ""}),
        (call("echo", content="x", file_name="void"), ["void"], {"void": "x\n"}),
        (call("mv", source="void", destination="a/n"), ["void"], {"a/n": ""}),
        (
            call("mv", source="a/b", destination="b"),
            ["a/b", "a/b/one.txt"],
            {"b/b": None, "b/b/one.txt": "one\ntwo\n"},
        ),
        (call("cp", source="a/one.txt", destination="one.txt"), ["one.txt"], {"one.txt": "one\n"}),
        (call("cp", source="a/b", destination="b"), [], {"b/b": None, "b/b/one.txt": "one\ntwo\n"}),
        (call("rm", file_name="a/b"), ["a/b", "a/b/one.txt"], {}),
        (call("rmdir", dir_name="b"), ["b"], {}),
    ],
    ids=str,
)
def test_what_changes(asked: ToolCall, gone: list[str], new: dict[str, str | None]) -> None:
    outcome = FILES.apply(SMALL, asked)
    kept = {path: text for path, text in SMALL.below_home().items() if path not in gone}
    assert outcome.state.below_home() == kept | new
    assert set(outcome.changed) == {f"{HOME}/{path}" for path in (*gone, *new)}


def test_the_current_folder_moves_along() -> None:
    inside = FILES.apply(SMALL, call("cd", folder="a/b")).state
    outcome = FILES.apply(inside, call("mv", source="~/a", destination="~/b"))
    assert outcome.state.cwd == f"{HOME}/b/a/b"


def test_a_folder_copied_onto_one_of_its_name_joins_it() -> None:
    tree = Tree.of({"a": None, "a/x": "1", "b": None, "b/a": None, "b/a/x": "2", "b/a/y": "3"})
    asked = call("cp", source="a", destination="b")
    assert FILES.apply(tree, asked).state.below_home() == tree.below_home() | {"b/a/x": "1"}
    assert FILES.danger(tree, asked) == "b/a/x exists already. Overwrite it?"
