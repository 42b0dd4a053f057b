"""The agent does what it is told, corrects and undoes it, and leaves no trace of what failed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from offhand import EngineError, MessageError, OffhandError, ToolCall, WorldError
from offhand.agent import Agent
from offhand.calibration import Calibration
from offhand.journal import Journal
from offhand.reply import Reply
from tests.pyapp.agent_parts import (
    Lamps,
    LampWorld,
    Scripted,
    Talk,
    finish,
    lamp,
    lamp_catalog,
)

LOOK, WHAT = ToolCall("look"), ToolCall("what")


def saved(agent: Agent) -> Any:
    """The agent's record as it comes back from where it was kept."""
    return json.loads(json.dumps(agent.record()))


def test_a_sure_call_is_carried_out() -> None:
    talk = Talk()
    reply = talk("kitchen on", lamp("kitchen", "on"))
    assert (reply.kind, reply.text, reply.command) == ("done", "Switched.", "Do lamp kitchen on")
    assert (reply.changed, reply.undo, reply.call) == (("kitchen",), True, lamp("kitchen", "on"))
    assert reply.turn is not None
    assert talk.lamps == Lamps(frozenset({"kitchen"}))
    assert [message.role for message in talk.session.messages] == ["user", "assistant"]


@pytest.mark.parametrize("call", [LOOK, lamp("kitchen", "off")])
def test_what_changes_nothing_is_an_answer(call: ToolCall) -> None:
    reply = Talk()("say", call)
    assert (reply.kind, reply.undo, reply.choices) == ("answer", False, ())


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (ToolCall("boom", {"how": "raise"}), "raised"),
        (ToolCall("boom", {"how": "judge"}), "raised"),
        (ToolCall("sing"), "unknown_tool"),
        (ToolCall("dial", {"level": 10}), "range"),
        (lamp("attic", "on"), "not_allowed"),
    ],
)
def test_what_cannot_be_done_is_refused(call: ToolCall, reason: str) -> None:
    talk = Talk()
    reply = talk("do it now", call)
    assert (reply.kind, reply.reason) == ("refused", reason)
    assert talk.lamps == Lamps()
    assert talk("kitchen on", lamp("kitchen", "on")).kind == "done"


def test_what_the_world_refuses_is_shown() -> None:
    talk = Talk()
    reply = talk.click(talk("drop the moon", ToolCall("drop", {"name": "moon"})), "Yes")
    assert (reply.kind, reply.reason, reply.data) == ("refused", "world", {"kind": "facts"})


def test_a_calibration_judges_instead_of_the_product() -> None:
    doubtful = Calibration(0.0, (0.0,) * 5)
    session = Scripted([(lamp("hall", "on"), 1.0)])
    reply = finish(Agent(session, LampWorld(), doubtful).say("hall on"))
    assert (reply.kind, reply.reason) == ("confirm", "confidence")


@pytest.mark.parametrize("passes", [0, 1])
@pytest.mark.parametrize(
    "stop",
    [
        lambda steps: steps.close(),
        lambda steps: steps.throw(EngineError("The model failed to run.", "Try again.")),
        lambda steps: steps.throw(RuntimeError("anything")),
    ],
)
def test_a_turn_that_is_stopped_leaves_no_trace(stop: Callable[[Any], None], passes: int) -> None:
    talk = Talk()
    talk("kitchen on", lamp("kitchen", "on"))
    talk("hall", lamp("hall"))
    before = saved(talk.agent)
    talk.session.lines = [(lamp("bedroom", "on"), 0.1)]  # a doubtful one takes a second pass
    talk.session.others = {"no, bedroom on": lamp("hall", "on")}
    steps = talk.agent.say("no, bedroom on")
    next(steps)
    for _ in range(passes):
        steps.send(None)  # type: ignore[arg-type]
    with contextlib.suppress(RuntimeError, OffhandError):
        stop(steps)
    assert saved(talk.agent) == before
    assert talk("off", lamp(state="off")).call == lamp("hall", "off")


@pytest.mark.parametrize("text", ["", "  ", "x" * 3_000, "\ud83d"])
def test_what_is_no_message_changes_nothing(text: str) -> None:
    talk = Talk()
    talk("hall", lamp("hall"))
    before = saved(talk.agent)
    with pytest.raises(MessageError):
        talk(text)
    assert saved(talk.agent) == before


# Corrections and undo.


def test_a_correction_replaces_what_it_corrects() -> None:
    talk, other = Talk(), Talk()
    talk("kitchen on", lamp("kitchen", "on"))
    reply = talk("no, the hall", lamp("hall", "on"))
    other("hall on", lamp("hall", "on"))
    assert (reply.kind, reply.text) == ("done", "Corrected. Switched.")
    assert talk.agent.journal.state == other.agent.journal.state
    assert len(talk.agent.journal.events) == 1
    talk("sorry, the bedroom", lamp("bedroom", "on"))
    assert talk.lamps == Lamps(frozenset({"bedroom"}))
    talk("undo")
    assert talk.lamps == Lamps()


def test_a_correction_to_how_it_was_is_done_and_leaves_no_event() -> None:
    talk = Talk()
    talk("kitchen on", lamp("kitchen", "on"))
    reply = talk("no, off", lamp("kitchen", "off"))
    assert (reply.kind, reply.undo) == ("done", False)
    assert (talk.lamps, talk.agent.journal.events) == (Lamps(), ())


@pytest.mark.parametrize(
    ("between", "text", "call"),
    [
        ([], "the hall", lamp("hall", "on")),  # no correction
        ([], "no, the dial", ToolCall("dial", {"level": 2})),  # of another tool
        ([("look", LOOK)], "no, the hall", lamp("hall", "on")),  # not the last thing any more
        ([("attic", lamp("attic", "on"))], "no, the hall", lamp("hall", "on")),
        ([("hm", WHAT)], "no, the hall", lamp("hall", "on")),
        ([("undo", None), ("dial", ToolCall("dial", {"level": 3}))], "no, on", lamp("hall", "on")),
    ],
)
def test_what_corrects_nothing_comes_on_top(
    between: list[tuple[str, ToolCall | None]], text: str, call: ToolCall
) -> None:
    talk = Talk()
    talk("kitchen on", lamp("kitchen", "on"))
    for said, made in between:
        talk(said, made)
    events = talk.agent.journal.events
    talk(text, call)
    assert talk.agent.journal.events[:-1] == events


@pytest.mark.parametrize("failing", [lamp("attic", "on"), WHAT, ToolCall("lamp", {"room": "x"})])
def test_a_correction_that_fails_keeps_what_was_done_and_may_be_tried_again(
    failing: ToolCall,
) -> None:
    talk = Talk()
    talk("kitchen on", lamp("kitchen", "on"))
    assert talk("no, the attic", failing).kind in ("refused", "unclear")
    assert talk.lamps == Lamps(frozenset({"kitchen"}))
    talk("I mean the hall", lamp("hall", "on"))
    assert talk.lamps == Lamps(frozenset({"hall"}))


def test_a_correction_is_judged_without_what_it_corrects() -> None:
    talk = Talk()
    talk.click(talk("drop the vase", ToolCall("drop", {"name": "vase"})), "Yes")
    asked = talk("no, the cup", ToolCall("drop", {"name": "cup"}))
    assert (asked.kind, asked.text) == ("confirm", "Instead of that: Drop cup of 2?")
    assert talk.lamps.things == ("cup",)  # until the answer
    talk("yes")
    assert talk.lamps.things == ("vase",)


def test_undo_goes_back_step_by_step() -> None:
    talk = Talk()
    talk("kitchen on", lamp("kitchen", "on"))
    talk("dial 3", ToolCall("dial", {"level": 3}))
    assert talk("undo").text == "Undone: do dial 3."
    assert talk.lamps == Lamps(frozenset({"kitchen"}))
    assert talk("undo that").choices == ()
    reply = talk("undo")
    assert (reply.kind, reply.text) == ("said", "There is nothing to undo.")
    assert talk.lamps == Lamps()


def test_a_click_on_undo_undoes_what_it_stood_by_and_only_once() -> None:
    talk = Talk()
    first = talk("kitchen on", lamp("kitchen", "on"))
    second = talk("hall on", lamp("hall", "on"))
    talk.click(first, "Undo")  # something else was done since
    assert talk.lamps == Lamps(frozenset({"kitchen", "hall"}))
    more = talk.click(second, "Undo")
    assert talk.click(second, "Undo").kind == "said"
    assert talk.lamps == Lamps(frozenset({"kitchen"}))
    talk.click(more, "Undo")
    assert talk.lamps == Lamps()


# Said to the agent itself.


def test_what_is_said_to_the_agent_needs_no_model() -> None:
    talk = Talk()
    helped = talk("help")
    assert "Lamps to switch." in helped.text
    assert "Kitchen on" in helped.text
    person = talk("talk to a human")
    assert (person.kind, person.data) == ("handover", {"kind": "handover", "transcript": []})
    assert talk("never mind").kind == "said"
    assert talk.session.messages == ()


def test_a_yes_to_nothing_goes_to_a_model_that_can_say_it_is_unclear() -> None:
    assert Talk()("yes", WHAT).kind == "unclear"
    mute = Talk(lamp_catalog({}))
    assert (mute("yes").kind, mute("no").kind) == ("said", "said")


def test_a_catalog_with_a_person_leaves_that_to_the_model() -> None:
    talk = Talk(lamp_catalog({"handover": ["what"]}))
    assert talk("talk to a human", WHAT).kind == "handover"


def test_a_person_is_offered_when_patience_is_at_an_end() -> None:
    talk = Talk()
    offered = [
        [choice.id for choice in talk(text, call).choices]
        for text, call in [("hm", WHAT), ("x", lamp("attic", "on")), ("mm", WHAT), ("mm", WHAT)]
    ]
    assert offered == [[], [], ["human"], ["human"]]
    assert talk.agent.choose("human").kind == "handover"
    assert talk("hm", WHAT).choices == ()
    talk("mm", WHAT)
    talk("kitchen on", lamp("kitchen", "on"))
    assert talk("hm", WHAT).choices == ()


def test_a_person_offered_is_the_catalogs_own() -> None:
    talk = Talk(lamp_catalog({"unclear": ["look"], "handover": ["what"], "patience": 1}))
    asked = talk("hm", ToolCall("look"))
    assert (talk.click(asked, "Hand over to a person").text, talk.agent.pending) == ("What?", None)
    assert [message.call for message in talk.session.messages][1::2] == [ToolCall("look"), WHAT]


def test_a_no_to_what_is_always_asked_is_no_failure() -> None:
    talk = Talk()
    for _ in range(3):
        talk("drop the vase", ToolCall("drop", {"name": "vase"}))
        assert talk("no").choices == ()
    talk("kitchen on", lamp("kitchen", "on"), 0.5)
    talk("no")
    talk("kitchen on", lamp("kitchen", "on"), 0.5)
    talk("no")
    talk("kitchen on", lamp("kitchen", "on"), 0.5)
    assert [choice.id for choice in talk("no").choices] == ["human"]


def test_a_number_that_cannot_be_is_refused_as_it_was_said() -> None:
    talk = Talk()
    reply = talk("dial to 95", ToolCall("dial", {"level": 9}))
    assert (reply.kind, reply.reason) == ("refused", "range")
    assert "95" in reply.text
    assert talk.session.messages[-1].call == ToolCall("dial", {"level": 9})
    assert talk.lamps.level == 5


# Kept and taken up.


def in_the_middle() -> Talk:
    """An agent with something done, something refused, and a question open."""
    talk = Talk()
    talk("kitchen on", lamp("kitchen", "on"))
    talk("attic on", lamp("attic", "on"))
    talk("dial", ToolCall("dial"))
    talk("hall", lamp("hall"))
    return talk


@pytest.mark.parametrize(
    "go_on",
    [
        lambda talk: talk("off", WHAT),
        lambda talk: talk.agent.choose(f"{talk.agent.pending.number}/option0"),
        lambda talk: talk("no"),
        lambda talk: talk("undo"),
        lambda talk: talk("bedroom on", lamp("bedroom", "on")),
        lambda talk: talk("hm", WHAT),
    ],
)
def test_a_restored_agent_goes_on_as_the_old_one(go_on: Callable[[Talk], Reply]) -> None:
    old, new = in_the_middle(), Talk()
    new.agent.restore(saved(old.agent))
    assert saved(new.agent) == saved(old.agent)
    replies = [go_on(talk).record() for talk in (old, new)]
    assert replies[0] == replies[1]
    assert saved(new.agent) == saved(old.agent)


PLACES: list[list[Any]] = [
    [],
    *([name] for name in ("version", "catalog", "messages", "journal", "count", "failures")),
    *(["last"], ["journal", "events"], ["journal", "base"], ["journal", "events", 0]),
    *(["journal", "events", 0, name] for name in ("id", "name", "arguments")),
    *(["pending", name] for name in ("kind", "calls", "slot", "options", "replaces", "number")),
    *(["pending", "calls", 0], ["pending", "calls", 0, "name"], ["messages", 1]),
]
HARMLESS = [
    (["messages"], []),
    (["journal", "events"], []),
    (["journal", "events"], {}),
    (["pending", "options"], []),
    (["pending", "options"], {}),
    (["pending", "replaces"], "attic"),  # no event is called so
    (["last"], "attic"),
]


@pytest.mark.parametrize("path", PLACES, ids=str)
@pytest.mark.parametrize("damage", ["attic", -1, 1.5, None, [], [[]], {}, float("inf"), [[1, 2]]])
def test_damaged_data_leaves_the_agent_as_it_was(path: list[Any], damage: Any) -> None:
    data: Any = {"whole": saved(in_the_middle().agent)}
    at, key = data, "whole"
    for step in path:
        at, key = at[key], step
    at[key] = damage
    talk = Talk()
    talk("bedroom on", lamp("bedroom", "on"))
    before = saved(talk.agent)
    if (path, damage) in HARMLESS:
        talk.agent.restore(data["whole"])
        return
    with pytest.raises(OffhandError) as caught:
        talk.agent.restore(data["whole"])
    assert caught.value.fix
    assert saved(talk.agent) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update(count=0),
        lambda data: data["pending"].update(number=99),
        lambda data: data["pending"].update(slot="colour"),
        lambda data: data["pending"]["calls"][0]["arguments"].update(room="attic"),
        lambda data: data["journal"]["events"][0]["arguments"].update(colour="red"),
        lambda data: data.pop("last"),
        lambda data: data["messages"].pop(),
    ],
)
def test_data_that_does_not_go_together_is_refused(change: Callable[[Any], None]) -> None:
    data = saved(in_the_middle().agent)
    change(data)
    with pytest.raises((WorldError, MessageError)):
        Talk().agent.restore(data)


def test_a_new_conversation_keeps_the_world() -> None:
    talk = in_the_middle()
    question = talk.agent.pending
    talk.agent.renew()
    assert (talk.agent.pending, talk.session.messages) == (None, ())
    assert talk.lamps == Lamps(frozenset({"kitchen"}))
    assert question is not None
    assert talk.agent.choose(f"{question.number}/option0").kind == "said"
    talk("hall on", lamp("hall", "on"))
    talk.agent.renew()
    talk("no, the bedroom", lamp("bedroom", "on"))
    assert talk.lamps == Lamps(frozenset({"kitchen", "hall", "bedroom"}))


@pytest.mark.parametrize("state", [None, Lamps(level=7)])
def test_a_world_put_back_has_nothing_to_undo(state: Lamps | None) -> None:
    talk = in_the_middle()
    messages = talk.session.messages
    talk.agent.reset_world(state)
    assert (talk.agent.pending, talk.lamps) == (None, state or Lamps())
    assert talk("undo").text == "There is nothing to undo."
    assert talk.session.messages == messages
    assert Journal.read(LampWorld(), saved(talk.agent)["journal"]).state == talk.lamps
