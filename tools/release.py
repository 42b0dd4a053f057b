"""Puts a model folder into `models/`, where the repository keeps the model its page is made from.

    python -m tools.release build/models/NAME models/NAME/served

Copies what `model.json` lists, once every file is as it says, and swaps the folder in as a whole. A
models/NAME/calibration.json that was fitted on these very weights is put into its model.json.
A file that a host of repositories would refuse is refused here. Whether the model is any good, and
committing it, is the maintainer's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from offhand_export.errors import ExportError
from offhand_export.files import copy, replacing
from offhand_export.model_calibration import CALIBRATION, put_if_of
from offhand_export.model_folder import MODEL, open_model
from tools.console import SetupError, run_as_program, say

LARGEST = 100_000_000  # bytes: hosts of repositories refuse larger files


def release(built: Path, served: Path) -> int:
    """Replace the folder `served` by the model in `built`; returns its size in bytes.

    Raises:
        SetupError: the model is incomplete or altered, or one of its files is too large.
    """
    try:
        model = open_model(built)
        names = [MODEL, *sorted(model.contract["files"])]
        sizes = {name: (built / name).stat().st_size for name in names}
        for name, size in sizes.items():
            if size >= LARGEST:
                raise SetupError(
                    f"{built / name} has {size / 1e6:.0f} MB, and files of {LARGEST / 1e6:.0f} MB "
                    "cannot be pushed to usual hosts. Make it smaller: trim the vocabulary, or "
                    "make model WIRE=q5 WIRE_EMBEDDING=q6"
                )
        with replacing(served) as fresh:
            for name in names:
                copy(built / name, fresh / name)
            fit = served.parent / CALIBRATION
            if not put_if_of(fit, fresh) and fit.is_file():
                say(f"{fit} is of other weights and was left out; fit again (bench.calibrate)")
            total: int = sum((fresh / name).stat().st_size for name in names)
    except ExportError as error:
        raise SetupError(str(error)) from None
    return total


def main(words: Sequence[str]) -> None:
    """Release the model folder named first to the folder named second."""
    if len(words) != 2:
        raise SetupError("Name the folder of the model and the folder to put it into.")
    built, served = map(Path, words)
    size = release(built, served)
    say(f"{served} holds {size / 1e6:.1f} MB; run make test, then commit it with its adapter")


if __name__ == "__main__":
    run_as_program(main)
