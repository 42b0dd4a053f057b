"""The chat template a base model gets: signatures, turns and FunctionGemma's call syntax."""

from __future__ import annotations

from typing import Any

import pytest
from transformers.utils.chat_template_utils import render_jinja_template

from offhand.catalogs import load
from offhand.dialect import ToolCall, render_call
from offhand.native import NativeModel
from offhand.prompt import Message, Template
from offhand_export.checkpoint import TEMPLATE
from tests.tiny import function

SOURCE = TEMPLATE.read_text("utf-8")
HEAD = "<bos><start_of_turn>developer\nYou are a model that can do function calling with the following functions\n"  # noqa: E501


def rendered(messages: list[Message], tools: list[Any], answer: bool = False) -> str:
    """A prompt as one string."""
    return "".join(Template(SOURCE).render(messages, tools, answer))


@pytest.mark.parametrize(
    ("schema", "form"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "enum": ["on", "off"], "description": "no"}, "on|off"),
        ({"type": "boolean"}, "boolean"),
        ({"type": "integer"}, "integer"),
        ({"type": "integer", "enum": [3, 1]}, "3|1"),
        ({"type": "number"}, "number"),
        ({"type": "integer", "minimum": 60, "maximum": 80}, "60..80"),
        ({"type": "integer", "minimum": 0}, "0.."),
        ({"type": "number", "maximum": 2.5}, "..2.5"),
        ({"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 9}, "1..8"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, "0..1"),
        ({"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}, "[a|b]"),
        ({"type": "array", "items": {"type": "integer", "minimum": 2}}, "[2..]"),
    ],
)
def test_signature_of_a_parameter(schema: dict[str, Any], form: str) -> None:
    assert rendered([], [function("f", {"x": schema})]) == f"{HEAD}f(x:{form})<end_of_turn>\n"


def test_declarations_are_one_line_each_with_sorted_arguments() -> None:
    text = {"type": "string"}
    tools = [function("first", {"b": text, "B": text, "a": text}), function("second")]
    tools.append({"type": "function", "function": {"name": "third"}})
    lines = "first(B:text,a:text,b:text)\nsecond()\nthird()"
    assert rendered([], tools) == f"{HEAD}{lines}<end_of_turn>\n"


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"state": "on", "room": "living_room"},
        {"z": 1, "Z": 2, "a": 3},
        {"text": ' it\'s "so", {a:b}\n', "empty": ""},
        {"amount": 12.5, "count": -3, "whole": 4.0, "yes": True, "no": False},
        {"list": [1, "two", False], "none": None, "nothing": []},
    ],
)
def test_calls_are_the_dialects(arguments: dict[str, Any]) -> None:
    call = ToolCall("do_it", arguments)
    turn = rendered([Message("assistant", call=call)], [])
    expected = "".join(render_call(call))
    assert turn == f"<bos><start_of_turn>model\n{expected}<end_of_turn>\n"


def test_conversation() -> None:
    messages = [
        Message("user", "lights"),
        Message("assistant", call=ToolCall("lights", {"state": "on"})),
        Message("user", "thanks"),
        Message("assistant", "you are welcome"),
    ]
    assert rendered(messages, [], answer=True) == (
        "<bos><start_of_turn>user\nlights<end_of_turn>\n"
        "<start_of_turn>model\n<start_function_call>call:lights{state:<escape>on<escape>}"
        "<end_function_call><end_of_turn>\n"
        "<start_of_turn>user\nthanks<end_of_turn>\n"
        "<start_of_turn>model\nyou are welcome<end_of_turn>\n"
        "<start_of_turn>model\n"
    )


def test_other_runtimes_messages() -> None:
    """What Hugging Face's own rendering hands over: raw text, tool results, several calls."""
    calls = [{"type": "function", "function": {"name": name, "arguments": {}}} for name in "fg"]
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": " keep \n"},
        {"role": "assistant", "tool_calls": calls},
        {"role": "tool", "name": "f", "content": {"b": 1, "a": "x"}},
        {"role": "tool", "name": "g", "content": "done"},
    ]
    texts, _ = render_jinja_template([messages], tools=None, chat_template=SOURCE, bos_token="")
    response = "<start_of_turn>developer\n<start_function_response>response:"
    assert texts == [
        "<start_of_turn>developer\nBe brief.<end_of_turn>\n"
        "<start_of_turn>user\n keep \n<end_of_turn>\n"
        "<start_of_turn>model\n<start_function_call>call:f{}<end_function_call>"
        "<start_function_call>call:g{}<end_function_call><end_of_turn>\n"
        f"{response}f{{a:<escape>x<escape>,b:1}}<end_function_response><end_of_turn>\n"
        f"{response}g{{value:<escape>done<escape>}}<end_function_response><end_of_turn>\n"
    ]


@pytest.mark.parametrize(("name", "most"), [("smart_home", 160), ("banking", 270)])
def test_declarations_are_short(model: NativeModel, name: str, most: int) -> None:
    pieces = Template(SOURCE).render([], load(name).declarations, False)
    assert len(model.vocabulary.encode_pieces(pieces)) <= most
