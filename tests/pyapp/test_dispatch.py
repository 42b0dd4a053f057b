"""Dispatch: what does not fit is refused with its reason, what goes wrong is contained."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from offhand import ToolCall
from offhand.dispatch import Hung, Refusal, bounded, check, dispatch, fits
from offhand.journal import Journal
from offhand.schema import Array, Bare, Choice, Number, Text
from offhand.world import Outcome
from tests.pyapp.agent_parts import Lamps, LampWorld, lamp, lamp_catalog
from tests.tiny import catalog

CATALOG = lamp_catalog()


@pytest.mark.parametrize(
    ("call", "reason", "slot"),
    [
        (ToolCall("sing"), "unknown_tool", None),
        (ToolCall("lamp", {"colour": "red"}), "unknown_argument", "colour"),
        (ToolCall("drop"), "missing_argument", "name"),
        (ToolCall("drop", {"name": None}), "missing_argument", "name"),
        (ToolCall("lamp", {"room": "attic"}), "not_allowed", "room"),
        (ToolCall("lamp", {"room": 1}), "not_allowed", "room"),
        (ToolCall("dial", {"level": 0}), "range", "level"),
        (ToolCall("dial", {"level": 10}), "range", "level"),
        (ToolCall("dial", {"level": 2.5}), "range", "level"),
        (ToolCall("dial", {"level": 9.0}), "range", "level"),
        (ToolCall("dial", {"level": "3"}), "format", "level"),
        (ToolCall("dial", {"level": True}), "format", "level"),
        (ToolCall("dial", {"level": float("nan")}), "format", "level"),
        (ToolCall("drop", {"name": ""}), "format", "name"),
        (ToolCall("drop", {"name": 3}), "format", "name"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    call: ToolCall, reason: str, slot: str | None
) -> None:
    journal = Journal.begin(LampWorld())
    done = dispatch(CATALOG, journal, [("e1", call)])
    assert done.journal is journal
    assert done.refusal is not None
    assert (done.refusal.reason, done.refusal.slot) == (reason, slot)
    assert call.name in done.refusal.text or str(slot) in done.refusal.text


@pytest.mark.parametrize(
    "call",
    [
        lamp("kitchen", "on"),
        lamp(),
        ToolCall("lamp", {"room": None, "state": "on"}),
        ToolCall("dial", {"level": 1}),
        ToolCall("dial", {"level": 9}),
        ToolCall("drop", {"name": "vase"}),
    ],
)
def test_what_fits_passes(call: ToolCall) -> None:
    assert check(CATALOG, call) is None


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Text(), ["a"], ["", " ", 1, None, ["a"]]),
        (Choice(("a",)), ["a"], ["b", None, ["a"], 1]),
        (Bare((False, True)), [True, False], [1, 0, "true", None]),
        (Bare((1, 2)), [1, 2], [True, 1.0, 3, "1"]),
        (Number(1, None, 2), [0.01, 5, 5.0, 1e9], [0, -1, 0.015, float("inf"), "1"]),
        (Number(None, 5, 0), [-(10**12), 5], [6, 4.5, None]),
        (Array(Choice(("a", "b")), 1, 2), [["a"], ("b", "a")], [[], ["a"] * 3, ["c"], "a"]),
    ],
)
def test_values_and_types(kind: Any, good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if not fits(value, kind)] == []
    assert [value for value in bad if fits(value, kind)] == []


@pytest.mark.parametrize(("how", "reason"), [("raise", "raised"), ("hang", "hung")])
def test_a_handler_that_goes_wrong_is_contained(how: str, reason: str) -> None:
    journal, _ = Journal.begin(LampWorld()).do("e1", lamp("hall", "on"))
    done = dispatch(CATALOG, journal, [("e2", ToolCall("boom", {"how": how}))], budget=500)
    assert done.journal is journal
    assert done.refusal is not None
    assert done.refusal.reason == reason


def test_what_the_world_refuses_keeps_what_it_shows() -> None:
    journal = Journal.begin(LampWorld())
    done = dispatch(CATALOG, journal, [("e1", ToolCall("drop", {"name": "moon"}))])
    assert done.refusal == Refusal("world", "There is no moon.", data={"kind": "facts"})


def test_the_budget_leaves_the_debugger_as_it_was() -> None:
    before = sys.gettrace()
    with pytest.raises(Hung):
        bounded(lambda: [None for _ in iter(int, 1)], 100)
    assert sys.gettrace() is before
    assert bounded(lambda: 7, 100) == 7


def test_no_handler_can_swallow_that_it_hangs() -> None:
    def stubborn() -> None:
        while True:
            try:
                sum(range(3))
            except Exception:
                continue

    with pytest.raises(Hung):
        bounded(stubborn, 1_000)


def test_an_id_is_done_once() -> None:
    switched = ("e1", lamp("kitchen", "on"))
    once = dispatch(CATALOG, Journal.begin(LampWorld()), [switched])
    twice = dispatch(CATALOG, once.journal, [switched, ("e1", lamp("hall", "on"))])
    assert twice.journal == once.journal
    assert twice.refusal is None
    assert twice.journal.state == Lamps(frozenset({"kitchen"}))


@pytest.mark.parametrize(
    ("together", "lit"), [(True, frozenset()), (False, frozenset({"kitchen"}))]
)
def test_what_belongs_together_is_done_whole_or_not(together: bool, lit: frozenset[str]) -> None:
    calls = [
        ("e1", lamp("kitchen", "on")),
        ("e2", ToolCall("boom", {"how": "raise"})),
        ("e3", lamp("hall", "on")),
    ]
    journal = Journal.begin(LampWorld())
    done = dispatch(CATALOG, journal, calls, together)
    assert done.journal.state == Lamps(lit)
    assert len(done.results) == 2
    assert isinstance(done.results[0], Outcome)
    assert done.refusal is done.results[1]
    assert (done.journal is journal) == together


@pytest.mark.parametrize(
    ("value", "words"),
    [(-6, "whole number from -5 up to 80;"), (81, "from -5 up to 80; 81"), (1.5, "a whole number")],
)
def test_a_range_is_told(value: float, words: str) -> None:
    refusal = check(catalog(), ToolCall("heat", {"temperature": value}))
    assert refusal is not None
    assert words in refusal.text


def test_work_that_ends_within_its_budget_is_left_alone() -> None:
    assert bounded(lambda: sum(number for number in range(1_000)), 10_000) == 499_500
