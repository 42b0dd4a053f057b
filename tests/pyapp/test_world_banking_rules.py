"""The bank's books: statements and views add up, no sequence of calls loses a cent."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhand import money
from offhand.dialect import ToolCall
from offhand.journal import Journal
from offhand.worlds.banking import Bank
from offhand.worlds.banking_history import FIRST_DAY, HISTORY, OPENING, TODAY
from offhand.worlds.banking_state import BankState, balance, card_with, ledger
from tests.pyapp.world_checks import (
    call,
    catalog_calls,
    full_calls,
    same_json,
    state_after,
    take,
    undo_all,
)

BANK = Bank()
TEXTS = {
    "card_last_four": ["4071", "2296", "8830", "1238", "9999", "abc"],
    "payee": ["Verizon", "electric", "credit card", "Aunt Linda", " "],
}
CALLS = st.one_of(
    catalog_calls("banking", TEXTS),
    full_calls("banking", ["transfer_money", "pay_bill"], TEXTS),
)


def rows(spelled: str, before: list[str] | None = None) -> list[list[str]]:
    data = BANK.apply(state_after(BANK, before or []), call(spelled)).data
    assert data is not None
    assert data["kind"] == "table"
    assert all(len(row) == len(data["columns"]) for row in data["rows"])
    found: list[list[str]] = data["rows"]
    return found


# The year before the visit, and what is shown of it.


def test_the_year_adds_up_and_is_never_overdrawn() -> None:
    state = BANK.begin()
    days = [entry.when for entry in HISTORY]
    assert days == sorted(days)
    assert FIRST_DAY <= days[0] <= days[-1] < TODAY
    for account, opening in OPENING.items():
        lines = ledger(state, account)
        assert lines[0][1] == opening + sum(entry.amount for entry, _ in lines)
        assert min(after for _, after in lines) >= 0
    between = [entry for entry in HISTORY if entry.what.startswith(("Transfer", "Payment from"))]
    between += [entry for entry in HISTORY if entry.what == "Credit card payment"]
    owed = sum(entry.amount for entry in between if entry.account == "credit")
    assert sum(entry.amount for entry in between if entry.account != "credit") == owed


def test_a_statement_shows_what_was_just_done() -> None:
    found = rows(
        "get_statement account_type=savings period=last_month",
        ["transfer_money amount=200 to_account=checking"],
    )
    assert found == [
        ["Nov 14", "Transfer to checking", "-200.00", "4,003.32"],
        ["Nov 4", "Transfer from checking", "200.00", "4,203.32"],
        ["Oct 28", "Interest", "9.78", "4,003.32"],
    ]


@pytest.mark.parametrize("account", ["checking", "savings", "credit"])
@pytest.mark.parametrize("period", ["last_month", "last_3_months", "last_year"])
def test_a_statement_is_capped_and_counts_the_rest(account: str, period: str) -> None:
    spelled = f"get_statement account_type={account} period={period}"
    found = rows(spelled)
    text = BANK.apply(BANK.begin(), call(spelled)).text
    total = int(text.split(": ")[1].split()[0])
    shown = [row for row in found if row[0]]
    assert len(shown) == min(total, 20)
    if total > 20:
        assert found[-1] == ["", f"and {total - 20} earlier entries", "", ""]
    for newer, older in pairwise(shown):
        assert _sum(newer[3]) - _sum(newer[2]) == _sum(older[3])


def test_longer_periods_reach_further() -> None:
    texts = [
        BANK.apply(BANK.begin(), call(f"get_statement account_type=savings period={period}")).text
        for period in ("last_month", "last_3_months", "last_year")
    ]
    assert [text.split(": ")[1] for text in texts] == [
        "2 entries since Oct 15.",
        "6 entries since Aug 15.",
        "25 entries since Nov 15, 2025.",
    ]


def _sum(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def test_the_view_shows_what_a_visitor_finds() -> None:
    view = BANK.view(BANK.begin())
    checking = view["accounts"][0]
    assert (checking["label"], checking["number"]) == ("Checking", "··4821")
    assert (checking["balance"], checking["owed"]) == ("2,431.23", False)
    assert len(checking["ledger"]) == 8
    assert checking["ledger"][0]["balance"] == checking["balance"]
    assert [card["status"] for card in view["cards"]] == ["active", "not activated", "active"]
    assert (view["cases"], view["bills"], view["queue"]) == ([], [], None)


def test_the_view_shows_what_was_done() -> None:
    state = state_after(
        BANK,
        [
            "cancel_card card_last_four=4071 reason=stolen",
            "replace_card card_last_four=4071",
            "report_fraud card_type=credit transaction_amount=89",
            "pay_bill payee=gas amount=31.5 from_account=checking",
            "pay_bill payee=Verizon amount=45 from_account=checking",
            "speak_to_human department=fraud",
        ],
    )
    view = BANK.view(state)
    assert [(card["last_four"], card["status"], card["note"]) for card in view["cards"]] == [
        ("4071", "cancelled", "Reported stolen; Replacement on its way"),
        ("2296", "not activated", ""),
        ("8830", "blocked", "Case F-1"),
        ("1238", "ordered", "Replaces 4071"),
    ]
    assert view["cases"] == [
        {"id": "F-1", "card": "8830", "amount": "89.00", "what": "Under review"}
    ]
    assert [bill["payee"] for bill in view["bills"]] == ["Verizon", "gas"]
    assert view["queue"] == {"department": "fraud", "text": "Waiting for the fraud team"}


def test_a_cancelled_replacement_can_be_ordered_again() -> None:
    before = ["replace_card card_last_four=4071", "cancel_card card_last_four=1238"]
    state = state_after(BANK, [*before, "replace_card card_last_four=4071"])
    assert [card.last_four for card in state.cards][-2:] == ["1238", "1239"]


# Saved states.

GOOD: dict[str, Any] = {
    "posted": [["savings", "2026-11-14", "Transfer to checking", "-5.00"]],
    "cards": [
        {
            "type": "debit",
            "last_four": "4071",
            "status": "active",
            "reason": "",
            "pin_reset": False,
            "replaces": "",
        }
    ],
    "cases": [["F-1", "4071", "89.00"]],
    "bills": [["Verizon", "45.00"]],
    "queue": "loans",
}
CARD = GOOD["cards"][0]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"posted": [["gold", "2026-11-14", "x", "1.00"]]}, "no account"),
        ({"posted": [["savings", "yesterday", "x", "1.00"]]}, "isoformat"),
        ({"posted": [["savings", "2026-11-14", "x", "1.005"]]}, "no sum"),
        ({"posted": [["savings", "2026-11-14", "x", 1.0]]}, "no sum"),
        ({"posted": [["savings", "2026-11-14", "x", "NaN"]]}, "no sum"),
        ({"posted": [["savings"]]}, "no bank"),
        ({"posted": None}, "no bank"),
        ({"cards": [CARD, CARD]}, "last four"),
        ({"cards": [{**CARD, "status": "eaten"}]}, "status"),
        ({"cards": [{**CARD, "type": "gift"}]}, "type"),
        ({"cards": [{**CARD, "last_four": "407"}]}, "last four"),
        ({"cards": [{**CARD, "colour": "red"}]}, "no bank"),
        ({"cases": [["F-1", "9999", "89.00"]]}, "no card"),
        ({"cases": [[1, "4071", "89.00"]]}, "no text"),
        ({"bills": [["Verizon", "forty"]]}, "no sum"),
        ({"queue": "pizza"}, "queue"),
        ({"queue": []}, "no bank"),
    ],
)
def test_damaged_data_is_refused(wrong: dict[str, Any], why: str) -> None:
    assert BANK.dump(BANK.read(GOOD)) == GOOD
    with pytest.raises(ValueError, match=why):
        BANK.read({**GOOD, **wrong})


@pytest.mark.parametrize("data", [None, [], {}, "bank"])
def test_other_data_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="no bank"):
        BANK.read(data)


# Sums.


@pytest.mark.parametrize(
    ("value", "text", "whole"),
    [
        (200, "$200.00", True),
        (1234.5, "$1,234.50", True),
        (0.1 + 0.2, "$0.30000000000000004", False),
        (19.99, "$19.99", True),
        (-5, "-$5.00", True),
        (1e6, "$1,000,000.00", True),
        (10.005, "$10.005", False),
    ],
)
def test_sums_are_exact(value: float, text: str, whole: bool) -> None:
    amount = money.amount_of(value)
    assert (money.dollars(amount), money.is_whole_cents(amount)) == (text, whole)


@pytest.mark.parametrize("value", ["5", True, None, math.nan, math.inf])
def test_what_is_no_number_is_no_sum(value: Any) -> None:
    with pytest.raises(ValueError, match="no amount"):
        money.amount_of(value)


# What no sequence of calls can break.


def held(state: BankState) -> Decimal:
    """What the customer has, less what is owed."""
    return balance(state, "checking") + balance(state, "savings") - balance(state, "credit")


@given(st.lists(CALLS, max_size=12))
def test_no_calls_break_the_books(calls: list[ToolCall]) -> None:
    journal = Journal.begin(BANK)
    for number, each in enumerate(calls):
        before = journal.state
        journal = take(BANK, journal, number, each)
        state = journal.state
        for account, opening in OPENING.items():
            entries = [entry.amount for entry, _ in ledger(state, account)]
            assert balance(state, account) == opening + sum(entries) >= 0
        away = [bill.amount for bill in state.bills if bill.payee != "credit card"]
        assert held(state) == held(BANK.begin()) - sum(away)
        for card in before.cards:
            now = card_with(state, card.last_four)
            assert now is not None
            assert now.status == card.status or card.status != "cancelled"
    assert Journal.read(BANK, same_json(journal.record())).state == journal.state
    assert undo_all(journal).state == BANK.begin()


@given(st.integers(1, 420_332))
def test_a_transfer_and_back_leaves_every_balance(cents: int) -> None:
    there = ToolCall("transfer_money", {"amount": cents / 100, "from_account": "savings"})
    back = ToolCall("transfer_money", {"amount": cents / 100, "to_account": "savings"})
    begin = BANK.begin()
    moved = BANK.apply(begin, there)
    returned = BANK.apply(moved.state, back)
    assert moved.ok
    assert returned.ok
    assert balance(moved.state, "savings") == balance(begin, "savings") - Decimal(cents) / 100
    for account in OPENING:
        assert balance(returned.state, account) == balance(begin, account)
