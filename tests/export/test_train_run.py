"""Whole runs on a tiny model: they learn, stop at any time, go on, and refuse to mix."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from offhand_export import cli
from offhand_export.checkpoint import make_checkpoint
from offhand_export.errors import ExportError
from offhand_export.sources import Source, load
from offhand_export.train.command import INTERRUPTED, train
from offhand_export.train.errors import TrainError
from offhand_export.train.network import Network
from tests.export.tiny_training import (
    EXPERIMENT,
    write_catalog,
    write_checkpoint,
    write_experiment,
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def finished(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an experiment and its finished run."""
    folder = tmp_path_factory.mktemp("finished")
    assert train(write_experiment(folder), checkpoint, folder / "run", quiet)
    return folder


def quiet(line: str) -> None:
    """Progress nobody reads."""


def records(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def timeless(run: Path) -> list[dict[str, Any]]:
    """The metrics less what depends on the clock."""
    return [
        {name: value for name, value in record.items() if name not in ("seconds", "tokens_per_s")}
        for record in records(run)
    ]


def weights(run: Path) -> list[torch.Tensor]:
    state = torch.load(run / "state.pt", weights_only=True)
    return [*state["weights"], *(v["exp_avg"] for v in state["optimizer"]["state"].values())]


def assert_same(run: Path, other: Path) -> None:
    for one, two in zip(weights(run), weights(other), strict=True):
        assert torch.equal(one, two)
    assert timeless(run) == timeless(other)
    for name in ("adapter", "adapter-last"):
        mine, theirs = (
            load_file(path / name / "adapter_model.safetensors") for path in (run, other)
        )
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[key], theirs[key]) for key in mine)


def test_a_run_learns_and_leaves_what_it_promises(finished: Path) -> None:
    run = finished / "run"
    steps = [record for record in records(run) if "loss" in record]
    assert [record["step"] for record in steps] == list(range(1, 9))
    assert steps[-1]["loss"] < steps[0]["loss"] - 1
    assert all(record["tokens"] > 0 and record["tokens_per_s"] > 0 for record in steps)
    validated = [record for record in records(run) if "validation" in record]
    assert [record["step"] for record in validated] == [3, 5, 6, 8]
    for record in validated:
        assert record["validation"]["tiny"].keys() == {"loss", "exact", "turns"}
    assert (run / "curves.svg").read_text("utf-8").count("<svg") == 1
    for name in ("adapter", "adapter-last"):
        tensors = load_file(run / name / "adapter_model.safetensors")
        assert len(tensors) == 3 * 7 * 2
        assert {tensor.dtype for tensor in tensors.values()} == {torch.bfloat16}


def test_the_adapter_merges_into_a_checkpoint(
    finished: Path, checkpoint: Path, tmp_path: Path
) -> None:
    adapter = finished / "run" / "adapter"
    made = load(Source("", make(checkpoint, tmp_path / "tuned", adapter), ""))
    before = load(Source("", checkpoint, ""))
    changed = made.model.layers[0].mlp.up_proj.weight - before.model.layers[0].mlp.up_proj.weight
    assert changed.abs().max() > 0
    other = write_checkpoint(tmp_path / "other", seed=1)
    with pytest.raises(ExportError, match="trained on other weights"):
        make(other, tmp_path / "wrong", adapter)
    assert not (tmp_path / "wrong").exists()


def make(source: Path, out: Path, adapter: Path) -> Path:
    return make_checkpoint(source, out, adapter, quiet)


def test_a_finished_run_is_left_alone(finished: Path, checkpoint: Path) -> None:
    before = timeless(finished / "run")
    assert train(finished / "experiment.toml", checkpoint, finished / "run", quiet)
    assert timeless(finished / "run") == before


@contextmanager
def calling(action: Callable[[], None], after: int) -> Iterator[None]:
    """Do something in the middle of the step after so many passes through the network."""
    run, count = Network.__call__, 0

    def counted(self: Network, batch: Any) -> Any:
        nonlocal count
        count += torch.is_grad_enabled()
        if count == after and torch.is_grad_enabled():
            action()
        return run(self, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Network, "__call__", counted)
        yield


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", [1, 4, 11])
def test_an_interrupted_run_goes_on_to_the_same_weights(
    finished: Path, checkpoint: Path, tmp_path: Path, number: signal.Signals, after: int
) -> None:
    experiment = write_experiment(tmp_path)
    command = ["train", str(experiment), "--checkpoint", str(checkpoint)]
    command += ["--out", str(tmp_path / "run")]
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with calling(lambda: signal.raise_signal(number), after):
        assert cli.main(command) == INTERRUPTED
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers
    stopped = torch.load(tmp_path / "run" / "state.pt", weights_only=True)["step"]
    assert 0 <= stopped < 8
    assert cli.main(command) == 0
    assert_same(tmp_path / "run", finished / "run")


class Killed(BaseException):
    """Ends a run as a kill would, with no chance to save."""


def test_a_killed_run_goes_on_from_its_last_saved_state(
    finished: Path, checkpoint: Path, tmp_path: Path
) -> None:
    text = EXPERIMENT.replace("[run]", "[run]\ncheckpoint_minutes = 1e-9")
    experiment = write_experiment(tmp_path, text)

    def kill() -> None:
        raise Killed

    with calling(kill, after=12), pytest.raises(Killed):
        train(experiment, checkpoint, tmp_path / "run", quiet)
    reached = torch.load(tmp_path / "run" / "state.pt", weights_only=True)["step"]
    assert 0 < reached < 8
    # Steps after the saved state leave metrics that are about to be written again.
    with (tmp_path / "run" / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"step": reached + 1, "loss": 99.0}) + '\n{"step": 7, "lo')
    assert train(experiment, checkpoint, tmp_path / "run", quiet)
    assert_same(tmp_path / "run", finished / "run")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("rank = 4", "rank = 2"), r"`config.lora.rank` \(4 then, 2 now\)"),
        (("seed = 3", "seed = 4"), "`config.seed`"),
        (("total = 8", "total = 9"), "`config.steps.total`"),
        (('"fp32"', '"bf16"'), "`config.precision`"),
        (("train.jsonl", "valid.jsonl"), "`data.tiny`"),
    ],
)
def test_a_run_of_something_else_is_refused(
    finished: Path, checkpoint: Path, change: tuple[str, str], message: str
) -> None:
    experiment = finished / "other.toml"
    experiment.write_text(EXPERIMENT.replace(*change))
    before = timeless(finished / "run")
    with pytest.raises(TrainError, match=f"with other {message}.* or give another --out"):
        train(experiment, checkpoint, finished / "run", quiet)
    assert timeless(finished / "run") == before


def test_another_checkpoint_is_refused(finished: Path, tmp_path: Path) -> None:
    other = write_checkpoint(tmp_path / "other", seed=1)
    with pytest.raises(TrainError, match=r"`checkpoint.model.safetensors`"):
        train(finished / "experiment.toml", other, finished / "run", quiet)


def test_how_often_to_look_may_change(finished: Path, checkpoint: Path) -> None:
    experiment = finished / "seldom.toml"
    experiment.write_text(EXPERIMENT.replace("validate_every = 3", "validate_every = 5"))
    assert train(experiment, checkpoint, finished / "run", quiet)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda run: (run / "state.pt").write_bytes(b"PK"), "state.pt cannot be read"),
        (lambda run: (run / "run.json").write_text("{"), "run.json cannot be read"),
        (lambda run: (run / "run.json").unlink(), "run.json is missing"),
    ],
)
def test_a_damaged_run_is_refused(
    finished: Path, checkpoint: Path, tmp_path: Path, damage: Any, message: str
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    for name in ("run.json", "state.pt", "metrics.jsonl"):
        (run / name).write_bytes((finished / "run" / name).read_bytes())
    damage(run)
    with pytest.raises(TrainError, match=message):
        train(finished / "experiment.toml", checkpoint, run, quiet)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("./tiny.json", "kitchen"), "no catalog named 'kitchen'"),
        (("train.jsonl", "none.jsonl"), "Cannot read .*none.jsonl"),
        (("valid.jsonl", "empty.jsonl"), "empty.jsonl holds no conversation"),
        (("./tiny.json", "./none.json"), "Cannot read the catalog"),
        (("max_tokens = 200", "max_tokens = 30"), "declarations of tiny take"),
    ],
)
def test_an_experiment_that_cannot_run_is_one_message(
    checkpoint: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: tuple[str, str],
    message: str,
) -> None:
    experiment = write_experiment(tmp_path, EXPERIMENT.replace(*change))
    (tmp_path / "empty.jsonl").write_text("\n")
    command = ["train", str(experiment), "--checkpoint", str(checkpoint)]
    assert cli.main([*command, "--out", str(tmp_path / "run")]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("offhand-export train: ")
    assert re.search(message, shown)
    assert not (tmp_path / "run").exists()


def test_two_tables_of_one_catalog_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    second = '[[data]]\ncatalog="./copy.json"\ntrain="train.jsonl"\nvalid="valid.jsonl"\n[lora]'
    experiment = write_experiment(tmp_path, EXPERIMENT.replace("[lora]", second))
    write_catalog(tmp_path / "copy.json")
    with pytest.raises(TrainError, match="'tiny' has two"):
        train(experiment, checkpoint, tmp_path / "run", quiet)


def test_two_catalogs_are_trained_together(checkpoint: Path, tmp_path: Path) -> None:
    second = '[[data]]\ncatalog="./copy.json"\ntrain="train.jsonl"\nvalid="valid.jsonl"\n[lora]'
    experiment = write_experiment(tmp_path, EXPERIMENT.replace("[lora]", second))
    write_catalog(tmp_path / "copy.json", "copy")
    assert train(experiment, checkpoint, tmp_path / "run", quiet)
    last = records(tmp_path / "run")[-1]["validation"]
    assert last.keys() == {"tiny", "copy"}
