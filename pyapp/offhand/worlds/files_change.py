"""The shell's commands that change something: making, writing, moving, copying, removing.

Each takes the tree and the call's arguments and gives a new tree, or refuses as a shell would, but
then does no part of it. A file may be written over; `lost` tells which were, for whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from offhand.worlds.files_read import Done, existing
from offhand.worlds.files_tree import (
    BUSY,
    DENIED,
    EXISTS,
    HOME,
    INVALID,
    IS_FOLDER,
    NOT_EMPTY,
    NOT_FOLDER,
    Refused,
    Tree,
    base,
    join,
    parent,
    within,
)
from offhand.worlds.files_words import counted, quoted


def mkdir(tree: Tree, dir_name: str) -> Done:
    """A new, empty folder."""
    path = _free(tree, dir_name.rstrip("/") or dir_name)
    if path in tree.entries:
        raise Refused(EXISTS, dir_name, f"{tree.near(path)} exists already.")
    made = tree.change(dir_name, {path: None})
    return Done(made, f"Made the folder {tree.near(path)}.", changed=(path,))


def touch(tree: Tree, file_name: str) -> Done:
    """A new, empty file; one that is there stays as it is."""
    path = _free(tree, file_name)
    if path in tree.entries:
        return Done(tree, f"{tree.near(path)} is there already.")
    made = tree.change(file_name, {path: ""})
    return Done(made, f"Made the empty file {tree.near(path)}.", changed=(path,))


def echo(tree: Tree, content: str, file_name: str = "") -> Done:
    """A line written to a file, in place of what it said, or printed."""
    if not file_name:
        return Done(tree, "Printed it.", content)
    path = _free(tree, file_name)
    if path in tree.entries and tree.is_folder(path):
        raise Refused(IS_FOLDER, file_name, f"{tree.near(path)} is a folder, not a file.")
    text = f"{content}\n"
    if tree.entries.get(path) == text:
        return Done(tree, f"{tree.near(path)} says so already.")
    written = tree.change(file_name, {path: text})
    return Done(written, f"Wrote it to {tree.near(path)}.", changed=(path,))


def rm(tree: Tree, file_name: str) -> Done:
    """A file gone, or a folder with all it holds."""
    path = existing(tree, file_name)
    if _dotted(file_name):
        line = f"rm: refusing to remove '.' or '..' directory: skipping {quoted(file_name)}"
        raise Refused(INVALID, file_name, "Say the folder by its name.", line)
    _own(file_name, path)
    _leave(tree, file_name, path)
    inside = tree.below(path)
    left = tree.change(file_name, {}, gone=(path, *inside))
    return Done(left, f"Deleted {with_content(tree, path)}.", changed=(path, *inside))


def with_content(tree: Tree, path: str) -> str:
    """What goes with a path: "notes.txt", "build and the 4 things in it"."""
    count = len(tree.below(path))
    if not count:
        return f"{'the empty folder ' * tree.is_folder(path)}{tree.near(path)}"
    things = "one thing" if count == 1 else f"{count} things"
    return f"{tree.near(path)} and the {things} in it"


def rmdir(tree: Tree, dir_name: str) -> Done:
    """An empty folder gone."""
    path = existing(tree, dir_name, files=False)
    if base(dir_name.rstrip("/")) == ".":
        raise Refused(INVALID, dir_name, "Say the folder by its name.")
    _own(dir_name, path)
    inside = tree.below(path)
    if inside:
        name = tree.near(path)
        text = f"{name} is not empty: it holds {counted(len(inside), 'thing')}. To delete it all, "
        text += f"say “delete {name} and everything in it”."
        raise Refused(NOT_EMPTY, dir_name, text)
    _leave(tree, dir_name, path)
    left = tree.change(dir_name, {}, gone=(path,))
    return Done(left, f"Removed the empty folder {tree.near(path)}.", changed=(path,))


def mv(tree: Tree, source: str, destination: str) -> Done:
    """A file or folder at another place, or under another name."""
    start = existing(tree, source)
    way = _way(tree, "mv", source, destination)
    with _worded(way.failure):
        _own(source, start)
        if _dotted(source):
            raise Refused(BUSY, source, "Say the folder by its name.")
        target = _target(tree, way, start)
        if tree.is_folder(start) and tree.below(target):
            text = f"{tree.near(target)} exists already and is not empty."
            raise Refused(NOT_EMPTY, source, text)
        old = [start, *tree.below(start)]
        put = _shifted(tree, old, target)
        moved = tree.change(destination, put, gone=old)
    if within(tree.cwd, start):
        moved = replace(moved, cwd=target + tree.cwd[len(start) :])
    renamed = "Renamed" if parent(start) == parent(target) else "Moved"
    return Done(moved, f"{renamed} {_from_to(tree, start, target)}.", changed=(*old, *put))


def cp(tree: Tree, source: str, destination: str) -> Done:
    """A second file or folder; a folder joins one of its name that is there."""
    start = existing(tree, source)
    way = _way(tree, "cp", source, destination)
    with _worded(way.failure):
        target = _target(tree, way, start)
        put = _shifted(tree, [start, *tree.below(start)], target)
        for path, text in put.items():
            said = way.said + path[len(target) :]
            _replaceable(tree, "cp", said, path, text is None, way.source)
        there = {path: tree.entries[path] for path in put if path in tree.entries}
        new = {path: put[path] for path in put if (path, put[path]) not in there.items()}
        copied = tree.change(destination, new) if new else tree
    return Done(copied, f"Copied {_from_to(tree, start, target)}.", changed=tuple(new))


def _from_to(tree: Tree, start: str, target: str) -> str:
    if base(start) == base(target):
        return f"{tree.near(start)} into {tree.near(parent(target))}"
    return f"{tree.near(start)} to {tree.near(target)}"


def _shifted(tree: Tree, paths: list[str], target: str) -> dict[str, str | None]:
    """What paths hold, the first of them and those below it, as it would be at a target."""
    start = len(paths[0])
    return {target + path[start:]: tree.entries[path] for path in paths}


def lost(before: Tree, after: Tree) -> list[str]:
    """Absolute paths of files whose text another tree does not have at that path any more."""
    return [
        path
        for path, text in before.entries.items()
        if text and after.entries.get(path, text) != text
    ]


# Where something goes, and whether it may.


@dataclass(frozen=True, slots=True)
class _Way:
    """A source and a destination as typed, with a shell's words for them.

    Attributes:
        at: the absolute path of the destination.
        said: the destination as a shell says it, with the source's name if it goes into a folder.
        failure: how a shell's line begins when it cannot go there.
    """

    command: str
    source: str
    at: str
    said: str
    failure: str


def _way(tree: Tree, command: str, source: str, destination: str) -> _Way:
    folder = tree.is_folder(tree.resolve(source))
    failure = f"mv: cannot move {quoted(source)} to"
    if command == "cp":
        failure = f"cp: cannot create {'directory' if folder else 'regular file'}"
    with _worded(f"{failure} {quoted(destination)}"):
        bare = destination.rstrip("/") or destination
        at = tree.resolve(bare)
        if bare != destination and not folder and not tree.is_folder(at):
            raise Refused(NOT_FOLDER, destination, f"There is no folder {destination}.")
    said = destination
    if tree.is_folder(at):
        said = join(destination, base(source.rstrip("/")))
    return _Way(command, source, at, said, f"{failure} {quoted(said)}")


def _target(tree: Tree, way: _Way, start: str) -> str:
    """The absolute path that a source gets; what has it already can be replaced."""
    folder = tree.is_folder(start)
    target = join(way.at, base(start)) if tree.is_folder(way.at) else way.at
    source, said = quoted(way.source), quoted(way.said)
    if folder and within(target, start) and (target != start or within(way.at, start)):
        line = f"cp: cannot copy a directory, {source}, into itself, {said}"
        if way.command == "mv":
            line = f"mv: cannot move {source} to a subdirectory of itself, {said}"
        raise Refused(INVALID, way.source, "A folder cannot go into itself.", line)
    if target == start:
        line = f"{way.command}: {source} and {said} are the same file"
        raise Refused(EXISTS, way.source, f"{tree.near(start)} is there already.", line)
    if target in tree.entries:
        _own(way.said, target)
    _replaceable(tree, way.command, way.said, target, folder, way.source)
    return target


def _replaceable(tree: Tree, command: str, said: str, path: str, folder: bool, source: str) -> None:
    """Refuse a file in a folder's place, or the other way round."""
    if path not in tree.entries or tree.is_folder(path) == folder:
        return
    line = f"{command}: cannot overwrite directory {quoted(said)} with non-directory"
    text = f"{tree.near(path)} is a folder; a file cannot take its place."
    if folder:
        line = f"{command}: cannot overwrite non-directory {quoted(said)} with directory "
        line += quoted(source)
        text = f"{tree.near(path)} is a file; a folder cannot take its place."
    raise Refused(EXISTS, said, text, line)


@contextmanager
def _worded(failure: str) -> Iterator[None]:
    """Give what is refused inside, and not worded there, a shell's line."""
    try:
        yield
    except Refused as refused:
        line = refused.line or f"{failure}: {refused.reason}"
        raise Refused(refused.reason, refused.argument, refused.text, line) from None


def _dotted(typed: str) -> bool:
    """Whether a path ends in a name that says a folder only from where one is."""
    return base(typed.rstrip("/")) in (".", "..")


def _own(typed: str, path: str) -> None:
    """Refuse what is not below home."""
    if path == HOME or not within(path, HOME):
        raise Refused(DENIED, typed, "Only what is in your home folder can be changed.")


def _free(tree: Tree, typed: str) -> str:
    """The absolute path of what is to be made or written; it may be there already."""
    path = tree.resolve(typed)
    if path not in tree.entries:
        _own(typed, path)
    return path


def _leave(tree: Tree, typed: str, path: str) -> None:
    if within(tree.cwd, path):
        raise Refused(BUSY, typed, f"You are in {tree.near(path)}; go up first.")
