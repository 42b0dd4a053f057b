"""Puts a fitted calibration into a model folder's `model.json`, where the app reads it.

The fit is kept as models/NAME/calibration.json, beside the adapter, since a folder that `convert`
writes is replaced as a whole: `tools.release` puts it in again. A fit belongs to the weights it was
made on, so it names them, and other weights do not get it. Nothing else records what model.json
holds: a bundle hashes it anew, and is built again when it has changed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from offhand.calibration import read_calibration
from offhand.errors import ModelError
from offhand_export.errors import ExportError
from offhand_export.model_folder import CONVERT_AGAIN, MODEL, read_contract
from offhand_export.synth.writer import replace_text

CALIBRATION = "calibration.json"
KEPT = ("intercept", "weights", "fitted")
"""What of the file travels; the rest of it tells how well it does."""


class CalibrationError(ExportError):
    """A calibration that cannot be read, or is of another model."""


def read_fit(path: Path) -> dict[str, Any]:
    """What of a `bench.calibrate` file travels with a model.

    Raises:
        CalibrationError: it is missing or no such file.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
        fit = {key: data[key] for key in KEPT}
        read_calibration(fit)
        dict(fit["fitted"])
    except (OSError, ValueError, KeyError, TypeError, ModelError) as error:
        raise CalibrationError(
            f"{path} holds no calibration ({error}).", "Make it with `python -m bench.calibrate`."
        ) from None
    return fit


def weights_digest(folder: Path) -> str:
    """SHA-256 of a model folder's weights, as its model.json has it.

    Raises:
        ExportError: it is no model folder.
    """
    contract = read_contract(folder / MODEL)
    try:
        return str(contract["files"][contract["weights"]["file"]]["sha256"])
    except (KeyError, TypeError) as error:
        raise CalibrationError(
            f"{folder / MODEL} is malformed ({error!r}).", CONVERT_AGAIN
        ) from None


def put(path: Path, folder: Path) -> None:
    """Write a fit into the folder's model.json, at once.

    Raises:
        CalibrationError: the fit cannot be read, or was made on other weights.
        ExportError: it is no model folder, or it cannot be written.
    """
    fit = read_fit(path)
    fitted_on = fit["fitted"].get("weights_sha256")
    if fitted_on not in (None, weights_digest(folder)):
        raise CalibrationError(
            f"{path} was fitted on other weights than those of {folder}.",
            "Measure this model with bench.quality and fit again.",
        )
    contract = {**read_contract(folder / MODEL), "calibration": fit}
    replace_text(folder / MODEL, json.dumps(contract, ensure_ascii=False) + "\n")


def put_if_of(path: Path, folder: Path) -> bool:
    """`put` if there is a fit that names the folder's weights; whether there was.

    Raises:
        ExportError: the fit is there and cannot be read, or it is no model folder.
    """
    if not path.is_file():
        return False
    if read_fit(path)["fitted"].get("weights_sha256") != weights_digest(folder):
        return False
    put(path, folder)
    return True
