"""The model card's section on confidence: tables and a picture from what `bench.calibrate` wrote.

Every figure stands before and after calibration, with an arrow between.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.card_reports import CardError, Json
from bench.card_tables import percent, table
from bench.quality import BFCL_NAME, CATALOGS, PUBLIC_NAME
from bench.reliability import COVERAGE, COVERAGES, ECE, RIGHT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GROUP_ALL = "all"
_BIGGEST = 120.0  # points squared: a dot of all calls
_SMALLEST = 6.0


def read_calibration_record(path: Path, weights: str | None) -> Json | None:
    """What `bench.calibrate` wrote; None where there is nothing, or it is of other weights.

    Args:
        path: of the file.
        weights: sha256 of the card's model; None where it is not known.

    Raises:
        CardError: the file cannot be read.
    """
    if not path.is_file():
        return None
    try:
        record: Json = json.loads(path.read_text("utf-8"))
        calibration_tables(record)
        fitted_on = record["fitted"].get("weights_sha256")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CardError(
            f"{path} is no calibration ({error!r}).", "Make it with bench.calibrate."
        ) from None
    return record if weights is None or fitted_on in (None, weights) else None


def calibration_command(record: Mapping[str, Any], reports: str, out: str) -> str:
    """What made it, with reports in one folder and the names of their files in braces."""
    fit, judged = (record["reports"][name] for name in ("fit", "judge"))
    parts = [f"python -m bench.calibrate --fit {_braced(reports, fit)}"]
    parts += [f"--judge {_braced(reports, judged)}"] if judged != fit else []
    return " \\\n  ".join([*parts, f"--out {out}"])


def _braced(folder: str, names: Sequence[str]) -> str:
    inner = names[0] if len(names) == 1 else "{" + ",".join(names) + "}"
    return f"{folder}/{inner}.json"


# Tables.


def calibration_tables(record: Mapping[str, Any]) -> dict[str, str]:
    """Markdown tables: `ece`, `coverage`, and `policy`."""
    judged = record["judged"]
    together = {name: found for name, found in judged.items() if ", " not in name}
    return {
        "ece": _ece(judged),
        "coverage": _coverage(judged),
        "policy": _policy(together),
    }


def _ece(judged: Mapping[str, Json]) -> str:
    titles = ("data", "calls", "right", "ECE", "ECE, equal mass", f"at most {percent(ECE)}")
    rows = []
    for name, found in judged.items():
        value = found["after"]["ece"]
        rows.append(
            [
                _label(name),
                str(found["turns"]),
                percent(found["after"]["accuracy_at"]["1.00"]),
                _change(found, lambda one: percent(one["ece"])),
                _change(found, lambda one: percent(one["ece_mass"])),
                _met(round(value, 3) <= ECE),
            ]
        )
    return table(titles, rows)


def _coverage(judged: Mapping[str, Json]) -> str:
    shares = [f"{share:.2f}" for share in COVERAGES]
    titles = [
        "data",
        *(f"surest {share:.0%}" if share < 1 else "all" for share in COVERAGES),
        f"coverage where {percent(RIGHT)} are right",
        "threshold",
        "at thresholds of other calls: coverage",
        "right",
        f"at least {COVERAGE:.0%}",
    ]
    rows = []
    for name, found in judged.items():
        best = found["after"]["reach"]
        rows.append(
            [
                _label(name),
                *(_change(found, _right_at(at)) for at in shares),
                _change(found, lambda one: percent(one["reach"] and one["reach"]["coverage"])),
                "-" if best is None else f"{best['threshold']:.3f}",
                _change(found, lambda one: percent(one["carried"]["coverage"])),
                _change(found, lambda one: _share(one["carried"])),
                _met(best is not None and round(best["coverage"], 3) >= COVERAGE),
            ]
        )
    return table(titles, rows)


def _right_at(share: str) -> Callable[[Any], str]:
    return lambda one: percent(one["accuracy_at"][share])


def _share(carried: Mapping[str, float]) -> str:
    return percent(carried["right"] if carried["coverage"] else None)


def _policy(judged: Mapping[str, Json]) -> str:
    titles = (
        "data", "calls", "nothing to carry out", "always confirmed", "executed of the rest",
        "right of these", f"{percent(RIGHT)} of {COVERAGE:.0%}",
    )  # fmt: skip
    rows = []
    for name, found in judged.items():
        counts = found["after"]["policy"]
        executed, right = _rates(found["after"])
        rows.append(
            [
                _label(name),
                str(counts["calls"]),
                str(counts["idle"]),
                str(counts["risk"]),
                _change(found, lambda one: percent(_rates(one)[0])),
                _change(found, lambda one: percent(_rates(one)[1])),
                _met(
                    right is not None
                    and executed is not None
                    and round(right, 3) >= RIGHT
                    and round(executed, 3) >= COVERAGE
                ),
            ]
        )
    return table(titles, rows)


def _rates(one: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """The share executed of what confidence decides about, and how many of these are right."""
    counts = one["policy"]
    executed, open_ = counts["executed"], counts["executed"] + counts["doubt"]
    return executed / open_ if open_ else None, counts["right"] / executed if executed else None


def _change(found: Mapping[str, Any], tell: Callable[[Any], str]) -> str:
    return f"{tell(found['before'])} → {tell(found['after'])}"


def _met(reached: bool) -> str:
    return "met" if reached else "not met"


def _label(group: str) -> str:
    names = {"public": PUBLIC_NAME, "bfcl": BFCL_NAME}
    return ", ".join(names.get(part, part.replace("_", " ")) for part in group.split(", "))


# The picture.


def draw_reliability(figure: Figure, record: Mapping[str, Any]) -> None:
    """How many were right against how sure the model was, a panel a catalog; dots tell how many."""
    panels = list(_panels(record["judged"]))
    row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (name, found) in zip(row, panels, strict=True):
        axes.plot([0, 100], [0, 100], linestyle=":", color="0.4", label="perfect")
        for when, color in (("before", "0.6"), ("after", "C0")):
            bins = found[when]["bins"]
            at = [100 * one["confidence"] for one in bins]
            right = [100 * one["right"] for one in bins]
            sizes = [max(_SMALLEST, _BIGGEST * one["turns"] / found["turns"]) for one in bins]
            axes.plot(at, right, color=color, linewidth=1, label=when)
            axes.scatter(at, right, s=sizes, color=color)
        axes.set_title(_label(name), fontsize=10)
        axes.set_xlabel("confidence (%)")
        axes.set_xlim(-4, 104)
        axes.set_ylim(-4, 104)
    row[0].set_ylabel("calls right (%)")
    figure.legend(*row[0].get_legend_handles_labels(), loc="outside right upper", frameon=False)


def _panels(judged: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    for name in CATALOGS:
        if name in judged:
            yield name, judged[name]
