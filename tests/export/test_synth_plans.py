"""What a language model is asked for, and the answers that can be read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from offhand.dialect import ToolCall
from offhand_export.synth import plans
from offhand_export.synth.plans import Malformed
from tests.export.chat_server import (
    KITCHEN,
    TOOLS,
)

# Plans and answers.


def test_plans_depend_on_the_seed_and_their_number() -> None:
    assert plans.draw(TOOLS, 1, 0, 3) == plans.draw(TOOLS, 1, 0, 3)
    assert plans.draw(TOOLS, 1, 0, 3) != plans.draw(TOOLS, 1, 1, 3)
    assert plans.draw(TOOLS, 1, 0, 3) != plans.draw(TOOLS, 2, 0, 3)


def test_plans_reach_every_tool_length_and_phenomenon() -> None:
    drawn = [outline for index in range(100) for outline in plans.draw(TOOLS, 1, index, 4)]
    assert {tool for o in drawn for tool in o.tools} == {tool.name for tool in TOOLS.tools}
    assert {o.turns for o in drawn} == set(range(1, len(plans.TURNS) + 1))
    assert {name for o in drawn for name in o.phenomena} == set(plans.PHENOMENA)
    assert all(plans.PHENOMENA[name][0] <= o.turns for o in drawn for name in o.phenomena)


def test_a_request_says_what_it_is_about() -> None:
    outlines = plans.draw(TOOLS, 1, 0, 2)
    system, user = plans.messages(TOOLS, outlines, "Numbers are numbers.")
    for tool in TOOLS.tools:
        assert f'"name": "{tool.name}"' in system["content"]
    assert "Numbers are numbers." in system["content"]
    assert plans.GUIDE in plans.messages(TOOLS, outlines)[0]["content"]
    assert user["content"].startswith("Write 2 conversations:\n1. ")
    assert all(f'"{outline.word}"' in user["content"] for outline in outlines)


OUTLINES = (plans.Outline(2, ("lights",), ("fill",), "a child, bored", "again"),)
TALK = {"turns": [{"user": " dark ", "call": KITCHEN}, {"user": "b", "call": KITCHEN}]}


@pytest.mark.parametrize("form", ["{}", "\n```json\n{}\n```\n", "```\n{}\n```"])
def test_an_answer_is_read(form: str) -> None:
    text = form.replace("{}", json.dumps({"conversations": [TALK]}))
    (found,) = plans.read(text, TOOLS, OUTLINES)
    assert (found.catalog, found.phenomena) == ("tiny", ("fill",))
    assert [exchange.text for exchange in found.exchanges] == ["dark", "b"]
    assert found.exchanges[0].gold == ToolCall("lights", {"room": "kitchen"})


def talk_of(**turn: Any) -> str:
    return json.dumps({"conversations": [{"turns": [turn]}]})


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "not JSON"),
        ("I'm sorry, I can't help with that.", "not JSON"),
        ('Sure!\n{"conversations": []}', "not JSON"),
        ('{"conversations": [{"turns": [', "not JSON"),
        ('{"conversations": [NaN]}', "NaN is no JSON number"),
        ("[" * 100_000, "not JSON"),
        ("[]", "the answer is not a JSON object"),
        ("{}", "the answer lacks `conversations`"),
        ('{"conversations": {}}', "`conversations` is not a list"),
        ('{"conversations": []}', "0 conversations instead of 1"),
        ('{"conversations": [], "note": ""}', "unknown field `note`"),
        ('{"conversations": [[]]}', "conversation 1 is not a JSON object"),
        ('{"conversations": [{"turns": []}]}', "conversation 1 has no turn"),
        (talk_of(user="a"), "lacks `call`"),
        (talk_of(user=1, call=KITCHEN), "is not text"),
        (talk_of(user="a", call=None), "`call` of a turn of conversation 1 is not a JSON object"),
        (talk_of(user="a", call={"name": "stop"}), "lacks `arguments`"),
        (talk_of(user="a", call={"name": "stop", "arguments": "{}"}), "is not an object"),
        (talk_of(user="a", call=KITCHEN, said="ok"), "unknown field `said`"),
    ],
)
def test_an_answer_in_another_form_is_refused(text: str, fault: str) -> None:
    with pytest.raises(Malformed, match=fault):
        plans.read(text, TOOLS, OUTLINES)
