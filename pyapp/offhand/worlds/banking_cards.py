"""The bank's tools for cards: cancel, replace, activate, report fraud, another PIN.

A card is meant by its last four digits; where only one card fits what was said and the tool, that
one is meant. Which statuses a tool can work with, and what is said of the others, are tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal

from offhand.money import amount_of, dollars
from offhand.world import Option, Outcome
from offhand.worlds.banking_accounts import refused, wrong_sum
from offhand.worlds.banking_history import BY_CARD, Entry
from offhand.worlds.banking_state import BankState, Card, Case, card_with, ledger, replacement
from offhand.worlds.banking_words import REASONS, Arguments, card_name, day
from offhand.worlds.wording import capital, listed

_CHARGES = 4
"""Charges offered when one is to be reported."""

_USABLE: Mapping[str, frozenset[str]] = {
    "cancel_card": frozenset({"active", "not activated", "blocked", "ordered"}),
    "replace_card": frozenset({"active", "not activated", "blocked", "cancelled"}),
    "activate_card": frozenset({"not activated"}),
    "report_fraud": frozenset({"active", "blocked", "cancelled"}),
    "reset_pin": frozenset({"active"}),
}
"""Statuses of cards that a tool can work with."""

_UNUSABLE: Mapping[tuple[str, str], str] = {
    ("cancel_card", "cancelled"): "is cancelled already",
    ("replace_card", "ordered"): "is a new one and still in the mail",
    ("activate_card", "active"): "is active already",
    ("activate_card", "blocked"): "is blocked. Order a replacement instead",
    ("activate_card", "cancelled"): "is cancelled. Order a replacement instead",
    ("activate_card", "ordered"): "is still in the mail. Activate it when it arrives",
    ("report_fraud", "not activated"): "was never activated, so nothing can be charged to it",
    ("report_fraud", "ordered"): "is still in the mail, so nothing can be charged to it",
    ("reset_pin", "not activated"): "has to be activated first",
    ("reset_pin", "blocked"): "is blocked. Order a replacement instead",
    ("reset_pin", "cancelled"): "is cancelled and has no PIN",
    ("reset_pin", "ordered"): "is still in the mail. Its PIN comes with it",
}
"""What is said of a card with another status."""

_DONE: Mapping[str, str] = {
    "cancel_card": "cancelled",
    "replace_card": "replaced",
    "activate_card": "activated",
    "report_fraud": "reported",
    "reset_pin": "given another PIN",
}


# Which card is meant.


def fitting(state: BankState, tool: str, arguments: Arguments) -> tuple[Card, ...]:
    """Cards of the type that was said, if one was, that the tool can work with."""
    kind = arguments.get("card_type")
    return tuple(
        card
        for card in state.cards
        if kind in (None, card.type) and not _unusable(state, tool, card)
    )


def _unusable(state: BankState, tool: str, card: Card) -> str:
    """Why the tool cannot work with this card; empty if it can."""
    if tool == "replace_card" and replacement(state, card):
        return f"A replacement for {card_name(card)} is on its way already."
    if card.status in _USABLE[tool]:
        return ""
    return f"{capital(card_name(card))} {_UNUSABLE[tool, card.status]}."


def meant(state: BankState, tool: str, arguments: Arguments) -> Card | str:
    """The card that a call means, or why it can mean none.

    Raises:
        ValueError: several cards fit; `card_missing` would have said so.
    """
    kind, number = arguments.get("card_type"), arguments.get("card_last_four")
    if number is None:
        cards = fitting(state, tool, arguments)
        if not cards:
            return f"There is no {f'{kind} ' if kind else ''}card that could be {_DONE[tool]}."
        (only,) = cards
        return only
    card = card_with(state, re.sub(r"[^0-9]", "", number)[-4:])
    if card is None:
        mine = listed([card.last_four for card in state.cards])
        return f"No card of yours ends in {number}. They end in {mine}."
    if kind not in (None, card.type):
        return f"The card ending in {card.last_four} is a {card.type} card."
    return _unusable(state, tool, card) or card


def _with(state: BankState, card: Card, *more: Card) -> tuple[Card, ...]:
    """All cards, this one in the place of the one with its number."""
    known = (card if old.last_four == card.last_four else old for old in state.cards)
    return (*known, *more)


Work = Callable[[BankState, Card, Arguments], Outcome]


def _tool(name: str, work: Work) -> Callable[[BankState, Arguments], Outcome]:
    """A tool that first finds the card that is meant."""

    def apply(state: BankState, arguments: Arguments) -> Outcome:
        card = meant(state, name, arguments)
        return refused(state, card) if isinstance(card, str) else work(state, card, arguments)

    return apply


# The tools.


def _cancel(state: BankState, card: Card, arguments: Arguments) -> Outcome:
    cancelled = replace(card, status="cancelled", reason=arguments.get("reason", ""))
    after = replace(state, cards=_with(state, cancelled))
    text = f"Cancelled {card_name(card)}. Ask for a replacement if you need one."
    return Outcome(after, text, changed=(f"card.{card.last_four}",))


def _replace(state: BankState, card: Card, arguments: Arguments) -> Outcome:
    new = Card(card.type, _next_number(state, card), "ordered", replaces=card.last_four)
    after = replace(state, cards=_with(state, card, new))
    text = f"Ordered a new {card.type} card, ending in {new.last_four}, in place of "
    return Outcome(
        after,
        f"{text}the one ending in {card.last_four}.",
        changed=(f"card.{card.last_four}", f"card.{new.last_four}"),
    )


def _next_number(state: BankState, card: Card) -> str:
    """Last four digits that no card has, the same ones whenever the same card is replaced."""
    number = (int(card.last_four) * 7 + 2741) % 10_000
    while card_with(state, f"{number:04}"):
        number = (number + 1) % 10_000
    return f"{number:04}"


def _activate(state: BankState, card: Card, arguments: Arguments) -> Outcome:
    after = replace(state, cards=_with(state, replace(card, status="active")))
    text = f"{capital(card_name(card))} is active now."
    return Outcome(after, text, changed=(f"card.{card.last_four}",))


def _reset_pin(state: BankState, card: Card, arguments: Arguments) -> Outcome:
    after = replace(state, cards=_with(state, replace(card, pin_reset=True)))
    if after == state:
        return Outcome(state, f"The PIN of {card_name(card)} was reset already.")
    text = f"Reset the PIN of {card_name(card)}. Choose a new one at any cash machine."
    return Outcome(after, text, changed=(f"card.{card.last_four}",))


def _report_fraud(state: BankState, card: Card, arguments: Arguments) -> Outcome:
    amount = amount_of(arguments["transaction_amount"])
    problem = wrong_sum(amount, "The charge")
    if problem:
        return refused(state, problem)
    for case in state.cases:
        if (case.card, case.amount) == (card.last_four, amount):
            return Outcome(state, f"Case {case.id} is open for that charge already.")
    case = Case(f"F-{len(state.cases) + 1}", card.last_four, amount)
    blocks = card.status == "active"
    cards = _with(state, replace(card, status="blocked")) if blocks else state.cards
    after = replace(state, cards=cards, cases=(*state.cases, case))
    blocked = f"Blocked {card_name(card)} and opened" if blocks else "Opened"
    text = f"{blocked} case {case.id} for {_charge(state, card, amount)}."
    return Outcome(after, text, changed=(f"card.{card.last_four}", f"case.{case.id}"))


def _charge(state: BankState, card: Card, amount: Decimal) -> str:
    known = next((e for e in _charges(state, card.type) if abs(e.amount) == amount), None)
    where = f" by {known.what} on {day(known.when)}" if known else ""
    return f"the charge of {dollars(amount)}{where}"


def _charges(state: BankState, kind: str) -> tuple[Entry, ...]:
    """What was paid with cards of a type, newest first."""
    account = "credit" if kind == "credit" else "checking"
    return tuple(entry for entry, _ in ledger(state, account) if entry.what in BY_CARD)


TOOLS: Mapping[str, Callable[[BankState, Arguments], Outcome]] = {
    name: _tool(name, work)
    for name, work in {
        "cancel_card": _cancel,
        "replace_card": _replace,
        "activate_card": _activate,
        "report_fraud": _report_fraud,
        "reset_pin": _reset_pin,
    }.items()
}
"""What each tool does."""


# What has to be known, offered and asked first.


def card_missing(tool: str) -> Callable[[BankState, Arguments], tuple[str, ...]]:
    """Whether a tool's call leaves open which card is meant."""
    # An activation says itself that the card has arrived, so the number is never guessed.
    enough = 0 if tool == "activate_card" else 1

    def missing(state: BankState, arguments: Arguments) -> tuple[str, ...]:
        known = "card_last_four" in arguments or len(fitting(state, tool, arguments)) <= enough
        return () if known else ("card_last_four",)

    return missing


def fraud_missing(state: BankState, arguments: Arguments) -> tuple[str, ...]:
    """The card where several fit, and the size of the charge."""
    card = card_missing("report_fraud")(state, arguments)
    return (*card, *["transaction_amount"] * ("transaction_amount" not in arguments))


def cards_offered(tool: str) -> Callable[[BankState, Arguments], tuple[Option, ...]]:
    """Cards that a tool's call may mean."""

    def offered(state: BankState, arguments: Arguments) -> tuple[Option, ...]:
        cards = fitting(state, tool, arguments)
        return tuple(
            Option(card.last_four, f"{capital(card.type)} card ending in {card.last_four}")
            for card in cards
        )

    return offered


def charges_offered(state: BankState, arguments: Arguments) -> tuple[Option, ...]:
    """The latest charges on the card that is meant; none while that is open."""
    if "card_last_four" in fraud_missing(state, arguments):
        return ()
    card = meant(state, "report_fraud", arguments)
    if isinstance(card, str):
        return ()
    return tuple(
        Option(
            float(abs(entry.amount)),
            f"{dollars(abs(entry.amount))}, {entry.what}, {day(entry.when)}",
        )
        for entry in _charges(state, card.type)[:_CHARGES]
    )


Question = Callable[[Card, Arguments], str]


def _cancel_question(card: Card, arguments: Arguments) -> str:
    reason = arguments.get("reason")
    return f"Cancel {card_name(card)} for good{f', as {reason}' if reason in REASONS else ''}?"


def _fraud_question(card: Card, arguments: Arguments) -> str:
    amount = dollars(amount_of(arguments["transaction_amount"]))
    blocks = " The card will be blocked." * (card.status == "active")
    return f"Report a charge of {amount} on {card_name(card)} as fraud?{blocks}"


_QUESTIONS: Mapping[str, Question] = {
    "cancel_card": _cancel_question,
    "replace_card": lambda card, arguments: f"Order a new card in place of {card_name(card)}?",
    "report_fraud": _fraud_question,
    "reset_pin": lambda card, arguments: f"Reset the PIN of {card_name(card)}?",
}


def question(tool: str) -> Callable[[BankState, Arguments], str]:
    """The question before a tool's call that can be carried out."""

    def ask(state: BankState, arguments: Arguments) -> str:
        card = meant(state, tool, arguments)
        return card if isinstance(card, str) else _QUESTIONS[tool](card, arguments)

    return ask
