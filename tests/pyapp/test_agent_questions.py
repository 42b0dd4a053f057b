"""Questions: asked when they should be, answered by a click or in words, and never twice."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhand import ToolCall, journal
from offhand.journal import Journal
from offhand.reply import Reply
from tests.pyapp.agent_parts import ROOMS, Lamps, LampWorld, Talk, lamp, lamp_catalog

LOOK, WHAT, DIAL = ToolCall("look"), ToolCall("what"), ToolCall("dial")
DROP = ToolCall("drop", {"name": "vase"})


def labels(reply: Reply) -> list[str]:
    return [choice.label for choice in reply.choices]


# Yes or no.


@pytest.mark.parametrize(
    ("call", "sure", "reason", "style"),
    [(DROP, 1.0, "risk", "danger"), (lamp("hall", "on"), 0.6, "confidence", "primary")],
)
def test_what_is_risky_or_doubtful_is_confirmed(
    call: ToolCall, sure: float, reason: str, style: str
) -> None:
    talk = Talk()
    reply = talk("do this thing", call, sure)
    assert (reply.kind, reply.reason, reply.choices[0].style) == ("confirm", reason, style)
    assert talk.lamps == Lamps()


@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize(("answer", "things"), [("Yes", ("cup",)), ("No", ("vase", "cup"))])
def test_yes_and_no(answer: str, things: tuple[str, ...], typed: bool) -> None:
    talk = Talk()
    asked = talk("drop the vase", DROP)
    reply = talk(answer) if typed else talk.click(asked, answer)
    assert reply.kind == ("done" if answer == "Yes" else "said")
    assert reply.turn is None
    assert talk.lamps.things == things
    assert talk.agent.pending is None


@pytest.mark.parametrize("text", ["no", "never mind", "undo"])
def test_a_question_can_be_dropped(text: str) -> None:
    talk = Talk()
    talk("kitchen on", lamp("kitchen", "on"))
    talk("hall", lamp("hall"))
    talk(text)
    assert talk.agent.pending is None
    assert talk.lamps == Lamps(frozenset({"kitchen"}))


def test_a_click_counts_once() -> None:
    talk = Talk()
    asked = talk("drop the vase", DROP)
    talk.click(asked, "Yes")
    talk("undo")
    again = talk.click(asked, "Yes")
    assert (again.kind, talk.lamps.things) == ("said", ("vase", "cup"))


def test_a_stale_click_leaves_the_open_question_alone() -> None:
    talk = Talk()
    old = talk("drop the vase", DROP)
    new = talk("drop the cup", ToolCall("drop", {"name": "cup"}))
    assert talk.click(old, "Yes").kind == "said"
    assert talk.lamps.things == ("vase", "cup")
    talk.click(new, "Yes")
    assert list(talk.lamps.things) == ["vase"]


@pytest.mark.parametrize("what", ["", "maybe", "option0", "option-1", "reading0", "yes/no"])
def test_a_click_on_nothing_leaves_the_question_open(what: str) -> None:
    talk = Talk()
    talk("drop the vase", DROP)
    pending = talk.agent.pending
    assert pending is not None
    for choice in (f"{pending.number}/{what}", what, "undo", "undo/", "undo/e1"):
        assert talk.agent.choose(choice).kind == "said"
    assert talk.agent.pending == pending
    assert talk.lamps == Lamps()


def test_another_wish_takes_the_place_of_a_question() -> None:
    talk = Talk()
    asked = talk("drop the vase", DROP)
    talk("hall on", lamp("hall", "on"))
    assert talk.click(asked, "Yes").kind == "said"
    assert talk.lamps == Lamps(frozenset({"hall"}))


@pytest.mark.parametrize(
    ("asked", "call", "done"),
    [
        (lamp("kitchen", "on"), lamp(room="hall"), lamp("hall", "on")),  # the rest is known
        (lamp("kitchen", "on"), lamp("hall", "off"), lamp("hall", "off")),
        (ToolCall("look", {"room": "hall"}), LOOK, LOOK),  # whole as it is
        (lamp("kitchen", "on"), LOOK, LOOK),
    ],
)
def test_words_instead_of_a_yes(asked: ToolCall, call: ToolCall, done: ToolCall) -> None:
    talk = Talk()
    assert talk("do this thing", asked, 0.45).kind == "confirm"
    assert talk("rather that", call).call == done


# What is missing.


def test_an_option_is_clicked() -> None:
    talk = Talk()
    asked = talk("hall", lamp("hall"))
    assert (asked.kind, asked.text, asked.reason) == ("ask", "On or off?", "missing")
    assert labels(asked) == ["On", "Off"]
    reply = talk.click(asked, "On")
    assert (reply.kind, reply.turn) == ("done", None)
    assert talk.lamps == Lamps(frozenset({"hall"}))
    said = [message.content or message.call for message in talk.session.messages]
    assert said == ["hall", lamp("hall"), "On", lamp("hall", "on")]


@pytest.mark.parametrize(
    ("text", "call", "done"),
    [
        ("on please", lamp(state="on"), lamp("hall", "on")),  # known slots are kept
        ("the bedroom on", lamp("bedroom", "on"), lamp("bedroom", "on")),  # and may change
        ("On.", WHAT, lamp("hall", "on")),  # word for word
        ("on", lamp("bedroom"), lamp("hall", "on")),
        ("dial three", ToolCall("dial", {"level": 3}), ToolCall("dial", {"level": 3})),
    ],
)
def test_an_answer_is_typed(text: str, call: ToolCall, done: ToolCall) -> None:
    talk = Talk()
    talk("hall", lamp("hall"))
    reply = talk(text, call)
    assert (reply.kind, reply.call) == ("done", done)
    assert talk.session.messages[-1].call == done
    assert talk.agent.pending is None


@pytest.mark.parametrize(
    ("text", "level"),
    [("3", 3), ("$4", 4), ("9.", 9), ("6.0", 6), *((bad, 5) for bad in ("12", "0", "2.5", "nan"))],
)
def test_a_number_is_typed(text: str, level: int) -> None:
    talk = Talk()
    talk("dial", DIAL)
    talk(text, WHAT)
    assert talk.lamps.level == level


def test_what_is_missing_is_asked_for_one_after_another() -> None:
    talk = Talk()
    first = talk("light", lamp())
    second = talk.click(first, "On")
    assert (second.text, labels(second)) == ("Which room?", ["Kitchen", "Bedroom", "Hall"])
    assert talk.click(first, "Off").kind == "said"
    talk.click(second, "Hall")
    assert talk.lamps == Lamps(frozenset({"hall"}))


def test_a_correction_that_asks_replaces_when_it_is_answered() -> None:
    talk = Talk()
    talk("kitchen on", lamp("kitchen", "on"))
    asked = talk("no, the hall", lamp("hall"))
    assert talk.lamps == Lamps(frozenset({"kitchen"}))
    assert talk.click(asked, "On").text.startswith("Corrected.")
    assert talk.lamps == Lamps(frozenset({"hall"}))


def test_a_correction_taken_back_keeps_what_was_done() -> None:
    talk = Talk()
    talk("kitchen on", lamp("kitchen", "on"))
    talk("no, the hall", lamp("hall"))
    talk("never mind")
    assert talk.lamps == Lamps(frozenset({"kitchen"}))


# What is meant.


def doubtful(text: str, call: ToolCall, other: ToolCall | None, talk: Talk) -> Reply:
    talk.session.others = {text: other} if other else {}
    return talk(text, call, 0.2)


def test_two_readings_are_offered() -> None:
    talk = Talk()
    reply = doubtful("hall", lamp("hall", "on"), LOOK, talk)
    assert (reply.kind, reply.reason) == ("clarify", "confidence")
    assert labels(reply) == ["Do lamp hall on", "Do look", "Neither"]
    chosen = talk.click(reply, "Do look")
    assert (chosen.kind, chosen.turn) == ("answer", None)
    assert [message.call for message in talk.session.messages] == [None, LOOK]
    assert talk.click(reply, "Do lamp hall on").kind == "said"
    assert talk.lamps == Lamps()


@pytest.mark.parametrize(
    ("label", "kind"), [("Do drop vase", "confirm"), ("Do lamp hall", "ask"), ("Neither", "said")]
)
def test_a_chosen_reading_still_meets_gaps_and_risks(label: str, kind: str) -> None:
    talk = Talk()
    reply = doubtful("hm", DROP, lamp("hall"), talk)
    assert talk.click(reply, label).kind == kind
    assert talk.lamps == Lamps()


@pytest.mark.parametrize("other", [None, ToolCall("sing"), ToolCall("dial", {"level": 99})])
@pytest.mark.parametrize(
    ("call", "kind", "reason"),
    [
        (lamp("hall", "on"), "confirm", "confidence"),
        (lamp("hall"), "ask", "missing"),
        (DROP, "confirm", "risk"),
    ],
)
def test_the_only_reading_is_confirmed(
    call: ToolCall, kind: str, reason: str, other: ToolCall | None
) -> None:
    talk = Talk()
    reply = doubtful("hm", call, other, talk)
    assert (reply.kind, reply.reason) == (kind, reason)
    assert talk.lamps == Lamps()


@pytest.mark.parametrize(
    ("call", "other", "kind", "text"),
    [
        (lamp("hall", "on"), lamp("hall"), "confirm", "Do lamp hall on?"),
        (lamp("hall"), lamp("hall", "on"), "ask", "On or off?"),
        (
            ToolCall("drop", {"name": "cap"}),
            ToolCall("drop", {"name": "cup"}),
            "confirm",
            "Drop cup",
        ),
        (DROP, ToolCall("drop", {"name": "vat"}), "confirm", "Drop vase"),
        (lamp("hall"), ToolCall("boom", {"how": "raise"}), "ask", "On or off?"),
        (ToolCall("dial", {"level": 5}), lamp("attic", "on"), "answer", "Dialled."),
    ],
)
def test_a_reading_that_says_less_or_cannot_be_is_not_offered(
    call: ToolCall, other: ToolCall, kind: str, text: str
) -> None:
    talk = Talk()
    reply = doubtful("hm", call, other, talk)
    assert reply.kind == kind
    assert reply.text.startswith(text)
    assert talk.session.messages[-1].call == reply.call


def test_both_readings_of_an_answer_keep_what_is_known() -> None:
    talk = Talk()
    talk("hall", lamp("hall"))
    reply = doubtful("of", lamp(state="on"), lamp(state="off"), talk)
    assert labels(reply) == ["Do lamp hall on", "Do lamp hall off", "Neither"]


def test_a_reading_by_another_tool_corrects_nothing() -> None:
    talk = Talk()
    talk("kitchen on", lamp("kitchen", "on"))
    reply = doubtful("no, hall", lamp("hall", "on"), LOOK, talk)
    talk.click(reply, "Do look")
    assert talk.lamps == Lamps(frozenset({"kitchen"}))


# Whatever is said.

MADE = st.one_of(
    st.builds(lamp, st.sampled_from(("", *ROOMS)), st.sampled_from(("", "on", "off"))),
    st.integers(0, 10).map(lambda level: ToolCall("dial", {"level": level})),
    st.sampled_from((DIAL, LOOK, WHAT, DROP, ToolCall("boom", {"how": "raise"}))),
)
STEPS = st.one_of(
    st.tuples(
        st.just("say"), st.sampled_from(("hall", "no, hall", "on", "4")), MADE,
        st.sampled_from((0.1, 0.6, 1.0)), st.none() | MADE,
    ),
    st.tuples(st.just("phrase"), st.sampled_from(("undo", "help", "never mind"))),
    st.tuples(st.just("choose"), st.integers(0, 30)),
    st.tuples(st.sampled_from(("restore", "renew", "reset_world"))),
)  # fmt: skip


def step(talk: Talk, offered: list[str], action: str, *rest: Any) -> tuple[Talk, Reply | None]:
    """Do one thing; the talk that goes on from there, and the reply."""
    if action == "say":
        text, call, sure, other = rest
        return talk, doubtful(text, call, other, talk) if sure < 0.4 else talk(text, call, sure)
    if action == "phrase":
        return talk, talk(rest[0])
    if action == "choose" and offered:
        return talk, talk.agent.choose(offered[-1 - rest[0] % len(offered)])
    if action == "restore":
        new = Talk()
        new.agent.restore(json.loads(json.dumps(talk.agent.record())))
        return new, None
    if action in ("renew", "reset_world"):
        getattr(talk.agent, action)()
    return talk, None


@settings(max_examples=60)
@given(st.lists(STEPS, max_size=20))
def test_whatever_is_said_it_all_hangs_together(steps: list[tuple[Any, ...]]) -> None:
    talk, offered, numbers = Talk(), list[str](), list[int]()
    for one in steps:
        before = talk.agent.pending
        talk, reply = step(talk, offered, *one)
        offered += [choice.id for choice in reply.choices] if reply else []
        made, pending = talk.agent.journal, talk.agent.pending
        assert Journal.read(LampWorld(), made.record()).state == made.state
        assert len({event.id for event in made.events}) == len(made.events)
        if pending and pending != before:
            numbers.append(pending.number)
        roles = [message.role for message in talk.session.messages]
        assert roles == ["user", "assistant"] * (len(roles) // 2)
    assert numbers == sorted(set(numbers))


def test_what_can_be_undone_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "KEPT", 4)
    talk = Talk(lamp_catalog())
    for level in (1, 2, 3, 4, 6, 7, 8):
        talk("dial", ToolCall("dial", {"level": level}))
    assert len(talk.agent.journal.events) == 4
    for _ in range(9):
        talk("undo")
    assert talk.lamps == Lamps(level=3)
