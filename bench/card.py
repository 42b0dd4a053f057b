"""Writes the model card: `python -m bench.card --reports DIR --out models/offhand-270m`.

README.md and its pictures are made of what was measured and nothing else: the reports of
`bench.quality` on the model and on the untuned base, the records of the training run, the counts of
its data, a table of wire precisions. What is not there leaves its section out. The words are in
card_text.md.jinja, tables in `card_tables`, pictures in `card_pictures`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from bench import card_tables as tables
from bench import card_training as training
from bench.card_calibration import (
    calibration_command,
    calibration_tables,
    read_calibration_record,
)
from bench.card_depth import Course, courses
from bench.card_pictures import draw_all
from bench.card_reports import (
    CardError,
    Json,
    Shelf,
    read_bars,
    read_precisions,
    read_shelf,
)
from bench.card_training import BASE, Run, read_runs, shown
from bench.quality import PRECISIONS
from bench.reliability import COVERAGE, ECE, RIGHT
from offhand_export.errors import ExportError
from offhand_export.files import replacing
from offhand_export.model_calibration import CALIBRATION

TEXT = Path(__file__).with_name("card_text.md.jinja")
CARD = "README.md"
PICTURES = "pictures"


@dataclass(frozen=True, slots=True)
class Findings:
    """All that a card is made of; what was not given is None or empty.

    Attributes:
        name: of the model, as its folder is called.
        shelf, base: reports on the model and on the untuned base.
        bars: what was aimed at, by data set.
        runs: of training, each going on from the last.
        wires: the table of wire precisions.
        confidence: what `bench.calibrate` wrote of this model.
        commands: what makes each table, by the name the text calls it.
    """

    name: str
    shelf: Shelf
    base: Shelf
    bars: Mapping[str, Mapping[str, float]]
    runs: Sequence[Run]
    wires: Sequence[Json]
    confidence: Json | None
    commands: Mapping[str, str]

    @property
    def precision(self) -> str:
        """The one that tables of a single precision show: the most precise measured."""
        return next(iter(self.shelf.precisions()), PRECISIONS[0])


def gather(args: argparse.Namespace) -> Findings:
    """Read what the command line names.

    Raises:
        CardError: something that is there cannot be used.
    """
    runs = read_runs(args)
    shelf, base = read_shelf(args.reports), read_shelf(args.base_reports)
    model = shelf.model() or {}
    confidence = read_calibration_record(args.out / CALIBRATION, model.get("weights_sha256"))
    return Findings(
        name=args.out.resolve().name,
        shelf=shelf,
        base=base,
        bars=read_bars(args.bars),
        runs=runs,
        wires=read_precisions(args.precision_table),
        confidence=confidence,
        commands={
            **_commands(args, shelf, base),
            **training.commands(runs),
            **_confidence_commands(args, confidence),
        },
    )


def _commands(args: argparse.Namespace, shelf: Shelf, base: Shelf) -> dict[str, str]:
    """What makes each table, with paths as they are in the repository."""
    name = args.out.resolve().name
    kinds = {kind for _, kind in shelf.sets()}
    public = " --reference DIR" if "public" in kinds else ""
    bfcl = " --bfcl build/bfcl.jsonl" if "bfcl" in kinds else ""
    form = (base.model() or {}).get("wire", {}).get("layers", "q5")
    untuned, other = f"build/models/gemma-3-270m-32k-{form}", f"build/models/{name}-FORM"
    quality = (
        f"python -m bench.quality --model {shown(args.out)}/served "
        f"--reports {shown(args.reports)}{public}"
    )
    return {
        "bfcl": "python -m tools.bfcl BFCL_EVAL_FOLDER --out build/bfcl.jsonl",
        "quality": f"{quality}{bfcl}",
        "heard": f"{quality} --only asr",
        "base": f"offhand-export convert {BASE} --wire {form} --out {untuned}\n"
        f"python -m bench.quality --model {untuned} --reports {shown(args.base_reports)}"
        f"{public}{bfcl}",
        "wire": f"offhand-export convert build/checkpoints/{name} --wire FORM --out {other}\n"
        f"python -m bench.quality --model {other} --reports build/quality/{name}-FORM{public}",
    }


def _confidence_commands(args: argparse.Namespace, record: Json | None) -> dict[str, str]:
    """What fitted the calibration; nothing where there is none."""
    if record is None:
        return {}
    out = f"{shown(args.out)}/{CALIBRATION}"
    return {"calibrate": calibration_command(record, shown(args.reports), out)}


def render(found: Findings, told: Sequence[Course], pictures: set[str]) -> str:
    """The card as Markdown.

    Args:
        found: what it is made of.
        told: figures by depth.
        pictures: names of those that were drawn.
    """
    shelf, precision = found.shelf, found.precision
    model = shelf.model()
    kinds = {kind for _, kind in shelf.sets()}
    named: dict[str, Any] = {
        "name": found.name,
        "precision": precision,
        "model": model,
        "megabytes": f"{model['bytes'] / 1e6:.1f}" if model else "",
        "pictures": pictures,
        "commands": found.commands,
        "based": bool(found.base.sets()),
        "bars": found.bars,
        "public": "public" in kinds,
        "bfcl": "bfcl" in kinds,
        "cited": tables.CITED,
        "results": tables.results(shelf, found.base, found.bars),
        "functions": tables.functions(shelf, precision),
        "depth": tables.depth_accuracy(told),
        "whole": tables.depth_whole(told),
        "confusions": tables.confusions(shelf, precision),
        "errors": tables.errors(shelf, precision),
        "heard": tables.heard(shelf, precision),
        "wires": tables.wires(found.wires),
        "wire_turns": tables.wire_turns(found.wires),
        "calibrations": tables.calibrations(shelf, precision),
        **_training(found),
        "confidence": found.confidence,
        "confidence_tables": calibration_tables(found.confidence) if found.confidence else {},
        "aims": {"right": RIGHT, "coverage": COVERAGE, "ece": ECE},
    }
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )  # Markdown, so nothing is escaped as HTML
    text = environment.from_string(TEXT.read_text("utf-8")).render(named)
    return re.sub(r"\n{3,}", "\n\n", text)


def _training(found: Findings) -> dict[str, Any]:
    """What the text says of the training."""
    # Rank and rounding are the adapter's, which each run passes on.
    experiment = found.runs[-1].experiment or {}
    return {
        "trained": any(run.records or run.data or run.experiment for run in found.runs),
        "several": len(found.runs) > 1,
        "data": training.data_counts(found.runs),
        "rank": experiment.get("lora", {}).get("rank"),
        "alpha": experiment.get("lora", {}).get("alpha"),
        "bits": experiment.get("quantize", {}).get("bits"),
        "settings": training.settings(found.runs),
    }


def write(found: Findings, out: Path) -> None:
    """Write the card and its pictures into the model's folder; each whole or not at all."""
    told = courses(found.shelf, found.precision)
    with replacing(out / PICTURES) as folder:
        drawn = draw_all(
            folder, found.runs, told, found.shelf, found.precision, found.wires, found.confidence
        )
        text = render(found, told, drawn)
    if not drawn:
        (out / PICTURES).rmdir()
    partial = out / f"{CARD}.partial"
    partial.write_text(text, "utf-8")
    partial.replace(out / CARD)


# The command.


def make_parser() -> argparse.ArgumentParser:
    """What the command takes."""
    parser = argparse.ArgumentParser(prog="bench.card", description=__doc__)
    parser.add_argument("--reports", required=True, type=Path, help="bench.quality's, of the model")
    parser.add_argument("--base-reports", type=Path, help="the same of the untuned base")
    training.add_arguments(parser)
    parser.add_argument("--precision-table", type=Path, metavar="FILE.json")
    parser.add_argument("--bars", type=Path, metavar="FILE.json", help="what was aimed at")
    parser.add_argument("--out", required=True, type=Path, help="folder of the model")
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Write the card; 0, or 2 after an error raised on purpose."""
    args = make_parser().parse_args(words)
    try:
        if not args.reports.is_dir():
            raise CardError(f"There is no folder {args.reports}.", "Measure with bench.quality.")
        write(gather(args), args.out)
    except ExportError as error:
        print(f"bench.card: {error}", file=sys.stderr)
        return 2
    print(f"wrote {args.out / CARD}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
