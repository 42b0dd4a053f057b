"""Evaluation data: conversations whose every assistant turn is a tool call to compare with.

Reads JSON lines, one conversation a line: `question` is a list of messages (as JSON text, or as
it is) that ends with a user message, `answer` the call that message should lead to, as
`{"name", "parameters"}`. Assistant messages carry `tool_calls[0].function.{name, arguments}`.

An assistant message that says something and calls nothing is kept, with its text as history and
no gold call: Offhand always calls a tool, so that turn counts as missed rather than vanishing.
Anything else out of shape is refused with its file and line. Whether a call fits a catalog is not
this module's concern.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from offhand.dialect import ToolCall
from offhand_export.errors import ExportError


class DataError(ExportError):
    """Evaluation data that cannot be read."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One user message and what the assistant should answer: a call, or else a text."""

    text: str
    gold: ToolCall | None
    said: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Exchanges in order; `line` counts from 1 in the file they came from."""

    line: int
    exchanges: tuple[Exchange, ...]


def read_conversations(path: Path) -> list[Conversation]:
    """Read a JSON-lines file; blank lines are passed over.

    Raises:
        DataError: the file cannot be read, holds no conversation, or has a malformed line.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"Cannot read {path}: {error}. Give a UTF-8 file of JSON lines.") from error
    conversations = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                conversations.append(parse_conversation(line, number))
            except DataError as error:
                raise DataError(f"{path}, line {number}: {error}") from error
    if not conversations:
        raise DataError(f"{path} holds no conversation. Write one JSON object a line.")
    return conversations


def fingerprint(path: Path) -> str:
    """The sha256 of the file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def parse_conversation(line: str, number: int = 1) -> Conversation:
    """Read one line of the file.

    Raises:
        DataError: what is wrong with it, without the file and line.
    """
    record = _object(_json(line, "the line"), "the line")
    messages = _list(_decoded(_field(record, "question", "the line"), "`question`"), "`question`")
    answer = _object(_decoded(_field(record, "answer", "the line"), "`answer`"), "`answer`")
    last = _call(answer, "parameters", "`answer`")
    return Conversation(number, tuple(_exchanges(messages, last)))


def _exchanges(messages: list[Any], last: ToolCall) -> Iterator[Exchange]:
    if len(messages) % 2 == 0:
        _refuse("`question` does not alternate from a user message to a user message")
    texts = [_user_text(message, 2 * turn) for turn, message in enumerate(messages[::2])]
    answers = [_answer(message, 2 * turn + 1) for turn, message in enumerate(messages[1::2])]
    for text, (gold, said) in zip(texts, [*answers, (last, "")], strict=True):
        yield Exchange(text, gold, said)


def _user_text(message: Any, index: int) -> str:
    where = f"message {index} of `question`"
    fields = _message(message, "user", where)
    content = _field(fields, "content", where)
    if not isinstance(content, str) or not content.strip():
        _refuse(f"{where} has no text")
    return str(content)


def _answer(message: Any, index: int) -> tuple[ToolCall | None, str]:
    where = f"message {index} of `question`"
    fields = _message(message, "assistant", where)
    calls = _list(fields.get("tool_calls") or [], f"`tool_calls` of {where}")
    content = fields.get("content") or ""
    if not isinstance(content, str):
        _refuse(f"`content` of {where} is not text")
    if len(calls) > 1:
        _refuse(f"{where} makes {len(calls)} calls; one call a turn is supported")
    if not calls:
        return (None, content) if content.strip() else _refuse(f"{where} neither calls nor speaks")
    function = _field(_object(calls[0], f"the call of {where}"), "function", f"the call of {where}")
    return _call(_object(function, f"the call of {where}"), "arguments", f"the call of {where}"), ""


def _message(message: Any, role: str, where: str) -> Mapping[str, Any]:
    fields = _object(message, where)
    found = _field(fields, "role", where)
    if found != role:
        _refuse(
            f"{where} has the role {found!r}; user and assistant take turns, so {role!r} is due"
        )
    return fields


def _call(fields: Mapping[str, Any], key: str, where: str) -> ToolCall:
    name = _field(fields, "name", where)
    if not isinstance(name, str) or not name:
        _refuse(f"`name` of {where} is not a function's name")
    arguments = _decoded(_field(fields, key, where), f"`{key}` of {where}")
    return ToolCall(str(name), _object(arguments, f"`{key}` of {where}"))


def _decoded(value: Any, where: str) -> Any:
    """A value that may be written as it is or, as OpenAI does with arguments, as JSON text."""
    return _json(value, where) if isinstance(value, str) else value


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except ValueError as error:
        raise DataError(f"{where} is not JSON ({error}).") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _field(fields: Mapping[str, Any], key: str, where: str) -> Any:
    if key not in fields:
        _refuse(f"{where} lacks `{key}`")
    return fields[key]


def _object(value: Any, where: str) -> dict[str, Any]:
    return value if isinstance(value, dict) else _refuse(f"{where} is not a JSON object")


def _list(value: Any, where: str) -> list[Any]:
    return value if isinstance(value, list) else _refuse(f"{where} is not a list")


def _refuse(reason: str) -> NoReturn:
    raise DataError(f"{reason}.")
