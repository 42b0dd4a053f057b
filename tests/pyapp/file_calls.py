"""Random calls of the shell's commands, by names that are there and names that are not.

Few names and short texts, so that calls meet each other's files; one strategy a slot.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from offhand.dialect import ToolCall
from offhand.worlds.files_tree import HOME, Tree

SMALL = Tree.of(
    {
        ".rc": "x\n",
        "a": None,
        "a/b": None,
        "a/b/one.txt": "one\ntwo\n",
        "a/one.txt": "one\n",
        "b": None,
        "my file.txt": "b\na\nb\n",
        "one.txt": "one\ntwo\nthree\n",
        "void": "",
    }
)
NAMES = ["a", "b", "one.txt", "void", "my file.txt", "One.txt", "new", ".rc", "it's", "a b", "[x]"]
PATHS = st.one_of(
    st.sampled_from(NAMES),
    st.lists(st.sampled_from(["a", "b", "one.txt", "new", "..", "."]), min_size=1, max_size=3).map(
        "/".join
    ),
    st.sampled_from(["~", "~/a", "~/one.txt", "~/new", "..", ".", "new/", "a/", "one.txt/"]),
    st.sampled_from([f"{HOME}/a", f"{HOME}/new", f"{HOME}/a/b/new"]),
)
OUTSIDE = st.sampled_from(
    ["/", "/home", "/".join(("", "home", "other")), "/etc/passwd", "a\nb", "x" * 256, "a\\b"]
)
TEXTS = st.sampled_from(["one", "t", "milk, eggs", "it's", "$HOME", "a  b", "-n", "é ✓", "*", ""])
PARTS = st.sampled_from(["one", "o", ".txt", "*.txt", "a?", "b", "[", " ", "'"])

SLOTS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "pwd": {},
    "ls": {"a": st.booleans()},
    "cd": {"folder": PATHS},
    "mkdir": {"dir_name": PATHS},
    "touch": {"file_name": PATHS},
    "echo": {"content": TEXTS, "file_name": st.none() | PATHS},
    "cat": {"file_name": PATHS},
    "find": {"path": st.none() | PATHS, "name": st.none() | PARTS},
    "wc": {"file_name": PATHS, "mode": st.sampled_from("lwc")},
    "sort": {"file_name": PATHS},
    "grep": {"file_name": PATHS, "pattern": TEXTS.filter(bool)},
    "du": {"human_readable": st.booleans()},
    "tail": {"file_name": PATHS, "lines": st.none() | st.integers(1, 4)},
    "diff": {"file_name1": PATHS, "file_name2": PATHS},
    "mv": {"source": PATHS, "destination": PATHS},
    "rm": {"file_name": PATHS},
    "rmdir": {"dir_name": PATHS},
    "cp": {"source": PATHS, "destination": PATHS},
}


@st.composite
def calls(draw: st.DrawFn, outside: bool = False) -> ToolCall:
    """A call with all that its command needs; `outside`: also names that are never allowed."""
    command = draw(st.sampled_from(sorted(SLOTS)))
    given = {slot: draw(values) for slot, values in SLOTS[command].items()}
    if outside and draw(st.integers(0, 4)) == 0:
        slots = [slot for slot in given if slot not in ("content", "mode", "a", "lines", "pattern")]
        slots = [slot for slot in slots if slot not in ("human_readable", "name")]
        given |= {slot: draw(OUTSIDE) for slot in slots[-1:]}
    return ToolCall(command, {slot: value for slot, value in given.items() if value is not None})
