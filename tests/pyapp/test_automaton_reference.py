"""The automaton against llguidance: two implementations must allow the same calls.

Random schemas of the supported subset, random calls that fit them, and the same calls damaged, all
as the tokens of their rendering. Runs over the tests' tiny tokenizer, which has merges across
structure as Gemma's has, and over the real one.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from llguidance import LLMatcher, LLTokenizer
from tokenizers import Tokenizer

from offhand.automaton import Automaton
from offhand.dialect import END_CALL, START_CALL, ToolCall, render_call
from offhand.errors import SchemaError
from offhand.native import NativeText
from offhand.schema import parse_tools
from offhand.tokenizer import Vocabulary
from tests.pyapp.call_strategies import (
    arrays,
    calls,
    damaged,
    declarations,
    foreign_calls,
    numbers,
    spelled_numbers,
    values,
)
from tests.pyapp.reference_grammar import lark_grammar, number_pattern
from tests.tiny import CONTROL, tiny_tokenizer


@dataclass(frozen=True, slots=True)
class Both:
    """One tokenizer, as the app and as llguidance see it."""

    vocabulary: Vocabulary
    reference: LLTokenizer


def _join(text_tokenizer: str, control: dict[str, int]) -> Both:
    """Join a tokenizer without control tokens with their ids; llguidance gets them by name."""
    named = json.loads(text_tokenizer)
    old = {index: token for token, index in named["model"]["vocab"].items()}
    for name, index in control.items():
        del named["model"]["vocab"][old[index]]
        named["model"]["vocab"][name] = index
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    named["added_tokens"] = sorted(
        (
            *(entry for entry in named["added_tokens"] if entry["id"] not in control.values()),
            *({"id": i, "content": name, "special": True, **flags} for name, i in control.items()),
        ),
        key=lambda entry: entry["id"],
    )
    text = NativeText(Tokenizer.from_str(text_tokenizer))
    reference = LLTokenizer(json.dumps(named), eos_token=control["<eos>"])
    return Both(Vocabulary(text, control, control.values()), reference)


@pytest.fixture(scope="module", params=["tiny", "gemma"])
def both(request: pytest.FixtureRequest) -> Both:
    if request.param == "tiny":
        return _join(tiny_tokenizer().to_str(), {name: i for i, name in enumerate(CONTROL)})
    folder: Path = request.getfixturevalue("model_dir")
    manifest = json.loads((folder / "model.json").read_text("utf-8"))
    tokenizer = (folder / "tokenizer.json").read_text("utf-8")
    return _join(tokenizer, manifest["dialect"]["control"])


def _automaton(both: Both, tools: list[dict[str, Any]]) -> Automaton:
    return Automaton(parse_tools(tools), both.vocabulary)


def _one_slot(schema: dict[str, Any]) -> list[dict[str, Any]]:
    parameters = {"type": "object", "properties": {"b": schema}}
    return [{"type": "function", "function": {"name": "a", "parameters": parameters}}]


def _reference_accepts(both: Both, tools: list[dict[str, Any]], ids: Sequence[int]) -> bool:
    matcher = LLMatcher(both.reference, LLMatcher.grammar_from_lark(lark_grammar(tools)))
    assert not matcher.is_error(), matcher.get_error()
    return matcher.try_consume_tokens(list(ids)) == len(ids) and bool(matcher.is_accepting())


FEW = settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@FEW
@given(data=st.data(), tools=declarations())
def test_accepts_exactly_the_tokens_of_a_rendered_call(
    both: Both, data: st.DataObject, tools: list[dict[str, Any]]
) -> None:
    automaton = _automaton(both, tools)
    ids = both.vocabulary.encode_pieces(render_call(data.draw(calls(tools))))[1:]
    assert automaton.accepts(ids)
    assert not any(automaton.accepts(ids[:end]) for end in range(len(ids)))
    assert not automaton.accepts([*ids, ids[-1]])


@FEW
@given(data=st.data(), tools=declarations())
def test_valid_calls_are_valid_for_the_reference(
    both: Both, data: st.DataObject, tools: list[dict[str, Any]]
) -> None:
    call = data.draw(calls(tools))
    assert _reference_accepts(both, tools, both.vocabulary.encode_pieces(render_call(call)))


@FEW
@given(data=st.data(), tools=declarations())
def test_damaged_calls_are_judged_alike(
    both: Both, data: st.DataObject, tools: list[dict[str, Any]]
) -> None:
    pieces = data.draw(damaged(render_call(data.draw(calls(tools)))))
    ids = both.vocabulary.encode_pieces(pieces)
    verdict = _automaton(both, tools).accepts(ids[1:])
    assert verdict == _reference_accepts(both, tools, ids), pieces


@FEW
@given(data=st.data(), tools=declarations())
def test_foreign_calls_are_judged_alike(
    both: Both, data: st.DataObject, tools: list[dict[str, Any]]
) -> None:
    pieces = render_call(data.draw(foreign_calls(tools)))
    ids = both.vocabulary.encode_pieces(pieces)
    verdict = _automaton(both, tools).accepts(ids[1:])
    assert verdict == _reference_accepts(both, tools, ids), pieces


@FEW
@given(data=st.data(), schema=numbers().filter(lambda schema: bool(number_pattern(schema))))
def test_spellings_of_a_number_are_judged_alike(
    both: Both, data: st.DataObject, schema: dict[str, Any]
) -> None:
    tools = _one_slot(schema)
    automaton = _automaton(both, tools)
    for text in data.draw(st.lists(spelled_numbers(schema), min_size=5, max_size=20)):
        ids = both.vocabulary.encode_pieces([START_CALL, f"call:a{{b:{text}}}", END_CALL])
        verdict = automaton.accepts(ids[1:])
        assert verdict == (re.fullmatch(number_pattern(schema), text) is not None), text
        assert verdict == _reference_accepts(both, tools, ids), text


@FEW
@given(data=st.data(), schema=arrays())
def test_lengths_of_an_array_are_judged_alike(
    both: Both, data: st.DataObject, schema: dict[str, Any]
) -> None:
    tools = _one_slot(schema)
    items = data.draw(st.lists(values(schema["items"]), max_size=4))
    ids = both.vocabulary.encode_pieces(render_call(ToolCall("a", {"b": items})))
    verdict = _automaton(both, tools).accepts(ids[1:])
    assert verdict == (schema["minItems"] <= len(items) <= schema["maxItems"])
    assert verdict == _reference_accepts(both, tools, ids)


def _walk(automaton: Automaton, choose: Callable[[list[int]], int]) -> list[int]:
    """Tokens from the start to the end of a call, never free text."""
    state, ids = automaton.start(), []
    while not state.done:
        assert state.edges, "a dead end"
        ids.append(choose(list(state.edges)))
        following = state.next(ids[-1])
        assert following is not None
        state = following
    return ids


@FEW
@given(tools=declarations(), seed=st.integers(0, 2**32))
def test_every_walk_through_the_automaton_ends_in_a_call(
    both: Both, tools: list[dict[str, Any]], seed: int
) -> None:
    ids = _walk(_automaton(both, tools), random.Random(seed).choice)
    start = both.vocabulary.control[START_CALL]
    assert _reference_accepts(both, tools, [start, *ids])


@FEW
@given(
    schema=numbers().filter(lambda schema: bool(number_pattern(schema))),
    seed=st.integers(0, 2**32),
)
def test_the_longest_numbers_can_be_finished(both: Both, schema: dict[str, Any], seed: int) -> None:
    automaton = _automaton(both, _one_slot(schema))
    chance = random.Random(seed)
    spelling = {both.vocabulary.encode(character)[0] for character in "0123456789."}

    def longest(edges: list[int]) -> int:
        return chance.choice([token for token in edges if token in spelling] or edges)

    for _ in range(10):
        ids = _walk(automaton, longest)
        assert automaton.accepts(ids)


@FEW
@given(schema=numbers())
def test_bounds_that_leave_no_number_are_refused(schema: dict[str, Any]) -> None:
    assume(not number_pattern(schema))
    with pytest.raises(SchemaError, match="no number"):
        parse_tools(_one_slot(schema))
