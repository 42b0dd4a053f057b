"""The model card's pictures, as SVG: small, on white, the same bytes from the same figures.

Text stays text, in the reader's own sans-serif font. A picture of nothing is not drawn. What the
figures are is the reports' and the run's matter.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bench.card_calibration import draw_reliability
from bench.card_depth import Course
from bench.card_reports import Json, Shelf
from bench.card_tables import heard_sets, label
from bench.card_training import Run, joined

# Without a salt ids are random; without a date nothing tells when it was drawn.
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "offhand",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "path.simplify_threshold": 0.5,
}
WIDTH, HEIGHT = 7.0, 3.6  # inches


def draw_all(
    folder: Path,
    runs: Sequence[Run],
    courses: Sequence[Course],
    shelf: Shelf,
    precision: str,
    wires: Sequence[Json],
    confidence: Json | None,
) -> set[str]:
    """Draw what there are figures for into an existing folder.

    Args:
        folder: to write `NAME.svg` files to.
        runs: of training, drawn one after the other.
        courses: figures by depth.
        shelf: reports, for words misheard at `precision`.
        wires: the table of wire precisions.
        confidence: what `bench.calibrate` found.

    Returns:
        The names of the pictures drawn, less `.svg`.
    """
    drawings: dict[str, tuple[bool, Callable[[Figure], None], float]] = {
        "training": (
            any(run.steps() for run in runs),
            lambda figure: _training(figure, runs),
            1.5 * HEIGHT,
        ),
        "depth": (bool(courses), lambda figure: _depth(figure, courses), HEIGHT),
        "whole": (
            any(_compared(course) for course in courses),
            lambda figure: _whole(figure, courses),
            HEIGHT,
        ),
        "misheard": (
            bool(heard_sets(shelf, precision)),
            lambda figure: _heard(figure, shelf, precision),
            HEIGHT,
        ),
        "download": (bool(wires), lambda figure: _wires(figure, wires), HEIGHT),
        "reliability": (
            confidence is not None,
            lambda figure: draw_reliability(figure, confidence or {}),
            0.8 * HEIGHT,
        ),
    }
    for name, (there, draw, height) in drawings.items():
        if there:
            (folder / f"{name}.svg").write_bytes(_svg(draw, height))
    return {name for name, (there, _, _) in drawings.items() if there}


def _svg(draw: Callable[[Figure], None], height: float) -> bytes:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained", facecolor="white")
        draw(figure)
        file = io.BytesIO()
        FigureCanvasSVG(figure).print_svg(file, metadata={"Date": None})
    # Lines of SVG end in spaces, which reviewers' tools complain of.
    return b"\n".join(line.rstrip() for line in file.getvalue().split(b"\n"))


def _training(figure: Figure, runs: Sequence[Run]) -> None:
    """Loss above, exact turns of the validation data below; lines part the runs."""
    records, rounded, ends = joined(runs)
    losses, exact = figure.subplots(2, 1, sharex=True)
    steps = [record for record in records if "loss" in record]
    losses.plot(
        [one["step"] for one in steps],
        [one["loss"] for one in steps],
        color="0.6",
        linewidth=1,
        label="training",
    )
    validated = [record for record in records if "validation" in record]
    for name in dict.fromkeys(name for one in validated for name in one["validation"]):
        found = [one for one in validated if name in one["validation"]]
        at = [one["step"] for one in found]
        loss = [one["validation"][name]["loss"] for one in found]
        right = [100 * one["validation"][name]["exact"] for one in found]
        losses.plot(at, loss, marker="o", markersize=4, label=name.replace("_", " "))
        exact.plot(at, right, marker="o", markersize=4, label=name.replace("_", " "))
    losses.set_yscale("log")
    losses.set_ylabel("loss a token (nats)")
    exact.set_ylabel("validation turns\nall tokens right (%)")
    exact.set_xlabel("step")
    for axes in (losses, exact):
        if rounded is not None:
            axes.axvline(rounded, color="0.4", linestyle=":", linewidth=1)
        for end in ends:
            axes.axvline(end, color="0.4", linewidth=1)
    if rounded is not None:
        losses.plot([], [], color="0.4", linestyle=":", linewidth=1, label="rounded from here")
    if ends:
        losses.plot([], [], color="0.4", linewidth=1, label="next run")
    _legend(figure, losses)


def _depth(figure: Figure, courses: Sequence[Course]) -> None:
    axes = figure.subplots()
    for course in courses:
        turns = [step.turn for step in course.steps]
        axes.plot(turns, [100 * step.tce for step in course.steps], marker="o", label=course.name)
    _percent(axes, "turns right (%)")
    _whole_numbers(axes, courses)
    axes.set_xlabel("turn of the conversation")
    _legend(figure, axes)


def _compared(course: Course) -> bool:
    return any(step.whole is not None for step in course.steps)


def _whole(figure: Figure, courses: Sequence[Course]) -> None:
    """What became of whole conversations, and in dots what chance alone would leave."""
    axes = figure.subplots()
    told = [course for course in courses if _compared(course)]
    for course in told:
        steps = [step for step in course.steps if step.whole is not None]
        turns = [step.turn for step in steps]
        whole = [100 * step.whole for step in steps if step.whole is not None]
        (line,) = axes.plot(turns, whole, marker="o", label=course.name)
        power = [100 * step.independent for step in steps]
        axes.plot(turns, power, linestyle=":", color=line.get_color())
    axes.plot([], [], linestyle=":", color="0.4", label="p^n of the same colour")
    _percent(axes, "conversations all right so far (%)")
    _whole_numbers(axes, told)
    axes.set_xlabel("turns so far")
    _legend(figure, axes)


def _heard(figure: Figure, shelf: Shelf, precision: str) -> None:
    axes = figure.subplots()
    rates = shelf.rates()
    for (catalog, kind), line in heard_sets(shelf, precision).items():
        pairs = [(rate, one) for rate, one in zip(rates, line, strict=True) if one is not None]
        axes.plot(
            [100 * rate for rate, _ in pairs],
            [100 * one["tce"] for _, one in pairs],
            marker="o",
            label=label(catalog, kind),
        )
    _percent(axes, "turns right (%)")
    axes.set_xticks([100 * rate for rate in rates])
    axes.set_xlabel("words misheard (%)")
    _legend(figure, axes)


def _wires(figure: Figure, wires: Sequence[Json]) -> None:
    """Accuracy against size; each form of the download is named at its first set of data."""
    axes = figure.subplots()
    names = list(dict.fromkeys(name for row in wires for name in row["sets"]))
    named: set[int] = set()
    for name, marker in zip(names, "os^Dv*" * len(names), strict=False):
        found = [
            (place, row["megabytes"], 100 * row["sets"][name]["tce"])
            for place, row in enumerate(wires)
            if row["sets"].get(name, {}).get("tce") is not None
        ]
        sizes = [size for _, size, _ in found]
        if found:
            axes.plot(sizes, [rate for *_, rate in found], marker, label=name)
        for place, size, rate in found:
            if place not in named:
                named.add(place)
                text = f"{wires[place]['wire']}, {wires[place]['adapter']}"
                axes.annotate(text, (size, rate), (5, 5), textcoords="offset points", fontsize=8)
    axes.margins(x=0.15)
    _percent(axes, "turns right (%)")
    axes.set_xlabel("download (MB)")
    _legend(figure, axes)


def _legend(figure: Figure, axes: Axes) -> None:
    """Beside the picture, so that it hides nothing."""
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", frameon=False)


def _percent(axes: Axes, title: str) -> None:
    """The y axis: up to 100, down to what is there."""
    axes.set_ylabel(title)
    low, _ = axes.get_ylim()
    axes.set_ylim(max(0.0, low - 2), 102)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))


def _whole_numbers(axes: Axes, courses: Sequence[Course]) -> None:
    last = max(step.turn for course in courses for step in course.steps)
    axes.set_xticks(range(1, last + 1))
