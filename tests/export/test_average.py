"""The mean of two adapters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from offhand_export.train.adapter import BASE, WEIGHTS
from tools.average import average
from tools.console import SetupError


def adapter(folder: Path, value: float, base: str = "same", rank: int = 2) -> Path:
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}", "utf-8")
    (folder / BASE).write_text(json.dumps({"linear_layers_sha256": base}), "utf-8")
    save_file({"a": torch.full((rank, 3), value, dtype=torch.bfloat16)}, folder / WEIGHTS)
    return folder


def test_matrices_are_averaged(tmp_path: Path) -> None:
    first, second = adapter(tmp_path / "1", 1.0), adapter(tmp_path / "2", 4.0)
    average(first, second, tmp_path / "mean")
    mean = load_file(tmp_path / "mean" / WEIGHTS)["a"]
    assert mean.dtype == torch.bfloat16
    assert mean.tolist() == [[2.5] * 3] * 2
    assert {path.name for path in (tmp_path / "mean").iterdir()} == {
        path.name for path in second.iterdir()
    }


@pytest.mark.parametrize("other", [{"base": "other"}, {"rank": 3}])
def test_adapters_that_do_not_match_are_refused(tmp_path: Path, other: dict[str, object]) -> None:
    first = adapter(tmp_path / "1", 1.0)
    second = adapter(tmp_path / "2", 1.0, **other)  # type: ignore[arg-type]
    with pytest.raises(SetupError, match="different bases or ranks"):
        average(first, second, tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_a_folder_without_an_adapter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="have to be adapters"):
        average(adapter(tmp_path / "1", 1.0), tmp_path, tmp_path / "mean")
