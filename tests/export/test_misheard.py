"""Misheard evaluation data: what changes, what is spared, and that it is the same every time."""

from __future__ import annotations

import pytest

from offhand import ToolCall
from offhand_export.dataset import Conversation, Exchange
from offhand_export.misheard import misheard
from tests.tiny import catalog, function

TEXT = {"type": "string"}
ROOM = {"type": "string", "enum": ["kitchen", "garden"]}
TOOLS = catalog(function("play", {"song": TEXT, "room": ROOM})).tools
GOLD = ToolCall("play", {"song": "summer evening by the river", "room": "kitchen"})
SAID = "would you play the song summer evening by the river inside the kitchen right now thanks"


def talk(line: int, *texts: str) -> Conversation:
    return Conversation(line, tuple(Exchange(text, GOLD, "said") for text in texts))


def heard(line: int, wer: float) -> list[str]:
    return [each.text for each in misheard(talk(line, SAID, SAID), TOOLS, wer).exchanges]


def test_messages_change_and_nothing_else() -> None:
    conversation = misheard(talk(3, SAID, SAID), TOOLS, 0.4)
    assert conversation.line == 3
    assert all(each.text != SAID for each in conversation.exchanges)
    assert all((each.gold, each.said) == (GOLD, "said") for each in conversation.exchanges)


def test_the_same_every_time_and_another_for_each_line() -> None:
    assert heard(1, 0.3) == heard(1, 0.3)
    assert heard(1, 0.3) != heard(2, 0.3)


def test_no_errors_change_nothing() -> None:
    assert heard(1, 0.0) == [SAID, SAID]


def test_free_text_of_a_gold_call_is_spared_and_a_choice_is_not() -> None:
    texts = [text for line in range(60) for text in heard(line, 0.5)]
    for word in ("summer", "evening", "river"):
        assert all(word in text.split() for text in texts), word
    assert not all("kitchen" in text.split() for text in texts)


@pytest.mark.parametrize("text", ["a", "ok", "the"])
def test_a_message_is_never_left_empty(text: str) -> None:
    for line in range(40):
        assert all(each.text for each in misheard(talk(line, text), TOOLS, 0.5).exchanges)
