"""Asking over real HTTP: a server that misbehaves in known ways, and the cache of its answers."""

from __future__ import annotations

import json
import threading
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from offhand_export.synth.cache import Answer, AnswerCache
from offhand_export.synth.endpoint import Address, Endpoint, Stopped, TeacherError, Unanswered
from tests.export.chat_server import (
    Reply,
    Server,
    Waits,
    completion,
    endpoint,
    in_turn,
)

REQUEST = {"model": "big", "messages": [{"role": "user", "content": "hi"}]}


def ask_once(server: Server, **more: Any) -> Answer:
    asking = endpoint(server, **more)
    try:
        return asking.ask(REQUEST)
    finally:
        asking.close()


# The endpoint.


SAID = completion("yes")
LIMIT = (429, {"Retry-After": "7"}, b"")
BROKEN_OFF = (200, {"Content-Length": "1000"}, SAID[2][:20])


@pytest.mark.parametrize(
    "fault",
    [
        LIMIT,
        (500, {}, b"oops"),
        (503, {"Retry-After": "later"}, b""),
        (408, {}, b""),
        (200, {}, b"<html>a proxy speaks</html>"),
        (200, {}, b'{"choices": []}'),
        (200, {}, b'{"choices": [{"message": {"content": ["a"]}}]}'),
        (200, {}, SAID[2][:20]),
        BROKEN_OFF,
        None,
    ],
)
def test_what_may_pass_is_tried_again(fault: Reply | None, server: Server) -> None:
    server.behave = in_turn(fault, fault, SAID)
    assert ask_once(server) == Answer("yes", "stop", 100, 10)
    assert server.requests == [REQUEST] * 3


def test_silence_is_tried_again(server: Server) -> None:
    silence = threading.Event()

    def behave(request: dict[str, Any], number: int) -> Reply:
        if number == 0:
            silence.wait(30)
        return SAID

    server.behave = behave
    answer = ask_once(server, timeout=0.2)
    silence.set()
    assert (answer.text, len(server.requests)) == ("yes", 2)


def test_a_slow_server_is_given_more_time(server: Server) -> None:
    silence = threading.Event()

    def behave(request: dict[str, Any], number: int) -> Reply:
        silence.wait(30)
        return SAID

    server.behave = behave
    with pytest.raises(Unanswered, match=r"no answer in time\)\. .*--timeout, now 0\.2 seconds"):
        ask_once(server, timeout=0.2)
    silence.set()


def test_waits_grow_and_obey_the_server(server: Server) -> None:
    server.behave = in_turn((500, {}, b""), (500, {}, b""), (500, {}, b""), LIMIT, SAID)
    waits = Waits()
    assert ask_once(server, waits=waits, tries=5).text == "yes"
    first, second, third, asked_for = waits.seconds
    assert 0.5 <= first <= 1 <= second <= 2 <= third <= 4
    assert asked_for >= 7


def test_the_server_may_name_a_date(server: Server) -> None:
    server.behave = in_turn((429, {"Retry-After": formatdate(usegmt=True)}, b""), SAID)
    assert ask_once(server).text == "yes"


def test_a_wait_of_an_hour_ends_the_run(server: Server) -> None:
    server.behave = in_turn((429, {"Retry-After": "3600"}, b'{"error": {"message": "daily"}}'))
    with pytest.raises(TeacherError, match=r"asks to wait 3600 seconds \(429 daily\)\. Run again"):
        ask_once(server)


def test_tries_run_out(server: Server) -> None:
    server.behave = in_turn((500, {}, b'{"error": {"message": "out of\\nmemory"}}'))
    with pytest.raises(Unanswered, match=r"in 3 tries \(500 out of memory\)\. .*answers that came"):
        ask_once(server)
    assert len(server.requests) == 3


def test_nobody_listens(server: Server) -> None:
    gone = Endpoint(Address("http://127.0.0.1:9/v1", tries=2), Waits())
    with pytest.raises(Unanswered, match=r"did not answer in 2 tries \(no connection\)"):
        gone.ask(REQUEST)
    gone.close()


@pytest.mark.parametrize(
    ("status", "body", "fix"),
    [
        (
            400,
            {"error": {"message": "no such field"}},
            "Check --model and --temperature.* longer context",
        ),
        (401, {"error": {"message": "bad key"}}, "environment variable MY_KEY"),
        (402, {}, "Top up"),
        (403, {}, "Use a key that may use the model"),
        (404, {"error": {"message": "no model big"}}, "Check --base-url .* --model"),
        (422, {}, "Check --base-url and --model"),
        (429, {"error": {"code": "insufficient_quota", "message": "spent"}}, "Top up"),
        (307, {}, "Give --base-url as the server wants it: https://elsewhere/v1"),
    ],
)
def test_what_cannot_pass_ends_with_the_fix(
    status: int, body: dict[str, Any], fix: str, server: Server
) -> None:
    server.behave = in_turn(
        (status, {"Location": "https://elsewhere/v1"}, json.dumps(body).encode())
    )
    with pytest.raises(TeacherError, match=f"refused with {status}.*{fix}") as raised:
        ask_once(server, key="secret-key", key_name="MY_KEY")
    assert "secret-key" not in str(raised.value)
    assert len(server.requests) == 1


def test_the_key_is_sent_and_no_other(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    netrc.chmod(0o600)
    server.behave = in_turn(SAID)
    monkeypatch.setenv("NETRC", str(netrc))
    ask_once(server, key="secret-key")
    ask_once(server)
    assert server.headers[0]["Authorization"] == "Bearer secret-key"
    assert "Authorization" not in server.headers[1]
    assert server.paths == ["/v1/chat/completions"] * 2


def test_stopping_ends_the_tries(server: Server) -> None:
    server.behave = in_turn((500, {}, b""))
    with pytest.raises(Stopped):
        ask_once(server, waits=Waits(stops=True))
    assert len(server.requests) == 1
    asking = endpoint(server)
    asking.stop()
    with pytest.raises(Stopped):
        asking.ask(REQUEST)
    assert len(server.requests) == 1


# The cache.


def test_an_answer_is_found_by_its_request_alone(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path)
    answer = Answer("caf\u00e9 \ud800", "stop", 1, None)
    cache.put(REQUEST, answer)
    assert AnswerCache(tmp_path).get(dict(reversed(REQUEST.items()))) == answer
    assert cache.get({**REQUEST, "model": "small"}) is None


@pytest.mark.parametrize("damage", ["", "{", '{"request": {}}', '{"answer": {"text": "a"}}', "[]"])
def test_a_damaged_answer_counts_as_none(damage: str, tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path)
    cache.put(REQUEST, Answer("a", "stop"))
    (path,) = tmp_path.rglob("*.json")
    path.write_text(damage)
    assert cache.get(REQUEST) is None
    cache.put(REQUEST, Answer("b", "stop"))
    assert cache.get(REQUEST) == Answer("b", "stop")
