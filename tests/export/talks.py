"""Conversations for the tests of training data, told briefly."""

from __future__ import annotations

from typing import Any

from offhand.dialect import ToolCall
from offhand_export.dataset import Exchange
from offhand_export.synth.sample import Sample
from tests.tiny import HEAT, LIGHTS, NOTE, STOP, catalog, function

LISTS = function(
    "tag",
    {
        "names": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2},
        "level": {"type": "integer", "enum": [1, 2, 3]},
        "price": {"type": "number", "minimum": 0.5, "maximum": 10},
    },
)
TOOLS = catalog(LIGHTS, HEAT, NOTE, STOP, LISTS)


def sample(*turns: tuple[str, str, dict[str, Any]], tags: tuple[str, ...] = ()) -> Sample:
    """A conversation of (text, tool, arguments)."""
    exchanges = tuple(Exchange(text, ToolCall(name, arguments)) for text, name, arguments in turns)
    return Sample("tiny", exchanges, tags)


def one(text: str, name: str = "stop", /, **arguments: Any) -> Sample:
    """A conversation of one message."""
    return sample((text, name, arguments))
