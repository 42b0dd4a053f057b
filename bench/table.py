"""Puts a report's figures into README.md, between two marks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def write_table(report: dict[str, Any], readme: Path) -> None:
    """Replace what stands between the marks of `readme`."""
    text = readme.read_text("utf-8")
    figures = f"{BEGIN}\n{render(report)}\n{END}"
    if BEGIN not in text or END not in text:
        raise ValueError(f"{readme} has lost its marks {BEGIN} and {END}; put them back")
    changed = re.sub(f"{BEGIN}.*{END}", lambda _: figures, text, flags=re.S)
    readme.write_text(changed, "utf-8")


def render(report: dict[str, Any]) -> str:
    """The report as Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    runs = report["runs"]
    rows = [
        ("threads", *(str(run["threads"]) for run in runs)),
        *((f"cold load, {name}", *cells) for name, cells in _loads(runs, "cold")),
        *((f"warm load, {name}", *cells) for name, cells in _loads(runs, "warm")),
        ("turn, p50", *(f"{run['summary']['p50']} ms" for run in runs)),
        ("turn, p95", *(f"{run['summary']['p95']} ms" for run in runs)),
        ("of it the first pass (prefill), p50", *(_ms(run, "prefill_p50") for run in runs)),
        ("of it all later passes, p50", *(_ms(run, "decode_p50") for run in runs)),
        ("tokens run a turn, p50", *(str(run["summary"]["tokens_run_p50"]) for run in runs)),
        ("renderer memory, loaded", *(_mb(run["renderer_bytes"]["loaded"]) for run in runs)),
        (
            "renderer memory, after the turns",
            *(_mb(run["renderer_bytes"]["after_turns"]) for run in runs),
        ),
    ]
    head = f"{report['date']}, {report['machine']['cores']} cores, {report['browser']}; {versions}."
    model = f"Model {report['model']}, {report['memory']} in memory."
    table = [f"| {' | '.join(row)} |" for row in rows]
    table.insert(1, "|---" * len(rows[0]) + "|")
    return "\n".join([head, model, "", *table])


def _loads(runs: list[dict[str, Any]], kind: str) -> list[tuple[str, list[str]]]:
    return [
        ("time to ready", [f"{run[kind]['milliseconds'] / 1000:.1f} s" for run in runs]),
        ("bytes over the network", [_mb(run[kind]["bytes"]) for run in runs]),
    ]


def _ms(run: dict[str, Any], key: str) -> str:
    return f"{run['summary'][key]} ms"


def _mb(size: int | None) -> str:
    return "unknown" if size is None else f"{size / 1e6:.0f} MB"
