"""Decoding: what is run, what is never sampled, and what is known about each choice."""

import math

import pytest

from offhand import Automaton, EngineError, Scores, ToolCall, drive
from offhand.decode import Cache, choose, confidence, decode
from offhand.dialect import START_CALL, render_call
from tests.tiny import Oracle, catalog, function, tiny_vocabulary

VOCABULARY = tiny_vocabulary()
AUTOMATON = Automaton(catalog().tools, VOCABULARY)
PROMPT = list(VOCABULARY.encode("user\nkitchen"))

CALLS = [
    ToolCall("stop"),
    ToolCall("lights", {"room": "living_room", "state": "one"}),
    ToolCall("heat", {"quiet": False, "temperature": -4}),
    ToolCall("note", {"text": "off the lights", "number": 12.75}),
    ToolCall("note", {"text": ""}),
]


@pytest.mark.parametrize("call", CALLS)
def test_the_engines_wish_is_decoded(call: ToolCall) -> None:
    engine = Oracle(VOCABULARY, [call])
    decoded = drive(decode(AUTOMATON, Cache(512), PROMPT), engine)
    assert decoded.call == call
    assert decoded.forced + decoded.decided == len(decoded.ids)
    assert decoded.decided == len(engine.runs) - 1 == len(decoded.decisions)


def test_a_catalog_without_choices_is_never_run() -> None:
    automaton = Automaton(catalog(function("only")).tools, VOCABULARY)
    decoded = drive(decode(automaton, Cache(512), PROMPT), Oracle(VOCABULARY, []))
    assert (decoded.call, decoded.decided, decoded.confidence) == (ToolCall("only"), 0, 1.0)


def test_forced_tokens_ride_with_the_next_run() -> None:
    call = ToolCall("lights", {"room": "kitchen", "state": "on"})
    engine = Oracle(VOCABULARY, [call])
    drive(decode(AUTOMATON, Cache(512), PROMPT), engine)
    alone, first, *later = engine.runs
    assert (list(alone.ids), alone.whole) == (PROMPT[:1], False)
    assert list(first.ids[: len(PROMPT)]) == [*PROMPT[1:], VOCABULARY.control[START_CALL]]
    assert len(first.ids) > len(PROMPT)
    assert first.whole
    assert not any(run.whole for run in later)


def test_free_text_is_cut_at_its_limit() -> None:
    automaton = Automaton(catalog().tools, VOCABULARY, text_limit=4)
    engine = Oracle(VOCABULARY, [ToolCall("note", {"text": "@" * 9})])
    decoded = drive(decode(automaton, Cache(512), PROMPT), engine)
    assert decoded.truncated
    assert decoded.call.arguments["text"] == "@@@@"


def test_control_tokens_are_never_taken_as_text() -> None:
    state = AUTOMATON.start()
    for token in VOCABULARY.encode_pieces(render_call(ToolCall("note", {"text": "x"})))[1:]:
        if state.text is not None:
            break
        state = state.edges[token]()
    unwanted, wanted = VOCABULARY.control["<eos>"], VOCABULARY.encode("room")[0]
    scores = Scores([0.0] * len(state.edges), 9.1, (unwanted, wanted), (9.0, 5.0))
    token, decision = choose(state, scores, AUTOMATON)
    assert (token, decision.value) == (wanted, "room")


def test_mass_outside_what_is_allowed_lowers_confidence() -> None:
    state = AUTOMATON.start()
    while state.forced is not None:
        state = state.edges[state.forced]()
    count = len(state.edges)
    sure = Scores([20.0] + [0.0] * (count - 1), 20.0)
    lost = Scores([20.0] + [0.0] * (count - 1), 20.0 + math.log(4))
    decisions = [choose(state, scores, AUTOMATON)[1] for scores in (sure, lost)]
    assert confidence(decisions[:1]) == pytest.approx(1.0)
    assert confidence(decisions[1:]) == pytest.approx(0.25)
    assert decisions[0].alternatives[0] == (decisions[0].value, decisions[0].probability)


def test_the_cache_keeps_what_a_prompt_shares() -> None:
    cache = Cache(512, [1, 2, 3, 4])
    assert cache.rewind([1, 2, 9, 9]) == [9, 9]
    assert cache.ids == [1, 2]
    assert cache.rewind([1, 2]) == [2]  # scores need a token to come from


def test_a_call_that_outgrows_the_context_is_an_error() -> None:
    with pytest.raises(EngineError, match="context"):
        drive(decode(AUTOMATON, Cache(4), PROMPT * 5), Oracle(VOCABULARY, CALLS))


@pytest.mark.parametrize("call", CALLS)
def test_a_choice_can_be_taken_the_other_way(call: ToolCall) -> None:
    best = drive(decode(AUTOMATON, Cache(512), PROMPT), Oracle(VOCABULARY, [call]))
    doubts = {at: one for at, one in enumerate(best.decisions) if len(one.tokens) > 1}
    assert len(doubts) > len(best.decisions) // 2
    for at, decision in doubts.items():
        instead = {at: decision.tokens[1]}
        other = drive(decode(AUTOMATON, Cache(512), PROMPT, instead), Oracle(VOCABULARY, [call]))
        assert other.decisions[:at] == best.decisions[:at]
        taken = other.decisions[at]
        assert (taken.value, taken.probability) == decision.alternatives[1]
        assert taken.alternatives == decision.alternatives
        assert AUTOMATON.accepts(other.ids[1:])
        assert other.ids != best.ids


def test_a_choice_that_is_not_allowed_is_not_taken() -> None:
    best = drive(decode(AUTOMATON, Cache(512), PROMPT), Oracle(VOCABULARY, CALLS))
    instead = {0: VOCABULARY.control["<eos>"], 99: 5}
    other = drive(decode(AUTOMATON, Cache(512), PROMPT, instead), Oracle(VOCABULARY, CALLS))
    assert other == best


def test_the_options_shown_are_those_of_the_tokens() -> None:
    best = drive(decode(AUTOMATON, Cache(512), PROMPT), Oracle(VOCABULARY, CALLS[1:]))
    for decision in best.decisions:
        assert len(decision.tokens) == len(decision.alternatives) == len(set(decision.tokens))
        assert decision.value == decision.alternatives[0][0]
