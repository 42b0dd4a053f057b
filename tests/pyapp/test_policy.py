"""The policy of a catalog: what it may say, and what it makes of a call."""

from __future__ import annotations

from typing import Any

import pytest

from offhand import CatalogError, ToolCall
from offhand.policy import Policy, judge, parse_policy
from tests.pyapp.agent_parts import Lamps, LampWorld, lamp, lamp_catalog

TOOLS = lamp_catalog().tools


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ([], "policy that is no object"),
        ({"tier": {}}, "unknown field 'tier'"),
        ({"tiers": []}, "tiers that is no object"),
        ({"tiers": {"sing": "act"}}, "names 'sing'"),
        ({"tiers": {"lamp": "risky"}}, "gives lamp the tier 'risky'"),
        ({"tiers": {"lamp": ["act"]}}, "gives lamp the tier"),
        ({"thresholds": 0.5}, "thresholds that is no object"),
        ({"thresholds": {"danger": 0.5}}, "a threshold of 'danger'"),
        ({"thresholds": {"act": 1.5}}, "act = 1.5"),
        ({"thresholds": {"act": True}}, "act = True"),
        ({"thresholds": {"look": "high"}}, "look = 'high'"),
        ({"clarify": -0.1}, "clarify = -0.1"),
        ({"clarify": float("nan")}, "clarify = nan"),
        ({"unclear": "what"}, "unclear that is no list"),
        ({"unclear": ["sing"]}, "names 'sing'"),
        ({"handover": [["what"]]}, r"names \['what'\]"),
        ({"handover": {"what": 1}}, "handover that is no list"),
        ({"patience": 0}, "patience 0"),
        ({"patience": True}, "patience True"),
        ({"patience": 2.0}, "patience 2.0"),
        ({"questions": {"colour": "Which?"}}, "asks for 'colour'"),
        ({"questions": {"dial.room": "Which?"}}, "asks for 'dial.room'"),
        ({"questions": {"room": " "}}, "no words to ask for room"),
        ({"questions": {"room": 3}}, "no words to ask for room"),
    ],
)
def test_what_is_no_policy_is_refused_by_its_field(data: Any, named: str) -> None:
    with pytest.raises(CatalogError, match=named) as caught:
        parse_policy(data, TOOLS, "lamps")
    assert "lamps" in caught.value.message
    assert caught.value.fix


def test_a_policy_left_out_is_the_usual_one() -> None:
    assert parse_policy({}, TOOLS, "lamps") == Policy()


def test_a_policy_is_read() -> None:
    policy = parse_policy(
        {
            "tiers": {"drop": "danger"},
            "thresholds": {"act": 1},
            "clarify": 0,
            "unclear": ["what"],
            "questions": {"room": "Where?", "look.room": "Where to look?"},
        },
        TOOLS,
        "lamps",
    )
    assert (policy.tier("drop"), policy.tier("lamp")) == ("danger", "act")
    assert policy.thresholds == {"look": 0.5, "act": 1.0}
    assert policy.unclear == {"what"}
    asked = [policy.question(*one) for one in (("look", "room"), ("lamp", "room"), ("a", "b_c"))]
    assert asked == ["Where to look?", "Where?", "Which b c?"]


WHOLE, BARE = lamp("hall", "on"), lamp("hall")
DROP, DIAL = ToolCall("drop", {"name": "cup"}), ToolCall("dial", {"level": 3})
LOOK, WHAT = ToolCall("look"), ToolCall("what")
SAME, DARK = ToolCall("dial", {"level": Lamps().level}), lamp("hall", "off")


@pytest.mark.parametrize(
    ("call", "confidence", "kind", "reason"),
    [
        (WHOLE, 1.0, "execute", ""),
        (WHOLE, 0.8, "execute", ""),
        (WHOLE, 0.79, "confirm", "confidence"),
        (WHOLE, 0.4, "confirm", "confidence"),
        (WHOLE, 0.39, "clarify", "confidence"),
        (LOOK, 0.5, "execute", ""),
        (LOOK, 0.49, "confirm", "confidence"),
        (LOOK, 0.3, "clarify", "confidence"),
        (BARE, 1.0, "ask", "missing"),
        (BARE, 0.5, "ask", "missing"),
        (BARE, 0.39, "clarify", "confidence"),
        (DROP, 1.0, "confirm", "risk"),
        (DROP, 0.5, "confirm", "risk"),
        (DROP, 0.1, "clarify", "confidence"),
        (DIAL, 1.0, "confirm", "risk"),  # by its tier alone
        (ToolCall("dial", {"level": 5}), 0.5, "execute", ""),  # it stands there already
        (lamp("hall", "off"), 0.5, "execute", ""),
        (SAME, 1.0, "execute", ""),  # what is so already is told without a question
        (DARK, 0.5, "execute", ""),
        (DARK, 0.1, "clarify", "confidence"),
        (WHAT, 0.0, "execute", ""),
        (ToolCall("boom", {"how": "raise"}), 0.0, "execute", ""),  # hands over
    ],
)
def test_verdicts(call: ToolCall, confidence: float, kind: str, reason: str) -> None:
    policy = Policy(
        tiers={"look": "look", "dial": "danger"},
        unclear=frozenset({"what"}),
        handover=frozenset({"boom"}),
    )
    verdict = judge(policy, LampWorld(), Lamps(), call, confidence)
    assert (verdict.kind, verdict.reason) == (kind, reason)


@pytest.mark.parametrize(
    ("call", "confidence", "text"),
    [
        (BARE, 1.0, "Which state?"),
        (DROP, 1.0, "Drop cup of 2?"),
        (DIAL, 1.0, "Do dial 3?"),
        (WHOLE, 0.5, "Do lamp hall on?"),
    ],
)
def test_questions(call: ToolCall, confidence: float, text: str) -> None:
    policy = Policy(tiers={"dial": "danger"})
    verdict = judge(policy, LampWorld(), Lamps(), call, confidence)
    assert verdict.text == text
    assert (verdict.slot, len(verdict.options)) == (("state", 2) if call is BARE else ("", 0))
