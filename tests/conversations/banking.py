"""Conversations with the bank."""

from __future__ import annotations

from tests.conversations.script import Script, called, clicked, reload, said, stale

CHECKING, SAVINGS, OWED = "$2,431.23", "$4,203.32", "$433.18"
BEFORE = {"account.checking": CHECKING, "account.savings": SAVINGS, "account.credit": OWED}
YES_NO = ("Yes", "No")

MOVE = said(
    "Transfer $200 from savings to checking",
    "confirm",
    "$200.00 from savings to checking?",
    called("transfer_money", amount=200, from_account="savings"),
    BEFORE,
    YES_NO,
)
MOVED = {"account.checking": "$2,631.23", "account.savings": "$4,003.32"}
CANCEL = said(
    "Cancel my debit card ending in 4071, it was stolen",
    "confirm",
    "ending in 4071",
    called("cancel_card", card_last_four="4071", reason="stolen"),
    {"card.4071": "active"},
    YES_NO,
)
HAND_OVER = "Hand over to a person"

BANKING = (
    Script(
        "an account is asked for and chosen",
        (
            said(
                "check my balance",
                "ask",
                "Which account?",
                called("check_balance"),
                offers=(f"Checking, {CHECKING}", f"Savings, {SAVINGS}"),
            ),
            clicked(f"Savings, {SAVINGS}", "answer", f"Savings has {SAVINGS}."),
            said(
                "How much is in checking?",
                "answer",
                f"Checking has {CHECKING}.",
                called("check_balance", account_type="checking"),
            ),
        ),
    ),
    Script(
        "a bill is paid with typed answers",
        (
            said(
                "Pay the Verizon bill",
                "ask",
                "How much?",
                called("pay_bill", payee="Verizon"),
                offers=("$45.00, as last time",),
            ),
            said("60", "ask", "From which account?", offers=(f"Checking, {CHECKING}",)),
            said("checking", "confirm", "Pay $60.00 to Verizon from checking?", facts=BEFORE),
            said(
                "yes please",
                "done",
                "Paid $60.00 to Verizon",
                facts={"account.checking": "$2,371.23", "bill": "Verizon $60.00"},
            ),
            said("undo", "done", "Undone", facts={**BEFORE, "bill": None}),
        ),
    ),
    Script(
        "a bill is paid with clicks",
        (
            said("Pay the Verizon bill", "ask", "How much?", called("pay_bill", payee="Verizon")),
            clicked("$45.00, as last time", "ask", "From which account?"),
            clicked(f"Savings, {SAVINGS}", "confirm", "$45.00 to Verizon from savings?", BEFORE),
            clicked(
                "Yes",
                "done",
                "Paid $45.00",
                {"account.savings": "$4,158.32", "bill": "Verizon $45.00"},
                ("Undo",),
            ),
        ),
    ),
    Script(
        "a transfer is corrected before it is made",
        (
            MOVE,
            said(
                "no, make it 150",
                "confirm",
                "$150.00 from savings to checking?",
                called("transfer_money", amount=150, from_account="savings"),
                BEFORE,
            ),
            said(
                "yes",
                "done",
                "Moved $150.00 from savings to checking.",
                facts={"account.checking": "$2,581.23", "account.savings": "$4,053.32"},
            ),
            clicked("Undo", "done", "Undone", BEFORE),
            stale("Undo", BEFORE),
        ),
    ),
    Script(
        "a transfer is corrected after it was made",
        (
            MOVE,
            said("yes", "done", "Moved $200.00", facts=MOVED),
            said(
                "no, 150",
                "confirm",
                "Instead of that: Move $150.00 from savings to checking?",
                called("transfer_money", amount=150, from_account="savings"),
                MOVED,
            ),
            clicked("No", "said", "it stays as it was", MOVED),
            said("undo", "done", "Undone", facts=BEFORE),
        ),
    ),
    Script(
        "a transfer is not made",
        (
            MOVE,
            clicked("No", "said", "nothing was done", BEFORE),
            MOVE,
            said("cancel that", "said", "nothing was done", facts=BEFORE),
            stale("Yes", BEFORE),
            said("undo", "said", "There is nothing to undo.", facts=BEFORE),
        ),
    ),
    Script(
        "there is not enough money",
        (
            said(
                "Transfer $9,000 from checking to savings",
                "refused",
                f"Checking has {CHECKING}, not enough to move $9,000.00.",
                called("transfer_money", amount=9000, from_account="checking"),
                BEFORE,
            ),
            said(
                "Transfer $100 from checking to savings",
                "confirm",
                "$100.00 from checking to savings?",
                called("transfer_money", amount=100, from_account="checking"),
            ),
            said("yes", "done", facts={"account.checking": "$2,331.23"}),
        ),
    ),
    Script(
        "there is no such card",
        (
            said(
                "Cancel my card ending in 1234",
                "refused",
                "No card of yours ends in 1234.",
                called("cancel_card", card_last_four="1234"),
                {"card.4071": "active", "card.8830": "active"},
            ),
            said(
                "Cancel my credit card ending in 8830",
                "confirm",
                "ending in 8830",
                called("cancel_card", card_last_four="8830"),
                {"card.8830": "active"},
            ),
            clicked("No", "said", "nothing was done", {"card.8830": "active"}),
        ),
    ),
    Script(
        "a card is cancelled and brought back",
        (
            CANCEL,
            said("no", "said", "nothing was done", facts={"card.4071": "active"}),
            CANCEL,
            clicked("Yes", "done", "Cancelled", {"card.4071": "cancelled"}),
            said("undo", "done", "Undone", facts={"card.4071": "active"}),
        ),
    ),
    Script(
        "a new card is activated once",
        (
            said(
                "Activate my new card",
                "ask",
                "Which card?",
                called("activate_card"),
                {"card.2296": "not activated"},
                ("Debit card ending in 2296",),
            ),
            clicked("Debit card ending in 2296", "confirm", "ending in 2296"),
            clicked("Yes", "done", "is active now", {"card.2296": "active"}),
            said(
                "Activate the card ending in 2296",
                "refused",
                "is active already",
                called("activate_card", card_last_four="2296"),
                {"card.2296": "active"},
            ),
        ),
    ),
    Script(
        "a charge is reported",
        (
            said(
                "There's a charge of 89 dollars on my credit card I never made",
                "confirm",
                "The card will be blocked.",
                called("report_fraud", card_type="credit", transaction_amount=89),
                {"card.8830": "active", "case.F-1": None},
            ),
            said(
                "yes",
                "done",
                "Blocked the credit card ending in 8830",
                facts={"card.8830": "blocked", "case.F-1": "$89.00"},
            ),
            said("undo that", "done", "Undone", facts={"card.8830": "active", "case.F-1": None}),
        ),
    ),
    Script(
        "a person on request",
        (
            said(
                "I want to speak to someone about a loan",
                "handover",
                "the loans team",
                called("speak_to_human", department="loans"),
                {"queue": "loans"},
            ),
            said("undo", "done", "Undone", facts={"queue": None}),
            said("talk to a person", "handover", "in the queue", called("speak_to_human")),
        ),
    ),
    Script(
        "what is not understood ends with a person",
        (
            said("What's the weather like?", "unclear", call=called("intent_unclear")),
            said("Turn on the kitchen lights", "unclear", call=called("intent_unclear")),
            said("Tell me a joke", "unclear", call=called("intent_unclear"), offers=(HAND_OVER,)),
            clicked(HAND_OVER, "handover", "in the queue", {"queue": "general"}),
            said(
                "How much is in savings?",
                "answer",
                SAVINGS,
                called("check_balance", account_type="savings"),
            ),
        ),
    ),
    Script(
        "another topic and back",
        (
            MOVE,
            said(
                "How much is in savings?",
                "answer",
                f"Savings has {SAVINGS}.",
                called("check_balance", account_type="savings"),
                BEFORE,
            ),
            stale("Yes", BEFORE),
            MOVE,
            said("confirm", "done", "Moved $200.00", facts=MOVED),
            said(
                "How much is in savings?",
                "answer",
                "Savings has $4,003.32.",
                called("check_balance", account_type="savings"),
            ),
        ),
    ),
    Script(
        "a statement shows what was done",
        (
            MOVE,
            clicked("Yes", "done", "Moved $200.00", MOVED),
            said(
                "Show me my checking statement",
                "ask",
                "time?",
                called("get_statement", account_type="checking"),
                offers=("Last month",),
            ),
            clicked("Last month", "answer", "checking statement", shows="Transfer from savings"),
        ),
    ),
    Script(
        "two payments are undone",
        (
            said(
                "Pay $100 on my credit card from checking",
                "confirm",
                "Pay $100.00 to the credit card from checking?",
                called("pay_bill", amount=100, from_account="checking"),
            ),
            said("yes", "done", facts={"account.credit": "$333.18"}),
            said(
                "Pay Metro Water $31.50 from checking",
                "confirm",
                "Pay $31.50 to Metro Water from checking?",
                called("pay_bill", amount=31.5, payee="Metro Water"),
            ),
            said("yes", "done", facts={"bill": "Metro Water $31.50"}),
            clicked("Undo", "done", "Metro Water", {"account.checking": "$2,331.23"}),
            clicked("Undo", "done", "credit card", BEFORE),
            said("undo", "said", "There is nothing to undo."),
        ),
    ),
    Script(
        "a reload in the middle of a question",
        (
            MOVE,
            reload(BEFORE, YES_NO),
            said("yes", "done", "Moved $200.00", facts=MOVED),
            reload(MOVED, ("Undo",)),
            said("undo", "done", "Undone", facts=BEFORE),
        ),
    ),
    Script(
        "a reload before an answer is typed",
        (
            said("Pay the Verizon bill", "ask", "How much?", called("pay_bill", payee="Verizon")),
            reload(BEFORE, ("$45.00, as last time",)),
            said("45", "ask", "From which account?"),
            said("never mind", "said", "nothing was done", facts=BEFORE),
        ),
    ),
    Script(
        "good manners and help",
        (
            said("Hello", "answer", "Hello", called("greeting")),
            said("what can you do?", "said", "Try"),
            said(
                "I need a replacement for my credit card",
                "confirm",
                "in place of the credit card ending in 8830?",
                called("replace_card", card_type="credit"),
            ),
            said("never mind", "said", "nothing was done", facts={"card.8830": "active"}),
            said("Thank you", "answer", "welcome", called("thank_you")),
        ),
    ),
)
