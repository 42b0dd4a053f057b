"""The shell's commands that only look: where we are, what is here, what files say.

Each takes the tree and the call's arguments, and says what a shell would print and what a person is
told. Texts to look for are plain texts. A file's lines end at line feeds; an unfinished last line
counts. `files_change` has the commands that change something.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from offhand.worlds.files_diff import hunks, lines_of
from offhand.worlds.files_tree import (
    HOME,
    IS_FOLDER,
    NOT_FOLDER,
    NOT_FOUND,
    Refused,
    Tree,
    base,
    shown,
    within,
)
from offhand.worlds.files_typed import pattern, wild
from offhand.worlds.files_words import UNITS, counted, readable, short
from offhand.worlds.wording import capital, listed


@dataclass(frozen=True, slots=True)
class Done:
    """What a command came to.

    Attributes:
        tree: after it.
        text: for a person.
        output: what a shell prints, without the last line's end.
        changed: absolute paths of what was made, changed, moved or removed.
    """

    tree: Tree
    text: str
    output: str = ""
    changed: tuple[str, ...] = ()


# What the commands share.


def existing(tree: Tree, typed: str, folders: bool = True, files: bool = True) -> str:
    """The absolute path of something that is there.

    Raises:
        Refused: it is not, or is of the wrong kind.
    """
    path = tree.resolve(typed)
    if path not in tree.entries:
        raise Refused(NOT_FOUND, typed, _absent(tree, typed, path, folders, files))
    if not folders and tree.is_folder(path):
        raise Refused(IS_FOLDER, typed, f"{tree.near(path)} is a folder, not a file.")
    if not files and not tree.is_folder(path):
        raise Refused(NOT_FOLDER, typed, f"{tree.near(path)} is a file, not a folder.")
    return path


def _absent(tree: Tree, typed: str, path: str, folders: bool, files: bool) -> str:
    kind = "file" if not folders else "folder" if not files else "file or folder"
    text = f"There is no {kind} called {shown(typed)}."
    fitting = [p for p in tree.below(HOME) if (folders if tree.is_folder(p) else files)]
    like = _alike(fitting, path)
    if len(like) == 1:
        return f"{text} Did you mean {tree.near(like[0])}?"
    if wild(typed):
        return f"{text} A name has to be said in full, without * or ?."
    return text


def _alike(paths: list[str], path: str) -> list[str]:
    """Paths that could be meant: other capitals or no extension in the same place, or elsewhere."""
    wanted = base(path).casefold()
    beside = [
        p for p in paths if within(p, path.rpartition("/")[0]) and p.count("/") == path.count("/")
    ]
    for found in (
        [p for p in beside if base(p).casefold() == wanted],
        [p for p in beside if base(p).casefold().rpartition(".")[0] == wanted],
        [p for p in paths if base(p) == base(path)],
    ):
        if found:
            return found
    return []


def text_of(tree: Tree, typed: str) -> tuple[str, str]:
    """A file's text, and how the file is called from here.

    Raises:
        Refused: there is no such file.
    """
    path = existing(tree, typed, folders=False)
    return tree.entries[path] or "", tree.near(path)


def _place(folder: str) -> str:
    """A folder within a sentence."""
    return "your home folder" if folder == HOME else shown(folder)


# The commands.


def pwd(tree: Tree) -> Done:
    """The current folder's whole path."""
    return Done(tree, f"You are in {tree.cwd}.", tree.cwd)


def ls(tree: Tree, a: bool = False) -> Done:
    """The names in the current folder, hidden ones only when asked for."""
    everything = tree.children(tree.cwd)
    seen = [path for path in everything if a or not base(path).startswith(".")]
    names = sorted([*([".", ".."] if a else []), *map(base, seen)])
    folders = sum(map(tree.is_folder, seen))
    counts = {"file": len(seen) - folders, "folder": folders}
    parts = [counted(count, noun) for noun, count in counts.items() if count]
    hidden = len(everything) - len(seen)
    text = listed([*parts, *([f"{hidden} hidden"] if hidden else [])]) or "nothing"
    return Done(tree, f"{capital(_place(tree.cwd))} holds {text}.", "\n".join(names))


def cd(tree: Tree, folder: str) -> Done:
    """Another folder becomes the current one."""
    path = existing(tree, folder, files=False)
    moved = tree if path == tree.cwd else replace(tree, cwd=path)
    return Done(moved, f"You are {'still ' * (moved is tree)}in {_place(path)}.")


def cat(tree: Tree, file_name: str) -> Done:
    """What a file says."""
    text, name = text_of(tree, file_name)
    count = len(lines_of(text))
    said = f"{name} has {counted(count, 'line')}." if count else f"{name} is empty."
    return Done(tree, said, text.removesuffix("\n"))


def find(tree: Tree, path: str = ".", name: str = "") -> Done:
    """Paths at and below a folder with a name that contains a text, or fits one with `*` or `?`."""
    start = existing(tree, path)
    found = []
    for at in (start, *tree.below(start)):
        # The name of `.` is a dot, and that of what was typed its last part.
        called = base(path.rstrip("/")) or "/" if at == start else base(at)
        if not name or fnmatchcase(called, pattern(name)):
            found.append(path if at == start else f"{path.rstrip('/')}/{_rest(at, start)}")
    what = f" like {name}" if wild(name) else f" with “{name}”" if name else ""
    text = f"Found {counted(len(found), 'name')}{what}." if found else f"There is no name{what}."
    return Done(tree, text, "\n".join(found))


def _rest(path: str, folder: str) -> str:
    return path[len(folder.rstrip("/")) + 1 :]


def wc(tree: Tree, file_name: str, mode: str = "l") -> Done:
    """How many lines, words or characters a file has."""
    text, name = text_of(tree, file_name)
    count = {"l": len(lines_of(text)), "w": len(text.split()), "c": len(text)}[mode]
    return Done(tree, f"{name} has {counted(count, UNITS[mode])}.", f"{count} {file_name}")


def sort(tree: Tree, file_name: str) -> Done:
    """A file's lines in the order of their characters."""
    text, name = text_of(tree, file_name)
    lines = sorted(lines_of(text))
    return Done(tree, f"Here is {name} with its lines in order.", "\n".join(lines))


def grep(tree: Tree, file_name: str, pattern: str) -> Done:
    """The lines of a file that contain a text, capitals as they are."""
    text, name = text_of(tree, file_name)
    lines = lines_of(text)
    found = [line for line in lines if pattern in line]
    if found:
        contain = "contains" if len(found) == 1 else "contain"
        return Done(
            tree,
            f"{counted(len(found), 'line')} of {name} {contain} “{pattern}”.",
            "\n".join(found),
        )
    other = sum(pattern.casefold() in line.casefold() for line in lines)
    hint = f" With other capitals, {other} would." if other else ""
    return Done(tree, f"No line of {name} contains “{pattern}”.{hint}")


def du(tree: Tree, human_readable: bool = False) -> Done:
    """How much the texts at and below the current folder take."""
    size = tree.size(tree.cwd)
    amount = readable(size) if human_readable else counted(size, "byte")
    output = short(size) if human_readable else str(size)
    return Done(tree, f"{capital(_place(tree.cwd))} takes {amount}.", f"{output}\t.")


def tail(tree: Tree, file_name: str, lines: int = 10) -> Done:
    """The last lines of a file."""
    text, name = text_of(tree, file_name)
    every = lines_of(text)
    last = every[-lines:]
    if len(last) < lines:
        said = f"{name} has {counted(len(every), 'line')} in all." if every else f"{name} is empty."
    else:
        here = "Here is" if lines == 1 else "Here are"
        said = f"{here} the last {counted(lines, 'line').removeprefix('1 ')} of {name}."
    return Done(tree, said, "\n".join(last))


def diff(tree: Tree, file_name1: str, file_name2: str) -> Done:
    """The lines in which two files differ."""
    (old, first), (new, second) = text_of(tree, file_name1), text_of(tree, file_name2)
    found = hunks(old, new)
    if found is None:
        line = f"diff: {file_name1} {file_name2}: File too large"
        raise Refused("", file_name1, f"{first} and {second} differ in too many lines.", line)
    if not found:
        return Done(tree, f"{first} and {second} say the same.")
    text = f"{first} and {second} differ in {counted(len(found), 'place')}."
    return Done(tree, text, "\n".join(line for hunk in found for line in hunk))
