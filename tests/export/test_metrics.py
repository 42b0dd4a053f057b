"""What counts as the same call, and the figures drawn from right and wrong."""

from __future__ import annotations

from typing import Any

import pytest

from offhand import load_catalog
from offhand.dialect import ToolCall
from offhand.schema import parse_tools
from offhand_export.metrics import (
    by_depth,
    by_function,
    calibration,
    confusion,
    documented_defaults,
    equivalent,
    rouge_l,
)

DEFAULTS = {"heat": {"mode": "auto", "level": 3, "quiet": False}}


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        ({}, {}),
        ({"level": 5}, {"level": 5.0}),
        ({"level": 2**53}, {"level": float(2**53)}),
        ({"room": "hall", "level": 5}, {"level": 5, "room": "hall"}),
        ({"room": None}, {}),
        ({}, {"room": None}),
        ({"mode": "auto"}, {}),
        ({}, {"mode": "auto"}),
        ({}, {"level": 3.0}),
        ({"mode": None}, {"mode": "auto"}),
        ({"quiet": False}, {}),
        ({"days": [1, 2]}, {"days": [1.0, 2]}),
        ({"flag": True}, {"flag": True}),
    ],
)
def test_equivalent_arguments(gold: dict[str, Any], predicted: dict[str, Any]) -> None:
    assert equivalent(ToolCall("heat", gold), ToolCall("heat", predicted), DEFAULTS)


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        ({"level": 5}, {"level": 6}),
        ({"level": 5}, {"level": "5"}),
        ({"flag": True}, {"flag": 1}),
        ({"flag": 0}, {"flag": False}),
        ({"room": "hall"}, {"room": "Hall"}),
        ({"room": "hall"}, {}),
        ({}, {"room": "hall"}),
        ({"room": ""}, {}),
        ({"mode": "heat"}, {}),
        ({"quiet": False}, {"quiet": 0}),
        ({"days": [1, 2]}, {"days": [2, 1]}),
        ({"days": [1]}, {"days": [1, 1]}),
        ({"days": [True]}, {"days": [1]}),
        ({"room": "auto"}, {"mode": "auto"}),
    ],
)
def test_arguments_that_differ(gold: dict[str, Any], predicted: dict[str, Any]) -> None:
    assert not equivalent(ToolCall("heat", gold), ToolCall("heat", predicted), DEFAULTS)


def test_names_must_be_equal() -> None:
    assert not equivalent(ToolCall("heat"), ToolCall("cool"), DEFAULTS)


def test_defaults_belong_to_their_function() -> None:
    assert not equivalent(ToolCall("cool", {"mode": "auto"}), ToolCall("cool"), DEFAULTS)


def test_documented_defaults_are_read_from_the_schema() -> None:
    parameters = {
        "type": "object",
        "properties": {
            "mode": {"type": "string", "default": "auto"},
            "quiet": {"type": "boolean", "default": False},
            "room": {"type": "string"},
        },
    }
    declaration = {"type": "function", "function": {"name": "heat", "parameters": parameters}}
    assert documented_defaults(parse_tools([declaration])) == {
        "heat": {"mode": "auto", "quiet": False}
    }


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ("a b c d", "a b c d", 1.0),
        ("a b c d", "w x y z", 0.0),
        ("a b c d", "a c", 2 * 2 / 6),
        ("a b c d", "d c b a", 2 * 1 / 8),
        ("call:set{x:5}", "call:set{x:-5}", 2 * 3 / 8),
        ("call:set{x:1.5}", "call:set{x:1}", 2 * 3 / 8),
        ("set_light", "set light", 1.0),
        ("Hall", "hall", 1.0),
        ("", "", 1.0),
        ("a", "", 0.0),
    ],
)
def test_rouge_l(gold: str, predicted: str, expected: float) -> None:
    assert rouge_l(gold, predicted) == pytest.approx(expected)
    assert rouge_l(predicted, gold) == pytest.approx(expected)


def test_rows_by_function() -> None:
    rows = by_function(
        golds=["on", "on", "on", "off", "off"],
        predictions=["on", "on", "off", "off", "dim"],
        rights=[True, False, False, True, False],
    )
    assert list(rows) == ["dim", "off", "on"]
    on = rows["on"]
    assert (on.count, on.predicted) == (3, 2)
    assert (on.precision, on.recall, on.tce) == pytest.approx((1.0, 2 / 3, 1 / 3))
    off = rows["off"]
    assert (off.precision, off.recall, off.tce) == pytest.approx((0.5, 0.5, 0.5))
    assert (rows["dim"].count, rows["dim"].precision, rows["dim"].recall) == (0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("confidences", "rights", "expected"),
    [
        ([1.0, 1.0], [True, True], 0.0),
        ([1.0, 1.0], [False, False], 1.0),
        ([0.5, 0.5], [True, False], 0.0),
        # Two bins: |1.7 - 1| and |0.2 - 1|, over three turns.
        ([0.9, 0.8, 0.2], [True, False, True], (0.1 + 0.8 + 0.8) / 3),
        # One bin: what is too sure and what is too unsure cancel out.
        ([0.91, 0.99], [True, True], 0.05),
        ([0.31, 0.39], [False, True], 0.15),
        ([], [], 0.0),
    ],
)
def test_expected_calibration_error(
    confidences: list[float], rights: list[bool], expected: float
) -> None:
    assert calibration(confidences, rights).ece == pytest.approx(expected)


def test_accuracy_at_coverage_drops_the_least_confident() -> None:
    confidences = [0.9] * 18 + [0.5, 0.1]
    rights = [True] * 18 + [False, False]
    assert calibration(confidences, rights).accuracy_at == pytest.approx(
        {"0.90": 1.0, "0.95": 18 / 19, "1.00": 0.9}
    )


def test_coverage_of_few_turns_rounds_up() -> None:
    found = calibration([0.9, 0.8, 0.7], [True, True, False]).accuracy_at
    assert found["0.90"] == pytest.approx(2 / 3)


def test_equal_confidences_count_as_if_drawn_at_random() -> None:
    confidences = [0.5] * 10
    first, last = [True] * 5 + [False] * 5, [False] * 5 + [True] * 5
    for rights in (first, last):
        assert calibration(confidences, rights).accuracy_at["0.90"] == pytest.approx(0.5)


def test_figures_over_nothing_are_zero() -> None:
    assert set(calibration([], []).accuracy_at.values()) == {0.0}
    assert by_function([], [], []) == {}


FILES = documented_defaults(load_catalog("files").tools)


@pytest.mark.parametrize(
    ("name", "default", "other"),
    [
        ("find", {"path": "."}, {"path": "docs"}),
        ("wc", {"mode": "l"}, {"mode": "w"}),
        ("tail", {"lines": 10}, {"lines": 5}),
        ("ls", {"a": False}, {"a": True}),
        ("du", {"human_readable": False}, {"human_readable": True}),
    ],
)
def test_a_default_of_the_files_catalog_equals_silence(
    name: str, default: dict[str, Any], other: dict[str, Any]
) -> None:
    said, silent = ToolCall(name, {**default, "x": "1"}), ToolCall(name, {"x": "1"})
    assert equivalent(said, silent, FILES)
    assert equivalent(silent, said, FILES)
    assert not equivalent(ToolCall(name, {**other, "x": "1"}), silent, FILES)
    assert not equivalent(ToolCall(name, {**other, "x": "1"}), said, FILES)


def test_the_files_catalog_documents_no_other_default() -> None:
    assert {name: own for name, own in FILES.items() if own} == {
        "find": {"path": "."},
        "wc": {"mode": "l"},
        "tail": {"lines": 10},
        "ls": {"a": False},
        "du": {"human_readable": False},
    }


def test_confusion_counts_what_was_called_instead() -> None:
    golds = ["a", "b", "b", "b", "c"]
    assert confusion(golds, ["a", "a", "c", "c", "c"]) == {"b": {"c": 2, "a": 1}}
    assert list(confusion(golds, ["a", "a", "c", "c", "c"])["b"]) == ["c", "a"]
    assert confusion(golds, golds) == {}


def test_depth_follows_the_conversations_that_go_as_far() -> None:
    gold = [{0: True, 1: False, 2: True}, {0: True, 1: True}, {0: False}]
    own = [{0: True, 1: False, 2: False}, {0: True, 1: False}, {0: False}]
    first, second, third = by_depth(gold, own)
    assert (first.turn, first.count) == (1, 3)
    assert first.tce == first.whole == first.closed_loop == 2 / 3
    assert (second.count, second.tce, second.whole, second.closed_loop) == (2, 0.5, 0.5, 0.0)
    assert (third.count, third.tce, third.whole, third.closed_loop) == (1, 1.0, 0.0, 0.0)
    assert [row.independent for row in (first, second, third)] == pytest.approx(
        [(4 / 6) ** n for n in (1, 2, 3)]
    )


def test_depth_stops_at_five_turns_and_says_nothing_of_turns_not_scored() -> None:
    assert len(by_depth([dict.fromkeys(range(9), True)], [])) == 5
    (row,) = by_depth([{3: True}, {3: False}], [])
    assert (row.turn, row.count, row.tce, row.whole, row.closed_loop) == (4, 2, 0.5, None, None)
    assert by_depth([], []) == []
