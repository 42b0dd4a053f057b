"""Writing calls and reading them back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhand import ToolCall
from offhand.dialect import number_text, parse_call, render_call
from tests.tiny import tiny_vocabulary

VOCABULARY = tiny_vocabulary()

RENDERED: list[tuple[dict[str, Any], str]] = [
    ({}, "call:f{}"),
    ({"b": "x", "a": 1}, "call:f{a:1,b:<escape>x<escape>}"),
    ({"a": None, "b": True}, "call:f{b:true}"),
    ({"a": 5.0, "b": 12.5, "c": -3}, "call:f{a:5,b:12.5,c:-3}"),
    ({"a": 1e-05}, "call:f{a:0.00001}"),
    ({"a": ["x", "y"], "b": []}, "call:f{a:[<escape>x<escape>,<escape>y<escape>],b:[]}"),
    ({"a": [1, True]}, "call:f{a:[1,true]}"),
    ({"a": "}{:,<escape>"}, "call:f{a:<escape>}{:,<escape><escape>}"),
]


@pytest.mark.parametrize(("arguments", "expected"), RENDERED)
def test_render(arguments: dict[str, Any], expected: str) -> None:
    pieces = render_call(ToolCall("f", arguments))
    assert "".join(pieces) == f"<start_function_call>{expected}<end_function_call>"


VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(lambda s: s.strip()),
    st.integers(-(10**9), 10**9),
    st.decimals(-1000, 1000, places=4).map(float),
    st.booleans(),
)


@given(
    st.dictionaries(
        st.sampled_from(["a", "room", "x_1"]), st.one_of(VALUES, st.lists(VALUES, max_size=3))
    )
)
def test_parse_reads_what_render_writes(arguments: dict[str, Any]) -> None:
    call = ToolCall("f", arguments)
    assert parse_call(VOCABULARY.encode_pieces(render_call(call)), VOCABULARY) == call


@pytest.mark.parametrize(
    "text", ["", "call:f{a:1", "f{}", "call:f{a}", "call:f{a:1}x", "call:f{a:<escape>x}"]
)
def test_parse_refuses(text: str) -> None:
    ids = VOCABULARY.encode_pieces([f"<start_function_call>{text}<end_function_call>"])
    with pytest.raises((ValueError, StopIteration)):
        parse_call(ids, VOCABULARY)


def test_numbers_are_written_canonically() -> None:
    assert [number_text(n) for n in (0, -2, 3.0, 0.1, 1234567.25, 1e16)] == [
        "0", "-2", "3", "0.1", "1234567.25", "10000000000000000",
    ]  # fmt: skip
