"""A language model as teacher: order, cost, wrong answers, and runs that are killed."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from offhand_export.synth.cache import AnswerCache
from offhand_export.synth.endpoint import TeacherError
from offhand_export.synth.openai import BARREN, Ask, OpenAITeacher, Prices
from offhand_export.synth.openai_command import (
    Purse,
    bill_line,
    estimate_line,
    open_teacher,
    purse,
    shown,
)
from offhand_export.synth.openai_options import add_arguments
from offhand_export.synth.sample import Sample
from tests.export.chat_server import (
    TOOLS,
    Reply,
    Server,
    completion,
    conversations,
    endpoint,
    good,
    in_turn,
)

ROOT = Path(__file__).parents[2]


def teacher(server: Server, folder: Path, tries: int = 3, **ask: Any) -> OpenAITeacher:
    how = Ask(**{"model": "big", "size": 2, "concurrency": 3, **ask})
    return OpenAITeacher(TOOLS, how, endpoint(server, tries=tries), AnswerCache(folder))


# The teacher.


def test_conversations_come_in_the_order_of_the_plans(server: Server, tmp_path: Path) -> None:
    one = list(teacher(server, tmp_path / "one", concurrency=1).samples(9))
    many = list(teacher(server, tmp_path / "many", concurrency=5).samples(9))
    assert len(one) == 9
    assert one == many
    assert list(teacher(server, tmp_path / "one", seed=2).samples(9)) != one
    assert {request["model"] for request in server.requests} == {"big"}
    assert {request["temperature"] for request in server.requests} == {1.0}


def test_no_more_is_asked_than_needed(server: Server, tmp_path: Path) -> None:
    model = teacher(server, tmp_path, concurrency=8)
    assert len(list(model.samples(5))) == 5
    assert len(server.requests) == model.bill.requests == 3
    assert (model.bill.tokens_in, model.bill.tokens_out, model.bill.guessed) == (300, 30, 0)


def test_several_are_asked_at_a_time(server: Server, tmp_path: Path) -> None:
    together = threading.Barrier(3, timeout=30)

    def behave(request: dict[str, Any], number: int) -> Reply:
        together.wait()
        return good(request)

    server.behave = behave
    assert len(list(teacher(server, tmp_path, concurrency=3).samples(6))) == 6


def test_a_second_run_asks_for_nothing(server: Server, tmp_path: Path) -> None:
    first = list(teacher(server, tmp_path).samples(6))
    asked = len(server.requests)
    again = teacher(server, tmp_path)
    assert list(again.samples(6)) == first
    assert len(server.requests) == asked
    assert (again.bill.requests, again.bill.cached, again.bill.tokens_in) == (0, 3, 0)
    # One teacher may be asked twice: for more, the first ones stay.
    assert list(again.samples(8))[:6] == first
    assert len(server.requests) == asked + 1


def test_leaving_off_early_keeps_what_is_under_way(server: Server, tmp_path: Path) -> None:
    model = teacher(server, tmp_path)
    stream = model.samples(100)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    kept = len(list(tmp_path.rglob("*.json")))
    assert kept == len(server.requests) == model.bill.requests


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (completion("I cannot help with that."), "not JSON"),
        (completion(None), "not JSON"),
        (completion('{"conversations": []}'), "0 conversations instead of 2"),
        (completion('{"conversations": [', "length"), "breaks off at the length limit"),
        (completion("", "content_filter"), "content filter"),
    ],
)
def test_a_malformed_answer_is_sent_back_with_the_reason(
    answer: Reply, fault: str, server: Server, tmp_path: Path
) -> None:
    server.behave = lambda request, number: answer if number == 0 else good(request)
    model = teacher(server, tmp_path, concurrency=1)
    assert len(list(model.samples(2))) == 2
    assert model.rejections == {"malformed": 1}
    system, asked, said, complaint = server.requests[1]["messages"]
    assert [system, asked] == server.requests[0]["messages"]
    assert said["role"] == "assistant"
    assert said["content"]
    assert fault in complaint["content"]
    assert fault in model.faults[0]


def test_a_plan_that_stays_malformed_is_passed_over(server: Server, tmp_path: Path) -> None:
    server.behave = lambda request, number: completion("no") if number < 3 else good(request)
    model = teacher(server, tmp_path, concurrency=1)
    assert len(list(model.samples(4))) == 4
    assert model.rejections == {"malformed": 3, "skipped": 1}
    assert len(server.requests) == 5
    # Malformed answers are kept too: the same run again is free and the same.
    again = teacher(server, tmp_path)
    assert len(list(again.samples(4))) == 4
    assert (again.rejections, len(server.requests)) == (model.rejections, 5)


def test_a_plan_whose_repetition_is_too_long_is_passed_over(server: Server, tmp_path: Path) -> None:
    too_long = {"error": {"message": "exceeds the available context size"}}

    def behave(request: dict[str, Any], number: int) -> Reply:
        if len(request["messages"]) > 2:
            return 400, {}, json.dumps(too_long).encode()
        return completion("no") if number == 0 else good(request)

    server.behave = behave
    model = teacher(server, tmp_path, concurrency=1)
    assert len(list(model.samples(4))) == 4
    assert model.rejections == {"malformed": 1, "skipped": 1}
    assert "not JSON" in model.faults[0]
    assert "exceeds the available context" in model.faults[0]


def test_a_request_that_is_too_long_from_the_start_ends_the_run(
    server: Server, tmp_path: Path
) -> None:
    server.behave = in_turn((400, {}, b"too long"))
    with pytest.raises(TeacherError, match=r"refused with 400 \(too long\)\. .*longer context"):
        list(teacher(server, tmp_path, concurrency=1).samples(4))
    assert len(server.requests) == 1


def test_a_server_that_dies_is_not_taken_for_a_weak_model(server: Server, tmp_path: Path) -> None:
    server.behave = lambda request, number: good(request) if number == 0 else (500, {}, b"")
    with pytest.raises(TeacherError, match=r"did not answer .* run again") as raised:
        list(teacher(server, tmp_path, tries=1, concurrency=1).samples(100))
    assert "stronger model" not in str(raised.value)


def test_wrong_labels_are_counted_and_more_is_asked(server: Server, tmp_path: Path) -> None:
    wrong = {"name": "note", "arguments": {"text": "something never said"}}
    server.behave = lambda request, number: completion(
        conversations(request, wrong if number == 0 else None)
    )
    model = teacher(server, tmp_path, concurrency=1)
    assert len(list(model.samples(4))) == 4
    assert model.rejections == {"ungrounded": 2}
    assert len(server.requests) == 3


def test_a_model_that_is_no_use_ends_the_run(server: Server, tmp_path: Path) -> None:
    server.behave = lambda request, number: completion("I cannot help with that.")
    model = teacher(server, tmp_path)
    with pytest.raises(TeacherError, match=f"{BARREN} requests in a row .*Try a stronger model"):
        list(model.samples(100))
    assert model.rejections["skipped"] == BARREN


def test_a_request_that_fails_is_passed_over_once_others_were_answered(
    server: Server, tmp_path: Path
) -> None:
    first: list[dict[str, Any]] = []

    def behave(request: dict[str, Any], number: int) -> Reply:
        first.extend([request] if number == 1 else [])
        return (500, {}, b"") if number >= 1 and request == first[0] else good(request)

    server.behave = behave
    model = teacher(server, tmp_path, concurrency=1)
    assert len(list(model.samples(6))) == 6
    assert model.rejections == {"unanswered": 1}


def test_a_server_that_never_answers_ends_the_run_at_once(server: Server, tmp_path: Path) -> None:
    server.behave = in_turn((500, {}, b""))
    with pytest.raises(TeacherError, match=r"did not answer in 3 tries \(500"):
        list(teacher(server, tmp_path, concurrency=1).samples(2))
    assert len(server.requests) == 3


def test_a_refused_key_ends_the_run_and_keeps_answers(server: Server, tmp_path: Path) -> None:
    server.behave = lambda request, number: good(request) if number < 2 else (401, {}, b"")
    with pytest.raises(TeacherError, match="refused with 401"):
        list(teacher(server, tmp_path, concurrency=1).samples(10))
    assert len(list(tmp_path.rglob("*.json"))) == 2
    server.behave = good
    assert len(list(teacher(server, tmp_path, concurrency=1).samples(10))) == 10
    assert len(server.requests) == 3 + 3  # two answered, one refused, three that were missing


def test_tokens_are_guessed_where_the_endpoint_is_silent(server: Server, tmp_path: Path) -> None:
    server.behave = lambda request, number: completion(conversations(request), usage=None)
    model = teacher(server, tmp_path)
    list(model.samples(2))
    length = sum(len(message["content"]) for message in server.requests[0]["messages"])
    assert (model.bill.tokens_in, model.bill.guessed) == (length // 4, 1)
    assert model.bill.tokens_out > 0


def test_the_estimate_counts_what_is_missing(server: Server, tmp_path: Path) -> None:
    model = teacher(server, tmp_path)
    requests, tokens_in, tokens_out = model.estimate(6)
    assert requests == 3
    assert min(tokens_in, tokens_out) > 0
    list(model.samples(4))
    left = model.estimate(6)
    assert left[0] == 1
    assert left[1] < tokens_in
    assert model.estimate(4) == (0, 0, 0)


# A run that is killed.

# A shell that starts a command in the background has it ignore the signal: it is set here.
RUN = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from offhand_export.synth.cache import AnswerCache
from offhand_export.synth.endpoint import Address, Endpoint
from offhand_export.synth.openai import Ask, OpenAITeacher
from tests.tiny import LIGHTS, NOTE, STOP, catalog

ask = Ask(model="big", size=2, concurrency=3)
endpoint = Endpoint(Address(sys.argv[1]))
teacher = OpenAITeacher(catalog(LIGHTS, NOTE, STOP), ask, endpoint, AnswerCache(Path(sys.argv[2])))
for sample in teacher.samples(20):
    pass
"""


@pytest.fixture
def run(server: Server, tmp_path: Path) -> Iterator[Running]:
    """A run in its own process that has four answers and waits for three more."""
    found = Running(server, tmp_path / "run")
    try:
        found.wait()
        yield found
    finally:
        found.release.set()
        found.process.kill()
        found.process.communicate()


class Running:
    """A run in its own process; the server holds back every answer from the fifth request on."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.release, self.held = threading.Event(), threading.Semaphore(0)
        server.behave = self._behave
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, server.url, str(folder)],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def wait(self) -> None:
        """Return when all three threads wait for their answers."""
        for _ in range(3):
            assert self.held.acquire(timeout=60)

    def _behave(self, request: dict[str, Any], number: int) -> Reply:
        if number >= 4:
            self.held.release()
            self.release.wait(60)
        return good(request)


def rest(server: Server, folder: Path) -> tuple[list[Sample], int]:
    """Run to the end; returns the conversations and how many requests that took."""
    server.behave, before = good, len(server.requests)
    return list(teacher(server, folder).samples(20)), len(server.requests) - before


def test_a_killed_run_goes_on_where_it_was(run: Running, server: Server, tmp_path: Path) -> None:
    run.process.kill()
    run.process.wait()
    run.release.set()
    found, asked = rest(server, run.folder)
    whole, all_of_them = rest(server, tmp_path / "whole")
    assert found == whole
    assert (all_of_them, asked) == (10, 10 - 4)


def test_an_interrupted_run_keeps_the_answers_under_way(run: Running, server: Server) -> None:
    assert run.process.stderr is not None
    run.process.send_signal(signal.SIGINT)
    assert "Keeping the answers under way" in run.process.stderr.readline()
    run.release.set()
    run.process.communicate(timeout=60)
    assert run.process.returncode != 0
    assert len(list(run.folder.rglob("*.json"))) == 4 + 3
    assert rest(server, run.folder)[1] == 10 - 7


# The options.


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    add_arguments(parser)
    return parser.parse_args(words)


HERE = ("--base-url", "http://127.0.0.1:9/v1", "--model", "big")


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ((), "lacks --base-url"),
        (HERE[:2], "lacks --model"),
        (("--base-url", "host/v1", "--model", "big"), "--base-url is no plain address"),
        (("--base-url", "http://me:pw@host/v1", "--model", "big"), "no plain address"),
        ((*HERE, "--concurrency", "0"), "--concurrency is 0. Give at least 1"),
        ((*HERE, "--size", "0"), "--size is 0"),
        ((*HERE, "--timeout", "0"), "--timeout is 0"),
        ((*HERE, "--temperature", "-1"), "--temperature is -1"),
        ((*HERE, "--price-in", "1"), "Give both"),
        ((*HERE, "--price-in", "-1", "--price-out", "1"), "0 or more"),
        ((*HERE, "--api-key-env", "NOT_THERE"), "NOT_THERE holds no key. Set it"),
        ((*HERE, "--api-key-env", "BAD_KEY"), "BAD_KEY holds something that is no key"),
    ],
)
def test_options_that_make_no_sense(
    words: tuple[str, ...], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAD_KEY", "sesame\nopen")
    with pytest.raises(TeacherError, match=fault) as raised:
        open_teacher(options(*words), TOOLS)
    assert "sesame" not in str(raised.value)
    assert "pw" not in str(raised.value)


@pytest.mark.parametrize("tail", ["", "/", "/chat/completions", "/chat/completions/"])
def test_a_run_from_options(
    tail: str,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MY_KEY", "secret-key")
    words = ("--model", "big", "--api-key-env", "MY_KEY", "--cache", str(tmp_path), "--size", "1")
    prices = ("--price-in", "10000", "--price-out", "1000000")
    args = options("--base-url", server.url + tail, *words, *prices)
    model, money = open_teacher(args, TOOLS, "Label well."), purse(args)
    assert estimate_line(model, 2, money).startswith("about 2 requests to send")
    with shown(model, 2, money):
        assert len(list(model.samples(2))) == 2
    assert bill_line(model, money) == (
        "2 answers asked for, 0 from the cache, 200 tokens in, 20 out, cost 22.00"
    )
    assert "2/2" in capsys.readouterr().err
    assert server.paths == ["/v1/chat/completions"] * 2
    assert server.headers[0]["Authorization"] == "Bearer secret-key"
    assert "Label well." in server.requests[0]["messages"][0]["content"]
    assert "temperature" not in server.requests[0]
    assert all("secret-key" not in path.read_text() for path in tmp_path.rglob("*.json"))


def test_money() -> None:
    assert Prices(0.5, 2.0).of(1_000_000, 500_000) == pytest.approx(1.5)
    assert "give --price-in" in Purse(None).of(1, 1)
