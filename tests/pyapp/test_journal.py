"""A journal: once for an id, undone by replay, and taken up again as it was saved."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhand import ToolCall, WorldError, journal
from offhand.journal import Journal
from tests.pyapp.agent_parts import ROOMS, Lamps, LampWorld, lamp

WORLD = LampWorld()
CALLS = st.one_of(
    st.builds(lamp, st.sampled_from(ROOMS), st.sampled_from(("on", "off"))),
    st.integers(1, 9).map(lambda level: ToolCall("dial", {"level": level})),
    st.sampled_from(("vase", "cup", "moon")).map(lambda name: ToolCall("drop", {"name": name})),
)


def done(*calls: ToolCall) -> Journal:
    """A journal after these calls, with the ids e1, e2 and so on."""
    made = Journal.begin(WORLD)
    for number, call in enumerate(calls, 1):
        made, _ = made.do(f"e{number}", call)
    return made


def test_an_id_is_done_once() -> None:
    once = done(lamp("kitchen", "on"))
    again, outcome = once.do("e1", lamp("hall", "on"))
    assert again is once
    assert (outcome.ok, outcome.state) == (True, once.state)


@pytest.mark.parametrize(
    ("call", "ok"),
    [
        (lamp("kitchen", "off"), True),
        (ToolCall("look", {"room": "hall"}), True),
        (ToolCall("drop", {"name": "moon"}), False),
    ],
)
def test_what_changes_nothing_is_no_event(call: ToolCall, ok: bool) -> None:
    before = done(lamp("hall", "on"))
    after, outcome = before.do("e9", call)
    assert after is before
    assert (outcome.ok, outcome.state) == (ok, before.state)


def test_undo_takes_the_last_event_back() -> None:
    made = done(lamp("kitchen", "on"), ToolCall("dial", {"level": 2}))
    back, event = made.undo()
    assert event == made.events[-1]
    assert back == done(lamp("kitchen", "on"))
    empty, _ = back.undo()
    assert empty.undo() == (empty, None)
    assert empty.state == Lamps()


@pytest.mark.parametrize(("identity", "left"), [("e2", 1), ("e1", 2), ("", 2), ("e7", 2)])
def test_only_the_last_event_can_be_left_out(identity: str, left: int) -> None:
    made = done(lamp("kitchen", "on"), lamp("hall", "on"))
    assert len(made.without(identity).events) == left


@given(st.lists(CALLS, max_size=12))
def test_what_is_saved_is_taken_up(calls: list[ToolCall]) -> None:
    made = done(*calls)
    assert Journal.read(WORLD, json.loads(json.dumps(made.record()))) == made


@given(st.lists(CALLS, max_size=12))
def test_undoing_everything_leads_to_the_beginning(calls: list[ToolCall]) -> None:
    made, states = Journal.begin(WORLD), [Lamps()]
    for number, call in enumerate(calls):
        after, _ = made.do(f"e{number}", call)
        if after is not made:
            states.append(after.state)
        made = after
    for state in reversed(states):
        assert made.state == state
        made, _ = made.undo()


def test_old_events_fold_into_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "KEPT", 3)
    made = done(*(ToolCall("dial", {"level": level}) for level in (1, 2, 3, 4, 6)))
    assert [event.id for event in made.events] == ["e3", "e4", "e5"]
    assert (made.base, made.state) == (Lamps(level=2), Lamps(level=6))
    for _ in range(5):
        made, _ = made.undo()
    assert made.state == Lamps(level=2)


def _broken(change: Callable[[dict[str, Any]], Any]) -> Any:
    record = json.loads(json.dumps(done(lamp("kitchen", "on"), lamp("hall", "on")).record()))
    return change(record) or record


@pytest.mark.parametrize(
    "change",
    [
        lambda record: ["e1"],
        lambda record: "journal",
        lambda record: record.pop("base") and None,
        lambda record: record.update(base=None),
        lambda record: record.update(base={"lit": 3}),
        lambda record: record.update(events=5),
        lambda record: record.update(events=["e1"]),
        lambda record: record["events"][0].pop("id") and None,
        lambda record: record["events"][0].update(id=1),
        lambda record: record["events"][0].update(name=None),
        lambda record: record["events"][0].update(arguments=7),
        lambda record: record["events"][1].update(id="e1"),
        lambda record: record["events"][1].update(name="lamp", arguments={}),
        lambda record: record["events"][1].update(name="drop", arguments={"name": "moon"}),
        lambda record: record["events"][1].update(name="boom", arguments={"how": "raise"}),
    ],
)
def test_what_is_damaged_is_refused(change: Callable[[dict[str, Any]], Any]) -> None:
    with pytest.raises(WorldError) as caught:
        Journal.read(WORLD, _broken(change))
    assert caught.value.fix
