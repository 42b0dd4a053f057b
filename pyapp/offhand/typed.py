"""Words typed in answer to an open question, as far as they can be taken without the model.

Where a value was asked for and the words are exactly one, no model has to say so, and none is
believed that says otherwise. What needs understanding is left to it.
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
    number = float(plain.lstrip("$").replace(",", ""))
    value = int(number) if number.is_integer() else number
    return value if fits(value, kind) else None


def filled(asked: Pending, value: Any) -> ToolCall:
    """The call in question with the value that was asked for."""
    known = asked.calls[0]
    return ToolCall(known.name, {**known.arguments, asked.slot: value})
