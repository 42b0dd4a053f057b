"""A conversation as plain data: what is kept of it, sent to the page, and taken up again.

A transcript is a list of messages in turns: `{"role": "user", "content": text}`, then
`{"role": "assistant", "call": {"name", "arguments"}}`, or `"content"` where the assistant speaks.
Covers reading and writing; whether a call fits a catalog is not asked, since history may hold calls
of another version. Taking one up runs nothing: the next turn runs what the KV cache lacks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from offhand.dialect import ToolCall
from offhand.errors import MessageError
from offhand.prompt import Message

_ROLES = ("user", "assistant")
_FIELDS = {"role", "content", "call"}


def transcript_record(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Messages as JSON-ready data; `read_transcript` reads them back."""
    return [_record(message) for message in messages]


def read_transcript(text: str) -> tuple[Message, ...]:
    """The messages of a transcript, given as JSON text.

    Raises:
        MessageError: it is not a transcript; says which message is at fault.
    """
    try:
        entries = json.loads(text)
        text.encode("utf-8")
    except (ValueError, RecursionError) as error:
        _refuse(f"it is not JSON of whole characters ({error})")
    return read_messages(entries)


def read_messages(entries: Any) -> tuple[Message, ...]:
    """The messages of a transcript that has been parsed.

    Raises:
        MessageError: it is not a transcript; says which message is at fault.
    """
    try:
        json.dumps(entries, ensure_ascii=False).encode("utf-8")  # escapes may hide half a character
    except (TypeError, ValueError, RecursionError) as error:
        _refuse(f"it is not JSON of whole characters ({error})")
    if not isinstance(entries, list):
        _refuse("it is not a list of messages")
    if len(entries) % 2:
        _refuse("it does not end with the assistant's message")
    return tuple(_message(entry, place) for place, entry in enumerate(entries))


def _record(message: Message) -> dict[str, Any]:
    if message.call is None:
        return {"role": message.role, "content": message.content}
    call = {"name": message.call.name, "arguments": dict(message.call.arguments)}
    return {"role": message.role, "call": call}


def _message(entry: Any, place: int) -> Message:
    where, role = f"message {place + 1}", _ROLES[place % 2]
    if not isinstance(entry, Mapping) or not entry.keys() <= _FIELDS:
        _refuse(f"{where} is not an object of {', '.join(sorted(_FIELDS))}")
    if entry.get("role") != role:
        _refuse(f"{where} has the role {entry.get('role')!r}, and {role!r} is due")
    content, call = entry.get("content", ""), entry.get("call")
    if not isinstance(content, str):
        _refuse(f"the content of {where} is not text")
    if call is None:
        return Message(role, content) if content.strip() else _refuse(f"{where} is empty")
    if role == "user" or content:
        _refuse(f"{where} has a call beside its text")
    return Message(role, call=_call(call, where))


def _call(call: Any, where: str) -> ToolCall:
    if not isinstance(call, Mapping) or call.keys() != {"name", "arguments"}:
        _refuse(f"the call of {where} is not a name and arguments")
    name, arguments = call["name"], call["arguments"]
    if not isinstance(name, str) or not isinstance(arguments, Mapping):
        _refuse(f"the call of {where} is not a name and arguments")
    return ToolCall(name, dict(arguments))


def _refuse(reason: str) -> NoReturn:
    raise MessageError(f"The transcript cannot be read: {reason}.", "Save it again and use that.")
