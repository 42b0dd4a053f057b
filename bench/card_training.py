"""How the model of a card was trained: one run, or several of which each goes on from the last.

A run is its experiment (a TOML file), its records, and the counts of its data; each may be missing.
What is told of them stands in tables with a column a run; the curves are `card_pictures`' matter.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.card_depth import plain
from bench.card_reports import CATALOGS, Json, read_config, read_data, read_records
from bench.card_tables import table
from bench.quality import ROOT

CONFIGS = ("train.toml", "refine.toml")
DATA = (ROOT / "build" / "data", ROOT / "build" / "data2")
BASE = "build/checkpoints/gemma-3-270m-32k"


@dataclass(frozen=True, slots=True)
class Run:
    """One training run.

    Attributes:
        path: its folder; None where it was not given.
        config: the experiment's file, which need not be there.
        experiment: what that says.
        records: one a step and one a validation.
        data: counts of its data, by catalog.
    """

    path: Path | None
    config: Path
    experiment: Json | None
    records: Sequence[Json]
    data: Mapping[str, Json]

    def steps(self) -> list[Json]:
        """The record of each step once, in order; a run that was resumed may have noted two."""
        noted = {record["step"]: record for record in self.records if "loss" in record}
        return [noted[step] for step in sorted(noted)]

    def rounded_from(self) -> int | None:
        """The first step, from 1, that learned on rounded weights; None where none did."""
        settings = (self.experiment or {}).get("quantize")
        if self.experiment is None or not settings or not settings.get("bits"):
            return None
        total = self.experiment["steps"]["total"]
        return math.ceil(settings.get("start", 0) * total - 1e-9) + 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what names the runs."""
    parser.add_argument(
        "--train", type=Path, nargs="*", default=[], help="folders of the training runs, in order"
    )
    parser.add_argument(
        "--config", type=Path, nargs="*", help=f"their experiments (OUT/{', OUT/'.join(CONFIGS)})"
    )
    parser.add_argument(
        "--data", type=Path, nargs="*", default=DATA, help="folders that synth wrote for them"
    )


def read_runs(args: argparse.Namespace) -> list[Run]:
    """The runs named on the command line; a first one always, whatever is known of it.

    Raises:
        CardError: something that is there cannot be read.
    """
    configs = args.config or [args.out / name for name in CONFIGS]
    runs = []
    for place in range(max(1, len(args.train))):
        path = args.train[place] if place < len(args.train) else None
        config = configs[place] if place < len(configs) else args.out / f"train{place + 1}.toml"
        data = args.data[place] if place < len(args.data) else None
        made = Run(path, config, read_config(config), read_records(path), read_data(data))
        runs.append(made)
    return runs


def joined(runs: Sequence[Run]) -> tuple[list[Json], int | None, list[int]]:
    """The runs as if they were one: records, the first rounded step, and where each run ends.

    Steps of a later run count on from the last; the ends are of all runs but the last.
    """
    records: list[Json] = []
    rounded: int | None = None
    ends: list[int] = []
    begin = 0
    for run in runs:
        moved = [*run.steps(), *(one for one in run.records if "validation" in one)]
        records += [{**one, "step": begin + one["step"]} for one in moved]
        first = run.rounded_from()
        if rounded is None and first is not None:
            rounded = begin + first
        begin = max((one["step"] for one in records), default=begin)
        ends.append(begin)
    return records, rounded, ends[:-1]


def settings(runs: Sequence[Run]) -> str:
    """How the model was trained: what the experiments say, and what the runs took."""
    columns = [_settings(run) for run in runs]
    names = [name for name in columns[0] if any(column[name] for column in columns)]
    rows = [[name, *(column[name] or "-" for column in columns)] for name in names]
    titles = ["", *([""] if len(runs) == 1 else [f"run {place + 1}" for place in range(len(runs))])]
    return table(titles, rows, range(len(titles)))


def _settings(run: Run) -> dict[str, str]:
    """What is told of a run, by name; empty where it is not known."""
    told = run.experiment or {}
    steps, optimizer = told.get("steps", {}), told.get("optimizer", {})
    rounding, place = told.get("quantize", {}), told.get("run", {})
    total, group, rate = (
        steps.get("total"),
        steps.get("conversations"),
        optimizer.get("learning_rate"),
    )
    bits, start, threads = rounding.get("bits"), rounding.get("start", 0), place.get("threads")
    seconds = max((record["seconds"] for record in run.steps()), default=0.0)
    tokens = sum(record["tokens"] for record in run.steps())
    time = f"{duration(seconds)}{f' on {threads} CPU threads' if threads else ''}"
    after = f"after {start:.0%} of the steps" if start else "throughout"
    values: dict[str, Any] = {
        "experiment": run.experiment and f"[{run.config.name}]({run.config.name})",
        "steps": total and f"{total}{f' of {group} conversations' if group else ''}",
        "learning rate": rate and f"{rate:g}",
        "schedule": optimizer.get("schedule"),
        "steps of warm-up": optimizer.get("warmup_steps"),
        "arithmetic": place.get("precision"),
        "rounding": bits and f"{bits} bits, {after}",
        "seed": told.get("seed"),
        "time": seconds and time,
        "tokens run": tokens and f"{tokens:,.0f}",
    }
    return {name: str(value) if value else "" for name, value in values.items()}


def duration(seconds: float) -> str:
    """A time in hours and minutes."""
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


def data_counts(runs: Sequence[Run]) -> str:
    """A row a catalog and run: what it was trained on."""
    several = sum(bool(run.data) for run in runs) > 1
    rows = [
        [
            *([f"run {place + 1}"] if several else []),
            plain(catalog),
            *(f"{run.data[catalog][key]:,}" for key in ("conversations", "turns")),
            *(f"{run.data[catalog][key]:,}" for key in ("distinct_texts", "vocabulary")),
        ]
        for place, run in enumerate(runs)
        for catalog in CATALOGS
        if catalog in run.data
    ]
    titles = ("catalog", "conversations", "turns", "different messages", "different words")
    return table((*(("",) if several else ()), *titles), rows, (0, 1) if several else (0,))


def commands(runs: Sequence[Run]) -> dict[str, str]:
    """What made data and runs, a line each; an experiment's file says how its data was made."""
    synth, train = [], []
    last: Run | None = None
    for run in runs:
        text = run.config.read_text("utf-8") if run.config.is_file() else ""
        made = re.search(r"offhand-export synth .*", text)
        synth.append(made.group() if made else "offhand-export synth --out build/data")
        begin = f" --adapter {shown(last.path)}/adapter" if last else ""
        train.append(
            f"offhand-export train {shown(run.config)} --checkpoint {BASE}{begin} "
            f"--out {shown(run.path)}"
        )
        last = run
    return {"synth": "\n".join(dict.fromkeys(synth)), "train": "\n".join(train)}


def shown(path: Path | None) -> str:
    """A path as a reader of the repository would write it; elsewhere its name alone."""
    if path is None:
        return "DIR"
    whole = path.resolve()
    return whole.relative_to(ROOT).as_posix() if whole.is_relative_to(ROOT) else whole.name
