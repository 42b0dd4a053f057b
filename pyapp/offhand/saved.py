"""An agent as plain data, to be taken up again: written, read back, and never believed unread.

What is read may have been altered, cut, or made by another version; nothing of it is used unless
all of it goes together: calls that the catalog allows, a question that was asked, events in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from offhand.catalogs import Catalog
from offhand.dispatch import check
from offhand.errors import WorldError
from offhand.journal import Journal
from offhand.prompt import Message
from offhand.reply import Pending, read_pending
from offhand.transcript import read_messages, transcript_record
from offhand.typed import slot_type
from offhand.world import World

VERSION = 1
"""Of the record."""

KEPT = 400
"""Messages of the conversation that are saved, the newest; far more than the model's context."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What an agent is made of, besides its catalog and model.

    Attributes:
        messages: the conversation as the model has it.
        journal: the world and its events.
        pending: the question that is open.
        count: replies so far.
        failures: the last of these in a row that were failures.
        last: id of the event that the next message may correct.
    """

    messages: Sequence[Message]
    journal: Journal
    pending: Pending | None
    count: int
    failures: int
    last: str


def write_saved(saved: Saved, catalog: Catalog) -> dict[str, Any]:
    """JSON-ready data; `read_saved` takes it back."""
    return {
        "version": VERSION,
        "catalog": catalog.name,
        "messages": transcript_record(saved.messages[-KEPT:]),
        "journal": saved.journal.record(),
        "pending": saved.pending.record() if saved.pending else None,
        "count": saved.count,
        "failures": saved.failures,
        "last": saved.last,
    }


def read_saved(data: Any, catalog: Catalog, world: World) -> Saved:
    """What `write_saved` wrote of an agent of this catalog.

    Raises:
        WorldError, MessageError: it is not such data.
    """
    try:
        if data["version"] != VERSION or data["catalog"] != catalog.name:
            raise ValueError("it is of another version or catalog")
        saved = Saved(
            read_messages(data["messages"]),
            Journal.read(world, data["journal"]),
            read_pending(data["pending"]),
            data["count"],
            data["failures"],
            data["last"],
        )
        _check(saved, catalog)
    except (KeyError, TypeError, ValueError) as error:
        raise WorldError(
            f"The saved conversation cannot be read: {error}.", "Begin a new one."
        ) from error
    return saved


def _check(saved: Saved, catalog: Catalog) -> None:
    """Raise ValueError where what was read would not go together."""
    numbers = (saved.count, saved.failures)
    if any(type(number) is not int or number < 0 for number in numbers):
        raise ValueError("its counts are no counts")
    if not isinstance(saved.last, str):
        raise ValueError("its last action is none")
    events, pending = saved.journal.events, saved.pending
    if any(int(event.id.removeprefix("e")) > saved.count for event in events):
        raise ValueError("it has actions that were never answered")
    calls = [event.call for event in events]
    if pending:
        calls += pending.calls
        if not 0 < pending.number <= saved.count:
            raise ValueError("its question has no answer")
        if pending.kind == "ask" and slot_type(catalog.tools, pending) is None:
            raise ValueError("it asks for what the function does not take")
    if refused := next(filter(None, (check(catalog, call) for call in calls)), None):
        raise ValueError(refused.text)
