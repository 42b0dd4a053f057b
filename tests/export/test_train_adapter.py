"""Runs that begin from the adapter of an earlier one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from offhand_export.train.adapter import WEIGHTS
from offhand_export.train.command import train
from offhand_export.train.errors import TrainError
from tests.export.tiny_training import EXPERIMENT, write_checkpoint, write_experiment

SHORT = EXPERIMENT.replace("total = 8", "total = 3").replace("bits = 5", "bits = 0")


def quiet(line: str) -> None:
    """Progress nobody reads."""


def losses(run: Path) -> list[float]:
    records = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return [record["loss"] for record in records if "loss" in record]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def first(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first")
    experiment = write_experiment(folder, EXPERIMENT.replace("bits = 5", "bits = 0"))
    assert train(experiment, checkpoint, folder / "run", quiet)
    return folder / "run"


def test_a_second_run_begins_where_the_first_ended(
    first: Path, checkpoint: Path, tmp_path: Path
) -> None:
    experiment = write_experiment(tmp_path, SHORT)
    assert train(experiment, checkpoint, tmp_path / "fresh", quiet)
    assert train(experiment, checkpoint, tmp_path / "more", quiet, first / "adapter-last")
    # The same conversations at the first step: only what was learned before differs.
    assert losses(tmp_path / "more")[0] < 0.9 * losses(tmp_path / "fresh")[0]


def test_a_run_begun_otherwise_is_not_gone_on_with(
    first: Path, checkpoint: Path, tmp_path: Path
) -> None:
    experiment = write_experiment(tmp_path, SHORT)
    assert train(experiment, checkpoint, tmp_path / "run", quiet, first / "adapter-last")
    with pytest.raises(TrainError):
        train(experiment, checkpoint, tmp_path / "run", quiet)


def test_another_base_is_refused(first: Path, tmp_path: Path) -> None:
    other = write_checkpoint(tmp_path / "other", seed=1)
    experiment = write_experiment(tmp_path, SHORT)
    with pytest.raises(TrainError, match="another base"):
        train(experiment, other, tmp_path / "run", quiet, first / "adapter-last")


def test_another_rank_is_refused(first: Path, checkpoint: Path, tmp_path: Path) -> None:
    text = SHORT.replace("rank = 4", "rank = 2")
    with pytest.raises(TrainError, match="of this rank"):
        train(
            write_experiment(tmp_path, text),
            checkpoint,
            tmp_path / "run",
            quiet,
            first / "adapter-last",
        )


def test_a_folder_without_an_adapter_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="no adapter of ours"):
        train(write_experiment(tmp_path, SHORT), checkpoint, tmp_path / "run", quiet, tmp_path)


def test_an_adapter_that_lacks_a_layer_is_refused(
    first: Path, checkpoint: Path, tmp_path: Path
) -> None:
    broken = shutil.copytree(first / "adapter-last", tmp_path / "broken")
    tensors = load_file(broken / WEIGHTS)
    tensors.pop(next(iter(tensors)))
    save_file(tensors, broken / WEIGHTS)
    with pytest.raises(TrainError, match=r"has no lora_[AB] of"):
        train(write_experiment(tmp_path, SHORT), checkpoint, tmp_path / "run", quiet, broken)
