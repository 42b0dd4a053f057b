"""Evaluation data as speech recognition would hear it: how much accuracy a microphone costs.

The user's messages of a conversation are corrupted before the model sees them, those of the history
included; the gold calls stay. Words that a gold call copies as free text are spared, since a call
that spells what nobody can hear is no fair question; words for a choice among values are not. How
words are misheard is `synth.asr`'s concern.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from random import Random

from offhand.schema import Array, Text, Tool
from offhand_export.dataset import Conversation
from offhand_export.synth.asr import corrupt


def misheard(conversation: Conversation, tools: Iterable[Tool], wer: float) -> Conversation:
    """The conversation with its user's messages misheard.

    The conversation's line is the seed, so that the same data is misheard alike every time,
    whichever part of it is evaluated. A message of which nothing is left stays as it was.

    Args:
        conversation: as it was said.
        tools: of the catalog; they tell free text from choices.
        wer: errors a word, 0 to 0.5.
    """
    rng = Random(conversation.line)
    copied = sorted(set(_copied(conversation, tools)))
    heard = [corrupt(turn.text, wer, rng, copied).strip() for turn in conversation.exchanges]
    exchanges = tuple(
        replace(exchange, text=text or exchange.text)
        for exchange, text in zip(conversation.exchanges, heard, strict=True)
    )
    return replace(conversation, exchanges=exchanges)


def _copied(conversation: Conversation, tools: Iterable[Tool]) -> Iterator[str]:
    """The free texts in the conversation's gold calls."""
    free = {
        (tool.name, slot.name)
        for tool in tools
        for slot in tool.slots
        if Text() in (slot.type, slot.type.item if isinstance(slot.type, Array) else None)
    }
    for exchange in conversation.exchanges:
        if exchange.gold is not None:
            for name, value in exchange.gold.arguments.items():
                if (exchange.gold.name, name) in free:
                    items = value if isinstance(value, list | tuple) else [value]
                    yield from (item for item in items if isinstance(item, str))
