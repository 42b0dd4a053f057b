"""What the bank says: calls as commands, days and sums and cards as people put them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from offhand.money import amount_of, dollars
from offhand.worlds.banking_state import ACCOUNTS, DEPARTMENTS, BankState, Card, replacement

Arguments = Mapping[str, Any]

# Names of months as written here, whatever the locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

PERIODS: Mapping[str, tuple[int, str]] = {
    "last_month": (1, "last month"),
    "last_3_months": (3, "last 3 months"),
    "last_year": (12, "last year"),
}
"""Statements: how many months back, and the words for it."""

SMALL_TALK: Mapping[str, str] = {
    "greeting": (
        "Hello. I can look up balances and statements, move money, pay bills and look after "
        "your cards."
    ),
    "thank_you": "You are welcome.",
    "goodbye": "Goodbye, and take care.",
    "intent_unclear": (
        "I did not get that. Ask for a balance, a statement, a transfer, a bill, a card "
        "or a person."
    ),
}
"""What to say to calls that do nothing."""

ACCOUNT_LABELS: Mapping[str, str] = {name: label for name, (label, _) in ACCOUNTS.items()}
"""What each account is called."""

REASONS = ("lost", "stolen", "damaged")
"""Reasons to cancel a card that are worth a word; `other` is none."""


def day(when: date) -> str:
    """A day within the year: "Nov 12"."""
    return f"{_MONTHS[when.month - 1]} {when.day}"


def card_name(card: Card) -> str:
    """A card within a sentence."""
    return f"the {card.type} card ending in {card.last_four}"


def card_note(state: BankState, card: Card) -> str:
    """What is to be said of a card beside its status; may be empty."""
    notes = [f"Replaces {card.replaces}"] * bool(card.replaces)
    notes += [f"Reported {card.reason}"] * (card.reason in REASONS)
    notes += ["Replacement on its way"] * (replacement(state, card) is not None)
    notes += ["Choose a new PIN"] * (card.pin_reset and card.status == "active")
    cases = [case.id for case in state.cases if case.card == card.last_four]
    notes += [f"Case {', '.join(cases)}"] * bool(cases)
    return "; ".join(notes)


_BILLS = frozenset(
    {"cable", "electric", "electricity", "gas", "internet", "phone", "power", "water"}
)
_DUES = frozenset({"insurance", "mortgage", "rent", "tuition"})
_OWN_CARD = frozenset({"card", "credit", "credit card"})
_SPELLED = {name.lower(): name for name in ("City Electric", "Metro Water", "Verizon")}


def payee_name(payee: str) -> str:
    """A payee as the bank knows it, else as the customer put it."""
    name = " ".join(payee.split())
    return _SPELLED.get(name.lower(), name)


def is_own_card(payee: str) -> bool:
    """Whether the payee is the customer's own credit card."""
    return payee_name(payee).lower() in _OWN_CARD


def payee_phrase(payee: str) -> str:
    """Whom a payment goes to, or what it is for: "to Verizon", "for the gas bill"."""
    name = payee_name(payee)
    if is_own_card(payee):
        return "to the credit card"
    if name.lower() in _BILLS:
        return f"for the {name} bill"
    return f"for the {name}" if name.lower() in _DUES else f"to {name}"


# Calls as commands.


def _sum(arguments: Arguments, slot: str, unknown: str) -> str:
    value = arguments.get(slot)
    return unknown if value is None else dollars(amount_of(value))


def _balance_command(arguments: Arguments) -> str:
    account = arguments.get("account_type")
    return f"Check the {account} balance" if account else "Check a balance"


def _statement_command(arguments: Arguments) -> str:
    account, period = arguments.get("account_type"), arguments.get("period")
    which = f"the {account}" if account else "a"
    return f"Get {which} statement{f' for the {PERIODS[period][1]}' if period else ''}"


OTHER: Mapping[str, str] = {"checking": "savings", "savings": "checking"}
"""Of two accounts, the other one."""


def ends(arguments: Arguments) -> tuple[str | None, str | None]:
    """Accounts that a transfer leaves and reaches; of two, one known implies the other."""
    source, target = arguments.get("from_account"), arguments.get("to_account")
    return source or OTHER.get(target or ""), target or OTHER.get(source or "")


def _transfer_command(arguments: Arguments) -> str:
    source, target = ends(arguments)
    way = f" from {source} to {target}" if source else ""
    return f"Transfer {_sum(arguments, 'amount', 'money')}{way}"


def _bill_command(arguments: Arguments) -> str:
    payee, account = arguments.get("payee", "").strip(), arguments.get("from_account")
    whom = f" {payee_phrase(payee)}" if payee else ""
    unknown = "money" if payee else "a bill"
    return f"Pay {_sum(arguments, 'amount', unknown)}{whom}{f' from {account}' if account else ''}"


def _card(arguments: Arguments) -> str:
    kind, last_four = arguments.get("card_type"), arguments.get("card_last_four")
    if not kind and not last_four:
        return "a card"
    return f"the {f'{kind} ' if kind else ''}card{f' ending in {last_four}' if last_four else ''}"


def _cancel_command(arguments: Arguments) -> str:
    reason = arguments.get("reason")
    return f"Cancel {_card(arguments)}{f' as {reason}' if reason in REASONS else ''}"


def _fraud_command(arguments: Arguments) -> str:
    amount = _sum(arguments, "transaction_amount", "")
    return f"Report a charge{f' of {amount}' if amount else ''} on {_card(arguments)}"


def _person_command(arguments: Arguments) -> str:
    department = arguments.get("department")
    return f"Connect to {DEPARTMENTS[department] if department else 'a person'}"


COMMANDS: Mapping[str, Callable[[Arguments], str]] = {
    "check_balance": _balance_command,
    "get_statement": _statement_command,
    "transfer_money": _transfer_command,
    "cancel_card": _cancel_command,
    "replace_card": lambda arguments: f"Replace {_card(arguments)}",
    "activate_card": lambda arguments: f"Activate {_card(arguments)}",
    "report_fraud": _fraud_command,
    "reset_pin": lambda arguments: f"Reset the PIN of {_card(arguments)}",
    "pay_bill": _bill_command,
    "speak_to_human": _person_command,
    "intent_unclear": lambda arguments: "Ask what is meant",
    "greeting": lambda arguments: "Say hello",
    "goodbye": lambda arguments: "Say goodbye",
    "thank_you": lambda arguments: "Answer the thanks",
}
"""Every tool's call in words."""
