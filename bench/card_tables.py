"""The tables of the model card, as Markdown; every figure is a report's.

A table over nothing is the empty text. Rates are shown in percent.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.card_depth import Course, plain
from bench.card_reports import OWN, Json, Shelf
from bench.quality import BFCL_NAME, PUBLIC_NAME

CITED = 3
"""Errors cited from a data set, the surest of the model's first."""
CONFUSIONS = 12
Bars = Mapping[str, Mapping[str, float]]


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], words: Sequence[int] = (0,)) -> str:
    """A Markdown table whose columns `words` stand at the left; empty without rows."""
    if not rows:
        return ""
    words = [column % len(titles) for column in words]
    rule = ["---" if column in words else "--:" for column in range(len(titles))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (titles, rule, *rows))


def percent(value: float | None) -> str:
    """A fraction of 1 in percent; `-` for None."""
    return "-" if value is None else f"{100 * value:.1f}"


def interval(rate: float, count: int) -> str:
    """Wilson's 95% interval of a rate over `count` cases, in percent."""
    z = 1.959964
    middle = rate + z * z / (2 * count)
    reach = z * math.sqrt(rate * (1 - rate) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    low, high = max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)
    return f"{100 * low:.0f} to {100 * high:.0f}"


def label(catalog: str, kind: str) -> str:
    """A data set for a reader."""
    names = {"public": PUBLIC_NAME, "bfcl": BFCL_NAME}
    return f"{plain(catalog)}, {names.get(kind, kind)}"


def results(shelf: Shelf, base: Shelf, bars: Bars) -> str:
    """A row a data set: how the model did, what the untuned base did, what was aimed at."""
    memory = shelf.precisions()
    based = next(iter(base.precisions()), None)
    titles = ["data", "turns", *(f"TCE, {name}" for name in memory), "95% interval"]
    titles += [f"whole conversations, {name}" for name in memory]
    titles += ["closed loop", *(["untuned base"] if based else [])]
    titles += ["aimed at", "reached"] if bars else []
    rows = []
    for catalog, kind in shelf.sets():
        found = [shelf.get(catalog, kind, name) for name in memory]
        first = next(one for one in found if one is not None)
        row = [label(catalog, kind), str(first["turns"])]
        row += [percent(None if one is None else one["tce"]) for one in found]
        row += [interval(first["tce"], first["turns"])]
        row += [percent(_whole(one)) for one in found]
        row += [percent(first["closed_loop_accuracy"])]
        if based:
            other = base.get(catalog, kind, based)
            row.append(percent(None if other is None else other["tce"]))
        rows.append(row + (list(_bar(first, bars.get(f"{catalog}.{kind}", {}))) if bars else []))
    return table(titles, rows)


def _whole(report: Json | None) -> float | None:
    """Share of whole conversations right; where final turns alone were scored, there is none."""
    if report is None or report["last"]:
        return None
    return float(report["conversation_accuracy"])


def _bar(report: Json, bar: Mapping[str, float]) -> tuple[str, str]:
    """What was aimed at and whether it was reached."""
    found = {"tce": report["tce"], "conversations": _whole(report)}
    names = {"tce": "TCE", "conversations": "whole"}
    aims = [f"{names[key]} {percent(least)}" for key, least in bar.items()]
    reached = []
    for key, least in bar.items():
        value = found[key]
        # A bar of 96.7 is met by what a reader is shown as 96.7.
        reached.append("yes" if value is not None and round(value, 3) >= round(least, 3) else "no")
    return ", ".join(aims) or "-", ", ".join(reached) or "-"


def functions(shelf: Shelf, precision: str) -> str:
    """A row a function over our own data: how often it was wanted, called and right."""
    rows = []
    for catalog, reports in shelf.own(precision).items():
        wanted: Counter[str] = Counter()
        called: Counter[str] = Counter()
        chosen: Counter[str] = Counter()
        right: Counter[str] = Counter()
        for report in reports:
            for name, row in report["functions"].items():
                wanted[name] += row["count"]
                called[name] += row["predicted"]
                chosen[name] += round(row["recall"] * row["count"])
                right[name] += round(row["tce"] * row["count"])
        rows += [
            [
                plain(catalog),
                f"`{name}`",
                str(wanted[name]),
                str(called[name]),
                percent(_share(chosen[name], called[name])),
                percent(_share(chosen[name], wanted[name])),
                percent(_share(right[name], wanted[name])),
            ]
            for name in sorted(wanted | called)
        ]
    titles = ("catalog", "function", "wanted", "called", "precision", "recall", "TCE")
    return table(titles, rows, (0, 1))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def confusions(shelf: Shelf, precision: str) -> str:
    """Which function was called instead of which, over our own data, the most frequent first."""
    pairs: Counter[tuple[str, str, str]] = Counter()
    for catalog, reports in shelf.own(precision).items():
        for report in reports:
            for wanted, others in report["confusion"].items():
                for called, count in others.items():
                    pairs[plain(catalog), wanted, called] += count
    ranked = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    rows = [
        [catalog, f"`{wanted}`", f"`{called}`", str(count)]
        for (catalog, wanted, called), count in ranked[:CONFUSIONS]
    ]
    if len(ranked) > CONFUSIONS:
        left = ranked[CONFUSIONS:]
        count = sum(count for _, count in left)
        rows.append([f"and {len(left)} more pairs", "", "", str(count)])
    return table(("catalog", "wanted", "called instead", "turns"), rows, (0, 1, 2))


def errors(shelf: Shelf, precision: str) -> str:
    """A few errors word by word, from our own data alone, the surest of each set first."""
    return table(
        ("data", "turn", "message", "wanted", "called", "confidence"),
        list(_errors(shelf, precision)),
        (0, 2, 3, 4),
    )


def _errors(shelf: Shelf, precision: str) -> Iterator[list[str]]:
    for catalog, kind in shelf.sets():
        report = shelf.get(catalog, kind, precision)
        if kind not in OWN or report is None:
            continue
        surest = sorted(
            report["errors"],
            key=lambda one: (-one["confidence"], one["conversation"], one["turn"]),
        )
        for one in surest[:CITED]:
            yield [
                label(catalog, kind),
                str(one["turn"] + 1),
                _cell(one["text"]),
                _call(one["gold"]),
                _call(one["predicted"]),
                f"{one['confidence']:.2f}",
            ]


def _cell(text: str) -> str:
    """A user's words inside a table, to be read and not interpreted."""
    plain_words = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    for sign in "\\|`*_[]":
        plain_words = plain_words.replace(sign, f"\\{sign}")
    return plain_words


def _call(call: Mapping[str, Any] | None) -> str:
    if call is None:
        return "-"
    arguments = ", ".join(
        f"{name}={json.dumps(value, ensure_ascii=False)}"
        for name, value in sorted(call["arguments"].items())
    )
    return f"`{call['name']}({arguments})`".replace("|", "\\|").replace("\n", " ")


def depth_accuracy(courses: Sequence[Course]) -> str:
    """A row a catalog: the share of right turns at each depth, and of how many."""
    depths = sorted({step.turn for course in courses for step in course.steps})
    rows = []
    for course in courses:
        by_turn = {step.turn: f"{percent(step.tce)} of {step.count}" for step in course.steps}
        rows.append([course.name, *(by_turn.get(turn, "-") for turn in depths)])
    return table(("data", *(f"turn {turn}" for turn in depths)), rows)


def depth_whole(courses: Sequence[Course]) -> str:
    """Rows a catalog: conversations right so far at each depth, beside p to the power of n."""
    depths = sorted({step.turn for course in courses for step in course.steps})
    rows = []
    for course in courses:
        steps = {step.turn: step for step in course.steps}
        lines: dict[str, dict[int, float | None]] = {
            "all right so far": {turn: step.whole for turn, step in steps.items()},
            "p^n": {turn: step.independent for turn, step in steps.items()},
        }
        for name, line in lines.items():
            rows.append([course.name, name, *(percent(line.get(turn)) for turn in depths)])
    return table(("data", "", *(f"{turn}" for turn in depths)), rows, (0, 1))


def heard(shelf: Shelf, precision: str) -> str:
    """A row a data set that was misheard: accuracy at each rate."""
    rates = shelf.rates()
    rows = [
        [label(catalog, kind), *(percent(None if one is None else one["tce"]) for one in line)]
        for (catalog, kind), line in heard_sets(shelf, precision).items()
    ]
    return table(("data", *(f"{rate:.0%}" for rate in rates)), rows)


def heard_sets(shelf: Shelf, precision: str) -> dict[tuple[str, str], list[Json | None]]:
    """The reports at each of the shelf's rates, of the data sets measured at more than one."""
    sets = {
        (catalog, kind): [shelf.get(catalog, kind, precision, rate) for rate in shelf.rates()]
        for catalog, kind in shelf.sets()
    }
    return {pair: line for pair, line in sets.items() if sum(one is not None for one in line) > 1}


def wires(rows: Sequence[Json]) -> str:
    """A row a form of the download: its size and what is left of accuracy."""
    names = list(dict.fromkeys(name for row in rows for name in row["sets"]))
    titles = ["download", "MB", "adapter"]
    for name in names:
        titles += [f"TCE, {name}", f"whole conversations, {name}"]
    lines = []
    for row in rows:
        line = [row["wire"], f"{row['megabytes']:.1f}", row["adapter"]]
        for name in names:
            found = row["sets"].get(name, {})
            line += [percent(found.get("tce")), percent(found.get("conversations"))]
        lines.append([*line, row["note"]])
    return table([*titles, "note"], lines, (0, 2, -1))


def wire_turns(rows: Sequence[Json]) -> str:
    """How many turns each set of the table has, in words."""
    turns = {name: found.get("turns") for row in rows for name, found in row["sets"].items()}
    told = [f"{name}: {count:,} turns" for name, count in turns.items() if count]
    return ", ".join(told)


def calibrations(shelf: Shelf, precision: str) -> str:
    """A row a data set: calibration error, and accuracy where the model is surest."""
    rows = []
    for catalog, kind in shelf.sets():
        report = shelf.get(catalog, kind, precision)
        if report is not None:
            found = report["calibration"]
            shares = [percent(found["accuracy_at"].get(at)) for at in ("0.90", "0.95", "1.00")]
            rows.append([label(catalog, kind), percent(found["ece"]), *shares])
    return table(("data", "ECE", "surest 90%", "surest 95%", "all"), rows)
