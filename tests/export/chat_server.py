"""An OpenAI-compatible server for the tests, which answers well or misbehaves as it is told."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from offhand_export.synth.endpoint import Address, Endpoint
from tests.tiny import LIGHTS, NOTE, STOP, catalog

TOOLS = catalog(LIGHTS, NOTE, STOP)
KITCHEN = {"name": "lights", "arguments": {"room": "kitchen"}}

Reply = tuple[int, dict[str, str], bytes]
Behave = Callable[[dict[str, Any], int], Reply | None]


def completion(text: str | None, finish: str = "stop", **more: Any) -> Reply:
    usage = {"prompt_tokens": 100, "completion_tokens": 10}
    choice = {"index": 0, "message": {"role": "assistant", "content": text}}
    record = {"choices": [{**choice, "finish_reason": finish}], "usage": usage, **more}
    return 200, {"Content-Type": "application/json"}, json.dumps(record).encode()


def conversations(request: dict[str, Any], call: Any = None) -> str:
    """What a good model answers: as many conversations and turns as it was asked for."""
    asked = request["messages"][1]["content"]
    sizes = re.findall(r"^(\d+)\. (\d+) user message", asked, re.MULTILINE)
    words = re.findall(r'One message contains "([^"]*)"', asked)
    talks = []
    for (_, size), word in zip(sizes, words, strict=True):
        texts = [f"{word} {turn}" for turn in range(int(size))]
        talks.append({"turns": [{"user": text, "call": call or KITCHEN} for text in texts]})
    return json.dumps({"conversations": talks})


def good(request: dict[str, Any], number: int = 0) -> Reply:
    return completion(conversations(request))


class Server:
    """An endpoint that does what `behave` says, given the request and its number from 0.

    A behaviour that returns None drops the connection.
    """

    def __init__(self) -> None:
        self.behave: Behave = good
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with server.lock:
                    number = len(server.requests)
                    server.requests.append(body)
                    server.headers.append(dict(self.headers))
                    server.paths.append(self.path)
                reply = server.behave(body, number)
                if reply is None:
                    self.close_connection = True
                    return
                status, headers, content = reply
                try:
                    self.send_response(status)
                    for name, value in ({"Content-Length": str(len(content))} | headers).items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:  # whoever asked is gone
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"


def in_turn(*replies: Reply | None) -> Behave:
    """Each reply once, the last one ever after."""
    return lambda request, number: replies[min(number, len(replies) - 1)]


class Waits:
    """Takes the place of waiting: remembers for how long, and waits for nothing."""

    def __init__(self, stops: bool = False) -> None:
        self.seconds: list[float] = []
        self.stops = stops

    def __call__(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return self.stops


def endpoint(server: Server, waits: Waits | None = None, **more: Any) -> Endpoint:
    return Endpoint(Address(**{"base_url": server.url, "tries": 3, **more}), waits or Waits())
