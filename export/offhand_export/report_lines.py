"""A report as lines for a reader: the figures, then the tables that explain them.

What the figures are is `report`'s concern; the whole of them, each error included, is in the JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from offhand_export.report import Report

CONFUSIONS = 10
"""The most confusions shown."""


def as_lines(report: Report) -> list[str]:
    """The report as lines: what was measured, figures, remarks, tables."""
    setting = report.setting
    place = f"{setting.runtime} {setting.precision}"
    head = f"{setting.model}, {place}, {setting.catalog}"
    counts = f"{report.turns} turns in {report.conversations} conversations"
    cost = f"{report.tokens_run} tokens run in {report.seconds:.1f} s"
    figures = _figures(report)
    width = max(map(len, figures))
    return [
        head,
        f"{counts}, {cost}",
        *(f"  {name:<{width}}  {100 * value:5.1f}%" for name, value in figures.items()),
        *(f"  {line}" for line in _remarks(report)),
        *_depth(report),
        *_functions(report),
        *_confusion(report),
    ]


def _figures(report: Report) -> dict[str, float]:
    accuracy = report.calibration.accuracy_at
    figures = {
        "tool call equivalence": report.tce,
        "right function": report.function_accuracy,
        "whole conversations right": report.conversation_accuracy,
        "closed loop, turns": report.closed_loop_accuracy,
        "closed loop, conversations": report.closed_loop_conversation_accuracy,
        "ROUGE-L": report.rouge_l,
        "calibration error (ECE)": report.calibration.ece,
        **{f"accuracy at {float(share):.0%} coverage": accuracy[share] for share in accuracy},
    }
    if report.setting.last:
        del figures["whole conversations right"]
    return {name: value for name, value in figures.items() if value is not None}


def _remarks(report: Report) -> Iterator[str]:
    setting = report.setting
    if setting.browser:
        yield f"in {setting.browser}, {setting.threads} thread(s)"
    if setting.last:
        yield "final turns alone were scored, with the history given"
    if setting.asr_wer:
        yield f"{setting.asr_wer:.0%} of the users' words were misheard on purpose"
    counts = {
        "gold calls are outside the catalog": report.outside_schema,
        "turns have the assistant speak instead of calling": report.spoken,
        "messages were refused": report.refused,
    }
    yield from (f"{count} {remark}" for remark, count in counts.items() if count)


def _depth(report: Report) -> list[str]:
    titles = ("turn", "count", "right", "all so far", "closed loop", "p^n")
    rows = [
        (
            str(row.turn),
            str(row.count),
            _percent(row.tce),
            _percent(row.whole),
            _percent(row.closed_loop),
            # Without the turns before, there is nothing to compare it with.
            _percent(None if row.whole is None else row.independent),
        )
        for row in report.depth
    ]
    return _table(titles, rows, 0)


def _functions(report: Report) -> list[str]:
    titles = ("function", "wanted", "called", "precision", "recall", "right")
    rows = [
        (
            name,
            str(row.count),
            str(row.predicted),
            _percent(row.precision if row.predicted else None),
            _percent(row.recall if row.count else None),
            _percent(row.tce if row.count else None),
        )
        for name, row in report.functions.items()
    ]
    return _table(titles, rows, 1)


def _confusion(report: Report) -> list[str]:
    pairs = [
        (wanted, called, count)
        for wanted, others in report.confusion.items()
        for called, count in others.items()
    ]
    pairs.sort(key=lambda pair: -pair[2])
    rows = [(wanted, called, str(count)) for wanted, called, count in pairs[:CONFUSIONS]]
    if len(pairs) > CONFUSIONS:
        rows.append((f"and {len(pairs) - CONFUSIONS} more pairs", "", ""))
    return _table(("wanted", "called instead", "turns"), rows, 2) if rows else []


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}%"


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]], names: int) -> list[str]:
    """An empty line and a table; its first `names` columns stand at the left."""
    lines = [titles, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    return ["", *(_line(line, widths, names) for line in lines)]


def _line(cells: Sequence[str], widths: Sequence[int], names: int) -> str:
    padded = [
        cell.ljust(width) if column < names else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"  {'  '.join(padded)}".rstrip()
