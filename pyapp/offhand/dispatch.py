"""From a call to what it does: refused with a reason, or carried out once, and contained.

`check` compares a call with the catalog; nothing that fails it reaches a world. `dispatch` carries
calls out in order, none of them if one fails where they belong together. A handler that raises or
does not come to an end is stopped and reported like any other refusal, and the world is as before.
Whether to ask the visitor first is `policy`'s matter.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import FrameType
from typing import Any, TypeVar

from offhand.catalogs import Catalog
from offhand.dialect import ToolCall
from offhand.journal import Journal
from offhand.schema import Array, Bare, Choice, Number, Slot, SlotType, Text, Tool
from offhand.world import Outcome

Result = TypeVar("Result")

BUDGET = 200_000
"""Lines of Python a handler may run before it is taken to hang."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call is not carried out.

    Attributes:
        reason: "unknown_tool", "unknown_argument", "missing_argument", "not_allowed" (an enum's
            values), "range", "format", "world" (the world said no), "raised" or "hung".
        text: the same for a reader, one or two sentences.
        slot: the argument at fault, if one is.
        data: what the world has to show of it, as in `Outcome`.
    """

    reason: str
    text: str
    slot: str | None = None
    data: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What dispatching calls came to: the journal after it, an outcome or a refusal a call."""

    journal: Journal
    results: tuple[Outcome | Refusal, ...]

    @property
    def refusal(self) -> Refusal | None:
        """The first refusal, if there is one."""
        return next((result for result in self.results if isinstance(result, Refusal)), None)


def check(catalog: Catalog, call: ToolCall) -> Refusal | None:
    """Why a call does not fit its catalog; None if it fits.

    An argument that is None counts as absent.
    """
    tool = next((tool for tool in catalog.tools if tool.name == call.name), None)
    if tool is None:
        return Refusal("unknown_tool", f"There is no function called {call.name}.")
    slots = {slot.name: slot for slot in tool.slots}
    given = {name: value for name, value in call.arguments.items() if value is not None}
    for name in given:
        if name not in slots:
            return Refusal("unknown_argument", f"{call.name} takes no {name}.", name)
    return _missing(tool, given.keys()) or next(
        (found for name, value in given.items() if (found := _misfit(slots[name], value))), None
    )


def _missing(tool: Tool, given: Any) -> Refusal | None:
    for slot in tool.slots:
        if slot.required and slot.name not in given:
            return Refusal("missing_argument", f"{tool.name} needs {slot.name}.", slot.name)
    return None


def _misfit(slot: Slot, value: Any) -> Refusal | None:
    if fits(value, slot.type):
        return None
    kind, name = slot.type, slot.name.replace("_", " ")
    if isinstance(kind, Choice | Bare):
        listed = ", ".join(str(one) for one in kind.values)
        return Refusal("not_allowed", f"The {name} can be {listed}; {value!r} cannot.", slot.name)
    number = type(value) in (int, float) and Decimal(str(value)).is_finite()
    if isinstance(kind, Number) and number:
        return Refusal("range", f"The {name} can be {_bounds(kind)}; {value} cannot.", slot.name)
    return Refusal("format", f"The {name} cannot be {value!r}.", slot.name)


def _bounds(kind: Number) -> str:
    low, high = (
        None if bound is None else Decimal(bound).scaleb(-kind.decimals)
        for bound in (kind.low, kind.high)
    )
    places = (
        f"number of at most {kind.decimals} decimal places" if kind.decimals else "whole number"
    )
    start = "" if low is None else f" from {low}"
    end = "" if high is None else f" up to {high}"
    return f"a {places}{start}{end}"


def fits(value: Any, kind: SlotType) -> bool:
    """Whether a value is one that the slot's type allows; null never is: absent means unknown."""
    if isinstance(kind, Text):
        return isinstance(value, str) and bool(value.strip())
    if isinstance(kind, Choice):
        return value in kind.values
    if isinstance(kind, Bare):
        return any(type(value) is type(one) and value == one for one in kind.values)
    if isinstance(kind, Array):
        return (
            isinstance(value, list | tuple)
            and kind.low <= len(value) <= kind.high
            and all(fits(item, kind.item) for item in value)
        )
    return _fits_number(value, kind)


def _fits_number(value: Any, kind: Number) -> bool:
    # A handler may count on an int where only whole numbers are allowed; 3.0 would not index.
    if type(value) is not int and (type(value) is not float or kind.decimals == 0):
        return False
    number = Decimal(str(value))
    if not number.is_finite():
        return False
    units = number.scaleb(kind.decimals)
    above = kind.low is None or units >= kind.low
    return above and units == int(units) and (kind.high is None or units <= kind.high)


def dispatch(
    catalog: Catalog,
    journal: Journal,
    calls: Sequence[tuple[str, ToolCall]],
    together: bool = False,
    budget: int = BUDGET,
) -> Dispatched:
    """Carry out calls in order.

    Args:
        catalog: what they have to fit.
        journal: the world so far.
        calls: ids and calls; an id that was done before is not done again.
        together: all or none: after a refusal, the journal is the one given.
        budget: lines of Python each handler may run.

    Returns:
        The journal after them, with a result for each call up to the first refusal.
    """
    before, results = journal, list[Outcome | Refusal]()
    for identity, call in calls:
        journal, result = _one(catalog, journal, identity, call, budget)
        results.append(result)
        if isinstance(result, Refusal):
            return Dispatched(before if together else journal, tuple(results))
    return Dispatched(journal, tuple(results))


def _one(
    catalog: Catalog, journal: Journal, identity: str, call: ToolCall, budget: int
) -> tuple[Journal, Outcome | Refusal]:
    if refusal := check(catalog, call):
        return journal, refusal
    done = contained(call.name, lambda: journal.do(identity, call), budget)
    if isinstance(done, Refusal):
        return journal, done
    after, outcome = done
    if outcome.ok:
        return after, outcome
    return journal, Refusal("world", outcome.text, data=outcome.data)


def contained(name: str, work: Callable[[], Result], budget: int = BUDGET) -> Result | Refusal:
    """What a world's `work` for the call of this name gives; a refusal if it raises or hangs."""
    try:
        return bounded(work, budget)
    except Hung:
        return Refusal("hung", f"{name} did not come to an end and was stopped.")
    except Exception as error:  # whatever a world raises is contained here
        return Refusal("raised", f"{name} failed: {error!r}.")


class Hung(BaseException):
    """A handler ran out of its budget; not an `Exception`, so that no handler swallows it."""


def bounded(work: Callable[[], Result], budget: int) -> Result:
    """Run `work`, but no more than `budget` lines of Python.

    Lines are counted by the interpreter's trace hook, which Pyodide has too; a clock or a signal
    could not stop a loop there.

    Raises:
        Hung: the budget is spent.
    """
    left = budget

    def count(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise Hung
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        return work()
    finally:
        sys.settrace(before)
