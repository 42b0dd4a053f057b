"""Writing what was made: files that are whole or not there, whatever interrupts the run."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from offhand_export.errors import ExportError
from offhand_export.synth.sample import Sample, to_line


class WriteError(ExportError):
    """A file that cannot be written."""


def replace_text(path: Path, text: str) -> None:
    """Write a UTF-8 file at once; folders are made, and a file of that name is replaced.

    Several threads or processes may write the same path: the last one stays.

    Raises:
        WriteError: the disk is full or the place cannot be written.
    """
    partial = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    except OSError as error:
        raise WriteError(
            f"Cannot write {path}: {error.strerror or error}.",
            "Make room on the disk or choose another place.",
        ) from error
    finally:
        if partial:
            Path(partial).unlink(missing_ok=True)


def write_samples(samples: Iterable[Sample], path: Path) -> int:
    """Write conversations as JSON lines; returns how many.

    Raises:
        WriteError: as for `replace_text`.
    """
    lines = [to_line(sample) for sample in samples]
    replace_text(path, "".join(line + "\n" for line in lines))
    return len(lines)
