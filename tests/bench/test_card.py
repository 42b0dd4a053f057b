"""The model card over reports by hand: right figures, sections that come and go."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import card_tables as tables
from bench.card import Findings, gather, main, make_parser, render
from bench.card_depth import courses
from bench.card_reports import CardError, Shelf, read_bars, read_precisions, read_shelf, weighted
from tests.bench.reports import WIRES, Json, depth, error, put, report, row, words_of


def cells(made: str, name: str) -> list[str]:
    """The first row of a table that begins with `name`."""
    (line, *_) = [line for line in made.split("\n") if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_the_whole_card(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words_of(place)) == 0
    card = (place / "offhand-270m" / "README.md").read_text("utf-8")
    headings = re.findall(r"^##+ (.+)$", card, re.M)
    assert headings == [
        "Use, and limits", "Results", "By function", "Depth", "Errors", "Misheard words",
        "Size against accuracy", "Confidence", "Training", "Licence",
    ]  # fmt: skip
    shown = re.findall(r"\]\((pictures/.+?)\)", card)
    drawn = {path.name for path in (place / "offhand-270m" / "pictures").iterdir()}
    assert {f"pictures/{name}" for name in drawn} == set(shown)
    assert len(shown) == 5
    assert "SECRET" not in card
    assert str(place) not in card
    assert "offhand-export synth --count 2 --out build/data\n" in card
    assert "| time | 1 h 07 min |" in card
    assert "| tokens run | 7,000 |" in card
    assert "LoRA of rank 32" in card
    assert "| banking | 2,680 | 8,470 | 6,903 | 2,941 |" in card
    assert "92.9 MB: layers q5, embedding int8" in card
    assert "{{" not in card
    assert "None" not in card
    assert card.startswith("---\nlicense: gemma\n")
    # Every table with figures of ours is followed by the command that makes it.
    for heading in headings[1:-1]:
        assert "```" in card.split(f"# {heading}\n")[1].split("\n## ")[0], heading


def test_the_same_findings_make_the_same_bytes(place: Path) -> None:
    def made() -> dict[str, bytes]:
        assert main(words_of(place)) == 0
        folder = place / "offhand-270m"
        return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    first = made()
    assert made() == first
    assert all(len(content) < 60_000 for content in first.values())
    assert not [name for name in first if name.endswith(".partial")]


def test_reports_alone_make_a_card(place: Path) -> None:
    out = place / "other"
    out.mkdir()
    words = ["--reports", str(put(place / "empty")), "--out", str(out), "--data", str(place)]
    assert main(words) == 0
    card = (out / "README.md").read_text("utf-8")
    assert re.findall(r"^## (.+)$", card, re.M) == ["Use, and limits", "Licence"]
    assert not (out / "pictures").exists()


@pytest.mark.parametrize(
    ("left_out", "heading"),
    [
        ("--train", None),
        ("--base-reports", None),
        ("--bars", None),
        ("--precision-table", "Size against accuracy"),
    ],
)
def test_what_is_not_given_is_left_out(left_out: str, heading: str | None, place: Path) -> None:
    words = words_of(place)
    at = words.index(left_out)
    assert main(words[:at] + words[at + 2 :]) == 0
    card = (place / "offhand-270m" / "README.md").read_text("utf-8")
    assert heading is None or heading not in card
    absent = {"--train": "training.svg", "--base-reports": "untuned base", "--bars": "aimed at"}
    assert absent.get(left_out, "download.svg") not in card


def test_results(place: Path) -> None:
    found = gather(make_parser().parse_args(words_of(place)))
    made = tables.results(found.shelf, found.base, found.bars)
    assert made.split("\n")[0] == (
        "| data | turns | TCE, fp32 | TCE, int8 | 95% interval | whole conversations, fp32 "
        "| whole conversations, int8 | closed loop | untuned base | aimed at | reached |"
    )
    assert cells(made, "banking, loose") == [
        "banking, loose", "4", "75.0", "50.0", "30 to 95", "50.0", "50.0", "62.5", "12.5",
        "TCE 75.0, whole 70.0", "yes, no",
    ]  # fmt: skip
    assert cells(made, "files, BFCL file system turns") == [
        "files, BFCL file system turns", "4", "75.0", "-", "30 to 95", "-", "-", "-", "-", "-", "-",
    ]  # fmt: skip


def test_functions_are_added_up() -> None:
    other = report(
        kind="formulaic",
        functions={"pay_bill": row(count=7, predicted=8, precision=0.75, recall=6 / 7, tce=4 / 7)},
    )
    made = tables.functions(shelf_of(report(), other), "fp32")
    assert cells(made.replace("| banking | `pay", "| `pay"), "`pay_bill`") == [
        "`pay_bill`", "10", "10", "80.0", "80.0", "60.0",
    ]  # fmt: skip


def shelf_of(*reports: Json) -> Shelf:
    return Shelf(
        {
            (one["catalog"], one["bench"]["kind"], one["precision"], one["asr_wer"]): one
            for one in reports
        }
    )


def test_depths_are_weighted() -> None:
    other = report(
        kind="formulaic",
        turns=12,
        tce=1.0,
        depth=[depth(1, 6, 0.5, 0.5, 0.25, 1.0), depth(3, 1, 1.0, 1.0, 1.0, 1.0)],
    )
    (course,) = courses(shelf_of(report(), other), "fp32")
    assert course.name == "banking"
    first, second, third = course.steps
    assert (first.count, first.tce, first.whole) == (8, 0.625, 0.625)
    assert [step.independent for step in course.steps] == pytest.approx(
        [0.9375, 0.9375**2, 0.9375**3]
    )
    assert (second.count, third.turn) == (2, 3)
    made = tables.depth_accuracy([course])
    assert made.split("\n")[-1] == "| banking | 62.5 of 8 | 50.0 of 2 | 100.0 of 1 |"
    assert "| banking | p^n | 93.8 | 87.9 | 82.4 |" in tables.depth_whole([course])


def test_depth_tells_own_and_public_data_apart(place: Path) -> None:
    names = [course.name for course in courses(read_shelf(place / "reports"), "fp32")]
    assert names == ["smart home", "banking", "banking, public"]


def test_errors_are_cited_from_our_own_data_the_surest_first() -> None:
    missed = [error(f"number {place}", place / 10, place) for place in range(6)]
    hostile = "a | b\n`<escape>` [x](y)"
    shelf = shelf_of(
        report(errors=[*missed, error(hostile, 0.95)]),
        report(kind="public", errors=[error("SECRET", 1.0)]),
        report("files", "bfcl", errors=[error("SECRET", 1.0)]),
        report("files", "loose", errors=[{**error("hm", 0.1), "gold": None, "predicted": None}]),
    )
    lines = tables.errors(shelf, "fp32").split("\n")[2:]
    assert lines == [
        r"| banking, loose | 2 | a \| b \`&lt;escape>\` \[x\](y) "
        r'| `pay_bill(amount=5, payee="a\|b")` | `greeting()` | 0.95 |',
        r'| banking, loose | 6 | number 5 | `pay_bill(amount=5, payee="a\|b")` '
        "| `greeting()` | 0.50 |",
        r'| banking, loose | 5 | number 4 | `pay_bill(amount=5, payee="a\|b")` '
        "| `greeting()` | 0.40 |",
        "| files, loose | 2 | hm | - | - | 0.10 |",
    ]


def test_confusions_are_counted_and_cut() -> None:
    pairs = {f"f{place:02}": {"g": place} for place in range(1, 16)}
    lines = tables.confusions(shelf_of(report(confusion=pairs)), "fp32").split("\n")[2:]
    assert lines[0] == "| banking | `f15` | `g` | 15 |"
    assert lines[-1] == "| and 3 more pairs |  |  | 6 |"
    assert len(lines) == tables.CONFUSIONS + 1


def test_misheard_words_are_compared_with_the_same_data_as_it_was_said(place: Path) -> None:
    made = tables.heard(read_shelf(place / "reports"), "fp32").split("\n")
    assert made == [
        "| data | 0% | 20% |",
        "| --- | --: | --: |",
        "| banking, loose | 75.0 | 25.0 |",
    ]


def test_the_table_of_downloads() -> None:
    assert tables.wires(WIRES).split("\n") == [
        "| download | MB | adapter | TCE, own | whole conversations, own | TCE, public "
        "| whole conversations, public | note |",
        "| --- | --: | --- | --: | --: | --: | --: | --- |",
        "| q5 | 92.9 | QAT 5 bits | 95.0 | 81.0 | - | - | shipped |",
        "| q4 | 80.0 | QAT 4 bits | 90.0 | - | - | - |  |",
    ]
    assert tables.wire_turns(WIRES) == "own: 822 turns"
    assert tables.wires([]) == ""


@pytest.mark.parametrize(
    ("rate", "count", "told"),
    [(0.75, 4, "30 to 95"), (1.0, 10, "72 to 100"), (0.0, 10, "0 to 28"), (0.95, 145, "90 to 98")],
)
def test_the_interval_is_wilsons(rate: float, count: int, told: str) -> None:
    assert tables.interval(rate, count) == told


@pytest.mark.parametrize(
    ("tce", "bar", "told"),
    [
        (0.9667, 0.967, "yes"),  # both are told as 96.7
        (0.9664, 0.967, "no"),
        (0.5, 0.5, "yes"),
    ],
)
def test_a_bar_is_reached_as_it_is_told(tce: float, bar: float, told: str) -> None:
    shelf = shelf_of(report(tce=tce))
    made = tables.results(shelf, Shelf(), {"banking.loose": {"tce": bar}})
    assert cells(made, "banking, loose")[-1] == told


def test_reports_on_parts_of_the_data_do_not_count(tmp_path: Path) -> None:
    part = report()
    part["bench"] = {**part["bench"], "limit": 2}
    (tmp_path / "foreign.json").write_text("{}")
    assert not read_shelf(put(tmp_path, part)).reports


def test_reports_on_two_models_are_refused(tmp_path: Path) -> None:
    other = report(kind="formulaic")
    other["bench"] = {**other["bench"], "model": {"weights_sha256": "cd" * 32}}
    with pytest.raises(CardError, match="2 models"):
        read_shelf(put(tmp_path, report(), other))


@pytest.mark.parametrize(
    "rows",
    [
        "{",
        '{"wire": "q5"}',
        "[1]",
        json.dumps([{**WIRES[0], "megabytes": "many"}]),
        json.dumps([{**WIRES[0], "sets": {"own": {"tec": 0.9}}}]),
        json.dumps([{**WIRES[0], "sets": {"own": {"tce": 95.0, "conversations": 0.8}}}]),
        json.dumps([{**WIRES[0], "sets": {"own": {"tce": "0.9", "conversations": 0.8}}}]),
    ],
)
def test_a_malformed_table_of_downloads_is_refused(rows: str, tmp_path: Path) -> None:
    (tmp_path / "w.json").write_text(rows)
    with pytest.raises(CardError, match=r"w\.json"):
        read_precisions(tmp_path / "w.json")


@pytest.mark.parametrize(
    "bars", ["{", "[1]", '{"a": 1}', '{"a": {"tce": 95}}', '{"a": {"accuracy": 0.9}}']
)
def test_malformed_bars_are_refused(bars: str, tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(bars)
    with pytest.raises(CardError, match=r"b\.json"):
        read_bars(tmp_path / "b.json")


def test_an_error_leaves_the_card_as_it_was(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = place / "offhand-270m" / "README.md"
    card.write_text("before")
    (place / "wires.json").write_text("{")
    assert main(words_of(place)) == 2
    assert card.read_text() == "before"
    assert "wires.json" in capsys.readouterr().err
    assert main(["--reports", str(place / "none"), "--out", str(place)]) == 2


@pytest.mark.parametrize(
    ("pairs", "mean"),
    [([(0.5, 1), (1.0, 3)], 0.875), ([(None, 2), (1.0, 1)], None), ([], None), ([(0.5, 0)], None)],
)
def test_weighted_means(pairs: list[Any], mean: float | None) -> None:
    assert weighted(pairs) == mean


def test_one_precision_alone_has_no_columns_of_the_other(place: Path) -> None:
    found: Findings = gather(make_parser().parse_args(words_of(place)))
    alone = replace(found, shelf=shelf_of(report(precision="int8")))
    card = render(alone, courses(alone.shelf, alone.precision), set())
    assert "TCE, fp32" not in card
    assert "at int8" in card
