"""The run as a picture: loss and validation over the steps, redrawn as it grows.

Reads the records of `metrics.jsonl` and nothing else, so a finished run can be drawn again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from offhand_export.train.state import writing


def draw(records: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Draw loss and exact calls over the steps as an SVG file.

    Args:
        records: as the run notes them: one a step with `loss`, one a validation with
            `validation[catalog].{loss, exact}`.
        path: the file to replace.

    Raises:
        TrainError: the file cannot be written.
    """
    records = list(records)
    figure = Figure(figsize=(8, 6), layout="constrained")
    losses, exact = figure.subplots(2, 1, sharex=True)
    steps = [record for record in records if "loss" in record]
    losses.plot(
        [record["step"] for record in steps],
        [record["loss"] for record in steps],
        color="0.6",
        linewidth=1,
        label="training",
    )
    validated = [record for record in records if "validation" in record]
    names = dict.fromkeys(name for record in validated for name in record["validation"])
    for name in names:
        measured = [
            (record["step"], record["validation"][name])
            for record in validated
            if name in record["validation"]
        ]
        at = [step for step, _ in measured]
        losses.plot(at, [each["loss"] for _, each in measured], marker=".", label=name)
        exact.plot(at, [100 * each["exact"] for _, each in measured], marker=".", label=name)
    losses.set_yscale("log")
    losses.set_ylabel("loss a token (nats)")
    exact.set_ylabel("turns with every token right (%)")
    exact.set_xlabel("step")
    for axes in (losses, exact):
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend()
    # Without a date and with ids that are not drawn, the same run draws the same bytes.
    with writing(path) as file, rc_context({"svg.hashsalt": "offhand"}):
        FigureCanvasSVG(figure).print_svg(file, metadata={"Date": None})
