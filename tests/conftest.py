"""What several test folders share: the real model and the page built from it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from offhand.native import NativeModel

ROOT = Path(__file__).parents[1]

# A busy machine makes no test wrong: time is measured by benchmarks.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
RELEASED = ROOT / "models" / "offhand-270m" / "served"
UNTUNED = ROOT / "build" / "models" / "gemma-3-270m"


@pytest.fixture(scope="session")
def model_dir() -> Path:
    """The real model's folder: the one named, else the released one, else the untuned base.

    A missing one is a failure, since nothing else is tested then.
    """
    default = RELEASED if RELEASED.is_dir() else UNTUNED
    folder = Path(os.environ.get("OFFHAND_MODEL", default))
    if not (folder / "model.json").is_file():
        pytest.fail(f"{folder} is not there; run `make model`")
    return folder


@pytest.fixture(scope="session")
def model(model_dir: Path) -> NativeModel:
    """The real model on onnxruntime, float32 in memory."""
    return NativeModel.open(model_dir)


@pytest.fixture(scope="session")
def dist_dir() -> Path:
    """The page built from the real model."""
    folder = Path(os.environ.get("OFFHAND_DIST", ROOT / "dist"))
    if not (folder / "manifest.json").is_file():
        pytest.fail(f"{folder} holds no page; run `make dist`")
    return folder
