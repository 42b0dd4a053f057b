"""The shell's commands as one would type them, quoted as a shell needs it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from shlex import quote
from typing import Any

from offhand.dialect import ToolCall
from offhand.worlds.files_tree import Refused, Tree


def typed(tree: Tree, call: ToolCall) -> str:
    """The shell's command for a call, quoted as a shell needs it."""
    given = dict(call.arguments)
    make = _TYPED.get(call.name)
    if make:
        return make(tree, given)
    names = [value for value in given.values() if isinstance(value, str)]
    return " ".join([call.name, *_operands(*names)])


def _path(name: str) -> str:
    """A path quoted, but for a `~` at its beginning, which a shell must see."""
    if name == "~" or name.startswith("~/"):
        return name[:2] + (quote(name[2:]) if name[2:] else "")
    return quote(name)


def _operands(*names: str) -> list[str]:
    """Paths as a command takes them; `--` before a name that looks like an option."""
    dashes = ["--"] if any(name.startswith("-") for name in names) else []
    return dashes + [_path(name) for name in names]


def _echo(_: Tree, given: Mapping[str, Any]) -> str:
    content = given["content"]
    option = re.fullmatch("-[neE]+", content)
    words = f"printf '%s\\n' {content}" if option else f"echo {quote(content)}"
    return f"{words} > {_path(given['file_name'])}" if given.get("file_name") else words


def _find(_: Tree, given: Mapping[str, Any]) -> str:
    words = ["find", *_operands(given.get("path") or ".")]
    return " ".join(
        [*words, "-name", quote(pattern(given["name"]))] if given.get("name") else words
    )


def pattern(name: str) -> str:
    """What a shell's `find` is given to look for a part of a name; `*` and `?` make it a whole."""
    return name if wild(name) else f"*{name.replace('[', '[[]')}*"


def wild(name: str) -> bool:
    """Whether a name to look for says where it may vary."""
    return "*" in name or "?" in name


def _grep(_: Tree, given: Mapping[str, Any]) -> str:
    # A pattern is a plain text here; a shell must be told where it would read it otherwise.
    text = given["pattern"]
    option = "-F " if re.search(r"[][\\.*^$]", text) else ""
    dashes = "-e " if text.startswith("-") else ""
    return f"grep {option}{dashes}{quote(text)} {' '.join(_operands(given['file_name']))}"


def _with(*options: str) -> Callable[[Tree, Mapping[str, Any]], str]:
    def make(_: Tree, given: Mapping[str, Any]) -> str:
        return " ".join(options[bool(given.get("a") or given.get("human_readable"))].split())

    return make


def _wc(_: Tree, given: Mapping[str, Any]) -> str:
    # A shell's -c counts bytes; characters are -m.
    mode = {"c": "m"}.get(given.get("mode", "l"), given.get("mode", "l"))
    return " ".join(["wc", f"-{mode}", *_operands(given["file_name"])])


def _tail(_: Tree, given: Mapping[str, Any]) -> str:
    number = [f"-n {given['lines']}"] if given.get("lines") else []
    return " ".join(["tail", *number, *_operands(given["file_name"])])


def _recursive(command: str, slot: str) -> Callable[[Tree, Mapping[str, Any]], str]:
    """A command that a shell must be told to take a folder with all it holds."""

    def make(tree: Tree, given: Mapping[str, Any]) -> str:
        try:
            option = ["-r"] if tree.is_folder(tree.resolve(given[slot])) else []
        except Refused:
            option = []
        names = [given[name] for name in (slot, "destination") if name in given]
        return " ".join([command, *option, *_operands(*names)])

    return make


def _in_order(command: str, *slots: str) -> Callable[[Tree, Mapping[str, Any]], str]:
    return lambda _, given: " ".join([command, *_operands(*(given[slot] for slot in slots))])


_TYPED: Mapping[str, Callable[[Tree, Mapping[str, Any]], str]] = {
    "ls": _with("ls", "ls -a"),
    "du": _with("du -sb", "du -sh"),
    "echo": _echo,
    "find": _find,
    "grep": _grep,
    "wc": _wc,
    "tail": _tail,
    "rm": _recursive("rm", "file_name"),
    "cp": _recursive("cp", "source"),
    "mv": _in_order("mv", "source", "destination"),
    "diff": _in_order("diff", "file_name1", "file_name2"),
}
