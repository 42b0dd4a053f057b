"""A folder with everything that a model card is made of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.reports import CONFIG, RECORDS, WIRES, depth, error, put, report


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with everything a card is made of."""
    put(
        tmp_path / "reports",
        report(),
        report(precision="int8", tce=0.5),
        report(asr_wer=0.2, tce=0.25),
        report("smart_home", "formulaic"),
        report("banking", "public", errors=[error("SECRET", 1.0)]),
        report(
            "files",
            "bfcl",
            last=True,
            closed_loop_accuracy=None,
            depth=[depth(3, 4, 0.75, None, None, 0.42)],
            errors=[error("SECRET", 1.0)],
        ),
    )
    put(tmp_path / "base", report(tce=0.125))
    (tmp_path / "run").mkdir()
    lines = [json.dumps(record) for record in RECORDS]
    (tmp_path / "run" / "metrics.jsonl").write_text("\n".join(lines))
    (tmp_path / "data").mkdir()
    counts = {"conversations": 2680, "turns": 8470, "distinct_texts": 6903, "vocabulary": 2941}
    (tmp_path / "data" / "banking.report.json").write_text(json.dumps(counts))
    (tmp_path / "wires.json").write_text(json.dumps(WIRES))
    (tmp_path / "bars.json").write_text('{"banking.loose": {"tce": 0.75, "conversations": 0.7}}')
    (tmp_path / "offhand-270m").mkdir()
    (tmp_path / "offhand-270m" / "train.toml").write_text(CONFIG)
    return tmp_path
