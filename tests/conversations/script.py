"""Conversations written out: what a visitor says and clicks, and what must come of it.

A script holds natively and on the page alike: `hold` runs it on a `Visit`, one or the other.
Facts about the world are flat texts by name ("light.kitchen": "on"), read from the world's view
natively and from what is drawn on the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from offhand import ToolCall

Facts = Mapping[str, str | None]

UNSURE = 2
"""How often an agent may ask in one script whether it understood, before it asks too often."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that a visitor does, and what is expected of it.

    Attributes:
        how: "say" (words), "click" (a choice of the newest reply), "stale" (a choice of an earlier
            one, which must do nothing) or "reload".
        what: the words, or the choice's label.
        kind: the reply's kind.
        text: part of the reply's words.
        call: the call that has to be made of the words; arguments not named may be any.
        facts: what must be so in the world afterwards; None for what must not be there.
        offers: labels that must be among the choices.
        shows: part of the table, the facts or the terminal's output that comes with the reply.
    """

    how: str
    what: str = ""
    kind: str = ""
    text: str = ""
    call: ToolCall | None = None
    facts: Facts = field(default_factory=dict)
    offers: tuple[str, ...] = ()
    shows: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """A conversation with a world as a visitor finds it."""

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What came back: a reply as a visitor sees it, with its call and reason."""

    kind: str
    text: str
    call: ToolCall | None
    reason: str
    offers: tuple[str, ...]
    shows: str


class Visit(Protocol):
    """A conversation under way."""

    def say(self, text: str) -> Seen:
        """Say something."""

    def click(self, label: str) -> Seen:
        """Click on a choice of the newest reply."""

    def stale(self, label: str) -> Seen | None:
        """Click on a choice of an earlier reply; None where there is none left to click."""

    def reload(self) -> tuple[str, ...]:
        """Leave and come back; the labels that can be clicked then."""

    def facts(self) -> dict[str, str]:
        """The world."""


def called(name: str, **arguments: Any) -> ToolCall:
    """The call to be made of what was said."""
    return ToolCall(name, arguments)


def said(
    what: str,
    kind: str,
    text: str = "",
    call: ToolCall | None = None,
    facts: Facts | None = None,
    offers: tuple[str, ...] = (),
    shows: str = "",
) -> Step:
    """Words, and what is expected of them; see `Step`."""
    return Step("say", what, kind, text, call, facts or {}, offers, shows)


def clicked(
    what: str,
    kind: str,
    text: str = "",
    facts: Facts | None = None,
    offers: tuple[str, ...] = (),
    shows: str = "",
) -> Step:
    """A click on a choice, and what is expected of it; see `Step`."""
    return Step("click", what, kind, text, None, facts or {}, offers, shows)


def stale(what: str, facts: Facts | None = None) -> Step:
    """A click on a choice of an earlier reply."""
    return Step("stale", what, "said", facts=facts or {})


def reload(facts: Facts | None = None, offers: tuple[str, ...] = ()) -> Step:
    """Leaving and coming back."""
    return Step("reload", facts=facts or {}, offers=offers)


def hold(script: Script, visit: Visit) -> None:
    """Hold a conversation and check every step of it."""
    unsure = 0
    for number, step in enumerate(script.steps, start=1):
        at = f"{script.name}, step {number} ({step.how} {step.what!r})"
        seen = _done(step, visit, at)
        # A doubt is the model's; a visitor who was understood says yes and goes on.
        if (
            seen
            and step.kind != "confirm"
            and (seen.kind, seen.reason) == ("confirm", "confidence")
        ):
            _check_call(at, step, seen)
            unsure += 1
            assert unsure <= UNSURE, f"{at}: asked again whether it understood: {seen}"
            seen = visit.click("Yes")
        if seen:
            _check(at, step, seen)
        _check_facts(at, step, visit)


def _done(step: Step, visit: Visit, at: str) -> Seen | None:
    if step.how == "say":
        return visit.say(step.what)
    if step.how == "click":
        return visit.click(step.what)
    if step.how == "stale":
        return visit.stale(step.what)
    offers = visit.reload()
    assert set(step.offers) <= set(offers), f"{at}: {offers} can be clicked"
    return None


def _check_call(at: str, step: Step, seen: Seen) -> None:
    if step.call is None:
        return
    fits = seen.call is not None and seen.call.name == step.call.name
    fits = fits and step.call.arguments.items() <= (seen.call or step.call).arguments.items()
    assert fits, f"{at}: THE MODEL made {seen.call}, wanted {step.call}; reply {seen.text!r}"


def _check(at: str, step: Step, seen: Seen) -> None:
    _check_call(at, step, seen)
    assert seen.kind == step.kind, f"{at}: a {step.kind} was expected: {seen}"
    assert step.text in seen.text, f"{at}: {step.text!r} was expected: {seen}"
    assert step.shows in seen.shows, f"{at}: {step.shows!r} was expected: {seen}"
    assert set(step.offers) <= set(seen.offers), f"{at}: {step.offers} were expected: {seen}"


def _check_facts(at: str, step: Step, visit: Visit) -> None:
    if step.facts:
        world = visit.facts()
        found = {name: world.get(name) for name in step.facts}
        assert found == dict(step.facts), f"{at}: the world is otherwise"
