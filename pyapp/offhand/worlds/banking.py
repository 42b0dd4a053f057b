"""The bank: which tool does what, what has to be known and asked first, and what the page shows.

Tools for accounts are in `banking_accounts`, for cards in `banking_cards`; the state they work on
is in `banking_state`, and the words in `banking_words`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from offhand.dialect import ToolCall
from offhand.money import plain
from offhand.world import Option, Outcome
from offhand.worlds import banking_accounts as accounts
from offhand.worlds import banking_cards as cards
from offhand.worlds import banking_state as bank
from offhand.worlds import banking_words as words
from offhand.worlds.banking_state import ACCOUNTS, DEPARTMENTS, BankState
from offhand.worlds.banking_words import Arguments
from offhand.worlds.wording import capital

_SHOWN = 8
"""Ledger entries of an account that the page shows."""


def _speak_to_human(state: BankState, arguments: Arguments) -> Outcome:
    department = arguments.get("department", "general")
    team = DEPARTMENTS[department]
    if state.queue == department:
        return Outcome(state, f"You are in the queue for {team} already.")
    after = replace(state, queue=department)
    text = f"You are in the queue for {team}. Someone will be with you soon."
    return Outcome(after, text, changed=("queue",))


def _says(tool: str) -> Callable[[BankState, Arguments], Outcome]:
    return lambda state, arguments: Outcome(state, words.SMALL_TALK[tool])


_TOOLS: Mapping[str, Callable[[BankState, Arguments], Outcome]] = {
    "check_balance": accounts.check_balance,
    "get_statement": accounts.get_statement,
    "transfer_money": accounts.transfer_money,
    "pay_bill": accounts.pay_bill,
    **cards.TOOLS,
    "speak_to_human": _speak_to_human,
    **{tool: _says(tool) for tool in words.SMALL_TALK},
}

_MISSING: Mapping[str, Callable[[BankState, Arguments], tuple[str, ...]]] = {
    "check_balance": accounts.account_missing,
    "get_statement": accounts.statement_missing,
    "transfer_money": accounts.transfer_missing,
    "pay_bill": accounts.bill_missing,
    **{tool: cards.card_missing(tool) for tool in cards.TOOLS},
    "report_fraud": cards.fraud_missing,
}

_QUESTIONS: Mapping[str, Callable[[BankState, Arguments], str]] = {
    "transfer_money": accounts.transfer_question,
    "pay_bill": accounts.bill_question,
    **{tool: cards.question(tool) for tool in cards.TOOLS if tool != "activate_card"},
}

Offer = Callable[[BankState, Arguments], tuple[Option, ...]]


def _holding(*names: str) -> Offer:
    return lambda state, arguments: accounts.accounts_offered(state, names)


def _fixed(labels: Mapping[str, str]) -> Offer:
    options = tuple(Option(value, capital(label)) for value, label in labels.items())
    return lambda state, arguments: options


_PERIODS = {name: label for name, (_, label) in words.PERIODS.items()}
_REASONS = {**{reason: reason for reason in words.REASONS}, "other": "another reason"}

_OPTIONS: Mapping[tuple[str, str], Offer] = {
    ("check_balance", "account_type"): _holding("checking", "savings", "credit"),
    ("get_statement", "account_type"): _holding("checking", "savings", "credit"),
    ("get_statement", "period"): _fixed(_PERIODS),
    ("transfer_money", "from_account"): _holding("checking", "savings"),
    ("transfer_money", "to_account"): _holding("savings", "checking"),
    ("pay_bill", "payee"): accounts.payees_offered,
    ("pay_bill", "amount"): accounts.sums_offered,
    ("pay_bill", "from_account"): _holding("checking", "savings"),
    **{(tool, "card_last_four"): cards.cards_offered(tool) for tool in cards.TOOLS},
    **{(tool, "card_type"): _fixed({kind: kind for kind in bank.TYPES}) for tool in cards.TOOLS},
    ("cancel_card", "reason"): _fixed(_REASONS),
    ("report_fraud", "transaction_amount"): cards.charges_offered,
    ("speak_to_human", "department"): _fixed(DEPARTMENTS),
}


class Bank:
    """The world of the catalog `banking`."""

    name = "banking"

    def begin(self) -> BankState:
        """The state that a visitor finds."""
        return bank.begin()

    def apply(self, state: BankState, call: ToolCall) -> Outcome:
        """Carry out a call that fits the catalog and has what `missing` asks for."""
        return _TOOLS[call.name](state, call.arguments)

    def missing(self, state: BankState, call: ToolCall) -> tuple[str, ...]:
        """Slots without which the call cannot be carried out, the one to ask for first, first."""
        lacks = _MISSING.get(call.name)
        return lacks(state, call.arguments) if lacks else ()

    def options(self, state: BankState, call: ToolCall, slot: str) -> tuple[Option, ...]:
        """Values to offer for a slot, likeliest first; none where only the customer knows."""
        offer = _OPTIONS.get((call.name, slot))
        return offer(state, call.arguments) if offer else ()

    def danger(self, state: BankState, call: ToolCall) -> str | None:
        """The question before money moves or a card changes; None for what would be refused."""
        ask = _QUESTIONS.get(call.name)
        if ask is None or self.missing(state, call):
            return None
        outcome = self.apply(state, call)
        return None if outcome.state == state else ask(state, call.arguments)

    def describe(self, call: ToolCall) -> str:
        """The call in words, as a command without a final stop."""
        return words.COMMANDS[call.name](call.arguments)

    def view(self, state: BankState) -> Mapping[str, Any]:
        """What the page shows, JSON-ready."""
        return {
            "accounts": [_account(state, name) for name in ACCOUNTS],
            "cards": [
                {
                    "type": card.type,
                    "last_four": card.last_four,
                    "status": card.status,
                    "note": words.card_note(state, card),
                }
                for card in state.cards
            ],
            "cases": [
                {
                    "id": case.id,
                    "card": case.card,
                    "amount": plain(case.amount),
                    "what": "Under review",
                }
                for case in state.cases
            ],
            "bills": [
                {"payee": bill.payee, "amount": plain(bill.amount)}
                for bill in reversed(state.bills)
            ],
            "queue": _queue(state),
        }

    def dump(self, state: BankState) -> Any:
        """The state, JSON-ready; `read` takes it back."""
        return bank.dump(state)

    def read(self, data: Any) -> BankState:
        """A state from `dump`'s data.

        Raises:
            ValueError: it is not such data.
        """
        return bank.read(data)


def _queue(state: BankState) -> dict[str, str] | None:
    if state.queue is None:
        return None
    return {"department": state.queue, "text": f"Waiting for {DEPARTMENTS[state.queue]}"}


def _account(state: BankState, name: str) -> dict[str, Any]:
    label, number = ACCOUNTS[name]
    return {
        "name": name,
        "label": label,
        "number": number,
        "balance": plain(bank.balance(state, name)),
        "owed": name == "credit",
        "ledger": [
            {
                "when": words.day(entry.when),
                "what": entry.what,
                "amount": plain(entry.amount),
                "balance": plain(after),
            }
            for entry, after in bank.ledger(state, name)[:_SHOWN]
        ],
    }
