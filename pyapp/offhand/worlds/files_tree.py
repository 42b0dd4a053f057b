"""The file tree that the shell's commands act on: paths, limits, and changes that give new trees.

A tree holds every absolute path with its text, or None for a folder. The root and the folder above
home are there to be looked at; only what lies below home can be changed. A path is refused with the
shell's own reason and a sentence for a person; which command's words go around it is `files_words`'
matter.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

HOME = "/".join(("", "home", "you"))
ABOVE_HOME = ("/", "/home")

FILE_BYTES = 64 * 1024
TOTAL_BYTES = 1024 * 1024
ENTRIES = 500
NAME_BYTES = 255
DEPTH = 16
"""Folders below home that may lie within each other, the last entry included."""

NOT_FOUND = "No such file or directory"
NOT_FOLDER = "Not a directory"
IS_FOLDER = "Is a directory"
EXISTS = "File exists"
DENIED = "Permission denied"
INVALID = "Invalid argument"
BUSY = "Device or resource busy"
NOT_EMPTY = "Directory not empty"

Entries = Mapping[str, str | None]


class Refused(Exception):
    """What the tree does not allow.

    Args:
        reason: as a shell ends its line.
        argument: the path as typed.
        text: a sentence for a person.
        line: the shell's whole line, where the command words this one in a way of its own.
    """

    def __init__(self, reason: str, argument: str, text: str, line: str = "") -> None:
        super().__init__(text)
        self.reason, self.argument, self.text, self.line = reason, argument, text, line


def parent(path: str) -> str:
    """The folder that an absolute path lies in; the root lies in itself."""
    return path.rpartition("/")[0] or "/"


def base(path: str) -> str:
    """The last name of an absolute path."""
    return path.rpartition("/")[2]


def join(folder: str, name: str) -> str:
    """The absolute path of a name in a folder."""
    return f"{folder.rstrip('/')}/{name}"


def within(path: str, folder: str) -> bool:
    """Whether an absolute path is a folder or lies anywhere below it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def shown(path: str) -> str:
    """An absolute path with home as `~`."""
    return "~" + path[len(HOME) :] if within(path, HOME) else path


def expanded(typed: str) -> str:
    """A typed path with home for a `~` that begins it, as a shell gives it to a command."""
    return HOME + typed[1:] if typed == "~" or typed.startswith("~/") else typed


def by_place(path: str) -> list[str]:
    """Sort key: every folder right before what it holds, names in order of their characters."""
    return path.split("/")


def problem_with_name(name: str) -> tuple[str, str] | None:
    """Why a file or folder cannot be called so, as a reason and a sentence; None if it can."""
    if name in ("", ".", ".."):
        return INVALID, "A name cannot be empty, a dot or two dots."
    if "/" in name or "\\" in name:
        return INVALID, "A name cannot contain a slash or a backslash."
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name):
        return INVALID, "A name cannot contain line breaks or other control characters."
    if len(name.encode()) > NAME_BYTES:
        return "File name too long", f"A name can have {NAME_BYTES} bytes at most."
    return None


def problem_with_text(text: str) -> tuple[str, str] | None:
    """Why a file cannot hold a text, as a reason and a sentence; None if it can."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        return INVALID, "A file holds text alone, without NUL characters."
    if len(text.encode()) > FILE_BYTES:
        return "File too large", f"A file can hold {FILE_BYTES // 1024} KB at most."
    return None


def problem_with_path(path: str, text: str | None) -> tuple[str, str] | None:
    """Why an absolute path cannot be there with this text, or as a folder; None if it can."""
    if not path.startswith(HOME + "/"):
        return DENIED, "Only what is in your home folder can be changed."
    names = path[len(HOME) + 1 :].split("/")
    if len(names) > DEPTH:
        return "File name too long", f"Folders can be {DEPTH} levels deep at most."
    found = next(filter(None, map(problem_with_name, names)), None)
    return found or (problem_with_text(text) if text else None)


def problem_with_size(entries: Entries) -> tuple[str, str] | None:
    """Why there is no room for so much; None if there is."""
    full = "No space left on device"
    if len(entries) - len(ABOVE_HOME) - 1 > ENTRIES:
        return full, f"There is room for {ENTRIES} files and folders only."
    if used(entries.values()) > TOTAL_BYTES:
        return full, f"There is room for {TOTAL_BYTES // 1024 // 1024} MB of text only."
    return None


def used(texts: Iterable[str | None]) -> int:
    """Bytes that texts take."""
    return sum(len(text.encode()) for text in texts if text)


@dataclass(frozen=True, slots=True)
class Tree:
    """A file system at one moment.

    Attributes:
        entries: absolute path to text, None for a folder; home and what it lies in included.
        cwd: the current folder.
    """

    entries: Entries
    cwd: str = HOME

    @classmethod
    def of(cls, below_home: Entries, cwd: str = HOME) -> Tree:
        """A tree from what lies below home, by paths relative to it.

        Raises:
            ValueError: a path, its text or the whole is not allowed; names the path and the rule.
        """
        folders: dict[str, str | None] = dict.fromkeys((*ABOVE_HOME, HOME))
        entries = folders | {f"{HOME}/{path}": text for path, text in below_home.items()}
        for path in below_home:
            at = f"{HOME}/{path}"
            problem = problem_with_path(at, entries[at])
            if problem:
                raise ValueError(f"{path!r}: {problem[1]}")
            if entries.get(parent(at), "") is not None:
                raise ValueError(f"{path!r}: What it lies in is not a folder.")
        problem = problem_with_size(entries)
        if problem:
            raise ValueError(problem[1])
        if entries.get(cwd, "") is not None:
            raise ValueError(f"{cwd!r} is not a folder.")
        return cls(MappingProxyType(entries), cwd)

    def below_home(self) -> dict[str, str | None]:
        """What `of` takes: everything below home, by paths relative to it, in order."""
        return {path[len(HOME) + 1 :]: self.entries[path] for path in self.below(HOME)}

    def is_folder(self, path: str) -> bool:
        """Whether an absolute path is a folder that is there."""
        return self.entries.get(path, "") is None

    def children(self, folder: str) -> list[str]:
        """Absolute paths of what lies right in a folder, by name."""
        return sorted(path for path in self.entries if parent(path) == folder and path != "/")

    def below(self, path: str) -> list[str]:
        """Absolute paths of all that lies below a path, each folder before what it holds."""
        inside = (other for other in self.entries if other != path and within(other, path))
        return sorted(inside, key=by_place)

    def size(self, path: str) -> int:
        """Bytes of the text at a path or below it."""
        return used(text for other, text in self.entries.items() if within(other, path))

    def resolve(self, typed: str) -> str:
        """The absolute path that a typed one leads to; its last name need not be there.

        Raises:
            Refused: it leads through what is not there or is no folder.
        """
        if not typed:
            raise Refused(NOT_FOUND, typed, "A name is needed.")
        whole = expanded(typed)
        at = "/" if whole.startswith("/") else self.cwd
        for name in whole.split("/"):
            self._enter(at, typed)
            if name == "..":
                at = parent(at)
            elif name not in ("", "."):
                at = join(at, name)
        return at

    def _enter(self, at: str, typed: str) -> None:
        if at not in self.entries:
            text = f"There is no {shown(typed)}: {self.near(at)} is missing."
            raise Refused(NOT_FOUND, typed, text)
        if not self.is_folder(at):
            raise Refused(NOT_FOLDER, typed, f"{self.near(at)} is not a folder.")

    def near(self, path: str) -> str:
        """How an absolute path is called from the current folder."""
        if path == self.cwd:
            return shown(path)
        if within(path, self.cwd) and self.cwd != "/":
            return path[len(self.cwd) + 1 :]
        return shown(path)

    def change(self, typed: str, put: Entries, gone: Iterable[str] = ()) -> Tree:
        """The tree without the paths `gone` and with what `put` says; both are absolute paths.

        Raises:
            Refused: what is put breaks a limit; `typed` is the path it speaks of.
        """
        for path, text in put.items():
            problem = problem_with_path(path, text)
            if problem:
                raise Refused(problem[0], typed, problem[1])
        left = set(gone)
        kept = {path: text for path, text in self.entries.items() if path not in left}
        entries = kept | dict(put)
        problem = problem_with_size(entries)
        if problem:
            raise Refused(problem[0], typed, problem[1])
        return Tree(MappingProxyType(entries), self.cwd)
