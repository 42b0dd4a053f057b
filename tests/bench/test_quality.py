"""The quality benchmark over a fake model: what is measured, what is kept, what is not told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench import quality
from bench.quality import (
    Job,
    QualityError,
    jobs,
    main,
    model_facts,
    read_report,
    run,
    selected,
    summary,
)
from offhand.errors import ModelError
from offhand_export.dataset import DataError
from offhand_export.errors import BundleError
from offhand_export.evaluate import Model
from tests.bench.reports import put, report

LINE = {
    "question": [
        {"role": "user", "content": "hello my good friend"},
        {
            "role": "assistant",
            "tool_calls": [{"function": {"name": "greeting", "arguments": {}}}],
        },
        {"role": "user", "content": "what is in savings"},
    ],
    "answer": {"name": "check_balance", "parameters": {"account_type": "savings"}},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder of which nothing can be run."""
    made = tmp_path / "model"
    made.mkdir()
    (made / "weights.bin").write_bytes(b"weights")
    contract = {
        "format": 2,
        "name": "tiny",
        "config": {"vocabulary": 8},
        "wire": {"layers": "q5", "embedding": "int8", "bytes": {}},
        "weights": {"file": "weights.bin"},
        "files": {"weights.bin": {}},
    }
    (made / "model.json").write_text(json.dumps(contract))
    return made


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "banking.loose.jsonl"
    path.write_text(json.dumps(LINE) + "\n")
    return path


class Opener:
    """Counts what is opened and what is measured."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fails_at: int = 99) -> None:
        self.opened: list[str] = []
        self.measured: list[str] = []
        self.fails_at = fails_at
        monkeypatch.setattr(quality, "evaluate", self._evaluate)
        monkeypatch.setattr(quality, "as_json", lambda report: report)

    def __call__(self, folder: Path, runtime: str, precision: str, threads: int) -> Model:
        self.opened.append(precision)
        return None  # type: ignore[return-value]

    def _evaluate(
        self, model: Model, catalog: Any, conversations: Any, setting: Any, progress: Any
    ) -> dict[str, Any]:
        if len(self.measured) == self.fails_at:
            raise KeyboardInterrupt
        self.measured.append(f"{setting.data} {setting.precision} {setting.asr_wer}")
        made = report(catalog.name, precision=setting.precision, asr_wer=setting.asr_wer)
        del made["bench"]
        return made


def test_everything_is_measured_at_each_precision_and_misheard_at_the_first(
    tmp_path: Path,
) -> None:
    planned = jobs(tmp_path, tmp_path / "public", tmp_path / "b.jsonl", ["int8", "fp32"])
    names = [job.name for job in planned]
    assert len(names) == len(set(names)) == 2 * (6 + 2 + 1) + 3 * 3
    assert names[:2] == ["smart_home.formulaic.int8", "smart_home.loose.int8"]
    assert "banking.public.asr-0.05.int8" in names
    assert not [name for name in names if "asr" in name and not name.startswith("banking")]
    assert not [name for name in names if "asr" in name and name.endswith("fp32")]
    (bfcl,) = [job for job in planned if job.kind == "bfcl" and job.precision == "fp32"]
    assert (bfcl.catalog, bfcl.last) == ("files", True)
    assert [job.last for job in planned].count(True) == 2
    assert jobs(tmp_path, None, None, ["fp32"])[-1].name == "banking.loose.asr-0.20.fp32"


@pytest.mark.parametrize(
    ("pattern", "count"), [(None, 12), ("asr", 6), ("banking.*.fp32", 8), ("smart_home.loose", 1)]
)
def test_a_pattern_chooses(pattern: str | None, count: int, tmp_path: Path) -> None:
    assert len(selected(jobs(tmp_path, None, None, ["fp32"]), pattern)) == count


def test_a_pattern_that_matches_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QualityError, match=r"'tea'.*smart_home\.loose\.fp32"):
        selected(jobs(tmp_path, None, None, ["fp32"]), "tea")


def test_a_killed_run_goes_on(folder: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reports = data.parent / "reports"
    planned = [
        Job("banking", "loose", data, "fp32"),
        Job("banking", "loose", data, "fp32", asr_wer=0.2),
        Job("banking", "loose", data, "int8"),
    ]
    killed = Opener(monkeypatch, fails_at=1)
    with pytest.raises(KeyboardInterrupt):
        run(planned, folder, reports, opener=killed)
    assert [path.name for path in reports.iterdir()] == ["banking.loose.fp32.json"]
    again = Opener(monkeypatch)
    run(planned, folder, reports, opener=again)
    assert again.measured == ["banking.loose.jsonl fp32 0.2", "banking.loose.jsonl int8 0.0"]
    assert again.opened == ["fp32", "int8"]
    done = Opener(monkeypatch)
    run(planned, folder, reports, opener=done)
    assert not done.opened


@pytest.mark.parametrize("change", ["weights", "data", "limit", "report", "mishearing"])
def test_what_changed_is_measured_again(
    change: str, folder: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = data.parent / "reports"
    planned = [Job("banking", "loose", data, "fp32", asr_wer=0.1)]
    run(planned, folder, reports, opener=Opener(monkeypatch))
    if change == "weights":
        (folder / "weights.bin").write_bytes(b"others")
    if change == "data":
        data.write_text(data.read_text() * 2)
    if change == "report":
        (reports / "banking.loose.asr-0.10.fp32.json").write_text("{")
    if change == "mishearing":
        monkeypatch.setattr(quality, "misheard", lambda conversation, tools, wer: conversation)
        planned = [Job("banking", "loose", data, "fp32", asr_wer=0.1)]
    opener = Opener(monkeypatch)
    run(planned, folder, reports, limit=1 if change == "limit" else None, opener=opener)
    assert len(opener.measured) == 1


def test_the_report_says_what_it_is_about(
    folder: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(
        [Job("banking", "loose", data, "fp32")],
        folder,
        data.parent / "r",
        opener=Opener(monkeypatch),
    )
    found = read_report(data.parent / "r" / "banking.loose.fp32.json")
    assert found is not None
    assert found["bench"]["model"] == model_facts(folder)
    assert found["bench"]["kind"] == "loose"
    assert found["errors"][0]["text"] == "pay it | now"


def test_public_data_leaves_no_words(
    folder: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener = Opener(monkeypatch)
    public = data.rename(data.with_name("banking.train.jsonl"))
    run([Job("banking", "public", public, "fp32")], folder, data.parent / "r", opener=opener)
    (path,) = (data.parent / "r").iterdir()
    assert path.name == "banking.public.fp32.json"
    text = path.read_text()
    assert "pay it" not in text
    assert "a|b" not in text
    assert "train.jsonl" not in text
    assert json.loads(text)["errors"][0]["gold"] == {"name": "pay_bill"}
    assert opener.measured == ["public conversations fp32 0.0"]


def test_a_missing_file_stops_the_run_before_it_begins(
    folder: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener = Opener(monkeypatch)
    planned = [Job("banking", kind, data.with_name(f"{kind}.jsonl"), "fp32") for kind in "ab"]
    with pytest.raises(DataError, match="Cannot read"):
        run(planned, folder, data.parent / "r", opener=opener)
    assert not opener.opened


def test_a_folder_without_a_model_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="not a model folder"):
        model_facts(tmp_path)
    (folder / "weights.bin").unlink()
    with pytest.raises(QualityError, match="no converted model"):
        model_facts(folder)


def test_the_summary_is_a_table(tmp_path: Path) -> None:
    planned = jobs(tmp_path, None, tmp_path / "b.jsonl", ["fp32"])
    put(tmp_path, report())
    (tmp_path / "0.json").rename(tmp_path / "banking.loose.fp32.json")
    last = report("files", "bfcl", last=True, closed_loop_accuracy=None)
    (tmp_path / "files.bfcl.fp32.json").write_text(json.dumps(last))
    heard = report(asr_wer=0.1, tce=0.5)
    (tmp_path / "banking.loose.asr-0.10.fp32.json").write_text(json.dumps(heard))
    assert summary(planned, tmp_path)[2:] == [
        "| banking, loose | fp32 | 4 | 75.0 | 75.0 | 50.0 | 62.5 | 8.0 | 12 |",
        "| files, bfcl | fp32 | 4 | 75.0 | 75.0 | - | - | 8.0 | 12 |",
        "| banking, loose, 10% misheard | fp32 | 4 | 50.0 | 75.0 | 50.0 | 62.5 | 8.0 | 12 |",
    ]


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (QualityError("No."), 2, "bench.quality: No."),
        (ModelError("Broken."), 2, "bench.quality: Broken."),
        (KeyboardInterrupt(), 130, "the same command goes on"),
    ],
)
def test_the_command_ends_with_one_line(
    error: BaseException,
    code: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*words: Any) -> None:
        raise error

    monkeypatch.setattr(quality, "run", fail)
    assert main(["--model", str(tmp_path), "--reports", str(tmp_path)]) == code
    assert message in capsys.readouterr().err


def test_the_command_refuses_other_precisions(tmp_path: Path) -> None:
    words = ["--model", str(tmp_path), "--reports", str(tmp_path), "--precisions", "fp16"]
    with pytest.raises(SystemExit):
        main(words)
    assert main([*words[:4], "--limit", "0"]) == 2
