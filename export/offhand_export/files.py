"""Small things every stage does with files: hash them, copy trees, swap a finished folder in.

A stage writes into a folder beside its target and renames it at the end, so that an interrupted
run leaves either the old result or none, and never half of one.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from offhand_export.errors import ExportError

BLOCK = 1 << 20


def sha256(path: Path) -> str:
    """Hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def walk(folder: Path) -> list[Path]:
    """Every file below `folder`, relative to it and in one order on every system."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(found, key=lambda path: path.as_posix())


def fingerprint(facts: Iterable[str]) -> str:
    """One short digest for all facts in order; 16 hex digits."""
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()[:16]


def copy(source: Path, target: Path) -> None:
    """Copy one file, content only, making the folders above it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Hold the right to write `target`; the system takes it back when the process ends."""
    target.parent.mkdir(parents=True, exist_ok=True)
    path = target.with_name(f".{target.name}.lock")
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ExportError(
                f"Another run is writing {target}.", "Wait until it has ended, then run again."
            ) from error
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """An empty folder that takes the place of `target` if the block ends without an error.

    Raises:
        ExportError: another run is writing the same target.
    """
    with _alone(target), _swapped(target) as fresh:
        yield fresh


@contextmanager
def _swapped(target: Path) -> Iterator[Path]:
    fresh = target.with_name(f".{target.name}.new")
    old = target.with_name(f".{target.name}.old")
    _settle(target, fresh, old)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        if target.exists():
            target.rename(old)
        fresh.rename(target)
    finally:
        _settle(target, fresh, old)


def _settle(target: Path, fresh: Path, old: Path) -> None:
    """Clear up after a swap, however far it went; the old folder returns if nothing replaced it."""
    if old.exists() and not target.exists():
        old.rename(target)
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
