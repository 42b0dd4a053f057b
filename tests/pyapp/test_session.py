"""A conversation: only the new turn is run, and a turn that fails changes nothing."""

import itertools

import pytest

from offhand import (
    EngineError,
    MessageError,
    Run,
    Scores,
    Session,
    Template,
    ToolCall,
    Turn,
    drive,
)
from offhand.session import MAX_CHARACTERS, RESERVE
from tests.tiny import TEMPLATE, Oracle, catalog, tiny_vocabulary

VOCABULARY = tiny_vocabulary()
CALLS = [
    ToolCall("lights", {"room": "kitchen", "state": "on"}),
    ToolCall("lights", {"room": "living"}),
    ToolCall("note", {"text": "the lights <end_of_turn>", "number": 2.5}),
    ToolCall("heat", {"temperature": 72}),
    ToolCall("stop"),
]


def new_session(context: int = 512) -> Session:
    return Session(VOCABULARY, Template(TEMPLATE), catalog(), context)


def talk(session: Session, engine: Oracle, count: int) -> list[Turn]:
    return [drive(session.turn(f"turn {i} on"), engine) for i in range(count)]


def test_five_turns_each_prefill_only_their_own() -> None:
    session, engine = new_session(), Oracle(VOCABULARY, CALLS)
    declared = drive(session.warm(), engine)
    turns = talk(session, engine, 5)
    assert [turn.call for turn in turns] == CALLS
    # <start_of_turn> user\n turn N on <end_of_turn> \n <start_of_turn> model\n
    new = len(VOCABULARY.encode("turn 0 on")) + 6
    assert turns[0].tokens.cached == declared
    for before, turn in itertools.pairwise(turns):
        # What the last turn decided but never ran, and the tokens that close it, ride along.
        call = before.tokens.forced + before.tokens.decided
        ran = before.tokens.run - before.tokens.prefilled
        assert turn.tokens.prefilled == new + (call - ran) + 2
        assert turn.tokens.prompt == turn.tokens.cached + turn.tokens.prefilled
    assert len(engine.log) == declared + sum(turn.tokens.run for turn in turns)


def test_a_cached_conversation_gives_what_a_fresh_one_gives() -> None:
    session, engine = new_session(), Oracle(VOCABULARY, CALLS)
    talk(session, engine, 3)
    fresh = Oracle(VOCABULARY, CALLS)
    again = new_session()
    again.messages = session.messages
    drive(again.turn("and now"), fresh)
    drive(session.turn("and now"), engine)
    assert engine.log == fresh.log


def test_warming_twice_runs_nothing() -> None:
    session, engine = new_session(), Oracle(VOCABULARY, CALLS)
    assert drive(session.warm(), engine) > 0
    assert drive(session.warm(), engine) == 0
    talk(session, engine, 2)
    session.reset()
    assert drive(session.warm(), engine) == 0


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("\u200b\u200e", "empty"),
        ("x" * 10_000, "10,000"),
        ("ab\ud83dcd", "U\\+D83D"),
    ],
)
def test_messages_that_cannot_be_taken(text: str, named: str) -> None:
    session, engine = new_session(), Oracle(VOCABULARY, CALLS)
    talk(session, engine, 1)
    before = session.messages
    with pytest.raises(MessageError, match=named) as caught:
        drive(session.turn(text), engine)
    assert caught.value.fix
    assert session.messages == before
    assert drive(session.turn("again"), engine).call == CALLS[1]


class Failing(Oracle):
    """Fails at the pass of this number."""

    fail_at = 2

    def run(self, run: Run) -> Scores:
        if len(self.runs) == self.fail_at:
            self.fail_at = -1
            raise EngineError("The model failed to run.", "Try again.")
        return super().run(run)


def test_an_engine_that_fails_mid_turn_loses_nothing() -> None:
    session, engine = new_session(), Failing(VOCABULARY, CALLS)
    with pytest.raises(EngineError):
        drive(session.turn("turn 0 on"), engine)
    assert session.messages == ()
    assert [turn.call for turn in talk(session, engine, 3)] == CALLS[:3]


def test_an_abandoned_turn_loses_nothing() -> None:
    session, engine = new_session(), Oracle(VOCABULARY, CALLS)
    steps = session.turn("turn 0 on")
    steps.send(engine.run(next(steps)))
    steps.close()
    assert session.messages == ()
    assert [turn.call for turn in talk(session, engine, 3)] == CALLS[:3]


def test_a_replaced_call_is_what_the_next_turn_sees() -> None:
    session, engine = new_session(), Oracle(VOCABULARY, CALLS)
    talk(session, engine, 1)
    session.replace_last_call(ToolCall("stop"))
    drive(session.turn("next"), engine)
    text = VOCABULARY.decode(engine.log)
    assert "call:stop{}" in text
    assert "call:lights{room:" in text.split("next")[1]
    assert "kitchen" not in text


def test_when_the_context_is_full_the_oldest_turns_leave() -> None:
    session, engine = new_session(RESERVE + 400), Oracle(VOCABULARY, [CALLS[0]] * 40)
    prompts = [drive(session.turn(f"turn {i} on"), engine).tokens for i in range(24)]
    assert max(counts.prompt for counts in prompts) <= 400
    assert len(session.messages) == 48
    # Leaving is rare: most turns still find their history in the cache.
    assert sum(counts.prefilled < 40 for counts in prompts) >= 20


def test_a_message_too_long_for_the_context_is_refused() -> None:
    session, engine = new_session(RESERVE + 100), Oracle(VOCABULARY, CALLS)
    with pytest.raises(MessageError, match="Shorten"):
        drive(session.turn("@" * (MAX_CHARACTERS - 1)), engine)
    assert session.messages == ()
