"""The shape evaluation data may have, and the reason given for every other."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from offhand.dialect import ToolCall
from offhand_export.dataset import DataError, fingerprint, parse_conversation, read_conversations

CALL = {"name": "dim", "parameters": {"level": 3}}


def user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def calls(name: str, arguments: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"type": "function", "function": function}],
    }


def line(messages: Any, answer: Any = CALL) -> str:
    return json.dumps({"question": json.dumps(messages), "answer": json.dumps(answer)})


def test_every_assistant_turn_becomes_an_exchange() -> None:
    found = parse_conversation(line([user("hi"), calls("greet", {}), user("darker")]), 7)
    assert found.line == 7
    assert [(e.text, e.gold) for e in found.exchanges] == [
        ("hi", ToolCall("greet", {})),
        ("darker", ToolCall("dim", {"level": 3})),
    ]


def test_one_message_is_one_exchange() -> None:
    assert len(parse_conversation(line([user("darker")])).exchanges) == 1


def test_arguments_may_be_json_text() -> None:
    found = parse_conversation(line([user("hi"), calls("greet", '{"warm": true}'), user("darker")]))
    assert found.exchanges[0].gold == ToolCall("greet", {"warm": True})


def test_question_and_answer_may_be_plain_json() -> None:
    found = parse_conversation(json.dumps({"question": [user("darker")], "answer": CALL}))
    assert found.exchanges[0].gold == ToolCall("dim", {"level": 3})


def test_spoken_turn_stays_with_its_text_and_no_gold_call() -> None:
    spoken = {"role": "assistant", "content": "Which room?"}
    first, last = parse_conversation(line([user("dim"), spoken, user("hall")])).exchanges
    assert (first.gold, first.said) == (None, "Which room?")
    assert last.gold is not None


MALFORMED = [
    ("{", "the line is not JSON"),
    ("[]", "the line is not a JSON object"),
    (json.dumps({"answer": json.dumps(CALL)}), "the line lacks `question`"),
    (json.dumps({"question": json.dumps([user("x")])}), "the line lacks `answer`"),
    (json.dumps({"question": "[", "answer": "{}"}), "`question` is not JSON"),
    (line({}), "`question` is not a list"),
    (line([]), "does not alternate"),
    (line([user("a"), calls("greet", {})]), "does not alternate"),
    (line([user("a"), user("b"), user("c")]), "message 1 of `question` has the role 'user'"),
    (line([calls("greet", {})]), "message 0 of `question` has the role 'assistant'"),
    (line([{"content": "x"}]), "message 0 of `question` lacks `role`"),
    (line(["x"]), "message 0 of `question` is not a JSON object"),
    (line([user("")]), "message 0 of `question` has no text"),
    (line([user(None)]), "message 0 of `question` has no text"),
    (line([user("a"), {"role": "assistant"}, user("b")]), "neither calls nor speaks"),
    (
        line([user("a"), {"role": "assistant", "content": ["x"]}, user("b")]),
        "`content` of message 1 of `question` is not text",
    ),
    (
        line([user("a"), {"role": "assistant", "tool_calls": [{}]}, user("b")]),
        "the call of message 1 of `question` lacks `function`",
    ),
    (
        line([user("a"), {"role": "assistant", "tool_calls": [{}, {}]}, user("b")]),
        "makes 2 calls",
    ),
    (line([user("a"), calls("", {}), user("b")]), "is not a function's name"),
    (line([user("a"), calls("greet", []), user("b")]), "is not a JSON object"),
    (line([user("a"), calls("greet", "{"), user("b")]), "is not JSON"),
    (line([user("a")], {"name": "dim"}), "`answer` lacks `parameters`"),
    (line([user("a")], {"parameters": {}}), "`answer` lacks `name`"),
    (line([user("a")], {"name": "dim", "parameters": {"x": float("nan")}}), "NaN is no JSON"),
]


@pytest.mark.parametrize(("text", "reason"), MALFORMED)
def test_malformed_line_is_refused_with_its_place(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(line([user("fine")]) + "\n\n" + text + "\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_conversations(path)
    assert str(caught.value).startswith(f"{path}, line 3: ")
    assert reason in str(caught.value)


def test_blank_lines_are_passed_over_and_lines_keep_their_number(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(f"\n{line([user('a')])}\n \n{line([user('b')])}", encoding="utf-8")
    assert [conversation.line for conversation in read_conversations(path)] == [2, 4]


def test_file_without_conversations_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(DataError, match="no conversation"):
        read_conversations(path)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Cannot read .*gone\.jsonl"):
        read_conversations(tmp_path / "gone.jsonl")


def test_fingerprint_is_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\xff\n")
    assert fingerprint(path) == hashlib.sha256(b"\xff\n").hexdigest()
