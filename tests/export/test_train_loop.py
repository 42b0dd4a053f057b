"""Parts of a run: its folder, its schedule, several processes, what it keeps and draws."""

from __future__ import annotations

import json
import resource
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from offhand.native import NativeText
from offhand.prompt import Template
from offhand.tokenizer import Vocabulary
from offhand_export.sources import Source, load
from offhand_export.train import loop
from offhand_export.train.batches import Examples, read_examples
from offhand_export.train.config import Config, Optimizer, read_config
from offhand_export.train.curves import draw
from offhand_export.train.errors import TrainError
from offhand_export.train.loop import Base, Trainer, learning_rate
from offhand_export.train.network import Network
from offhand_export.train.state import RunFolder, writing
from tests.export.tiny_training import (
    write_checkpoint,
    write_experiment,
)
from tests.tiny import CONTROL, TEMPLATE, tiny_tokenizer


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("base"))


def quiet(line: str) -> None:
    """Progress nobody reads."""


def records(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_only_one_process_trains_in_a_folder(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with folder.alone(), pytest.raises(TrainError, match="Another process"), folder.alone():
        pass
    with folder.alone():
        pass


def test_a_full_disk_leaves_the_last_state(tmp_path: Path) -> None:
    """A limit on file sizes stands in for the disk: writes fail with an error in the middle."""
    path = tmp_path / "state.pt"
    folder = RunFolder(tmp_path)
    folder.save({"step": 1})
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(TrainError, match=r"Cannot write .*state\.pt: .*Make room"):
            folder.save({"step": 2, "weights": [torch.zeros(1_000_000)]})
        with pytest.raises(TrainError, match="Cannot write"), writing(tmp_path / "b") as file:
            file.write(b" " * 200_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state.pt"]


def vocabulary() -> Vocabulary:
    control = {name: i for i, name in enumerate(CONTROL)}
    return Vocabulary(NativeText(tiny_tokenizer()), control, control.values())


def parts(folder: Path) -> tuple[Config, list[Examples]]:
    config = read_config(write_experiment(folder))
    return config, [read_examples(d, vocabulary(), Template(TEMPLATE)) for d in config.data]


def trainer(folder: Path, checkpoint: Path, **options: Any) -> Trainer:
    config, examples = parts(folder)
    model = load(Source("", checkpoint, ""))
    network = Network(model, config.lora.rank, 2.0, torch.float32, config.seed)
    run = RunFolder(folder / options.pop("name", "run"))
    return Trainer(config, network, examples, Base("gguf", "0"), run, say=quiet, **options)


class Together:
    """Threads in place of processes: each waits for the others' tensors."""

    def __init__(self, index: int, barrier: threading.Barrier, box: list[Any]) -> None:
        self.index, self.count = index, barrier.parties
        self._barrier, self._box = barrier, box

    def sum(self, values: torch.Tensor) -> torch.Tensor:
        self._box[self.index] = values.clone()
        self._barrier.wait(60)
        total = torch.stack(list(self._box)).sum(0)
        self._barrier.wait(60)
        return total


def test_several_processes_learn_what_one_learns(checkpoint: Path, tmp_path: Path) -> None:
    alone = trainer(tmp_path, checkpoint)
    assert alone.run()
    barrier, box = threading.Barrier(2), [None, None]
    both = [
        trainer(tmp_path, checkpoint, name=f"of {i}", processes=Together(i, barrier, box))
        for i in range(2)
    ]
    threads = [threading.Thread(target=one.run) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for mine, theirs, other in zip(
        alone.network.parameters(), *(one.network.parameters() for one in both), strict=True
    ):
        assert torch.equal(theirs, other)
        torch.testing.assert_close(mine, theirs, rtol=1e-2, atol=1e-3)
    assert [r["tokens"] for r in records(tmp_path / "run") if "tokens" in r] <= [
        r["tokens"] for r in records(tmp_path / "of 0") if "tokens" in r
    ]
    assert not (tmp_path / "of 1" / "metrics.jsonl").exists()


def test_a_loss_that_is_no_number_ends_the_run_unsaved(checkpoint: Path, tmp_path: Path) -> None:
    one = trainer(tmp_path, checkpoint)
    one.network.fused[0].b.data.fill_(torch.inf)
    with pytest.raises(TrainError, match=r"The loss of step 1 is .*lower learning rate"):
        one.run()
    assert not (tmp_path / "run" / "state.pt").exists()


def test_dropout_is_the_same_at_each_rerun_and_differs_by_step(
    checkpoint: Path, tmp_path: Path
) -> None:
    one = trainer(tmp_path, checkpoint)
    assert one._kept() is None
    one.config = replace(one.config, lora=replace(one.config.lora, dropout=0.5))
    first, again = one._kept(), one._kept()
    one.step += 1
    other = one._kept()
    assert first
    assert again
    assert other
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))
    assert {float(value) for factors in first for value in factors} == {0.0, 2.0}


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [1 / 3, 2 / 3, 1, 1, 1, 1]),
        ("linear", [1 / 3, 2 / 3, 1, 0.75, 0.5, 0.25]),
        ("cosine", [1 / 3, 2 / 3, 1, 0.8536, 0.5, 0.1464]),
    ],
)
def test_learning_rate(schedule: str, expected: list[float]) -> None:
    optimizer = Optimizer(learning_rate=1.0, warmup_steps=2, schedule=schedule)
    rates = [learning_rate(step, 6, optimizer) for step in range(6)]
    assert rates == pytest.approx(expected, abs=1e-4)


def test_best_starts_over_when_rounding_starts(checkpoint: Path, tmp_path: Path) -> None:
    one = trainer(tmp_path, checkpoint)
    one.best = {"rounded": False, "exact": 1.0, "loss": 0.0, "step": 0}
    one.step = 3
    one._validate()
    assert one.best["step"] == 0
    one.step = 5
    one._validate()
    assert (one.best["step"], one.best["rounded"]) == (5, True)


def test_curves_show_every_catalog(tmp_path: Path) -> None:
    made: list[dict[str, Any]] = [
        {"step": 1, "loss": 3.0},
        {"step": 1, "validation": {"one": {"loss": 2.0, "exact": 0.5}}},
        {"step": 2, "loss": 1.0},
        {"step": 2, "validation": {name: {"loss": 1.0, "exact": 0.75} for name in ("one", "two")}},
    ]
    draw(made, tmp_path / "a.svg")
    draw(made, tmp_path / "b.svg")
    text = (tmp_path / "a.svg").read_text("utf-8")
    assert "<!-- two -->" in text
    assert "<!-- training -->" in text
    draw([], tmp_path / "empty.svg")


def test_progress_says_how_far_and_how_long(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "QUIET", 0.0)
    lines: list[str] = []
    one = trainer(tmp_path, checkpoint)
    one.say = lines.append
    one.run()
    assert lines[0].startswith("train: step 1/8, loss ")
    assert lines[0].endswith("0 min left")
    assert any(line.startswith("train: after step 3: tiny ") for line in lines)
