"""Random tool declarations of the supported subset, calls that fit them, and calls that do not.

Hypothesis strategies over plain data; small alphabets make names and values collide and merge.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from offhand.dialect import END_CALL, ESCAPE, START_CALL, ToolCall
from offhand.tokenizer import Data
from tests.pyapp.reference_grammar import number_pattern

PARTS = ["room", "st", "ate", "state", "on", "e", "tags", "living", "_", ".", "-", "1", "true"]
NAMES = st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map("".join)
NAMES = NAMES.filter(lambda name: re.match("[a-z_]", name) is not None)
WORDS = st.lists(
    st.sampled_from([*PARTS, " ", ",", ":", "{", "}", "[", "]", "é", "\n"]), min_size=1, max_size=3
).map("".join)
TEXTS = st.one_of(
    st.text(max_size=8),
    st.text(st.sampled_from('ab1 ,:{}[]<>\n\\"é漢😀'), max_size=12),
    st.sampled_from([START_CALL, END_CALL, ESCAPE, "call:a{}", "<bos>", "<0x41>"]),
)
INTEGERS = st.integers(-12, 12)
TENTHS = st.integers(-120, 120).map(lambda tenth: tenth / 10)


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


def values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    kind = schema["type"]
    if kind == "array":
        items = values(schema["items"])
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
        name: draw(values(part))
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
    extra = draw(st.sampled_from("0159.-+e,:{}[] st_"))
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
def spelled_numbers(draw: st.DrawFn, schema: dict[str, Any]) -> str:
    """Texts that are numbers or nearly, many of them at the bounds."""
    bounds = [value for key, value in schema.items() if key != "type"]
    steps = (-1, -0.1, -0.000001, 0, 0.000001, 0.1, 1)
    beside = [bound + step for bound in bounds for step in steps] or [0]
    places = draw(st.integers(0, 7))
    long = draw(st.integers(14, 17))
    return draw(
        st.one_of(
            st.sampled_from(beside).map(lambda value: f"{value:.{places}f}"),
            st.sampled_from(beside).map(lambda value: f"{value:.6f}".rstrip("0").rstrip(".")),
            st.from_regex(r"-?[0-9]{1,3}(\.[0-9]{0,7})?", fullmatch=True),
            st.sampled_from(["", "-", "9" * long, f"-{'1' * long}.5", "1e3", "+1", ".5", "-0"]),
        )
    )


@st.composite
def foreign_calls(draw: st.DrawFn, tools: list[dict[str, Any]]) -> ToolCall:
    """A call with names of these tools and values of any kind."""
    functions = [tool["function"] for tool in tools]
    names = [function["name"] for function in functions]
    slots = [slot for function in functions for slot in function["parameters"]["properties"]]
    value = st.one_of(TEXTS, st.booleans(), INTEGERS, TENTHS, WORDS)
    arguments = st.dictionaries(
        st.one_of(NAMES, st.sampled_from([*slots, "room"])),
        st.one_of(value, st.lists(value, max_size=4)),
        max_size=3,
    )
    return ToolCall(draw(st.one_of(NAMES, st.sampled_from(names))), draw(arguments))
