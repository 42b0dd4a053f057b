"""What is kept out of training data: utterances of tests, and more of the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from offhand_export.dataset import DataError
from offhand_export.synth.filters import (
    DUPLICATE,
    LEAK,
    NEAR_DUPLICATE,
    REPEATED,
    LeakFilter,
    Sieve,
    held_out,
    is_formula,
    normal,
    write_hashes,
)
from offhand_export.synth.sample import Sample
from tests.export.talks import one, sample

# Leaks.


def evaluation(*texts: str) -> str:
    call = {"function": {"name": "stop", "arguments": {}}}
    messages: list[dict[str, Any]] = []
    for text in texts:
        messages += [{"role": "user", "content": text}, {"role": "assistant", "tool_calls": [call]}]
    answer = json.dumps({"name": "stop", "parameters": {}})
    return json.dumps({"question": json.dumps(messages[:-1]), "answer": answer})


def leaderboard(*turns: list[str]) -> str:
    question = [[{"role": "user", "content": text} for text in turn] for turn in turns]
    return json.dumps({"id": "multi_turn_base_0", "question": question, "path": ["A.b"]})


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Turn it OFF, please!", "turn it off please"),
        ("it's  5pm", "its 5pm"),
        ("it\u2019s 5pm.", "its 5pm"),
        ("\uff21\uff22 final_report.pdf", "ab final report pdf"),
        ("...", ""),
    ],
)
def test_normal_form(text: str, plain: str) -> None:
    assert normal(text) == plain


@pytest.fixture
def held(tmp_path: Path) -> list[Path]:
    """One file of each kind that tests come in."""
    first, second = tmp_path / "test.jsonl", tmp_path / "BFCL_v4_multi_turn_base.json"
    first.write_text(evaluation("Lights off, now", "Thanks!", "Good morning") + "\n\n")
    second.write_text(leaderboard(["Go into it."], [], ["Um, move it up", "and out"]) + "\n")
    return [first, second]


def test_every_user_message_of_a_test_is_held_out(held: list[Path]) -> None:
    assert held_out(held[0]) == ["Lights off, now", "Thanks!", "Good morning"]
    assert held_out(held[1]) == ["Go into it.", "Um, move it up", "and out"]


@pytest.mark.parametrize(
    "text",
    [
        "lights off now",
        "LIGHTS OFF \u2013 now!",
        "um lights, uh, off now",
        "go into it",
        "move it up",
        "Um, move it up",
        "and out",
    ],
)
def test_a_held_out_message_leaks_from_data_and_from_hashes(text: str, held: list[Path]) -> None:
    hashes = held[0].with_name("held_out.txt")
    write_hashes(held, hashes)
    for leaks in (LeakFilter.read(held), LeakFilter.read([hashes])):
        assert leaks.leaked(sample(("stop that", "stop", {}), (text, "stop", {}))) == text
        assert leaks.leaked(one("lights off")) is None
    assert "lights" not in hashes.read_text().split("\n", 1)[1]


def test_formulas_do_not_leak(held: list[Path]) -> None:
    leaks = LeakFilter.read(held)
    assert leaks.leaked(one("thanks")) is None
    assert leaks.leaked(one("good morning")) is None  # a greeting
    assert leaks.leaked(one("good morning", "lights", state="on")) == "good morning"  # a command


@pytest.mark.parametrize("text", ["Hi there!", "thank you so much.", "Bye", "yes", "No."])
def test_formula(text: str) -> None:
    assert is_formula(text)


@pytest.mark.parametrize("text", ["hi, lights off", "yes the kitchen", "good night", "checking"])
def test_no_formula(text: str) -> None:
    assert not is_formula(text)


def test_hashes_are_sorted_and_say_nothing_twice(held: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "deep" / "held_out.txt"
    count = write_hashes([*held, *held], out)
    lines = out.read_text().splitlines()[1:]
    assert lines == sorted(set(lines))
    # Five messages besides the thanks, one of them with and without its "um".
    assert len(lines) == count == 6


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "holds nothing held out"),
        ("# only a comment\n", "holds nothing held out"),
        ("hello\n", "line 1: it is neither JSON nor a hash"),
        ("0123456789abcdef\nhello\n", "line 1: it is neither JSON nor a hash"),
        ('{"question": [[{"role": "user"}]]}', "line 1: a message of `question` has no text"),
        ('{"question": "[]", "answer": "{}"}', "line 1: "),
    ],
)
def test_a_file_that_is_no_test_is_refused(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "held_out.txt"
    path.write_text(content)
    with pytest.raises(DataError, match=said):
        LeakFilter.read([path])


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Cannot read"):
        LeakFilter.read([tmp_path / "nowhere"])


# Duplicates.


def test_the_sieve_says_why() -> None:
    sieve = Sieve(LeakFilter.read([]), cap=2)
    talk = sample(("Lights off", "stop", {}), ("and now the radio", "stop", {}))
    again = sample(("lights off!", "stop", {}), ("And now the radio.", "stop", {}))
    assert [sieve.reason(talk), sieve.reason(again)] == [None, DUPLICATE]


def test_one_message_with_one_call_is_kept_up_to_the_cap() -> None:
    sieve = Sieve(cap=2)
    ends = ["call my sister", "write down milk", "what is on", "shut the garage"]
    talks = [sample(("lights off", "stop", {}), (end, "note", {"text": end})) for end in ends]
    assert [sieve.reason(talk) for talk in talks] == [None, None, REPEATED, REPEATED]
    # Another label for the same words, and what everybody says, are not held back.
    assert sieve.reason(one("lights off", "lights", state="off")) is None
    for end in ends:
        assert sieve.reason(sample(("thanks", "stop", {}), (end + " now", "stop", {}))) is None


def test_the_cap_counts_within_a_conversation_too() -> None:
    twice = sample(("next", "stop", {}), ("next", "stop", {}))
    assert Sieve(cap=2).reason(twice) is None
    assert Sieve(cap=1).reason(twice) == REPEATED


LONG = (
    "could you please be so kind and switch off all of the lights that are on in the {} right now"
)


def test_near_duplicates_are_found_among_equal_calls_only() -> None:
    sieve = Sieve(similarity=0.7)
    kitchen = LONG.format("kitchen")
    assert sieve.reason(one(kitchen, "lights", room="kitchen")) is None
    assert sieve.reason(one(kitchen + " thanks", "lights", room="kitchen")) == NEAR_DUPLICATE
    # A word's difference that changes the call is what has to be learned.
    assert sieve.reason(one(LONG.format("living"), "lights", room="living")) is None
    assert sieve.reason(one("it is too bright in the kitchen", "lights", room="kitchen")) is None


def test_catalogs_do_not_mix() -> None:
    sieve = Sieve(cap=1)
    other = Sample("other", one("lights off").exchanges)
    assert [sieve.reason(one("lights off")), sieve.reason(other)] == [None, None]


def test_short_messages_that_differ_are_kept() -> None:
    sieve = Sieve()
    texts = ["stop", "stop it", "stop now", "halt", "off", "lights off", "lights out", "all off"]
    assert [sieve.reason(one(text)) for text in texts] == [None] * len(texts)


def test_a_leak_is_not_remembered(held: list[Path]) -> None:
    sieve = Sieve(LeakFilter.read(held))
    assert sieve.reason(one("go into it")) == LEAK
    assert sieve.reason(one("go into it")) == LEAK
