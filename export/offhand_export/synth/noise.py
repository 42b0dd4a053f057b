"""How people write: letter case, punctuation, slips of the finger.

A voice is drawn once a conversation, because one person keeps one way of writing. Spans that say a
value which the label copies (file names, payees) are left alone; so is everything in a recognizer's
output, which `asr` covers instead.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from offhand_export.synth.grammar import Span

_WORD = re.compile(r"[A-Za-z]{4,}")
_NEAR = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj",
    "i": "uo", "j": "hk", "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa",
    "r": "et", "s": "ad", "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu",
    "z": "x",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Writer:
    """One person's way of writing.

    Attributes:
        case: "sentence" (first letter up), "lower", or "upper" (rare, cross people).
        stops: whether plain sentences end with a full stop.
        question: whether questions keep their mark.
        apostrophes: whether "what's" keeps its apostrophe.
        slips: chance of a typing error a word.
        copied: slots that labels copy.
    """

    case: str
    stops: bool
    question: bool
    apostrophes: bool
    slips: float
    copied: Collection[str]

    def __call__(self, spans: Sequence[Span], rng: random.Random) -> str:
        """The message as this person types it."""
        pieces = []
        for at, span in enumerate(spans):
            spared = span.slot.partition(":")[2] in self.copied
            pieces.append(span.text if spared else self._typed(span, at == 0, rng))
        return self._ended("".join(pieces))

    def _typed(self, span: Span, first: bool, rng: random.Random) -> str:
        text = span.text
        if self.slips and not span.slot:
            text = _WORD.sub(lambda found: self._slip(found[0], rng), text)
        if not self.apostrophes:
            text = text.replace("'", "")
        if self.case == "lower":
            return text.lower()
        if self.case == "upper":
            return text.upper()
        text = re.sub(r"\bi\b", "I", text)
        return text[:1].upper() + text[1:] if first else text

    def _slip(self, word: str, rng: random.Random) -> str:
        if rng.random() >= self.slips:
            return word
        at = rng.randrange(1, len(word) - 1)
        kind = rng.random()
        if kind < 0.35:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        if kind < 0.6:
            return word[:at] + word[at + 1 :]
        if kind < 0.8:
            return word[:at] + word[at] + word[at:]
        return word[:at] + rng.choice(_NEAR[word[at].lower()]) + word[at + 1 :]

    def _ended(self, text: str) -> str:
        # A stop after a copied value is the sentence's: labels end without it.
        if text.endswith("?"):
            return text if self.question else text[:-1]
        return text if not self.stops or text[-1] in ".!?" else f"{text}."


def writers(copied: Collection[str]) -> Callable[[random.Random], Writer]:
    """A voice that draws writers; `copied` names the slots to leave alone."""

    def draw(rng: random.Random) -> Writer:
        case = rng.choices(("sentence", "lower", "upper"), (60, 38, 2))[0]
        return Writer(
            case=case,
            stops=rng.random() < (0.35 if case == "sentence" else 0.08),
            question=rng.random() < (0.85 if case == "sentence" else 0.4),
            apostrophes=rng.random() < (0.95 if case == "sentence" else 0.6),
            slips=rng.choice((0.0, 0.0, 0.0, 0.0, 0.04, 0.1)),
            copied=copied,
        )

    return draw
