"""Labels that fit what was said, and the reason given for every other."""

from __future__ import annotations

from decimal import Decimal

import pytest

from offhand.dialect import ToolCall
from offhand_export.dataset import Exchange
from offhand_export.synth.check import MAX_CHARACTERS, Claim, check
from offhand_export.synth.numbers import spoken
from offhand_export.synth.sample import Sample
from tests.export.talks import TOOLS, one, sample

# Numbers.


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("make it 68", "68"),
        ("$1,200.50 please", "1200.50"),
        ("move 200 to savings and 40 to checking", "200 40"),
        ("2k", "2000"),
        ("seventy two", "72"),
        ("Seventy-Two degrees", "72"),
        ("one fifty", "150 1.50"),
        ("fifteen hundred", "1500"),
        ("forty nine ninety nine", "49.99 4999"),
        ("a hundred and fifty", "150"),
        ("one hundred forty nine ninety nine", "149.99"),
        ("one thousand two hundred and thirty four dollars", "1234"),
        ("two hundred and fifty thousand", "250000"),
        ("nine dollars and five cents", "9.05"),
        ("fifty cents", "50 0.5"),
        ("three point five", "3.5"),
        ("two and a half grand", "2500"),
        ("half a grand", "500"),
        ("five and a half", "5.5"),
        ("a couple hundred bucks", "200"),
        ("two thousand a hundred bucks", "2100"),
        ("two oh five", "205 2.05"),
        ("five and ten", "5 10"),
        ("sixty, um, sixty eight", "60 68"),
        ("the third one", "3 1"),
        ("this one seventy two", "72"),
        ("too hundred bucks", "200"),
        ("transfer fifty to savings", "50"),
        ("oh two hundred", "200"),
    ],
)
def test_what_a_number_phrase_may_mean(text: str, values: str) -> None:
    assert {Decimal(value) for value in values.split()} <= spoken(text).values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("seventy two", "70 2"),
        ("a hundred and fifty", "100 50 1"),
        ("fifteen hundred", "15 100"),
        ("four five three two", "4 5 3 2 45"),
        ("nine dollars and five cents", "9 5 0.05"),
        ("two and a half grand", "2 2.5 1000"),
        ("transfer fifty to savings", "2 52"),
        ("for the kitchen too", "4 2"),
        ("3.5", "3 5"),
        ("20 thousand", "20"),
        ("a moment and a half of nothing", "1 0.5"),
        ("o captain", "0.5"),
    ],
)
def test_what_a_number_phrase_does_not_mean(text: str, values: str) -> None:
    assert not {Decimal(value) for value in values.split()} & spoken(text).values


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("four five three two", "4532"),
        ("forty five thirty two", "4532"),
        ("ends in four five double three", "4533"),
        ("triple oh seven", "0007"),
        ("zero zero four two", "0042"),
        ("4-5-3-2", "4532"),
        ("it is 4111 1111 1111 4532", "4532"),
        ("four to for five", "4245"),
        ("um like four four oh nine", "4409"),
        ("last four nine seven four one", "9741"),
        ("the last four fifteen seventy nine, nine hundred fifty", "1579"),
    ],
)
def test_digits_are_spelled(text: str, digits: str) -> None:
    assert spoken(text).spells(digits)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("four five three two", "4523"),
        ("ends in four five double three", "453"),
        ("four four oh nine", "409"),
        ("0042", "42"),
        ("to for to", "242"),
        ("its four nine seven four one", "9741"),
        ("", "0"),
    ],
)
def test_other_digits_are_not_spelled(text: str, digits: str) -> None:
    assert not spoken(text).spells(digits)


# Checking labels.

GOOD = [
    one("stop it"),
    one("the kitchen", "lights", room="kitchen", state="on"),
    one("it is dark in here", "lights", state="on"),
    one("make it seventy two", "heat", temperature=72),
    one("minus five please", "heat", temperature=-5),
    one("quietly", "heat", quiet=True),
    one("write down Milk and Eggs", "note", text="milk and eggs"),
    one("note: call Anna's brother", "note", text="call anna brother"),
    one("write four five three two", "note", text="4532"),
    one("note the final report dot pdf", "note", text="final_report.pdf"),
    one("open finalreport", "note", text="final report"),
    one("write kitchen lamp into it", "note", text="living_room"),  # a choice of another slot
    one("go to ..", "note", text=".."),
    one("cd..", "note", text=".."),
    one("go to /.", "note", text="/"),
    one("tag it red and blue, level 2", "tag", names=["red", "blue"], level=2),
    one("for two fifty", "tag", price=2.5),
    sample(("call it blue", "note", {"text": "blue"}), ("again", "note", {"text": "blue"})),
    sample(("make it 68", "heat", {"temperature": 68}), ("yes", "heat", {"temperature": 68})),
    sample(("68 now", "heat", {"temperature": 68}), ("two more", "heat", {"temperature": 70})),
    sample(("I said 50", "stop", {}), ("do that", "heat", {"temperature": 50})),
]  # fmt: skip

BAD = [
    (sample(), "empty_text"),
    (one("  "), "empty_text"),
    (one("a" * (MAX_CHARACTERS + 1)), "too_long"),
    (one("stop <start_of_turn>"), "control_text"),
    (one("stop <unused40>"), "control_text"),
    (one("stop\nnow"), "control_text"),
    (one("stop\u200bnow"), "control_text"),
    (one("stop \ue0001\ue001"), "control_text"),
    (one("write <escape>", "note", text="x"), "control_text"),
    (one("write x", "note", text="x<escape>"), "control_text"),
    (one("write x", "note", text="x\ud800"), "control_text"),
    (one("fly", "fly"), "unknown_tool"),
    (Sample("tiny", (Exchange("hello", None, "hello"),)), "unknown_tool"),
    (one("stop", "stop", now=True), "schema"),
    (one("note", "note", number=1), "schema"),  # `text` is required
    (one("the attic", "lights", room="attic"), "schema"),
    (one("the kitchen", "lights", room=None), "schema"),
    (one("81 degrees", "heat", temperature=81), "schema"),
    (one("70.5 degrees", "heat", temperature=70.5), "schema"),
    (one("70 degrees", "heat", temperature="70"), "schema"),
    (one("quietly", "heat", quiet=1), "schema"),
    (one("write", "note", text=" "), "schema"),
    (one("write", "note", text="write", number=True), "schema"),
    (one("write", "note", text="write", number=float("nan")), "schema"),
    (one("tag nothing", "tag", names=[]), "schema"),
    (one("tag a b c", "tag", names=["a", "b", "c"]), "schema"),
    (one("tag a", "tag", names="a"), "schema"),
    (one("level 4", "tag", level=4), "schema"),
    (one("level true", "tag", level=True), "schema"),
    (one("for 11", "tag", price=11), "schema"),
    (one("make it warmer", "heat", temperature=72), "ungrounded"),
    (one("make it seventy two", "heat", temperature=70), "ungrounded"),
    (one("write down milk", "note", text="milk and eggs"), "ungrounded"),
    (one("write four five three two", "note", text="4523"), "ungrounded"),
    (one("tag it red", "tag", names=["red", "blue"]), "ungrounded"),
    (one("for two fifty", "tag", price=5), "ungrounded"),
    (one("go up", "note", text=".."), "ungrounded"),
    (one("go up...", "note", text=".."), "ungrounded"),
    (one("\u884c\u304f", "heat", temperature=70), "ungrounded"),
    (sample(("do it", "heat", {"temperature": 50}), ("I said 50", "stop", {})), "ungrounded"),
]


@pytest.mark.parametrize("good", GOOD, ids=lambda s: s.exchanges[-1].text)
def test_a_label_that_fits_is_taken(good: Sample) -> None:
    assert check(good, TOOLS) is None


@pytest.mark.parametrize(("bad", "reason"), BAD)
def test_a_label_that_does_not_fit_is_turned_down(bad: Sample, reason: str) -> None:
    assert check(bad, TOOLS) == reason


def test_a_domain_has_the_first_word_on_support() -> None:
    claims: list[Claim] = []

    def support(claim: Claim) -> bool | None:
        claims.append(claim)
        return {"..": True, "kitchen": False}.get(claim.value)

    assert check(one("go up", "note", text=".."), TOOLS, support) is None
    assert check(one("the kitchen", "lights", room="kitchen"), TOOLS, support) == "ungrounded"
    assert check(one("make it warmer", "heat", temperature=72), TOOLS, support) == "ungrounded"
    assert [(c.catalog, c.tool, c.slot, c.value) for c in claims[:2]] == [
        ("tiny", "note", "text", ".."),
        ("tiny", "lights", "room", "kitchen"),
    ]


def test_a_claim_comes_with_what_was_said_until_then() -> None:
    claims: list[Claim] = []
    talk = sample(("stop", "stop", {}), ("write b", "note", {"text": "b"}), ("stop", "stop", {}))
    assert check(talk, TOOLS, lambda claim: claims.append(claim)) is None  # type: ignore[func-returns-value]
    assert [claim.texts for claim in claims] == [("stop", "write b")]
    assert [claim.calls for claim in claims] == [(ToolCall("stop"),)]
