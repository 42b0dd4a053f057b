"""The bank's tools for accounts: balances, statements, transfers and bills.

A refusal is an outcome in words; nothing moves unless all of it can. Sums stay decimals throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from offhand.money import amount_of, dollars, is_whole_cents, plain
from offhand.world import Option, Outcome
from offhand.worlds.banking_history import TODAY, Entry
from offhand.worlds.banking_state import ACCOUNTS, BankState, Bill, balance, ledger
from offhand.worlds.banking_words import (
    ACCOUNT_LABELS,
    OTHER,
    PERIODS,
    Arguments,
    day,
    ends,
    is_own_card,
    payee_name,
    payee_phrase,
)

ROWS = 20
"""Entries that a statement shows; older ones are counted."""

_COLUMNS = ["Date", "Description", "Amount", "Balance"]


def refused(state: BankState, text: str) -> Outcome:
    """The outcome that nothing was done, and why."""
    return Outcome(state, text, ok=False)


def wrong_sum(amount: Decimal, smallest: str) -> str:
    """Why a sum cannot be taken; empty if it can. `smallest` says what has to be positive."""
    if amount <= 0:
        return f"{smallest} has to be more than zero."
    if not is_whole_cents(amount):
        return f"{dollars(amount)} is no sum in whole cents."
    return ""


# Balances and statements.


def check_balance(state: BankState, arguments: Arguments) -> Outcome:
    """Tell what an account holds, or what is owed on it."""
    account = arguments["account_type"]
    label, number = ACCOUNTS[account]
    held = dollars(balance(state, account))
    latest, _ = ledger(state, account)[0]
    rows = [
        [f"{label} {number}", f"{held}{' owed' if account == 'credit' else ''}"],
        ["Latest entry", f"{day(latest.when)}, {latest.what}, {dollars(latest.amount)}"],
    ]
    text = f"You owe {held} on the credit card." if account == "credit" else f"{label} has {held}."
    return Outcome(state, text, data={"kind": "facts", "rows": rows})


def get_statement(state: BankState, arguments: Arguments) -> Outcome:
    """Show an account's entries of a period, newest first."""
    account, period = arguments["account_type"], arguments["period"]
    months, words = PERIODS[period]
    first = _months_before(TODAY, months)
    lines = [(entry, after) for entry, after in ledger(state, account) if entry.when >= first]
    rows = [
        [day(entry.when), entry.what, plain(entry.amount), plain(after)]
        for entry, after in lines[:ROWS]
    ]
    left = len(lines) - len(rows)
    if left:
        rows.append(["", f"and {left} earlier {'entry' if left == 1 else 'entries'}", "", ""])
    label = ACCOUNT_LABELS[account]
    count = f"{len(lines)} {'entry' if len(lines) == 1 else 'entries'}"
    since = day(first) if first.year == TODAY.year else f"{day(first)}, {first.year}"
    text = f"Here is the {account} statement for the {words}: {count} since {since}."
    table = {"kind": "table", "title": f"{label}, {words}", "columns": _COLUMNS, "rows": rows}
    return Outcome(state, text, data=table)


def _months_before(when: date, months: int) -> date:
    """The day after the same day so many months ago."""
    years, month = divmod(when.year * 12 + when.month - 1 - months, 12)
    return when.replace(year=years, month=month + 1) + timedelta(days=1)


# Money that moves.


def transfer_money(state: BankState, arguments: Arguments) -> Outcome:
    """Move money between checking and savings."""
    amount = amount_of(arguments["amount"])
    source, target = ends(arguments)
    if source is None or target is None:
        raise ValueError("a transfer between unknown accounts")
    if source == target:
        return refused(state, f"That is {source} twice. The other account is {OTHER[source]}.")
    problem = wrong_sum(amount, "The sum to move") or _short_of(state, source, amount, "move")
    if problem:
        return refused(state, problem)
    posted = (
        Entry(source, TODAY, f"Transfer to {target}", -amount),
        Entry(target, TODAY, f"Transfer from {source}", amount),
    )
    after = replace(state, posted=(*state.posted, *posted))
    text = f"Moved {dollars(amount)} from {source} to {target}. {_left(after, source)}"
    return Outcome(after, text, changed=(f"account.{source}", f"account.{target}"))


def pay_bill(state: BankState, arguments: Arguments) -> Outcome:
    """Pay somebody, or pay off what is owed on the credit card."""
    amount, source = amount_of(arguments["amount"]), arguments["from_account"]
    payee, own = payee_name(arguments["payee"]), is_own_card(arguments["payee"])
    problem = wrong_sum(amount, "The sum to pay") or _short_of(state, source, amount, "pay")
    if problem:
        return refused(state, problem)
    owed = balance(state, "credit")
    if own and amount > owed:
        return refused(state, f"You owe {dollars(owed)} on the credit card, no more.")
    posted = [Entry(source, TODAY, "Credit card payment" if own else payee, -amount)]
    if own:
        posted.append(Entry("credit", TODAY, f"Payment from {source}", -amount))
    after = replace(
        state, posted=(*state.posted, *posted), bills=(*state.bills, Bill(payee, amount))
    )
    text = f"Paid {dollars(amount)} {payee_phrase(payee)} from {source}. {_left(after, source)}"
    accounts = (f"account.{entry.account}" for entry in posted)
    return Outcome(after, text, changed=(*accounts, "bill"))


def _short_of(state: BankState, account: str, amount: Decimal, verb: str) -> str:
    held = balance(state, account)
    if amount <= held:
        return ""
    return f"{ACCOUNT_LABELS[account]} has {dollars(held)}, not enough to {verb} {dollars(amount)}."


def _left(state: BankState, account: str) -> str:
    return f"{ACCOUNT_LABELS[account]} has {dollars(balance(state, account))} left."


# What has to be known, offered and asked first.


def transfer_missing(state: BankState, arguments: Arguments) -> tuple[str, ...]:
    """The sum, and one account where neither is known."""
    lacks = ["amount"] * ("amount" not in arguments)
    return (*lacks, *["from_account"] * (ends(arguments)[0] is None))


def bill_missing(state: BankState, arguments: Arguments) -> tuple[str, ...]:
    """Whatever of payee, sum and account is not known."""
    payee = ["payee"] * (not arguments.get("payee", "").strip())
    return (*payee, *[slot for slot in ("amount", "from_account") if slot not in arguments])


def transfer_question(state: BankState, arguments: Arguments) -> str:
    """The question before a transfer."""
    source, target = ends(arguments)
    return f"Move {dollars(amount_of(arguments['amount']))} from {source} to {target}?"


def bill_question(state: BankState, arguments: Arguments) -> str:
    """The question before a payment."""
    amount, whom = dollars(amount_of(arguments["amount"])), payee_phrase(arguments["payee"])
    return f"Pay {amount} {whom} from {arguments['from_account']}?"


def accounts_offered(state: BankState, names: Sequence[str]) -> tuple[Option, ...]:
    """Accounts to choose from, each with its balance."""
    return tuple(
        Option(
            name,
            f"{ACCOUNT_LABELS[name]}, {dollars(balance(state, name))}"
            f"{' owed' if name == 'credit' else ''}",
        )
        for name in names
    )


def payees_offered(state: BankState, arguments: Arguments) -> tuple[Option, ...]:
    """Those who were paid before."""
    return tuple(Option(name, name) for name in (*dict.fromkeys(_LAST.values()), "credit card"))


_LAST = {
    "verizon": "Verizon",
    "phone": "Verizon",
    "cell phone": "Verizon",
    "city electric": "City Electric",
    "electric": "City Electric",
    "electricity": "City Electric",
    "power": "City Electric",
    "metro water": "Metro Water",
    "water": "Metro Water",
}
"""Payees as people call them, each as the ledger has it."""


def sums_offered(state: BankState, arguments: Arguments) -> tuple[Option, ...]:
    """What was paid last time, or what is owed."""
    payee = arguments.get("payee", "")
    if is_own_card(payee):
        owed = balance(state, "credit")
        return (Option(float(owed), f"{dollars(owed)}, all of it"),) if owed else ()
    name = _LAST.get(payee_name(payee).lower())
    paid = (-e.amount for e, _ in ledger(state, "checking") if e.what == name)
    return tuple(Option(float(sum_), f"{dollars(sum_)}, as last time") for sum_ in [*paid][:1])


def account_missing(state: BankState, arguments: Arguments) -> tuple[str, ...]:
    """The account."""
    return () if "account_type" in arguments else ("account_type",)


def statement_missing(state: BankState, arguments: Arguments) -> tuple[str, ...]:
    """Whatever of account and period is not known."""
    return tuple(slot for slot in ("account_type", "period") if slot not in arguments)
