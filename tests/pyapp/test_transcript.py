"""A transcript is read back as it was written, and everything else is refused with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from offhand import Message, MessageError, ToolCall
from offhand.transcript import read_transcript, transcript_record

USER = {"role": "user", "content": "dim"}
MODEL = {"role": "assistant", "call": {"name": "dim", "arguments": {"level": 3}}}


@pytest.mark.parametrize(
    "messages",
    [
        (),
        (Message("user", "dim é"), Message("assistant", call=ToolCall("dim", {"level": 3}))),
        (Message("user", "<end_of_turn>"), Message("assistant", "Which room?")),
        (
            Message("user", " two "),
            Message("assistant", call=ToolCall("stop", {})),
            Message("user", "again"),
            Message("assistant", call=ToolCall("tag", {"names": ["a", "b"], "on": True})),
        ),
    ],
)
def test_round_trip(messages: tuple[Message, ...]) -> None:
    assert read_transcript(json.dumps(transcript_record(messages))) == messages


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        ({"messages": []}, "not a list"),
        ([USER], "does not end with the assistant"),
        ([MODEL, USER], "message 1 has the role 'assistant', and 'user' is due"),
        ([USER, MODEL, USER, USER], "message 4 has the role 'user'"),
        ([USER, "hello"], "message 2 is not an object"),
        ([USER, {**MODEL, "confidence": 1}], "message 2 is not an object"),
        ([{"role": "user", "content": " "}, MODEL], "message 1 is empty"),
        ([{"role": "user", "content": 5}, MODEL], "content of message 1 is not text"),
        ([{"role": "user"}, MODEL], "message 1 is empty"),
        ([{**USER, "call": MODEL["call"]}, MODEL], "message 1 has a call beside its text"),
        ([USER, {**MODEL, "content": "and"}], "message 2 has a call beside its text"),
        ([USER, {"role": "assistant", "call": "dim"}], "call of message 2"),
        ([USER, {"role": "assistant", "call": {"name": "dim"}}], "call of message 2"),
        ([USER, {"role": "assistant", "call": {"name": 1, "arguments": {}}}], "call of message 2"),
        ([USER, {"role": "assistant", "call": {"name": "a", "arguments": []}}], "of message 2"),
        ([{"role": "user", "content": "\ud83d"}, MODEL], "whole characters"),
    ],
)
def test_what_is_no_transcript_is_refused(entries: Any, named: str) -> None:
    with pytest.raises(MessageError, match=named):
        read_transcript(json.dumps(entries))


@pytest.mark.parametrize("text", ["", "[", "\ud83d", '["\ud83d"]'])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(MessageError, match="not JSON"):
        read_transcript(text)
