"""People on the telephone with their bank."""

from __future__ import annotations

import random
from itertools import groupby
from typing import Any

from offhand_export.synth.asr import recognizers
from offhand_export.synth.domains import Domain
from offhand_export.synth.simulate import Habits
from offhand_export.synth.values import Kind, in_words

_PAYEES = """
Verizon|Comcast|Netflix|Spotify|AT&T|T-Mobile|Con Edison|Duke Energy|State Farm|Geico
Progressive|Xfinity|Spectrum|Cox|Hulu|Amazon|Visa|Capital One|Discover|Macy's|Home Depot
Planet Fitness|Allstate|Blue Cross|Kaiser|PG&E|National Grid|Sprint|Vodafone|Boost Mobile
Direct TV|Dish|Toyota Financial|Honda Finance|Navient|Sallie Mae|Nelnet|Target|Costco|Walmart
Best Buy|Peloton|Adobe|Apple|Google|Microsoft|Disney Plus|Sirius|American Express|Chase|Citi
Wells Fargo|Liberty Mutual|Farmers|Nationwide|Aetna|Cigna|Humana|Metlife|Delta Dental
Waste Management|Republic Services|electric|water|gas|phone|internet|cable|rent|mortgage
insurance|car insurance|heating|trash|sewer|credit card|car loan|student loan|gym|daycare
tuition|property tax|electricity|cell phone|power|broadband|health insurance|home insurance
life insurance|parking|storage unit|HOA|alimony|child support|vet|dentist|hospital|council tax
wifi|landline|gas company|electric company|phone company|water company|power company
cable company|insurance company|landlord|babysitter|plumber|gardener|dog walker|cleaning lady
dentist office|water department|city utilities|property manager|internet provider
utility company|piano teacher|tax office|county clerk|roofing company|lawyer|accountant|nanny
Sarah|Mike|Uncle Bob|Dr Patel|Mr Johnson|Mrs Alvarez|Maria|Tom Becker|Aunt Linda|Kevin|Priya
Jamal|Emily Chen|Doctor Moore|Grandma
""".replace("\n", "|").split("|")
PAYEES = tuple(name for name in (payee.strip() for payee in _PAYEES) if name)


def _draw_amount(rng: random.Random) -> float | int:
    kind = rng.random()
    if kind < 0.35:
        return rng.randrange(10, 1000, 10)
    if kind < 0.55:
        return rng.randrange(100, 5000, 50)
    if kind < 0.75:
        return rng.randint(5, 999)
    if kind < 0.82:
        return rng.randrange(1000, 20000, 500)
    cents = rng.choice((99, 95, 50, 25, 75, 49, rng.randint(1, 99)))
    return round(rng.randint(3, rng.choice((99, 400))) + cents / 100, 2)


def _say_amount(value: Any, rng: random.Random) -> str:
    if isinstance(value, float):
        return _say_cents(value, rng)
    money = rng.choices((" dollars", " bucks", "", ""), (45, 15, 25, 15))[0]
    style = rng.random()
    if style < 0.4:
        spelled = f"{value:,}" if value >= 1000 and rng.random() < 0.3 else str(value)
        return f"${spelled}" if rng.random() < 0.15 else spelled + money
    if value == 1000 and style < 0.6:
        return "a grand"
    if value % 1000 == 0 and style < 0.55:
        return rng.choice((f"{in_words(value // 1000)} grand", f"{value // 1000}k"))
    if value % 100 == 0 and 1000 < value < 10000 and value % 1000 and style < 0.8:
        return f"{in_words(value // 100)} hundred{money}"
    if 100 < value < 1000 and value % 100 >= 10 and style < 0.6:
        return f"{in_words(value // 100)} {in_words(value % 100)}{money}"
    words = in_words(value)
    if style > 0.8:
        words = words.replace("one hundred", "a hundred", 1)
    if style > 0.7 and 100 < value < 1000 and value % 100:
        words = words.replace(" hundred ", " hundred and ", 1)
    return words + money


def _say_cents(value: float, rng: random.Random) -> str:
    whole, cents = divmod(round(value * 100), 100)
    style = rng.random()
    if style < 0.35:
        return f"{value:.2f}" + rng.choice((" dollars", "", ""))
    if style < 0.45:
        return f"${value:.2f}"
    if style < 0.75 or cents < 10:
        return f"{in_words(whole)} dollars and {in_words(cents)} cents"
    if 10 <= whole < 100:  # "eight forty six" is 846
        return f"{in_words(whole)} {in_words(cents)}"
    return f"{in_words(whole)} dollars {in_words(cents)}"


def _draw_last4(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.25:
        digit, other = rng.choices("0123456789", k=2)
        return rng.choice((digit * 4, digit * 2 + other * 2, digit * 3 + other, other + digit * 3))
    digits = rng.choices("0123456789", k=4)
    if kind < 0.4:
        digits[rng.randrange(4)] = "0"
    elif kind < 0.6:
        at = rng.randrange(3)
        digits[at + 1] = digits[at]
    return "".join(digits)


_DIGITS = tuple(in_words(digit) for digit in range(10))
_REPEATS = {2: "double", 3: "triple"}
_HEARD = {"one": ("won",), "two": ("too", "to"), "four": ("for",), "eight": ("ate",)}


def _say_last4(value: Any, rng: random.Random) -> str:
    style = rng.random()
    if style < 0.33:
        return str(value)
    if style < 0.37:
        return f"{value[:2]} {value[2:]}"
    if style < 0.4:
        return " ".join(value)
    pairs = [value[:2], value[2:]]
    if style < 0.52 and "00" not in pairs and any(pair[0] != "0" for pair in pairs):
        return " ".join(_say_pair(pair) for pair in pairs)
    zero = "oh" if rng.random() < 0.5 else "zero"
    words = [zero if digit == "0" else _DIGITS[int(digit)] for digit in value]
    if rng.random() < 0.4:
        return " ".join(_repeated(words))
    return " ".join(_misheard(words, rng) if rng.random() < 0.2 else words)


def _say_pair(pair: str) -> str:
    return in_words(int(pair)) if pair[0] != "0" else f"oh {in_words(int(pair[1]))}"


def _repeated(words: list[str]) -> list[str]:
    """The digits with a run of two or three of one said as "double" or "triple"."""
    out: list[str] = []
    for word, group in groupby(words):
        run = len(list(group))
        out += [_REPEATS[run], word] if run in _REPEATS else [word] * run
    return out


def _misheard(words: list[str], rng: random.Random) -> list[str]:
    """The digits with one or two written as the words that sound like them."""
    spots = [at for at, word in enumerate(words) if word in _HEARD]
    rng.shuffle(spots)
    out = list(words)
    for at in spots[: min(rng.choice((1, 2)), len(words) - 2)]:
        out[at] = rng.choice(_HEARD[words[at]])
    return out


def _draw_payee(rng: random.Random) -> str:
    payee = rng.choice(PAYEES)
    return payee.lower() if rng.random() < 0.4 else payee


DOMAIN = Domain(
    kinds={
        "amount": Kind(_draw_amount, _say_amount),
        "digits": Kind(_draw_last4, _say_last4),
        "payee": Kind(_draw_payee, lambda value, rng: str(value), copied=True),
    },
    habits=Habits(
        openings={
            "check_balance": 2.0,
            "get_statement": 1.5,
            "transfer_money": 2.4,
            "cancel_card": 2.2,
            "replace_card": 1.4,
            "activate_card": 1.2,
            "report_fraud": 1.7,
            "reset_pin": 1.5,
            "pay_bill": 2.4,
            "speak_to_human": 1.5,
            "intent_unclear": 1.0,
            "greeting": 0.8,
            "thank_you": 0.3,
            "goodbye": 0.15,
        },
        closings=frozenset({"goodbye"}),
        bound=frozenset({("cancel_card", "replace_card"), ("report_fraud", "cancel_card")}),
        turns=(2, 5, 7, 5, 3),
    ),
    voice=recognizers(copied=("payee",)),
)
