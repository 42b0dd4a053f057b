"""The built-in teacher: a dialogue simulator over hand-written material.

A simulated user has a list of matters to settle and remembers what was said: each message either
opens the next matter, or continues the last call (completes it, corrects it, repeats it elsewhere),
or returns to an earlier one. Material says which utterance may follow which call; this module
draws, keeps values apart that must differ, and derives every label from the call before and what is
said, so a label never depends on reading the text back. Noise (see `noise`) comes last and spares
values that must be copied.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from offhand.catalogs import Catalog
from offhand.dialect import ToolCall
from offhand_export.dataset import Exchange
from offhand_export.synth.grammar import Span, expand
from offhand_export.synth.material import CallForm, Material, Rule, Script, Variable
from offhand_export.synth.sample import Sample
from offhand_export.synth.values import Kind

Noise = Callable[[Sequence[Span], random.Random], str]
Voice = Callable[[random.Random], Noise]
"""Draws how one user writes or speaks; the result turns spans into a message."""

TRIES = 40


@dataclass(frozen=True, slots=True)
class Habits:
    """How the users of one domain behave.

    Attributes:
        openings: how often each tool opens a matter, relative to the others; 1 if not named.
        closings: tools that end a conversation when they occur.
        turns: relative frequencies of 1, 2, 3... turns.
        follow: chance that a message continues the last call where it can.
        complete: the same when the last call left a slot open.
        back: chance of returning to an earlier matter.
        script: chance that a conversation begins as a script.
        bound: (before, after) tools: a call of the second just after the first continues it, so
            that the second is then not opened as a matter of its own.
        prefix: chance of a prefix; `suffix` likewise.
    """

    openings: Mapping[str, float] = field(default_factory=dict)
    closings: frozenset[str] = frozenset()
    turns: tuple[float, ...] = (2, 6, 6, 4, 3)
    follow: float = 0.5
    complete: float = 0.8
    back: float = 0.08
    script: float = 0.35
    bound: frozenset[tuple[str, str]] = frozenset()
    prefix: float = 0.12
    suffix: float = 0.12


class NoWay(Exception):
    """A rule cannot be carried out here; another must be drawn."""


class Simulator:
    """A teacher for one catalog, reproducible by seed: sample i depends on the seed and i alone."""

    def __init__(
        self,
        catalog: Catalog,
        material: Material,
        kinds: Mapping[str, Kind],
        habits: Habits,
        voice: Voice,
        seed: int,
    ) -> None:
        self._catalog, self._material, self._habits = catalog, material, habits
        self._voice, self._seed = voice, seed
        self._sayer = Sayer(material, kinds)
        self._open: dict[str, list[Rule]] = {}
        self._next: list[Rule] = []
        self._back: list[Rule] = []
        for rule in material.rules:
            if rule.before is None:
                self._open.setdefault(rule.call.name, []).append(rule)
            else:
                (self._back if rule.earlier else self._next).append(rule)

    def samples(self, count: int) -> Iterator[Sample]:
        """The first `count` conversations of this seed."""
        for index in range(count):
            yield self.sample(index)

    def sample(self, index: int) -> Sample:
        """Conversation number `index` of this seed."""
        rng = random.Random(f"{self._seed}:{self._catalog.name}:{index}")
        talk = _Talk(rng, self._voice(rng))
        wanted = rng.choices(range(1, len(self._habits.turns) + 1), self._habits.turns)[0]
        if self._material.scripts and rng.random() < self._habits.script:
            self._script(talk)
        while len(talk.exchanges) < wanted and not talk.ended(self._habits.closings):
            self._message(talk)
        return Sample(self._catalog.name, tuple(talk.exchanges), tuple(sorted(talk.tags)))

    def _script(self, talk: _Talk) -> None:
        script = _draw(talk.rng, self._material.scripts)
        bound: dict[str, Any] = {}
        declared: dict[str, str] = {}
        for line, form in script.turns:
            due = {n: v for n, v in _variables(form).items() if n not in bound}
            self._sayer.bind(form, bound, {}, talk.rng)
            declared |= {v.name: v.slot for v in due.values()}
            spans = self._sayer.say(line, due, declared, bound, talk.rng)
            talk.add(spans, form, bound, None)
        talk.tags |= {"script", *script.tags}

    def _message(self, talk: _Talk) -> None:
        for _ in range(TRIES):
            rule, before = self._rule(talk)
            try:
                self._apply(rule, before, talk)
                return
            except NoWay:
                continue
        raise ValueError(f"no rule of {self._catalog.name} can be carried out: check the material")

    def _rule(self, talk: _Talk) -> tuple[Rule, ToolCall | None]:
        rng, habits = talk.rng, self._habits
        if talk.calls:
            if rng.random() < habits.back:
                found = [(r, c) for r in self._back if (c := _earlier(r, talk.calls))]
                if found:
                    return found[_pick(rng, [rule for rule, _ in found])]
            last = talk.calls[-1]
            matching = [rule for rule in self._next if _match(rule.before, last) is not None]
            open_slots = [rule for rule in matching if "fill" in rule.tags and _adds(rule, last)]
            matching = [rule for rule in matching if "fill" not in rule.tags]
            if open_slots and rng.random() < habits.complete:
                return _draw(rng, open_slots), last
            if matching and rng.random() < habits.follow:
                return _draw(rng, matching), last
        last_tool = talk.calls[-1].name if talk.calls else ""
        names = [name for name in sorted(self._open) if (last_tool, name) not in habits.bound]
        weights = [habits.openings.get(name, 1.0) for name in names]
        options = self._open[rng.choices(names, weights)[0]]
        if talk.calls:
            # What is only clear as a first message ("turn it on") would continue the last matter.
            options = [rule for rule in options if "first" not in rule.tags] or options
        return _draw(rng, options), None

    def _apply(self, rule: Rule, before: ToolCall | None, talk: _Talk) -> None:
        rng = talk.rng
        bound = _match(rule.before, before) if before is not None else {}
        if bound is None:
            raise NoWay
        due = {n: v for n, v in _variables(rule.call).items() if n not in bound}
        declared = {
            n: v.slot for form in (rule.before, rule.call) for n, v in _variables(form).items()
        }
        held = dict(before.arguments) if before is not None else {}
        taken = {} if "same" in rule.tags else held
        self._sayer.bind(rule.call, bound, taken, rng)
        spans = self._sayer.say(rng.choice(rule.lines), due, declared, bound, rng)
        if "bare" not in rule.tags:
            spans = self._dressed(spans, rng)
        talk.add(spans, rule.call, bound, before)
        talk.tags |= set(rule.tags) or {"opening" if before is None else "follow"}

    def _dressed(self, spans: list[Span], rng: random.Random) -> list[Span]:
        phrases, habits = self._material.phrases, self._habits
        if phrases.get("prefix") and rng.random() < habits.prefix:
            spans = [Span(rng.choice(phrases["prefix"]) + " "), *spans]
        if phrases.get("suffix") and rng.random() < habits.suffix:
            spans = [*spans, Span(" " + rng.choice(phrases["suffix"]))]
        return spans


@dataclass(slots=True)
class _Talk:
    """A conversation under way."""

    rng: random.Random
    noise: Noise
    exchanges: list[Exchange] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)

    def add(
        self, spans: list[Span], form: CallForm, bound: Mapping[str, Any], before: ToolCall | None
    ) -> None:
        held = dict(before.arguments) if before is not None and form.rest else {}
        for name, value in form.arguments.items():
            held[name] = bound[value.name] if isinstance(value, Variable) else value
        known = {name: value for name, value in sorted(held.items()) if value is not None}
        call = ToolCall(form.name, known)
        self.exchanges.append(Exchange(self.noise(spans, self.rng), call))
        self.calls.append(call)

    def ended(self, closings: frozenset[str]) -> bool:
        return bool(self.calls) and self.calls[-1].name in closings


class Sayer:
    """Draws values and says them."""

    def __init__(self, material: Material, kinds: Mapping[str, Kind]) -> None:
        self._slots, self._phrases, self._kinds = material.slots, material.phrases, kinds

    def bind(
        self, form: CallForm, bound: dict[str, Any], taken: Mapping[str, Any], rng: random.Random
    ) -> None:
        """Draw the variables of a call that are still free, each unlike others of its slot.

        Raises:
            NoWay: no value is left.
        """
        for name, variable in form.arguments.items():
            if isinstance(variable, Variable) and variable.name not in bound:
                old = [taken[name]] if name in taken else []
                bound[variable.name] = self._fresh(variable.slot, [*old, *bound.values()], rng)

    def _fresh(self, slot: str, used: Sequence[Any], rng: random.Random) -> Any:
        for _ in range(TRIES):
            kind = self._kinds.get(slot)
            value = kind.draw(rng) if kind else rng.choice(list(self._slots[slot]))
            if value not in used:
                return value
        raise NoWay

    def say(
        self,
        line: str,
        due: Collection[str],
        declared: Mapping[str, str],
        bound: dict[str, Any],
        rng: random.Random,
    ) -> list[Span]:
        """Expand an utterance until it says everything its label claims.

        Raises:
            NoWay: it never does.
        """

        written = dict(declared)

        def one(name: str, slot: str) -> list[Span]:
            kind = slot or written.get(name) or name.rstrip("0123456789")
            written[name] = kind
            if name not in bound and kind in self._phrases:
                return expand(rng.choice(self._phrases[kind]), rng, one)
            if name not in bound:
                bound[name] = self._fresh(kind, list(bound.values()), rng)
            return [Span(self._surface(kind, bound[name], rng), f"{name}:{kind}")]

        for _ in range(TRIES):
            spans = expand(line, rng, one)
            said = {span.slot.partition(":")[0] for span in spans}
            if said >= set(due):
                return spans
        raise NoWay

    def _surface(self, slot: str, value: Any, rng: random.Random) -> str:
        if slot in self._kinds:
            return self._kinds[slot].say(value, rng)
        spoken = self._slots.get(slot, {}).get(value)
        if spoken is None:
            raise NoWay
        return rng.choices([text for text, _ in spoken], [weight for _, weight in spoken])[0]


def _variables(form: CallForm | None) -> dict[str, Variable]:
    values = form.arguments.values() if form is not None else ()
    return {value.name: value for value in values if isinstance(value, Variable)}


def _match(form: CallForm | None, call: ToolCall) -> dict[str, Any] | None:
    """The variables that make `form` match `call`, or None."""
    if form is None or form.name not in (call.name, "any"):
        return None
    if form.name == "any":
        return {}
    bound: dict[str, Any] = {}
    for name, wanted in form.arguments.items():
        value = call.arguments.get(name)
        if isinstance(wanted, Variable):
            if value is None:
                return None
            bound[wanted.name] = value
        elif value != wanted:
            return None
    if not form.rest and set(call.arguments) - set(form.arguments):
        return None
    return bound


def _adds(rule: Rule, call: ToolCall) -> bool:
    """Whether a completing rule gives what the call lacks, rather than changing what it has."""
    held = rule.before.arguments if rule.before else {}
    new = [name for name in rule.call.arguments if name not in held or held[name] is None]
    return call.name == rule.call.name and not set(new) & set(call.arguments)


def _earlier(rule: Rule, calls: Sequence[ToolCall]) -> ToolCall | None:
    """The call an `earlier` rule returns to: the last of its tool, if others came after it."""
    for call in reversed(calls[:-1]):
        if rule.before is not None and call.name == rule.before.name:
            apart = calls[-1].name != call.name
            return call if apart and _match(rule.before, call) is not None else None
    return None


def _draw(rng: random.Random, options: Sequence[Any]) -> Any:
    return options[_pick(rng, options)]


def _pick(rng: random.Random, options: Sequence[Rule | Script]) -> int:
    """Blocks with more utterances are drawn more often, but less than in proportion."""
    weights = [
        option.weight * (len(option.lines) if isinstance(option, Rule) else 1) ** 0.5
        for option in options
    ]
    return rng.choices(range(len(options)), weights)[0]
