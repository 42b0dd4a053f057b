"""The automaton against llguidance: two implementations must allow the same calls.

Random schemas of the supported subset, random calls that fit them, and the same calls damaged, all
as the tokens of their rendering. Runs over a small tokenizer trained here, with Gemma's settings
and many merges across structure, and over the real one wherever a model has been built.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from llguidance import LLMatcher, LLTokenizer
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from offhand.automaton import Automaton
from offhand.dialect import END_CALL, ESCAPE, START_CALL, ToolCall, render_call
from offhand.errors import SchemaError
from offhand.schema import parse_tools
from offhand.tokenizer import Data, Vocabulary
from tests.pyapp.reference_grammar import lark_grammar, number_pattern

MODEL = Path(__file__).parents[2] / "build" / "models" / "gemma-3-270m"
CONTROL = ("<pad>", "<eos>", "<bos>", START_CALL, END_CALL, ESCAPE)
NAMES = st.from_regex(r"[ab_][ab_.\-1]{0,3}", fullmatch=True)
WORDS = st.text(st.sampled_from("ab 1,:{}[]-._é\n"), min_size=1, max_size=5)
TEXTS = st.one_of(
    st.text(max_size=8),
    st.text(st.sampled_from("ab1 ,:{}[]<>\n\\\"é漢😀"), max_size=12),
    st.sampled_from([START_CALL, END_CALL, ESCAPE, "call:a{}", "<bos>", "<0x41>"]),
)
INTEGERS = st.integers(-12, 12)
TENTHS = st.integers(-120, 120).map(lambda tenth: tenth / 10)


# Tokenizers.


@dataclass(frozen=True, slots=True)
class Both:
    """One tokenizer, as the app and as llguidance see it."""

    vocabulary: Vocabulary
    reference: LLTokenizer


class _Text:
    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=False))


def _both(text_tokenizer: str, control: dict[str, int]) -> Both:
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
    text = _Text(Tokenizer.from_str(text_tokenizer))
    reference = LLTokenizer(json.dumps(named), eos_token=control["<eos>"])
    return Both(Vocabulary(text, control, control.values()), reference)


def _small_tokenizer() -> tuple[str, dict[str, int]]:
    """A byte-fallback BPE with Gemma's settings, trained on calls so that structure merges."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("[0-9]"), "isolated")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    bytes_ = [f"<0x{value:02X}>" for value in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=620, special_tokens=[*CONTROL, "<unk>", *bytes_], show_progress=False
    )
    parts = ["call:", "a", "b", "ab", "_", ".", "-", "{", "}", "[", "]", ",", ":", "true", "false"]
    joined = [x + y + z for x in parts for y in parts for z in parts]
    tokenizer.train_from_iterator([" ".join(joined), *joined, "0123456789 é"], trainer)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    described = json.loads(tokenizer.to_str())
    described["added_tokens"] = []
    vocab = described["model"]["vocab"]
    return json.dumps(described), {name: vocab[name] for name in CONTROL}


@lru_cache
def _both_named(name: str) -> Both:
    if name == "small":
        return _both(*_small_tokenizer())
    manifest = json.loads((MODEL / "model.json").read_text("utf-8"))
    control = manifest["dialect"]["control"]
    return _both((MODEL / "tokenizer.json").read_text("utf-8"), control)


BUILT = ["small", *(["gemma"] if (MODEL / "model.json").is_file() else [])]


@pytest.fixture(scope="module", params=BUILT)
def both(request: pytest.FixtureRequest) -> Both:
    return _both_named(request.param)


# Schemas.


@st.composite
def numbers(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["integer", "number"]))
    bound = INTEGERS if kind == "integer" else st.one_of(INTEGERS, TENTHS)
    schema: dict[str, Any] = {"type": kind}
    for keyword in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"):
        if draw(st.integers(0, 2)) == 0:
            schema[keyword] = draw(bound)
    return schema


ITEMS = st.one_of(
    st.just({"type": "string"}),
    st.just({"type": "boolean"}),
    st.lists(WORDS, min_size=1, max_size=4, unique=True).map(
        lambda words: {"type": "string", "enum": words}
    ),
    st.lists(INTEGERS, min_size=1, max_size=4, unique=True).map(
        lambda values: {"type": "integer", "enum": values}
    ),
    numbers().filter(lambda schema: bool(number_pattern(schema))),
)


@st.composite
def arrays(draw: st.DrawFn) -> dict[str, Any]:
    low = draw(st.integers(0, 2))
    high = draw(st.integers(max(low, 1), 3))
    return {"type": "array", "items": draw(ITEMS), "minItems": low, "maxItems": high}


@st.composite
def declarations(draw: st.DrawFn) -> list[dict[str, Any]]:
    tools = []
    for name in draw(st.lists(NAMES, min_size=1, max_size=3, unique=True)):
        properties = draw(st.dictionaries(NAMES, st.one_of(ITEMS, arrays()), max_size=3))
        required = [slot for slot in properties if draw(st.booleans())]
        parameters = {"type": "object", "properties": properties, "required": required}
        tools.append({"type": "function", "function": {"name": name, "parameters": parameters}})
    return tools


# Calls.


def _values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    kind = schema["type"]
    if kind == "array":
        items = _values(schema["items"])
        return st.lists(items, min_size=schema["minItems"], max_size=schema["maxItems"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if kind == "string":
        return TEXTS
    if kind == "boolean":
        return st.booleans()
    return _number_values(schema)


def _number_values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Numbers within the bounds, often beside them."""
    pattern = re.compile(number_pattern(schema))
    bounds = [value for key, value in schema.items() if key != "type"]
    if schema["type"] == "integer":
        some: st.SearchStrategy[Any] = st.integers(-130, 130)
        beside = [round(bound) + step for bound in bounds for step in (-1, 0, 1)]
    else:
        some = st.integers(-130_000_000, 130_000_000).map(lambda units: units / 1_000_000)
        steps = (-0.1, -0.000001, 0, 0.000001, 0.1)
        beside = [round(bound + step, 6) for bound in bounds for step in steps]
    exact = [value for value in beside if _matches(pattern, value)]
    within = some.filter(lambda value: _matches(pattern, value))
    # The listed candidates come first: within narrow bounds a random number rarely falls.
    return st.sampled_from(exact) if exact else within


def _matches(pattern: re.Pattern[str], value: float) -> bool:
    whole = float(value).is_integer()
    text = str(int(value)) if whole else f"{value:.6f}".rstrip("0")
    return pattern.fullmatch(text) is not None


@st.composite
def calls(draw: st.DrawFn, tools: list[dict[str, Any]]) -> ToolCall:
    function = draw(st.sampled_from(tools))["function"]
    schema = function["parameters"]
    arguments = {
        name: draw(_values(part))
        for name, part in schema["properties"].items()
        if name in schema["required"] or draw(st.booleans())
    }
    return ToolCall(function["name"], arguments)


# Damage: each takes the pieces of a rendered call and returns others.


def _cut_character(draw: st.DrawFn, pieces: list[str], at: int) -> list[str]:
    piece = pieces[at]
    where = draw(st.integers(0, max(len(piece) - 1, 0)))
    return [*pieces[:at], _like(piece, piece[:where] + piece[where + 1 :]), *pieces[at + 1 :]]


def _add_character(draw: st.DrawFn, pieces: list[str], at: int) -> list[str]:
    piece = pieces[at]
    where = draw(st.integers(0, len(piece)))
    extra = draw(st.sampled_from("0159.-+e,:{}[] ab_"))
    return [*pieces[:at], _like(piece, piece[:where] + extra + piece[where:]), *pieces[at + 1 :]]


def _drop(draw: st.DrawFn, pieces: list[str], at: int) -> list[str]:
    return [*pieces[:at], *pieces[at + 1 :]]


def _repeat(draw: st.DrawFn, pieces: list[str], at: int) -> list[str]:
    return [*pieces[: at + 1], *pieces[at:]]


def _replace(draw: st.DrawFn, pieces: list[str], at: int) -> list[str]:
    other = draw(st.sampled_from(["", "true", "0", "-1", "1.5", ESCAPE, END_CALL, *pieces]))
    return [*pieces[:at], other, *pieces[at + 1 :]]


def _change_number(draw: st.DrawFn, pieces: list[str], at: int) -> list[str]:
    spelled = ["0", "-0", "00", "7", "-7", "12", "13", "-13", "1.5", "1.50", "0.000001", "1.", ".5"]
    spelled += ["0.0000001", "9" * 15, "9" * 16, "1e3", "+1", "-0.5", "11.95", "-11.999999"]
    number = draw(st.sampled_from(spelled))
    piece = re.sub(r"-?[0-9]+(\.[0-9]+)?", lambda _: number, pieces[at])
    return [*pieces[:at], _like(pieces[at], piece), *pieces[at + 1 :]]


def _like(piece: str, text: str) -> str:
    return Data(text) if isinstance(piece, Data) else text


DAMAGE: list[Callable[[st.DrawFn, list[str], int], list[str]]] = [
    _cut_character,
    _add_character,
    _drop,
    _repeat,
    _replace,
    _change_number,
]


@st.composite
def damaged(draw: st.DrawFn, pieces: list[str]) -> list[str]:
    # The first piece is the start token, which is no part of what an automaton reads.
    return draw(st.sampled_from(DAMAGE))(draw, pieces, draw(st.integers(1, len(pieces) - 1)))


@st.composite
def foreign_calls(draw: st.DrawFn, tools: list[dict[str, Any]]) -> ToolCall:
    """A call with names of these tools and values of any kind."""
    functions = [tool["function"] for tool in tools]
    names = [function["name"] for function in functions]
    slots = [slot for function in functions for slot in function["parameters"]["properties"]]
    value = st.one_of(TEXTS, st.booleans(), INTEGERS, TENTHS, WORDS)
    arguments = st.dictionaries(
        st.one_of(NAMES, st.sampled_from([*slots, "a"])),
        st.one_of(value, st.lists(value, max_size=4)),
        max_size=3,
    )
    return ToolCall(draw(st.one_of(NAMES, st.sampled_from(names))), draw(arguments))


# Tests.


def _automaton(both: Both, tools: list[dict[str, Any]]) -> Automaton:
    return Automaton(parse_tools(tools), both.vocabulary)


def _reference_accepts(both: Both, tools: list[dict[str, Any]], ids: Sequence[int]) -> bool:
    matcher = LLMatcher(both.reference, LLMatcher.grammar_from_lark(lark_grammar(tools)))
    assert not matcher.is_error(), matcher.get_error()
    return matcher.try_consume_tokens(list(ids)) == len(ids) and bool(matcher.is_accepting())


FEW = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
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
    event(f"accepted: {verdict}")
    assert verdict == _reference_accepts(both, tools, ids), pieces


@FEW
@given(data=st.data(), tools=declarations())
def test_foreign_calls_are_judged_alike(
    both: Both, data: st.DataObject, tools: list[dict[str, Any]]
) -> None:
    pieces = render_call(data.draw(foreign_calls(tools)))
    ids = both.vocabulary.encode_pieces(pieces)
    verdict = _automaton(both, tools).accepts(ids[1:])
    event(f"accepted: {verdict}")
    assert verdict == _reference_accepts(both, tools, ids), pieces


@FEW
@given(schema=numbers())
def test_bounds_that_leave_no_number_are_refused(schema: dict[str, Any]) -> None:
    assume(not number_pattern(schema))
    parameters = {"type": "object", "properties": {"a": schema}}
    with pytest.raises(SchemaError, match="no number"):
        parse_tools([{"type": "function", "function": {"name": "a", "parameters": parameters}}])
