"""What several test folders share: the real model and the page built from it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from offhand.native import NativeModel

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def model_dir() -> Path:
    """The real model's folder; a missing one is a failure, since nothing else is tested then."""
    folder = Path(os.environ.get("OFFHAND_MODEL", ROOT / "build/models/gemma-3-270m"))
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
