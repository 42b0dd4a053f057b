"""A conversation: only the new turn is run, and a turn that fails changes nothing."""

import itertools

import pytest

from offhand import (
    EngineError,
    Message,
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
from tests.tiny import TEMPLATE, Oracle, catalog, function, tiny_vocabulary

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


class Torn(Oracle):
    """Wants the first of two calls for every message, and the second of them nearly as much."""

    def run(self, run: Run) -> Scores:
        scores = super().run(run)
        begun = self._start in self.log
        spelled = self.log[len(self.log) - self.log[::-1].index(self._start) - 1 :] if begun else []
        liked = {
            ids[len(spelled)]: liking
            for ids, liking in zip(self._calls[1::-1], (4.5, 5.0), strict=True)
            if len(ids) > len(spelled) and ids[: len(spelled)] == spelled
        }
        candidates = [liked.get(token, 0.0) for token in run.candidates]
        return Scores(candidates, scores.log_total, (), ())

    def _wanted(self) -> int:
        return 0


TORN = [
    (ToolCall("lights", {"state": "on"}), ToolCall("lights", {"state": "off"})),
    (ToolCall("lights", {"room": "kitchen"}), ToolCall("lights", {"state": "on"})),
    (ToolCall("stop"), ToolCall("heat", {"temperature": 7})),
    (ToolCall("heat", {"temperature": 7}), ToolCall("heat", {"temperature": 71})),
]


@pytest.mark.parametrize("pair", TORN)
def test_the_second_reading_is_the_other_call(pair: tuple[ToolCall, ToolCall]) -> None:
    session, engine = new_session(), Torn(VOCABULARY, pair)
    first = drive(session.read("kitchen"), engine)
    second = drive(session.second(first), engine)
    assert second is not None
    assert (first.call, second.call) == pair
    assert (second.text, second.tokens.prompt) == ("kitchen", first.tokens.prompt)
    assert second.confidence < first.confidence
    assert second.tokens.prefilled == 1  # the prompt is cached but for its last token
    assert session.messages == ()


def test_where_no_choice_was_left_there_is_no_second_reading() -> None:
    only = catalog(function("only"))
    session, engine = Session(VOCABULARY, Template(TEMPLATE), only, 512), Oracle(VOCABULARY, [])
    turn = drive(session.turn("do"), engine)
    assert drive(session.second(turn), engine) is None
    assert engine.runs == []


def test_a_second_reading_stands_on_what_the_first_stood_on() -> None:
    session, engine = new_session(RESERVE + 200), Torn(VOCABULARY, TORN[0])
    for number in range(12):
        turn = drive(session.read(f"turn {number} on"), engine)
        second = drive(session.second(turn), engine)
        assert second is not None
        assert (second.first, second.tokens.prompt) == (turn.first, turn.tokens.prompt)
        session.take(turn, second.call)
    assert turn.first > 0
    assert [message.call for message in session.messages[1::2]] == [TORN[0][1]] * 12


def test_a_second_reading_that_fails_or_is_abandoned_loses_nothing() -> None:
    session, engine = new_session(), Torn(VOCABULARY, TORN[0])
    first = drive(session.read("kitchen"), engine)
    steps = session.second(first)
    steps.send(engine.run(next(steps)))
    steps.close()
    assert session.messages == ()
    assert drive(session.turn("kitchen"), engine).call == first.call


def test_what_is_read_joins_the_conversation_when_it_is_taken() -> None:
    session, engine = new_session(), Oracle(VOCABULARY, CALLS)
    turn = drive(session.read("turn 0 on"), engine)
    assert (turn.call, session.messages) == (CALLS[0], ())
    session.take(turn, CALLS[4])
    assert session.messages == (Message("user", "turn 0 on"), Message("assistant", call=CALLS[4]))


def test_what_is_added_is_what_the_next_turn_sees() -> None:
    session, engine = new_session(), Oracle(VOCABULARY, CALLS)
    talk(session, engine, 1)
    session.add("  the hall ", CALLS[3])
    before = session.messages
    with pytest.raises(MessageError):
        session.add(" ", CALLS[3])
    assert session.messages == before
    assert drive(session.turn("next"), engine).call == CALLS[2]
    assert "user\nthe hall" in VOCABULARY.decode(engine.log)
    assert "temperature:72" in VOCABULARY.decode(engine.log)


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
