"""What the agent answers, as values: said, done, asked, offered. Shown by the page as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from offhand.dialect import ToolCall
from offhand.session import Turn
from offhand.world import Option


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to click: its id is sent back; `style` is "primary", "plain" or "danger"."""

    id: str
    label: str
    style: str = "plain"


@dataclass(frozen=True, slots=True)
class Reply:
    """The agent's answer to one message or click.

    Attributes:
        kind: "done" (the world changed), "answer" (it was looked at), "ask", "confirm", "clarify",
            "handover", "refused", "unclear" (not understood), "said" (about the agent itself).
        text: in words.
        call: what was carried out, or is proposed.
        command: the same in words.
        choices: what can be clicked.
        changed: names of what changed in the world's view.
        data: a table, a terminal's entry or facts to show.
        undo: whether this reply's action can be undone.
        reason: of a refusal or a question, one word.
        turn: what the model did; None where it was not asked.
        sure: how likely its call is right, calibrated where the model is, 0 to 1.
    """

    kind: str
    text: str
    call: ToolCall | None = None
    command: str = ""
    choices: tuple[Choice, ...] = ()
    changed: tuple[str, ...] = ()
    data: Mapping[str, Any] | None = None
    undo: bool = False
    reason: str = ""
    turn: Turn | None = None
    sure: float | None = None

    def of(self, turn: Turn, sure: float) -> Reply:
        """The same, with what the model did and how likely it is right."""
        return replace(self, turn=turn, sure=sure)

    def record(self) -> dict[str, Any]:
        """The reply as JSON-ready data, without `turn`."""
        return {
            "kind": self.kind,
            "text": self.text,
            "call": call_record(self.call),
            "command": self.command,
            "choices": [asdict(choice) for choice in self.choices],
            "changed": list(self.changed),
            "data": self.data,
            "undo": self.undo,
            "reason": self.reason,
            "sure": self.sure,
        }


@dataclass(frozen=True, slots=True)
class Pending:
    """A question that is open.

    Attributes:
        kind: "confirm", "ask" or "clarify".
        calls: the call in question; for "clarify", the readings.
        slot, options: what was asked for, and what was offered.
        replaces: id of the event that the call corrects, "" if none.
        number: tells this question from every other.
    """

    kind: str
    calls: tuple[ToolCall, ...]
    slot: str = ""
    options: tuple[Option, ...] = ()
    replaces: str = ""
    number: int = 0

    def choice(self, what: str, label: str, style: str = "plain") -> Choice:
        """Something to click in answer to this question."""
        return Choice(f"{self.number}/{what}", label, style)

    def record(self) -> dict[str, Any]:
        """The question as JSON-ready data."""
        return {
            "kind": self.kind,
            "calls": [call_record(call) for call in self.calls],
            "slot": self.slot,
            "options": [[option.value, option.label] for option in self.options],
            "replaces": self.replaces,
            "number": self.number,
        }


def read_pending(data: Any) -> Pending | None:
    """A question from `Pending.record`'s data, None from None.

    Raises:
        KeyError, TypeError, ValueError: it is not such data.
    """
    if data is None:
        return None
    calls = tuple(ToolCall(call["name"], dict(call["arguments"])) for call in data["calls"])
    options = tuple(Option(value, label) for value, label in data["options"])
    kind, slot, replaces, number = (data[name] for name in ("kind", "slot", "replaces", "number"))
    if kind not in ("confirm", "ask", "clarify") or not calls:
        raise ValueError(f"a question of the kind {kind!r}")
    if not all(isinstance(option.label, str) and option.label.strip() for option in options):
        raise ValueError("a question with an option that says nothing")
    if type(number) is not int or not all(isinstance(text, str) for text in (slot, replaces)):
        raise ValueError("a question without its slot or number")
    return Pending(kind, calls, slot, options, replaces, number)


def call_record(call: ToolCall | None) -> dict[str, Any] | None:
    """A call as JSON-ready data."""
    return None if call is None else {"name": call.name, "arguments": dict(call.arguments)}
