"""What the bank knows of its customer, as a value: entries posted in this visit, cards, cases.

The year before the visit is `banking_history`; a state holds only what was added to it, so that a
saved one is small. Balances are never stored: each is the closing balance of the year and what was
posted since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from offhand.money import read_cents
from offhand.worlds.banking_history import CLOSING, HISTORY, OPENING, Entry

ACCOUNTS: Mapping[str, tuple[str, str]] = {
    "checking": ("Checking", "··4821"),
    "savings": ("Savings", "··9037"),
    "credit": ("Credit card", "··6150"),
}
"""Label and shown number of every account."""

DEPARTMENTS: Mapping[str, str] = {
    "general": "customer service",
    "fraud": "the fraud team",
    "loans": "the loans team",
    "technical": "technical support",
}
"""Teams of people, each with the words for it."""

TYPES = ("debit", "credit")
STATUSES = ("active", "not activated", "blocked", "cancelled", "ordered")


@dataclass(frozen=True, slots=True)
class Card:
    """A payment card.

    Attributes:
        type: "debit" or "credit".
        last_four: its last four digits, by which it is known.
        status: one of `STATUSES`.
        reason: why it was cancelled, where that was said.
        pin_reset: whether another PIN is to be chosen.
        replaces: last four digits of the card in whose place it was ordered.
    """

    type: str
    last_four: str
    status: str
    reason: str = ""
    pin_reset: bool = False
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A fraud case: a charge in dollars on a card, under review."""

    id: str
    card: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill that was paid in this visit, in dollars."""

    payee: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BankState:
    """All that can change in a visit; each tuple in the order of events.

    Raises:
        ValueError: there are entries, cards or queues that a bank cannot have.
    """

    posted: tuple[Entry, ...]
    cards: tuple[Card, ...]
    cases: tuple[Case, ...] = ()
    bills: tuple[Bill, ...] = ()
    queue: str | None = None

    def __post_init__(self) -> None:
        numbers = [card.last_four for card in self.cards]
        if any(entry.account not in ACCOUNTS for entry in self.posted):
            raise ValueError("an entry of no account")
        if any(card.type not in TYPES or card.status not in STATUSES for card in self.cards):
            raise ValueError("a card of no known type or status")
        if len(set(numbers)) < len(numbers) or any(not _is_last_four(four) for four in numbers):
            raise ValueError("cards without last four digits of their own")
        if any(case.card not in numbers for case in self.cases):
            raise ValueError("a case of no card")
        if self.queue is not None and self.queue not in DEPARTMENTS:
            raise ValueError(f"a queue for {self.queue!r}")


def _is_last_four(text: object) -> bool:
    return isinstance(text, str) and len(text) == 4 and text.isascii() and text.isdigit()


def begin() -> BankState:
    """The bank as a visitor finds it."""
    cards = (
        Card("debit", "4071", "active"),
        Card("debit", "2296", "not activated"),
        Card("credit", "8830", "active"),
    )
    return BankState((), cards)


def balance(state: BankState, account: str) -> Decimal:
    """What an account holds, in dollars; for credit, what is owed."""
    posted = (entry.amount for entry in state.posted if entry.account == account)
    return sum(posted, CLOSING[account])


def ledger(state: BankState, account: str) -> tuple[tuple[Entry, Decimal], ...]:
    """An account's entries, each with the balance after it, newest first."""
    lines, running = [], OPENING[account]
    for entry in (*HISTORY, *state.posted):
        if entry.account == account:
            running += entry.amount
            lines.append((entry, running))
    return tuple(reversed(lines))


def card_with(state: BankState, last_four: str) -> Card | None:
    """The card with these last four digits, if the customer has one."""
    return next((card for card in state.cards if card.last_four == last_four), None)


def replacement(state: BankState, card: Card) -> Card | None:
    """The card that is on its way in place of this one, if any."""
    ordered = (new for new in state.cards if new.status == "ordered")
    return next((new for new in ordered if new.replaces == card.last_four), None)


# Saved and read back.


def dump(state: BankState) -> dict[str, Any]:
    """The state, JSON-ready."""
    return {
        "posted": [
            [entry.account, entry.when.isoformat(), entry.what, str(entry.amount)]
            for entry in state.posted
        ],
        "cards": [asdict(card) for card in state.cards],
        "cases": [[case.id, case.card, str(case.amount)] for case in state.cases],
        "bills": [[bill.payee, str(bill.amount)] for bill in state.bills],
        "queue": state.queue,
    }


def read(data: Any) -> BankState:
    """The state that `dump` wrote.

    Raises:
        ValueError: it is no such data.
    """
    try:
        return BankState(
            tuple(_entry(*fields) for fields in data["posted"]),
            tuple(Card(**fields) for fields in data["cards"]),
            tuple(Case(_text(i), card, read_cents(sum_)) for i, card, sum_ in data["cases"]),
            tuple(Bill(_text(payee), read_cents(sum_)) for payee, sum_ in data["bills"]),
            data["queue"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"this is no bank: {error!r}") from error


def _entry(account: str, when: str, what: str, amount: str) -> Entry:
    return Entry(account, date.fromisoformat(when), _text(what), read_cents(amount))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value
