"""Tiny reports by hand for the tests of the benchmarks: what is in them is all there is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]
MODEL = {
    "name": "tiny",
    "weights_sha256": "ab" * 32,
    "files": {"weights.bin": "ab" * 32},
    "bytes": 92_900_000,
    "wire": {"layers": "q5", "embedding": "int8"},
    "vocabulary": 32_768,
}


RECORDS: list[Json] = [
    {"step": 1, "loss": 6.5, "tokens": 4000.0, "seconds": 12.0},
    {"step": 2, "loss": 0.5, "tokens": 3000.0, "seconds": 4000.0},
    {"step": 2, "validation": {"banking": {"loss": 0.4, "exact": 0.5, "turns": 4}}},
]
WIRES: list[Json] = [
    {
        "wire": "q5",
        "megabytes": 92.9,
        "adapter": "QAT 5 bits",
        "sets": {"own": {"turns": 822, "tce": 0.95, "conversations": 0.81}, "public": {}},
        "note": "shipped",
    },
    {
        "wire": "q4",
        "megabytes": 80,
        "adapter": "QAT 4 bits",
        "sets": {"own": {"turns": 822, "tce": 0.9, "conversations": None}},
        "note": "",
    },
]
CONFIG = """# offhand-export synth --count 2 --out build/data
seed = 1
[lora]
rank = 32
[quantize]
bits = 5
start = 0.5
[steps]
total = 2
conversations = 10
"""


def report(catalog: str = "banking", kind: str = "loose", **changes: Any) -> Json:
    """A report of four turns in two conversations, three of them right; changes on top."""
    made: Json = {
        "model": "tiny",
        "runtime": "ort",
        "precision": "fp32",
        "catalog": catalog,
        "data": f"{catalog}.{kind}.jsonl",
        "last": False,
        "asr_wer": 0.0,
        "turns": 4,
        "conversations": 2,
        "tce": 0.75,
        "function_accuracy": 0.75,
        "conversation_accuracy": 0.5,
        "closed_loop_accuracy": 0.625,
        "functions": {
            "greeting": row(count=1, predicted=2, precision=0.5, recall=1.0, tce=1.0),
            "pay_bill": row(count=3, predicted=2, precision=1.0, recall=2 / 3, tce=2 / 3),
        },
        "confusion": {"pay_bill": {"greeting": 1}},
        "depth": [
            depth(1, 2, 1.0, 1.0, 1.0, 0.75),
            depth(2, 2, 0.5, 0.5, 0.5, 0.5625),
        ],
        "calibration": {"ece": 0.08, "accuracy_at": {"0.90": 0.9, "0.95": 0.8, "1.00": 0.75}},
        "seconds": 12.4,
        "errors": [error("pay it | now", 0.9)],
        "bench": {"kind": kind, "model": MODEL, "limit": None},
    }
    return {**made, **changes}


def row(**figures: float) -> Json:
    """A row of the table of functions."""
    return figures


def depth(
    turn: int,
    count: int,
    tce: float,
    whole: float | None,
    closed_loop: float | None,
    independent: float,
) -> Json:
    """A row of the table of depths."""
    return {
        "turn": turn,
        "count": count,
        "tce": tce,
        "whole": whole,
        "closed_loop": closed_loop,
        "independent": independent,
    }


def error(text: str | None, confidence: float, turn: int = 1) -> Json:
    """A missed turn."""
    return {
        "conversation": 0,
        "turn": turn,
        "text": text,
        "gold": {"name": "pay_bill", "arguments": {"amount": 5, "payee": "a|b"}},
        "predicted": {"name": "greeting", "arguments": {}},
        "confidence": confidence,
    }


def put(folder: Path, *reports: Json) -> Path:
    """Write reports into a folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, one in enumerate(reports):
        (folder / f"{place}.json").write_text(json.dumps(one), "utf-8")
    return folder


def words_of(place: Path) -> list[str]:
    """The command line that gives it all."""
    given = {
        "--reports": "reports",
        "--base-reports": "base",
        "--train": "run",
        "--data": "data",
        "--precision-table": "wires.json",
        "--bars": "bars.json",
        "--out": "offhand-270m",
    }
    return [word for name, path in given.items() for word in (name, str(place / path))]
