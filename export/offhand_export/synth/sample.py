"""What a teacher makes: labelled conversations, and the form they are written in.

The file format is the evaluation's (see `offhand_export.dataset`) with two more fields a line, so
that whatever reads test sets reads training data too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from offhand.dialect import ToolCall
from offhand_export.dataset import Exchange


@dataclass(frozen=True, slots=True)
class Sample:
    """One conversation: every exchange has its gold call.

    Attributes:
        catalog: name of the catalog its calls belong to.
        exchanges: user messages in order, each with the call it should lead to.
        phenomena: what it exercises ("correction", "ellipsis"), for the balance report.
    """

    catalog: str
    exchanges: tuple[Exchange, ...]
    phenomena: tuple[str, ...] = ()


class Teacher(Protocol):
    """Anything that makes labelled conversations."""

    def samples(self, count: int) -> Iterator[Sample]:
        """Up to `count` conversations, not yet validated; the same ones for the same seed."""
        ...


def to_line(sample: Sample) -> str:
    """The sample as a line of evaluation-format JSON, without the line end."""
    messages: list[dict[str, Any]] = []
    for exchange in sample.exchanges:
        messages.append({"role": "user", "content": exchange.text})
        messages.append(_spoken(gold(exchange)))
    last = gold(sample.exchanges[-1])
    record = {
        "question": json.dumps(messages[:-1], ensure_ascii=False),
        "answer": json.dumps(
            {"name": last.name, "parameters": dict(last.arguments)}, ensure_ascii=False
        ),
        "catalog": sample.catalog,
        "phenomena": list(sample.phenomena),
    }
    return json.dumps(record, ensure_ascii=False)


def gold(exchange: Exchange) -> ToolCall:
    """The exchange's call, which teachers always give."""
    if exchange.gold is None:
        raise ValueError("a training exchange has no call")
    return exchange.gold


def _spoken(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": dict(call.arguments)}
    return {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"type": "function", "function": function}],
    }
