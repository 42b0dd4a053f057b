"""What a world is: the part of an agent that calls act on, as pure functions over frozen values.

A world's state is a value; applying a call gives another value and something to say, and nothing
else happens. So undo is replay without the last event (`journal`), a state survives a reload as
the list of its events, and every world can be tested without a page. The worlds are in `worlds`;
whether a call may be applied at all is `dispatch`'s matter, whether to ask first is `policy`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from offhand.dialect import ToolCall


@dataclass(frozen=True, slots=True)
class Option:
    """A value that a slot may be given by a click.

    Attributes:
        value: as the schema has it.
        label: as the visitor reads it.
    """

    value: Any
    label: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What applying a call came to.

    Attributes:
        state: the world after it; the very same object where nothing changed.
        text: what the agent says of it.
        ok: False where the world refused; then `state` is as it was.
        changed: what changed, by the names that the world's view uses ("light.kitchen").
        data: more to show, JSON-ready with a `kind` of "terminal", "table" or "facts"; or None.
    """

    state: Any
    text: str
    ok: bool = True
    changed: tuple[str, ...] = ()
    data: Mapping[str, Any] | None = None


class World(Protocol):
    """One catalog's world. Every method is pure and deterministic; a state is never altered."""

    name: str
    """Of its catalog."""

    def begin(self) -> Any:
        """The state that a visitor finds."""

    def apply(self, state: Any, call: ToolCall) -> Outcome:
        """Carry out a call that fits the catalog and has what `missing` asks for."""

    def missing(self, state: Any, call: ToolCall) -> tuple[str, ...]:
        """Slots without which the call cannot be carried out, the one to ask for first, first."""

    def options(self, state: Any, call: ToolCall, slot: str) -> tuple[Option, ...]:
        """Values to offer for a slot, likeliest first; none where only the visitor knows."""

    def danger(self, state: Any, call: ToolCall) -> str | None:
        """Why the call should be confirmed, as a question; None if it is harmless."""

    def describe(self, call: ToolCall) -> str:
        """The call in words, as a command without a final stop: "Lock the front door"."""

    def view(self, state: Any) -> Mapping[str, Any]:
        """What the page shows, JSON-ready."""

    def dump(self, state: Any) -> Any:
        """The state, JSON-ready; `read` takes it back."""

    def read(self, data: Any) -> Any:
        """A state from `dump`'s data.

        Raises:
            ValueError: it is not such data.
        """
