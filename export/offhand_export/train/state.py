"""What a run needs to go on where it stopped, on disk, whole or not at all.

    run.json        what was asked for: a rerun that asks for something else is refused
    state.pt        adapter, optimizer, and how far it is
    metrics.jsonl   one line a step and one a validation
    adapter/        the best by validation so far, as a peft folder
    adapter-last/   the newest validated

The order of the data and the random choices of a step follow from the seed and the step's number,
so neither is kept. Files are written beside their place and renamed into it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError

from offhand_export.train.errors import TrainError

FACTS = "run.json"
STATE = "state.pt"
METRICS = "metrics.jsonl"
LOCK = ".lock"

Json = dict[str, Any]


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` once the block has ended without an error.

    Raises:
        TrainError: the disk is full or refuses; what stood at `path` is still there.
    """
    fresh = path.with_name(f".{path.name}.new")
    try:
        with saved(path), fresh.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with saved(path):
            fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def saved(path: Path) -> Iterator[None]:
    """Turn a failure to write `path` into one message."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise TrainError(
            f"Cannot write {path}: {reason}.",
            "Make room or mend the folder's permissions; the same command then goes on from the "
            "last saved state.",
        ) from error


class RunFolder:
    """The folder of one run.

    Args:
        path: made if it is not there.

    Raises:
        TrainError: it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with saved(path):
            path.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the right to write the folder; the system takes it back when the process ends.

        Raises:
            TrainError: another process holds it.
        """
        with saved(self.path):
            opened = (self.path / LOCK).open("w")
        with opened as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise TrainError(
                    f"Another process trains in {self.path}.", "Wait for it, or give another --out."
                ) from error
            yield

    def claim(self, facts: Json) -> None:
        """Write down what the run is asked to do, or check that it is what it was.

        Raises:
            TrainError: the folder holds a run that was asked for something else.
        """
        path = self.path / FACTS
        if not path.exists():
            if (self.path / STATE).exists():
                raise TrainError(f"{path} is missing.", "Give another --out, or delete the run.")
            with writing(path) as file:
                file.write((json.dumps(facts, indent=1) + "\n").encode())
            return
        try:
            before = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise TrainError(
                f"{path} cannot be read: {error}.", "Give another --out, or delete the run."
            ) from error
        changes = list(_changes(before, facts))
        if changes:
            raise TrainError(
                f"{self.path} holds a run with other {changes[0]}.",
                "Restore what it was begun with, or give another --out.",
            )

    def load(self) -> Json | None:
        """The last saved state; None before the first.

        Raises:
            TrainError: it cannot be read.
        """
        path = self.path / STATE
        if not path.exists():
            return None
        try:
            state: Json = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # damaged files fail in whatever way their bytes suggest
            raise TrainError(
                f"{path} cannot be read: {error}.", f"Delete {self.path} and begin again."
            ) from error
        return state

    def save(self, state: Json) -> None:
        """Replace the saved state.

        Raises:
            TrainError: it cannot be written; the one before is still there.
        """
        with writing(self.path / STATE) as file:
            try:
                torch.save(state, file)
            except RuntimeError as error:
                # torch's writer reports a full disk in its own way.
                raise OSError(str(error)) from error

    def note(self, record: Mapping[str, Any]) -> None:
        """Add a line to the metrics."""
        path = self.path / METRICS
        with saved(path), path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def metrics(self) -> list[Json]:
        """All lines of the metrics; one that broke off is left out."""
        path = self.path / METRICS
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        records = []
        for line in lines:
            try:
                records.append(json.loads(line))
            except ValueError:
                break
        return records

    def rewind(self, step: int) -> None:
        """Forget the metrics of steps after `step`: they are about to be run again."""
        kept = [record for record in self.metrics() if record["step"] <= step]
        with writing(self.path / METRICS) as file:
            file.write("".join(json.dumps(record) + "\n" for record in kept).encode())


def _changes(before: Any, now: Any, name: str = "") -> Iterator[str]:
    """What differs between two trees of values, by its path in them."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted(before.keys() | now.keys()):
            yield from _changes(before.get(key), now.get(key), f"{name}.{key}" if name else key)
    elif before != now:
        short = all(len(str(value)) <= 40 for value in (before, now))
        yield f"`{name}` ({before} then, {now} now)" if short else f"`{name}`"
