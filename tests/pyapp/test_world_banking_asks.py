"""The bank: what it asks for, what it offers to choose from, and what it has confirmed first."""

from __future__ import annotations

from typing import Any

import pytest

from offhand.worlds.banking import Bank
from tests.pyapp.world_checks import call, state_after

BANK = Bank()

NEW_CARD = "replace_card card_last_four=4071"

MISSING: list[tuple[list[str], str, str, list[Any]]] = [
    ([], "check_balance", "account_type", ["checking", "savings", "credit"]),
    ([], "get_statement", "account_type period", ["checking", "savings", "credit"]),
    (
        [],
        "get_statement account_type=credit",
        "period",
        ["last_month", "last_3_months", "last_year"],
    ),
    ([], "transfer_money", "amount from_account", []),
    ([], "transfer_money amount=5", "from_account", ["checking", "savings"]),
    ([], "transfer_money amount=5 to_account=checking", "", []),
    (
        [],
        "pay_bill",
        "payee amount from_account",
        ["Verizon", "City Electric", "Metro Water", "credit card"],
    ),
    ([], "pay_bill payee=electric from_account=checking", "amount", [58.3]),
    ([], "pay_bill payee=credit_card", "amount from_account", [433.18]),
    ([], "pay_bill payee=Aunt_Linda", "amount from_account", []),
    ([], "pay_bill payee=_ amount=5 from_account=savings", "payee", []),
    ([], "cancel_card", "card_last_four", ["4071", "2296", "8830"]),
    ([], "cancel_card card_type=debit", "card_last_four", ["4071", "2296"]),
    (["cancel_card card_last_four=2296"], "cancel_card card_type=debit", "", []),
    ([], "replace_card card_type=debit", "card_last_four", ["4071", "2296"]),
    ([NEW_CARD], "replace_card card_type=debit", "", []),
    ([], "activate_card", "card_last_four", ["2296"]),
    (["activate_card card_last_four=2296"], "activate_card", "", []),
    ([], "reset_pin card_type=debit", "", []),
    ([], "reset_pin", "card_last_four", ["4071", "8830"]),
    ([], "report_fraud", "card_last_four transaction_amount", ["4071", "8830"]),
    ([], "report_fraud card_type=credit", "transaction_amount", [36.5, 41.3, 11.99, 89.0]),
    ([], "speak_to_human", "", []),
]


@pytest.mark.parametrize(("before", "spelled", "slots", "values"), MISSING)
def test_what_is_missing_is_asked_in_order_and_offered(
    before: list[str], spelled: str, slots: str, values: list[Any]
) -> None:
    state = state_after(BANK, before)
    missing = BANK.missing(state, call(spelled))
    assert missing == tuple(slots.split())
    if values:
        options = BANK.options(state, call(spelled), missing[0])
        assert [option.value for option in options] == values


def test_options_carry_what_helps_to_choose() -> None:
    state = BANK.begin()

    def labels(spelled: str, slot: str) -> list[str]:
        return [option.label for option in BANK.options(state, call(spelled), slot)]

    assert labels("check_balance", "account_type")[1:] == [
        "Savings, $4,203.32",
        "Credit card, $433.18 owed",
    ]
    assert labels("activate_card", "card_last_four") == ["Debit card ending in 2296"]
    assert labels("pay_bill payee=Verizon", "amount") == ["$45.00, as last time"]
    fraud = labels("report_fraud card_type=credit", "transaction_amount")
    assert fraud[-1] == "$89.00, Brightline Electronics, Nov 9"
    assert labels("report_fraud", "transaction_amount") == []
    assert labels("transfer_money", "amount") == []


QUESTIONS = [
    ("transfer_money amount=200 to_account=checking", "Move $200.00 from savings to checking?"),
    (
        "pay_bill payee=Verizon amount=45 from_account=checking",
        "Pay $45.00 to Verizon from checking?",
    ),
    (
        "cancel_card card_last_four=4071 reason=stolen",
        "Cancel the debit card ending in 4071 for good, as stolen?",
    ),
    (
        "cancel_card card_type=credit reason=other",
        "Cancel the credit card ending in 8830 for good?",
    ),
    (NEW_CARD, "Order a new card in place of the debit card ending in 4071?"),
    (
        "report_fraud card_type=credit transaction_amount=89",
        "Report a charge of $89.00 on the credit card ending in 8830 as fraud? "
        "The card will be blocked.",
    ),
    ("reset_pin card_type=debit", "Reset the PIN of the debit card ending in 4071?"),
    ("transfer_money amount=200", None),
    ("activate_card card_last_four=2296", None),
    ("check_balance account_type=savings", None),
    ("speak_to_human", None),
]


@pytest.mark.parametrize(("spelled", "question"), QUESTIONS)
def test_the_question_names_all_particulars(spelled: str, question: str | None) -> None:
    assert BANK.danger(BANK.begin(), call(spelled)) == question


@pytest.mark.parametrize(
    ("spelled", "command"),
    [
        ("check_balance account_type=savings", "Check the savings balance"),
        (
            "get_statement account_type=credit period=last_year",
            "Get the credit statement for the last year",
        ),
        ("get_statement", "Get a statement"),
        ("transfer_money", "Transfer money"),
        ("transfer_money amount=50", "Transfer $50.00"),
        (
            "transfer_money amount=50 from_account=savings",
            "Transfer $50.00 from savings to checking",
        ),
        ("cancel_card", "Cancel a card"),
        ("cancel_card card_type=debit reason=lost", "Cancel the debit card as lost"),
        ("replace_card card_last_four=4071", "Replace the card ending in 4071"),
        ("activate_card card_last_four=2296", "Activate the card ending in 2296"),
        ("report_fraud", "Report a charge on a card"),
        (
            "report_fraud transaction_amount=89 card_type=credit",
            "Report a charge of $89.00 on the credit card",
        ),
        ("reset_pin card_type=debit", "Reset the PIN of the debit card"),
        ("pay_bill", "Pay a bill"),
        ("pay_bill amount=12.5", "Pay $12.50"),
        ("pay_bill payee=gas amount=12.5", "Pay $12.50 for the gas bill"),
        ("pay_bill payee=rent from_account=savings", "Pay money for the rent from savings"),
        ("pay_bill payee=Verizon amount=45", "Pay $45.00 to Verizon"),
        ("speak_to_human", "Connect to a person"),
        ("speak_to_human department=fraud", "Connect to the fraud team"),
    ],
)
def test_calls_are_described_as_commands(spelled: str, command: str) -> None:
    assert BANK.describe(call(spelled)) == command
