"""What is taken of a message as it stands: numbers that the grammar could not give."""

from __future__ import annotations

import pytest

from offhand import ToolCall
from offhand.typed import as_said
from tests.pyapp.agent_parts import lamp, lamp_catalog

TOOLS = lamp_catalog().tools


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("dial to 95", 95),
        ("dial to $1,250.", 1250),
        ("dial to 0", 0),
        ("dial to -3", -3),
        ("4.5 on the dial, please", 4.5),
        ("from 8 to 12", 12),
    ],
)
def test_a_number_that_is_not_allowed(text: str, level: float) -> None:
    said = as_said(TOOLS, ToolCall("dial", {"level": 6}), text)
    assert said == ToolCall("dial", {"level": level})


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("dial to 6 in 20 minutes", ToolCall("dial", {"level": 6})),
        ("dial to six in 20 minutes", ToolCall("dial", {"level": 6})),
        ("dial to 8", ToolCall("dial", {"level": 6})),  # allowed, so the model chose freely
        ("dial up a bit", ToolCall("dial", {"level": 6})),
        ("dial as on 11/20 and in report12.txt or 2024.txt", ToolCall("dial", {"level": 6})),
        ("the dial 95", ToolCall("dial")),
        ("kitchen on, all 95", lamp("kitchen", "on")),
        ("drop the 95", ToolCall("drop", {"name": "95"})),
    ],
)
def test_what_the_model_has_chosen_stays(text: str, call: ToolCall) -> None:
    assert as_said(TOOLS, call, text) == call
