"""A year of the customer's ledger, written out from what comes round every month, week or so.

The bank's day is fixed, so that the same visit always finds the same figures. A credit account's
balance is what is owed: a purchase adds to it, a payment takes from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from offhand.money import CENT, ZERO

TODAY = date(2026, 11, 14)
"""The day of every visit."""

FIRST_DAY = date(2025, 11, 15)

OPENING: Mapping[str, Decimal] = {
    "checking": Decimal("1804.12"),
    "savings": Decimal("2160.00"),
    "credit": Decimal("0.00"),
}
"""Balances at the beginning of the first day; for credit, what is owed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of an account's ledger.

    Attributes:
        account: "checking", "savings" or "credit".
        when: the day.
        what: the other side of it, as a statement names it.
        amount: in dollars, what it adds to the account's balance.
    """

    account: str
    when: date
    what: str
    amount: Decimal


_MONTHLY = (
    ("checking", 1, "Northgate Studio payroll", "1137.72"),
    ("checking", 15, "Northgate Studio payroll", "1137.72"),
    ("checking", 2, "Rent, Elm Street", "-1150.00"),
    ("checking", 4, "Transfer to savings", "-200.00"),
    ("savings", 4, "Transfer from checking", "200.00"),
    ("checking", 5, "Verizon", "-45.00"),
    ("checking", 11, "Metro Water", "-31.50"),
    ("credit", 3, "Riverside Gym", "29.00"),
    ("credit", 7, "Netflix", "15.49"),
    ("credit", 12, "Spotify", "11.99"),
)
"""Account, day of the month, text and amount."""

_ELECTRIC = ("88.14", "92.60", "79.35", "61.20", "48.90", "57.75")
_ELECTRIC_YEAR = (*_ELECTRIC, "83.40", "86.95", "64.10", "49.85", "58.30", "74.62")
"""The electric bill from January to December."""

_ROUNDS = (
    ("checking", 7, "Whole Foods", ("-54.20", "-61.75", "-48.36", "-70.02", "-57.91")),
    ("checking", 9, "Corner Coffee", ("-4.75", "-9.50", "-6.25")),
    ("checking", 24, "Cash machine", ("-60.00", "-40.00")),
    ("credit", 10, "Shell", ("41.30", "38.85", "44.10")),
    ("credit", 13, "Amazon", ("23.99", "64.50", "18.75", "32.40")),
    ("credit", 8, "Luigi's Kitchen", ("36.50", "28.00", "52.75", "31.20", "44.60")),
)
"""Account, days from one to the next, text, and the amounts that take turns."""

_ONCE = (
    ("savings", date(2026, 7, 8), "Transfer to checking", "-450.00"),
    ("checking", date(2026, 7, 8), "Transfer from savings", "450.00"),
    ("checking", date(2026, 7, 9), "Skyline Air", "-428.60"),
    ("credit", date(2026, 11, 9), "Brightline Electronics", "89.00"),
)

_INTEREST_DAY = 28
_INTEREST = Decimal("0.0025")
"""A month's, on what was put in."""

_PAYMENT_DAY = 20


def _months() -> Iterator[date]:
    """The first of every month that the year touches."""
    first = FIRST_DAY.replace(day=1)
    while first <= TODAY:
        yield first
        first = (first + timedelta(days=31)).replace(day=1)


def _regular() -> Iterator[Entry]:
    for first in _months():
        for account, day, what, amount in _MONTHLY:
            yield Entry(account, first.replace(day=day), what, Decimal(amount))
        electric = Decimal(_ELECTRIC_YEAR[first.month - 1])
        yield Entry("checking", first.replace(day=9), "City Electric", -electric)
    for account, step, what, amounts in _ROUNDS:
        for turn in range((TODAY - FIRST_DAY).days // step + 1):
            when = FIRST_DAY + timedelta(days=2 + turn * step)
            yield Entry(account, when, what, Decimal(amounts[turn % len(amounts)]))
    for account, when, what, amount in _ONCE:
        yield Entry(account, when, what, Decimal(amount))


def _derived(regular: tuple[Entry, ...]) -> Iterator[Entry]:
    """What follows from the rest: the credit card paid off once a month, and interest."""
    for first in _months():
        before = (first - timedelta(days=1)).replace(day=_PAYMENT_DAY)
        paid_on, earned_on = first.replace(day=_PAYMENT_DAY), first.replace(day=_INTEREST_DAY)
        bought = [e.amount for e in regular if e.account == "credit" and before <= e.when < paid_on]
        yield Entry("credit", paid_on, "Payment from checking", -sum(bought, ZERO))
        yield Entry("checking", paid_on, "Credit card payment", -sum(bought, ZERO))
        moved = [e.amount for e in regular if e.account == "savings" and e.when < earned_on]
        interest = (sum(moved, OPENING["savings"]) * _INTEREST).quantize(CENT)
        yield Entry("savings", earned_on, "Interest", interest)


def _history() -> tuple[Entry, ...]:
    regular = tuple(entry for entry in _regular() if FIRST_DAY <= entry.when < TODAY)
    derived = (entry for entry in _derived(regular) if FIRST_DAY <= entry.when < TODAY)
    return tuple(sorted((*regular, *derived), key=lambda entry: entry.when))


HISTORY: tuple[Entry, ...] = _history()
"""Every entry before the visit, oldest first."""

CLOSING: Mapping[str, Decimal] = {
    account: sum((entry.amount for entry in HISTORY if entry.account == account), opening)
    for account, opening in OPENING.items()
}
"""Balances when the visit begins; for credit, what is owed."""

BY_CARD = frozenset(what for _, _, what, _ in _ROUNDS) | {
    "Brightline Electronics",
    "Netflix",
    "Riverside Gym",
    "Skyline Air",
    "Spotify",
}
"""Entries that were paid by card."""
