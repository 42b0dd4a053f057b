"""The record of a turn: plain data, with the milliseconds where they were spent."""

import json
from itertools import count

from offhand import MessageError, Session, Template, ToolCall, drive
from offhand.record import Times, error_record, timed, turn_record
from tests.tiny import TEMPLATE, Oracle, catalog, tiny_vocabulary


def test_record_of_a_turn() -> None:
    vocabulary = tiny_vocabulary()
    call = ToolCall("lights", {"room": "kitchen", "state": "on"})
    session = Session(vocabulary, Template(TEMPLATE), catalog(), 512)
    engine, times, clock = Oracle(vocabulary, [call]), Times(), count()
    turn = drive(timed(session.turn("on"), lambda: float(next(clock)), times), engine)
    record = json.loads(json.dumps(turn_record(turn, times)))
    assert record["call"] == {"name": "lights", "arguments": dict(call.arguments)}
    assert record["tokens"]["run"] == len(engine.log)
    # Each reading of the clock is one millisecond on: one a pass, and one before each.
    passes = len(engine.runs)
    assert record["milliseconds"] == {
        "prepare": passes + 1, "prefill": 2, "decode": passes - 2, "total": 2 * passes + 1,
    }  # fmt: skip
    assert next(decision["slot"] for decision in record["decisions"]) == "tool"


def test_record_of_an_error() -> None:
    assert error_record(MessageError("Too long.", "Shorten it.")) == {
        "error": {"kind": "message", "message": "Too long.", "fix": "Shorten it."}
    }
