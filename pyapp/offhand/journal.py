"""The history of a world: every action an event, the state what replaying them gives.

An event is a call that changed the state, with an id. Doing the same id twice does it once; undo
drops the last event and replays the rest from the beginning, so nothing needs an inverse. A journal
is saved as its events and taken up again by replay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from offhand.dialect import ToolCall
from offhand.errors import WorldError
from offhand.world import Outcome, World

KEPT = 1_000
"""Events kept to be undone; older ones are folded into the beginning."""


@dataclass(frozen=True, slots=True)
class Event:
    """A call that changed the world; `id` tells it from every other."""

    id: str
    call: ToolCall


@dataclass(frozen=True, slots=True)
class Journal:
    """A world's state and how it came about; every method returns another journal.

    Attributes:
        world: whose rules hold.
        base: the state before the first event kept.
        events: in the order done.
        state: after the last of them.
    """

    world: World
    base: Any
    events: tuple[Event, ...]
    state: Any

    @classmethod
    def begin(cls, world: World) -> Journal:
        """A world as a visitor finds it."""
        state = world.begin()
        return cls(world, state, (), state)

    def do(self, identity: str, call: ToolCall) -> tuple[Journal, Outcome]:
        """Apply a call, unless this id has been done before.

        Returns:
            The journal after it, and what came of it; for an id done before, the journal as it is.
        """
        if any(event.id == identity for event in self.events):
            return self, Outcome(self.state, "This has been done already.")
        outcome = self.world.apply(self.state, call)
        if not outcome.ok or outcome.state == self.state:
            return self, replace(outcome, state=self.state)
        done = replace(self, events=(*self.events, Event(identity, call)), state=outcome.state)
        return done._folded(), outcome

    def undo(self) -> tuple[Journal, Event | None]:
        """The journal without its last event, and that event; None if there is none."""
        if not self.events:
            return self, None
        kept = self.events[:-1]
        return replace(self, events=kept, state=_replayed(self.world, self.base, kept)), (
            self.events[-1]
        )

    def without(self, identity: str) -> Journal:
        """The journal without its last event where that is the one of this id; else as it is."""
        last = self.events[-1].id if self.events else ""
        return self.undo()[0] if identity and identity == last else self

    def record(self) -> dict[str, Any]:
        """The journal as JSON-ready data."""
        events = [
            {"id": event.id, "name": event.call.name, "arguments": dict(event.call.arguments)}
            for event in self.events
        ]
        return {"base": self.world.dump(self.base), "events": events}

    @classmethod
    def read(cls, world: World, data: Any) -> Journal:
        """A journal from `record`'s data.

        Raises:
            WorldError: it is not such data, or its events cannot be replayed.
        """
        try:
            base = world.read(data["base"])
            events = tuple(_event(entry) for entry in data["events"])
            if len({event.id for event in events}) < len(events):
                raise ValueError("two events have one id")
            return cls(world, base, events, _replayed(world, base, events))
        except Exception as error:  # what a world makes of damaged data is anyone's guess
            raise WorldError(
                f"The saved world cannot be read: {error!r}.", "Begin it again."
            ) from error

    def _folded(self) -> Journal:
        if len(self.events) <= KEPT:
            return self
        gone, kept = self.events[:-KEPT], self.events[-KEPT:]
        return replace(self, base=_replayed(self.world, self.base, gone), events=kept)


def _event(entry: Mapping[str, Any]) -> Event:
    name, identity, arguments = entry["name"], entry["id"], entry["arguments"]
    if not isinstance(name, str) or not isinstance(identity, str):
        raise ValueError("an event without a name or an id")
    return Event(identity, ToolCall(name, dict(arguments)))


def _replayed(world: World, base: Any, events: tuple[Event, ...]) -> Any:
    state = base
    for event in events:
        outcome = world.apply(state, event.call)
        if not outcome.ok:
            raise ValueError(f"{event.call.name} is refused: {outcome.text}")
        state = outcome.state
    return state
