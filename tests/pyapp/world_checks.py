"""What holds for every world: calls drawn from its catalog, and the rules of the protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from offhand import catalogs
from offhand.dialect import ToolCall
from offhand.journal import Journal
from offhand.schema import Choice, Number, SlotType, Tool
from offhand.world import World

NUMBERS = st.one_of(
    st.integers(-100, 500_000),
    st.sampled_from([0, 1, 100, 4500, 8900, 20_000, 43_318]),
)
"""Of the smallest unit: cents where two decimals are allowed."""


def catalog_calls(catalog: str, texts: Mapping[str, Sequence[str]]) -> st.SearchStrategy[ToolCall]:
    """Calls that fit a catalog; `texts` has words for the slots of free text."""
    return st.sampled_from(catalogs.load(catalog).tools).flatmap(
        lambda tool: st.fixed_dictionaries({}, optional=_slots(tool, texts)).map(
            lambda given: ToolCall(tool.name, given)
        )
    )


def full_calls(
    catalog: str, names: Sequence[str], texts: Mapping[str, Sequence[str]]
) -> st.SearchStrategy[ToolCall]:
    """Calls of some of a catalog's tools with every slot given."""
    tools = [tool for tool in catalogs.load(catalog).tools if tool.name in names]
    return st.sampled_from(tools).flatmap(
        lambda tool: st.fixed_dictionaries(_slots(tool, texts)).map(
            lambda given: ToolCall(tool.name, given)
        )
    )


def _slots(tool: Tool, texts: Mapping[str, Sequence[str]]) -> dict[str, st.SearchStrategy[Any]]:
    return {slot.name: _values(slot.type, texts.get(slot.name, ())) for slot in tool.slots}


def _values(kind: SlotType, texts: Sequence[str]) -> st.SearchStrategy[Any]:
    if isinstance(kind, Choice):
        return st.sampled_from(kind.values)
    if isinstance(kind, Number) and kind.low is not None and kind.high is not None:
        return st.integers(kind.low, kind.high)
    if isinstance(kind, Number):
        return NUMBERS.map(lambda units: units / 10**kind.decimals)
    return st.sampled_from(texts)


def call(text: str) -> ToolCall:
    """A call from a short spelling: `pay_bill payee=credit_card amount=45`, `_` a blank there."""
    name, *pairs = text.split()
    return ToolCall(name, {slot: _read(slot, value) for slot, value in map(_pair, pairs)})


def _pair(text: str) -> tuple[str, str]:
    slot, _, value = text.partition("=")
    return slot, value


def _read(slot: str, value: str) -> Any:
    if slot in ("amount", "temperature", "transaction_amount"):
        return json.loads(value)
    return value.replace("_", " ") if slot == "payee" else value


def state_after(world: World, calls: Sequence[str]) -> Any:
    """The state after calls that all have to be carried out."""
    state = world.begin()
    for spelled in calls:
        outcome = world.apply(state, call(spelled))
        assert outcome.ok, outcome.text
        state = outcome.state
    return state


def names_in(view: Mapping[str, Any]) -> set[str]:
    """What `Outcome.changed` may name: a list's entries by its singular, all else by its key."""
    keys = {"rooms": ("light", "name"), "doors": ("door", "name"), "accounts": ("account", "name")}
    keys |= {"cards": ("card", "last_four"), "cases": ("case", "id")}
    names = {"bill"} | (view.keys() - keys.keys())
    for part, (prefix, key) in keys.items():
        names |= {f"{prefix}.{entry[key]}" for entry in view.get(part, ())}
    return names


def same_json(value: Any) -> Any:
    """The value after a round trip through JSON, which must not alter it."""
    assert json.loads(json.dumps(value, allow_nan=False)) == value
    return value


def take(world: World, journal: Journal, number: int, given: ToolCall) -> Journal:
    """Do one call and hold the protocol's rules to it; slots that lack are filled from options."""
    state = journal.state
    before = same_json(world.dump(state))
    assert world.describe(given)[:1].isupper()
    assert not world.describe(given).endswith(".")
    for slot in world.missing(state, given):
        options = world.options(state, given, slot)
        for option in options:
            same_json(option.value)
        if not options:
            return journal
        given = ToolCall(given.name, {**given.arguments, slot: options[0].value})
    if world.missing(state, given):
        return journal
    question = world.danger(state, given)
    after, outcome = journal.do(f"{number}", given)
    assert question is None or (question.count("?") == 1 and outcome.ok)
    assert outcome.text.endswith((".", "?"))
    assert "!" not in outcome.text
    assert world.dump(state) == before
    assert world.read(world.dump(after.state)) == after.state
    assert set(outcome.changed) <= names_in(same_json(world.view(after.state)))
    assert bool(outcome.changed) == (after.state != state)
    assert outcome.ok or after.state is state
    same_json(outcome.data)
    return after


def undo_all(journal: Journal) -> Journal:
    """The journal with every event undone."""
    while journal.events:
        journal, _ = journal.undo()
    return journal
