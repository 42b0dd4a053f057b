"""What was typed, as far as it can be taken without the model.

Where a value was asked for and the words are exactly one, no model has to say so, and none is
believed that says otherwise. Nor is it where a number was said that its grammar does not allow, so
that it had to choose another. What needs understanding is left to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from offhand.dialect import ToolCall
from offhand.dispatch import fits
from offhand.reply import Pending
from offhand.schema import Number, SlotType, Tool

_NUMBER = re.compile(r"\$?(-?\d{1,15}(\.\d{1,6})?|\d{1,3}(,\d{3}){1,4}(\.\d{1,6})?)")

_NUMERAL = re.compile(r"(?<![\w.,/-])-?\$?\d{1,15}(,\d{3})*(\.\d{1,6})?(?![\w/-]|[.,]\w)")
_SPELLED = re.compile(
    r"\b(zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|half"
    r"|(thir|four|fif|six|seven|eigh|nine)teen|(twen|thir|for|fif|six|seven|eigh|nine)ty"
    r"|hundred|thousand)\b"
)


def slot_type(tools: Sequence[Tool], asked: Pending) -> SlotType | None:
    """The type of the slot that is asked for; None if the tool has no such slot."""
    slots = (slot for tool in tools if tool.name == asked.calls[0].name for slot in tool.slots)
    return next((slot.type for slot in slots if slot.name == asked.slot), None)


def word_for_word(tools: Sequence[Tool], asked: Pending, text: str) -> Any:
    """The value of the slot asked for that the text is, exactly; None if it is none."""
    plain = text.strip().rstrip(".!").casefold()
    for option in asked.options:
        if plain in (option.label.casefold(), str(option.value).casefold()):
            return option.value
    kind = slot_type(tools, asked)
    if not isinstance(kind, Number) or not _NUMBER.fullmatch(plain):
        return None
    value = _number(plain)
    return value if fits(value, kind) else None


def as_said(tools: Sequence[Tool], call: ToolCall, text: str) -> ToolCall:
    """The call with a number that was said and is not allowed, where it has one that was not said.

    A text with numbers in words is left as the model has it.
    """
    plain = text.casefold()
    said = [_number(found.group()) for found in _NUMERAL.finditer(plain)]
    if not said or _SPELLED.search(plain):
        return call
    slots = (slot for tool in tools if tool.name == call.name for slot in tool.slots)
    for slot in slots:
        if isinstance(slot.type, Number) and call.arguments.get(slot.name, said[0]) not in said:
            misfit = next((number for number in said if not fits(number, slot.type)), None)
            if misfit is not None:
                return ToolCall(call.name, {**call.arguments, slot.name: misfit})
    return call


def _number(text: str) -> int | float:
    number = float(text.replace("$", "").replace(",", ""))
    return int(number) if number.is_integer() else number


def filled(asked: Pending, value: Any) -> ToolCall:
    """The call in question with the value that was asked for."""
    known = asked.calls[0]
    return ToolCall(known.name, {**known.arguments, asked.slot: value})
