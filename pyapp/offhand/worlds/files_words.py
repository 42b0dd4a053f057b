"""The words around the shell's commands: what each does, in plain words, and how it complains."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from offhand.dialect import ToolCall
from offhand.worlds.files_tree import IS_FOLDER, Refused
from offhand.worlds.files_typed import wild

UNITS = {"l": "line", "w": "word", "c": "character"}
"""What `wc` counts, by its modes."""

_COMPLAINTS = {
    "cd": "bash: cd: {name}: {reason}",
    "echo": "bash: {name}: {reason}",
    "grep": "grep: {name}: {reason}",
    "diff": "diff: {name}: {reason}",
    "sort": "sort: cannot read: {bare}: {reason}",
    "tail": "tail: cannot open {quoted} for reading: {reason}",
    "find": "find: {quoted}: {reason}",
    "mkdir": "mkdir: cannot create directory {quoted}: {reason}",
    "touch": "touch: cannot touch {quoted}: {reason}",
    "rm": "rm: cannot remove {quoted}: {reason}",
    "rmdir": "rmdir: failed to remove {quoted}: {reason}",
    "mv": "mv: cannot stat {quoted}: {reason}",
    "cp": "cp: cannot stat {quoted}: {reason}",
}
_OF_FOLDERS = {
    "sort": "sort: read failed: {bare}: {reason}",
    "tail": "tail: error reading {quoted}: {reason}",
}


def quoted(name: str) -> str:
    """A name as the core tools quote it in a complaint."""
    if "'" in name and not set(name) & set('"$`!'):
        return f'"{name}"'
    return "'" + name.replace("'", "'\\''") + "'"


def bare(name: str) -> str:
    """A name as the core tools write it where they quote only what needs it."""
    return name if re.fullmatch(r"[\w@%+=:,./~-]+", name) else quoted(name)


def complaint(command: str, refused: Refused) -> str:
    """The line that a shell prints for what was refused."""
    if refused.line:
        return refused.line
    line = _COMPLAINTS.get(command, "{command}: {bare}: {reason}")
    if refused.reason == IS_FOLDER:
        line = _OF_FOLDERS.get(command, line)
    name, reason = refused.argument, refused.reason
    return line.format(
        command=command, name=name, bare=bare(name), quoted=quoted(name), reason=reason
    )


def counted(count: int, noun: str) -> str:
    """A count with its noun: "1 line", "1,200 lines"."""
    return f"{count:,} {noun if count == 1 else noun + 's'}"


def short(size: int) -> str:
    """A number of bytes as `du` prints it: rounded up, to a tenth below ten."""
    if size < 1024:
        return str(size)
    unit, power = ("K", 1024) if size <= 1023 * 1024 else ("M", 1024 * 1024)
    tenths = -(-size * 10 // power)
    number = f"{tenths // 10}.{tenths % 10}" if tenths < 100 else str(-(-size // power))
    return number + unit


def readable(size: int) -> str:
    """A number of bytes in the unit that suits it: "812 bytes", "1.2 KB"."""
    number = short(size)
    return counted(size, "byte") if number.isdigit() else f"{number[:-1]} {number[-1]}B"


# In plain words.


def described(call: ToolCall) -> str:
    """The call as a command to a person; what is not known is left open."""
    given = {name: value for name, value in call.arguments.items() if value not in (None, "")}
    make = _DESCRIBED.get(call.name)
    return make(given) if make else f"{call.name} {' '.join(map(str, given.values()))}".rstrip()


def _both(verb: str, mark: str) -> Callable[[Mapping[str, Any]], str]:
    def make(given: Mapping[str, Any]) -> str:
        to = f" {mark} {given['destination']}" if "destination" in given else ""
        return f"{verb} {given.get('source', 'a file or folder')}{to}"

    return make


def _go(given: Mapping[str, Any]) -> str:
    places = {"..": "up one folder", "~": "to the home folder", "/": "to the root folder"}
    folder = given.get("folder", "another folder")
    return f"Go {places.get(folder, f'to {folder}')}"


def _write(given: Mapping[str, Any]) -> str:
    content = f"“{given['content']}”" if "content" in given else "a text"
    return (
        f"Write {content} to {given['file_name']}" if "file_name" in given else f"Print {content}"
    )


def _look(given: Mapping[str, Any]) -> str:
    what = f"names with “{given['name']}”" if "name" in given else "everything"
    if wild(given.get("name", "")):
        what = f"names like {given['name']}"
    place = given.get("path", ".")
    return f"Look for {what} {'here' if place == '.' else f'in {place}'} and below"


def _compare(given: Mapping[str, Any]) -> str:
    first, second = given.get("file_name1", "a file"), given.get("file_name2", "another file")
    return f"Compare {first} with {second}"


def _end(given: Mapping[str, Any]) -> str:
    lines = counted(given.get("lines", 10), "line").removeprefix("1 ")
    return f"Show the last {lines} of {given.get('file_name', 'a file')}"


def _lines_with(given: Mapping[str, Any]) -> str:
    text = f"“{given['pattern']}”" if "pattern" in given else "a text"
    return f"Show the lines of {given.get('file_name', 'a file')} that contain {text}"


def _file(given: Mapping[str, Any]) -> str:
    return str(given.get("file_name", "a file"))


def _named(verb: str, kind: str, slot: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda given: f"{verb} {f'the {kind} {given[slot]}' if slot in given else f'a {kind}'}"


_DESCRIBED: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "pwd": lambda _: "Say which folder this is",
    "ls": lambda given: f"Show what is here{', hidden entries too' if given.get('a') else ''}",
    "cd": _go,
    "mkdir": _named("Make", "new folder", "dir_name"),
    "touch": _named("Make", "new file", "file_name"),
    "echo": _write,
    "cat": lambda given: f"Show {_file(given)}",
    "find": _look,
    "wc": lambda given: f"Count the {UNITS[given.get('mode', 'l')]}s of {_file(given)}",
    "sort": lambda given: f"Show {_file(given)} with its lines in order",
    "grep": _lines_with,
    "du": lambda _: "Say how much space this folder takes",
    "tail": _end,
    "diff": _compare,
    "mv": _both("Move", "to"),
    "rm": lambda given: f"Delete {_file(given)}",
    "rmdir": _named("Remove", "folder", "dir_name"),
    "cp": _both("Copy", "to"),
}
