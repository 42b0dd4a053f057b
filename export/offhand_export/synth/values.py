"""Slots whose values are drawn by code: numbers and whatever no list can hold.

Each kind draws a value and says it, in digits or in words, as people do. Domains add their own
kinds.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
_TENS = ("", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


@dataclass(frozen=True, slots=True)
class Kind:
    """How a slot's values are made.

    Attributes:
        draw: a fresh value.
        say: a way to say a value.
        copied: whether the label repeats what the message spells, so that noise must spare it and
            lower-casing the message lowers the label.
    """

    draw: Callable[[random.Random], Any]
    say: Callable[[Any, random.Random], str]
    copied: bool = False


def in_words(number: int) -> str:
    """A whole number from 0 to 999,999 in English words."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _TENS[number // 10] + (f" {_ONES[number % 10]}" if number % 10 else "")
    if number < 1000:
        rest = f" {in_words(number % 100)}" if number % 100 else ""
        return f"{_ONES[number // 100]} hundred{rest}"
    rest = f" {in_words(number % 1000)}" if number % 1000 else ""
    return f"{in_words(number // 1000)} thousand{rest}"


def temperature() -> Kind:
    """Fahrenheit degrees a thermostat takes, 60 to 80."""

    def say(value: Any, rng: random.Random) -> str:
        return in_words(value) if rng.random() < 0.25 else str(value)

    return Kind(lambda rng: rng.randint(60, 80), say)


def wild_temperature() -> Kind:
    """Degrees no thermostat takes: nothing a label may repeat."""
    values = (40, 45, 50, 52, 55, 85, 88, 90, 95, 99, 100, 110, 120)
    return Kind(lambda rng: rng.choice(values), lambda value, rng: str(value))
