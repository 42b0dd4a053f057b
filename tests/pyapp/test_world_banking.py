"""The bank: what every tool does, says and refuses, in tables."""

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


@pytest.mark.parametrize(
    "number", ["4071", "40 71", "4-0-7-1", "1234 5678 9012 4071", "ending 4071"]
)
def test_a_card_number_is_read_leniently(number: str) -> None:
    state = BANK.begin()
    outcome = BANK.apply(state, ToolCall("cancel_card", {"card_last_four": number}))
    assert outcome.changed == ("card.4071",)
