"""The numbers a message says, in figures or in words, so that an argument can be traced to it.

Covers what people say to a machine in English: "one fifty", "fifteen hundred", "a hundred and
fifty", "forty nine ninety nine", "two and a half grand", "nine dollars and five cents", and digits
one by one ("four five double three", "oh" for zero). A phrase often has several readings ("one
fifty" is 150 and 1.50); all of them are given. Parts of a phrase are not: "seventy two" says 72 and
neither 70 nor 2. Fractions other than a half, and other languages, are not read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby, pairwise

_UNITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"]
_TEENS += ["seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"]
_ORDINALS += ["ninth", "tenth"]
_SMALL = {
    **{word: value for value, word in enumerate([*_UNITS, *_TEENS])},
    **{word: 10 * value for value, word in enumerate(_TENS, start=2)},
    "fourty": 40,
    "oh": 0,
    "o": 0,
    "nought": 0,
    "couple": 2,
    "dozen": 12,
}
_SCALES = {"thousand": 1000, "grand": 1000, "k": 1000, "million": 1_000_000}
_REPEATS = {"double": 2, "triple": 3}
_WHOLE = frozenset({"dollar", "dollars", "buck", "bucks", "pound", "pounds", "euro", "euros"})
_CENTS = frozenset({"cent", "cents"})
_FILLERS = frozenset({"um", "uh", "er", "erm", "uhm", "hmm"})
_LINKS = frozenset({"and", "point", "a", "of", "half", ",", *_WHOLE, *_CENTS})
_HOMOPHONES = {"to": 2, "too": 2, "for": 4, "won": 1, "ate": 8}
# After these, "one" is a pronoun: "this one seventy two".
_BEFORE_PRONOUN = frozenset(
    ["this", "that", "the", "other", "another", "which", "every", "any", "each"]
)

_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_HALF = re.compile(r"(?<!and a )\bhalf (?:a )?(hundred|thousand|grand|k|million)\b")
_TOKEN = re.compile(r"\d+(?:\.\d+)?|\.\d+|[a-z]+|[.,;:!?…]")


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a message says in numbers.

    Attributes:
        values: every number it may mean.
        digits: every string of digits it may spell, leading zeros kept.
    """

    values: frozenset[Decimal]
    digits: frozenset[str]

    def says(self, value: float) -> bool:
        """Whether the message may mean this number; its sign is not looked at."""
        return abs(Decimal(str(value))) in self.values

    def spells(self, digits: str) -> bool:
        """Whether the message spells these digits, or a number twice as long that ends in them."""
        longer = (found for found in self.digits if len(found) >= 2 * len(digits) > 4)
        return digits in self.digits or any(found.endswith(digits) for found in longer)


def spoken(text: str) -> Spoken:
    """Read every number in a message."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("-", " ")
    found = _TOKEN.findall(_HALF.sub(r"0.5 \1", _GROUPED.sub("", plain)))
    tokens = ["," if token in ".,;:!?…" else token for token in found if token not in _FILLERS]
    values = {Decimal(_ORDINALS.index(token) + 1) for token in tokens if token in _ORDINALS}
    digits = set(_misheard_digits(tokens))
    for before, run in (*_runs(tokens), *_runs(list(_misheard_counts(tokens)))):
        for variant in _variants(before, run):
            pieces = _pieces(variant)
            values.update(_values(pieces))
            digits.update(_digits(pieces))
        for figure, after in zip(run, [*run[1:], ""], strict=True):
            if len(figure) > 1 and _is_figure(figure) and after not in _SCALES:
                values.add(Decimal(figure))
                digits.add(figure)
    return Spoken(frozenset(values), frozenset(digits))


def _is_figure(token: str) -> bool:
    return token[-1:].isdigit()


def _is_number(token: str) -> bool:
    return (
        _is_figure(token) or token in _SMALL or token in _SCALES or token in ("hundred", *_REPEATS)
    )


def _runs(tokens: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Neighbouring tokens that belong to numbers, each run with the token before it."""
    at = 0
    for inside, group in groupby(tokens, key=lambda token: _is_number(token) or token in _LINKS):
        run = list(group)
        at += len(run)
        if not inside or not any(map(_is_number, run)):
            continue
        start = at - len(run)
        lead = next(i for i, token in enumerate(run) if _is_number(token))
        yield (tokens[start - 1] if start and not lead else ""), run[lead:]


def _variants(before: str, run: list[str]) -> Iterator[list[str]]:
    """Ways to take a run: whole, without a stutter or a first word, cut at "and" and commas."""
    pronoun = run[0] == "one" and before in _BEFORE_PRONOUN
    how_many = run[0] in ("four", "4") and before in ("last", "final")
    for taken in [run, run[1:]] if run[0] in ("oh", "o") or pronoun or how_many else [run]:
        counted = list(_counted(taken))
        whole = [token for token in counted if token != ","]
        yield whole
        # Digits may be said twice on purpose; "sixty, sixty eight" is a stutter.
        pairs = zip(["", *whole], whole, strict=False)
        yield [token for before, token in pairs if _digit(token) or token != before]
        yield from _cut(counted, [i for i, token in enumerate(counted) if token == ","])
        yield from _cut(whole, [i for i in range(1, len(whole) - 1) if _separates(whole, i)])


def _counted(run: Sequence[str]) -> Iterator[str]:
    """The run with "one" before a scale that nothing counts: "a grand", "hundred and ten"."""
    for before, token in zip(["", *run], run, strict=False):
        if token in ("hundred", *_SCALES) and not _is_number(before) and before != "half":
            yield "one"
        yield token


def _cut(run: Sequence[str], places: Sequence[int]) -> Iterator[list[str]]:
    if places:
        for start, end in pairwise([-1, *places, len(run)]):
            yield [token for token in run[start + 1 : end] if token != ","]


def _separates(run: Sequence[str], at: int) -> bool:
    """Whether the token here is an "and" between two numbers, and not one within a number."""
    inside = run[at - 1] in ("hundred", *_SCALES, *_WHOLE) or run[at + 1] in ("a", "half")
    return run[at] == "and" and not inside


def _misheard_digits(tokens: Sequence[str]) -> Iterator[str]:
    """Digits read one by one with a word heard for a digit: "four to for five"."""
    digit = {word: value for word, value in (*_SMALL.items(), *_HOMOPHONES.items()) if value < 10}
    digit |= {str(value): value for value in range(10)}
    for inside, group in groupby(tokens, key=digit.__contains__):
        run = list(group)
        if inside and len(run) > 2 and sum(token not in _HOMOPHONES for token in run) > 1:
            yield "".join(str(digit[token]) for token in run)


def _misheard_counts(tokens: Sequence[str]) -> Iterator[str]:
    """The tokens with a number for what sounds like one before a scale: "to hundred"."""
    for token, after in zip(tokens, [*tokens[1:], ""], strict=False):
        counts = token in _HOMOPHONES and after in ("hundred", *_SCALES)
        yield str(_HOMOPHONES[token]) if counts else token


def _pieces(run: Sequence[str]) -> list[str]:
    """Each number of a run in figures, as long as it can be read, and the links between them."""
    pieces: list[str] = []
    at = 0
    while at < len(run):
        value, after = _cardinal(run, at)
        if after > at:
            pieces.append(value)
        elif run[at] in _REPEATS and at + 1 < len(run) and _digit(run[at + 1]):
            pieces += [_digit(run[at + 1])] * _REPEATS[run[at]]
            after = at + 2
        else:
            after = at + 1
            pieces += [_link(run[at])] if run[at] in _LINKS - {"a", "of"} else []
        at = after
    return pieces


def _link(token: str) -> str:
    return "dollars" if token in _WHOLE else "cents" if token in _CENTS else token


def _digit(token: str) -> str:
    if len(token) == 1 and token.isdigit():
        return token
    value = _SMALL.get(token, 10)
    return str(value) if value < 10 else ""


def _cardinal(run: Sequence[str], start: int) -> tuple[str, int]:
    """The longest number that starts here, in figures, and where it ends; its start if none."""
    first, at = _below_thousand(run, start)
    if at == start:
        return "", start
    # A number without a scale keeps its spelling: "07" are digits.
    if at == start + 1 and (at == len(run) or run[at] not in _SCALES) and _is_figure(run[start]):
        return run[start], at
    value, half = Decimal(first), run[at : at + 3] == ["and", "a", "half"]
    if half and at + 3 < len(run) and run[at + 3] in _SCALES:
        value, at = value + Decimal("0.5"), at + 3
    total, limit = Decimal(0), 10**9
    while at < len(run) and run[at] in _SCALES and _SCALES[run[at]] < limit:
        limit = _SCALES[run[at]]
        total, value, at = total + value * limit, Decimal(0), at + 1
        more = at + (at < len(run) and run[at] in ("and", "a"))
        rest, after = _below_thousand(run, more)
        if after > more and rest < limit:
            value, at = rest, after
    return _plain(total + value), at


def _below_thousand(run: Sequence[str], start: int) -> tuple[Decimal, int]:
    """Such as "fifteen hundred" or "72", and where it ends; its start if there is none."""
    value, at = _below_hundred(run, start)
    if at == start:
        return Decimal(0), start
    if at < len(run) and run[at] == "hundred":
        value, at = value * 100, at + 1
        more = at + (at < len(run) and run[at] == "and")
        rest, after = _below_hundred(run, more)
        if after > more and rest < 100:
            value, at = value + rest, after
    return value, at


def _below_hundred(run: Sequence[str], start: int) -> tuple[Decimal, int]:
    token = run[start] if start < len(run) else ""
    if _is_figure(token):
        return Decimal(token), start + 1
    if token == "couple":
        return Decimal(2), start + 1 + (run[start + 1 : start + 2] == ["of"])
    value = _SMALL.get(token)
    if value is None:
        return Decimal(0), start
    following = _digit(run[start + 1]) if start + 1 < len(run) else ""
    if token in _TENS and following not in ("", "0"):
        return Decimal(value + int(following)), start + 2
    return Decimal(value), start + 1


def _values(pieces: Sequence[str]) -> set[Decimal]:
    """Every number that pieces may mean together."""
    if "and" in pieces and pieces[-2:] == ["and", "half"]:
        return {value + Decimal("0.5") for value in _values(pieces[:-2])}
    numbers = [piece for piece in pieces if _is_figure(piece)]
    for link in ("dollars", "point"):
        if link in pieces:
            at = pieces.index(link)
            left, right = pieces[:at], [p for p in pieces[at + 1 :] if _is_figure(p)]
            wholes = _values(left) or ({Decimal(0)} if link == "point" else set())
            if not right:
                return wholes
            places = "".join(right) if link == "point" else right[0].zfill(2)
            tail = Decimal(f"0.{places}") if places.isdigit() else Decimal(0)
            return {whole + tail for whole in wholes if whole == int(whole)} | (
                _values(right) | wholes if link == "dollars" and len(right) > 1 else set()
            )
    if "cents" in pieces:
        return {value / 100 for value in _plain_values(numbers)} | _plain_values(numbers)
    return _plain_values(numbers)


def _plain_values(numbers: Sequence[str]) -> set[Decimal]:
    """Numbers in a row: hundreds and rest, dollars and cents, or digits one by one."""
    if not numbers:
        return set()
    if len(numbers) == 1:
        return {Decimal(numbers[0])}
    values: set[Decimal] = set()
    if all(number.isdigit() and len(number) <= 2 for number in numbers):
        values.add(Decimal("".join(numbers)))
    for size in (1, 2):
        cents = "".join(numbers[-size:])
        if len(numbers) > size and len(cents) == 2 and cents.isdigit():
            for whole in _plain_values(numbers[:-size]):
                if whole == int(whole):
                    values.add(whole + Decimal(cents) / 100)
    return values


def _digits(pieces: Sequence[str]) -> set[str]:
    numbers = [piece for piece in pieces if piece.isdigit()]
    return {"".join(numbers)} if numbers and numbers == pieces else set()


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")
