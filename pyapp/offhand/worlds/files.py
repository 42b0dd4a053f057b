"""The files world: a small file system in memory and the shell's commands that work on it.

How files are kept is in `files_tree`, what commands do in `files_read` and `files_change`, their
words in `files_words` and `files_typed`; here they are one world. What a visitor finds is in
`files_home`; taking files along is `files_zip`'s matter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from offhand.dialect import ToolCall
from offhand.world import Option, Outcome
from offhand.worlds import files_change as change
from offhand.worlds import files_read as read
from offhand.worlds.files_home import ENTRIES
from offhand.worlds.files_read import Done
from offhand.worlds.files_tree import HOME, Refused, Tree, base, expanded, shown, used
from offhand.worlds.files_typed import typed
from offhand.worlds.files_words import UNITS, complaint, described

OFFERED = 8
"""Values offered for a slot at most."""

COMMANDS: Mapping[str, Callable[..., Done]] = {
    "pwd": read.pwd,
    "ls": read.ls,
    "cd": read.cd,
    "mkdir": change.mkdir,
    "touch": change.touch,
    "echo": change.echo,
    "cat": read.cat,
    "find": read.find,
    "wc": read.wc,
    "sort": read.sort,
    "grep": read.grep,
    "du": read.du,
    "tail": read.tail,
    "diff": read.diff,
    "mv": change.mv,
    "rm": change.rm,
    "rmdir": change.rmdir,
    "cp": change.cp,
}
PATHS = {
    *("folder", "dir_name", "path", "source", "destination"),
    *("file_name", "file_name1", "file_name2"),
}
"""Slots that say a place."""

_NEEDED = {
    "cd": ("folder",),
    "mkdir": ("dir_name",),
    "touch": ("file_name",),
    "echo": ("content",),
    "cat": ("file_name",),
    "wc": ("file_name",),
    "sort": ("file_name",),
    "grep": ("pattern", "file_name"),
    "tail": ("file_name",),
    "diff": ("file_name1", "file_name2"),
    "mv": ("source", "destination"),
    "rm": ("file_name",),
    "rmdir": ("dir_name",),
    "cp": ("source", "destination"),
}


class Files:
    """The world of the `files` catalog; its states are trees."""

    name = "files"

    def begin(self) -> Tree:
        """A home with a little of everything, and the visitor in it."""
        return Tree.of(ENTRIES)

    def apply(self, state: Tree, call: ToolCall) -> Outcome:
        """Carry out a command, or refuse it as a shell does."""
        given = _given(call)
        command = typed(state, ToolCall(call.name, given))
        given |= {slot: expanded(given[slot]) for slot in PATHS & given.keys()}
        try:
            done = COMMANDS[call.name](state, **given)
        except Refused as refused:
            data = _terminal(command, complaint(call.name, refused), error=True)
            return Outcome(state, refused.text, ok=False, data=data)
        data = _terminal(command, done.output, error=False)
        return Outcome(done.tree, done.text, changed=done.changed, data=data)

    def missing(self, state: Tree, call: ToolCall) -> tuple[str, ...]:
        """What a command cannot go without; an empty name is none."""
        given = _given(call)
        return tuple(slot for slot in _NEEDED.get(call.name, ()) if slot not in given)

    def options(self, state: Tree, call: ToolCall, slot: str) -> tuple[Option, ...]:
        """What lies here and fits the slot; for a name that is to be new, nothing."""
        if slot == "mode":
            return tuple(Option(mode, f"{noun.capitalize()}s") for mode, noun in UNITS.items())
        return tuple(Option(name, name) for name in _fitting(state, call, slot)[:OFFERED])

    def danger(self, state: Tree, call: ToolCall) -> str | None:
        """Asked before something is deleted, or a file that says something is written over."""
        if self.missing(state, call) or call.name not in ("rm", "echo", "mv", "cp"):
            return None
        outcome = self.apply(state, call)
        if not outcome.ok:
            return None
        if call.name == "rm":
            path = state.resolve(call.arguments["file_name"])
            return f"Delete {change.with_content(state, path)}?"
        lost = change.lost(state, outcome.state)
        if len(lost) > 1:
            return f"{len(lost)} files exist there already. Overwrite them?"
        return f"{state.near(lost[0])} exists already. Overwrite it?" if lost else None

    def describe(self, call: ToolCall) -> str:
        """The command in plain words."""
        return described(call)

    def view(self, state: Tree) -> Mapping[str, Any]:
        """Everything below home, each folder before what it holds; a folder's size is of that."""
        tree = [
            {
                "path": path,
                "name": base(path),
                "kind": "dir" if state.is_folder(path) else "file",
                "size": state.size(path),
                "depth": path[len(HOME) + 1 :].count("/"),
                "hidden": "/." in path[len(HOME) :],
                "here": path == state.cwd,
            }
            for path in state.below(HOME)
        ]
        return {"cwd": shown(state.cwd), "tree": tree, "used": used(state.entries.values())}

    def dump(self, state: Tree) -> dict[str, Any]:
        """The current folder, and what lies below home by paths relative to it."""
        return {"cwd": state.cwd, "entries": state.below_home()}

    def read(self, data: Any) -> Tree:
        """A tree from `dump`'s data.

        Raises:
            ValueError: it is not such data.
        """
        if not isinstance(data, dict) or data.keys() != {"cwd", "entries"}:
            raise ValueError("Saved files are an object with cwd and entries.")
        cwd, entries = data["cwd"], data["entries"]
        if not isinstance(cwd, str) or not isinstance(entries, dict):
            raise ValueError("Saved files have a text as cwd and an object as entries.")
        for path, text in entries.items():
            if not isinstance(path, str) or not isinstance(text, str | None):
                raise ValueError(f"{path!r}: An entry is a text, or null for a folder.")
        return Tree.of(entries, cwd)


def _terminal(command: str, output: str, error: bool) -> dict[str, Any]:
    return {"kind": "terminal", "command": command, "output": output, "error": error}


def _given(call: ToolCall) -> dict[str, Any]:
    """The arguments that say something; an empty text is one only where it is written."""
    return {
        slot: value
        for slot, value in call.arguments.items()
        if value is not None and (value != "" or slot == "content")
    }


def _fitting(tree: Tree, call: ToolCall, slot: str) -> list[str]:
    """Names for a slot, those that are not hidden first."""
    taken = [value for other, value in _given(call).items() if other != slot]
    here = [path for path in tree.children(tree.cwd) if base(path) not in taken]
    here.sort(key=lambda path: base(path).startswith("."))
    files = [base(path) for path in here if not tree.is_folder(path)]
    folders = [base(path) for path in here if tree.is_folder(path)]
    match call.name, slot:
        case "cd", "folder":
            return [*([".."] if tree.cwd != "/" else []), *folders]
        case "rmdir", _:
            return [base(path) for path in here if tree.is_folder(path) and not tree.below(path)]
        case _, "destination":
            return [*folders, *([".."] if tree.cwd != HOME else [])]
        case (("mv" | "cp" | "rm"), _):
            return [*files, *folders]
        case "find", "path":
            return folders
        case (("cat" | "wc" | "sort" | "grep" | "tail" | "diff"), ("file_name" | "file_name1")):
            return files
        case "diff", "file_name2":
            return sorted(files, key=lambda name: not _like(name, taken))
    return []


def _like(name: str, others: list[Any]) -> bool:
    """Whether a name ends as one of the others."""
    ending = name.rpartition(".")[2]
    return any(str(other).rpartition(".")[2] == ending for other in others)
