"""The bank: what every tool does, says, refuses, offers and asks first."""

from __future__ import annotations

from typing import Any

import pytest

from offhand.dialect import ToolCall
from offhand.world import Outcome
from offhand.worlds.banking import Bank
from tests.pyapp.world_checks import call, state_after

BANK = Bank()

CANCEL_ALL = [f"cancel_card card_last_four={four}" for four in ("4071", "2296", "8830")]
NEW_CARD = "replace_card card_last_four=4071"


def after(before: list[str], spelled: str) -> tuple[Any, Outcome]:
    """The state after some calls, and what one more comes to."""
    state = state_after(BANK, before)
    return state, BANK.apply(state, call(spelled))


DONE = [
    ([], "check_balance account_type=checking", "Checking has $2,431.23.", ""),
    ([], "check_balance account_type=savings", "Savings has $4,203.32.", ""),
    ([], "check_balance account_type=credit", "You owe $433.18 on the credit card.", ""),
    (
        [],
        "transfer_money amount=200 from_account=savings to_account=checking",
        "Moved $200.00 from savings to checking. Savings has $4,003.32 left.",
        "account.savings account.checking",
    ),
    (
        [],
        "transfer_money amount=0.5 to_account=savings",
        "Moved $0.50 from checking to savings. Checking has $2,430.73 left.",
        "account.checking account.savings",
    ),
    (
        [],
        "transfer_money amount=2431.23 from_account=checking",
        "Moved $2,431.23 from checking to savings. Checking has $0.00 left.",
        "account.checking account.savings",
    ),
    (
        [],
        "pay_bill payee=verizon amount=45 from_account=checking",
        "Paid $45.00 to Verizon from checking. Checking has $2,386.23 left.",
        "account.checking bill",
    ),
    (
        [],
        "pay_bill payee=electric amount=58.3 from_account=savings",
        "Paid $58.30 for the electric bill from savings. Savings has $4,145.02 left.",
        "account.savings bill",
    ),
    (
        [],
        "pay_bill payee=credit_card amount=433.18 from_account=checking",
        "Paid $433.18 to the credit card from checking. Checking has $1,998.05 left.",
        "account.checking account.credit bill",
    ),
    (
        [],
        "cancel_card card_last_four=4071 reason=lost",
        "Cancelled the debit card ending in 4071. Ask for a replacement if you need one.",
        "card.4071",
    ),
    (
        [],
        "cancel_card card_type=credit",
        "Cancelled the credit card ending in 8830. Ask for a replacement if you need one.",
        "card.8830",
    ),
    (
        [],
        NEW_CARD,
        "Ordered a new debit card, ending in 1238, in place of the one ending in 4071.",
        "card.4071 card.1238",
    ),
    (
        [],
        "activate_card card_last_four=2296",
        "The debit card ending in 2296 is active now.",
        "card.2296",
    ),
    (
        [],
        "report_fraud card_type=credit transaction_amount=89",
        "Blocked the credit card ending in 8830 and opened case F-1 for the charge of $89.00 "
        "by Brightline Electronics on Nov 9.",
        "card.8830 case.F-1",
    ),
    (
        ["report_fraud card_type=credit transaction_amount=89"],
        "report_fraud card_last_four=8830 transaction_amount=7",
        "Opened case F-2 for the charge of $7.00.",
        "card.8830 case.F-2",
    ),
    (
        ["report_fraud card_type=credit transaction_amount=89"],
        "report_fraud card_last_four=8830 transaction_amount=89",
        "Case F-1 is open for that charge already.",
        "",
    ),
    (
        [],
        "reset_pin card_type=debit",
        "Reset the PIN of the debit card ending in 4071. Choose a new one at any cash machine.",
        "card.4071",
    ),
    (
        ["reset_pin card_last_four=4071"],
        "reset_pin card_last_four=4071",
        "The PIN of the debit card ending in 4071 was reset already.",
        "",
    ),
    (
        [],
        "speak_to_human department=loans",
        "You are in the queue for the loans team. Someone will be with you soon.",
        "queue",
    ),
    (
        ["speak_to_human"],
        "speak_to_human department=general",
        "You are in the queue for customer service already.",
        "",
    ),
    ([], "thank_you", "You are welcome.", ""),
    ([], "goodbye", "Goodbye, and take care.", ""),
]


@pytest.mark.parametrize(("before", "spelled", "text", "changed"), DONE)
def test_a_call_does_what_it_says(before: list[str], spelled: str, text: str, changed: str) -> None:
    state, outcome = after(before, spelled)
    assert (outcome.ok, outcome.text) == (True, text)
    assert outcome.changed == tuple(changed.split())
    if not changed:
        assert outcome.state is state


REFUSED = [
    (
        [],
        "transfer_money amount=9000 from_account=savings",
        "Savings has $4,203.32, not enough to move $9,000.00.",
    ),
    (
        [],
        "transfer_money amount=2431.24 from_account=checking",
        "Checking has $2,431.23, not enough to move $2,431.24.",
    ),
    (
        [],
        "transfer_money amount=5 from_account=savings to_account=savings",
        "That is savings twice. The other account is checking.",
    ),
    ([], "transfer_money amount=0 to_account=savings", "The sum to move has to be more than zero."),
    (
        [],
        "transfer_money amount=-5 to_account=savings",
        "The sum to move has to be more than zero.",
    ),
    ([], "transfer_money amount=10.005 to_account=savings", "$10.005 is no sum in whole cents."),
    (
        [],
        "pay_bill payee=rent amount=2500 from_account=checking",
        "Checking has $2,431.23, not enough to pay $2,500.00.",
    ),
    (
        [],
        "pay_bill payee=rent amount=0 from_account=checking",
        "The sum to pay has to be more than zero.",
    ),
    (
        [],
        "pay_bill payee=credit_card amount=433.19 from_account=checking",
        "You owe $433.18 on the credit card, no more.",
    ),
    (
        [],
        "cancel_card card_last_four=1111",
        "No card of yours ends in 1111. They end in 4071, 2296 and 8830.",
    ),
    (
        [],
        "cancel_card card_type=credit card_last_four=4071",
        "The card ending in 4071 is a debit card.",
    ),
    (
        [CANCEL_ALL[0]],
        CANCEL_ALL[0],
        "The debit card ending in 4071 is cancelled already.",
    ),
    (
        [CANCEL_ALL[2]],
        "cancel_card card_type=credit",
        "There is no credit card that could be cancelled.",
    ),
    (
        [NEW_CARD],
        NEW_CARD,
        "A replacement for the debit card ending in 4071 is on its way already.",
    ),
    (
        [NEW_CARD],
        "replace_card card_last_four=1238",
        "The debit card ending in 1238 is a new one and still in the mail.",
    ),
    (
        [NEW_CARD],
        "activate_card card_last_four=1238",
        "The debit card ending in 1238 is still in the mail. Activate it when it arrives.",
    ),
    (
        [],
        "activate_card card_last_four=4071",
        "The debit card ending in 4071 is active already.",
    ),
    (CANCEL_ALL, "activate_card", "There is no card that could be activated."),
    (
        [],
        "reset_pin card_last_four=2296",
        "The debit card ending in 2296 has to be activated first.",
    ),
    (
        CANCEL_ALL,
        "reset_pin card_last_four=8830",
        "The credit card ending in 8830 is cancelled and has no PIN.",
    ),
    (
        [],
        "report_fraud card_last_four=2296 transaction_amount=5",
        "The debit card ending in 2296 was never activated, so nothing can be charged to it.",
    ),
    (
        [],
        "report_fraud card_last_four=8830 transaction_amount=0",
        "The charge has to be more than zero.",
    ),
]


@pytest.mark.parametrize(("before", "spelled", "text"), REFUSED)
def test_what_cannot_be_is_refused_in_words(before: list[str], spelled: str, text: str) -> None:
    state, outcome = after(before, spelled)
    assert (outcome.ok, outcome.text) == (False, text)
    assert outcome.state is state
    assert BANK.danger(state, call(spelled)) is None


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
    ([CANCEL_ALL[1]], "cancel_card card_type=debit", "", []),
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


@pytest.mark.parametrize(
    "number", ["4071", "40 71", "4-0-7-1", "1234 5678 9012 4071", "ending 4071"]
)
def test_a_card_number_is_read_leniently(number: str) -> None:
    state = BANK.begin()
    outcome = BANK.apply(state, ToolCall("cancel_card", {"card_last_four": number}))
    assert outcome.changed == ("card.4071",)
