"""`offhand chat`: the app in a terminal, on onnxruntime."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from offhand import catalogs, worlds
from offhand.agent import Agent
from offhand.calibration import read_calibration
from offhand.dialect import ToolCall
from offhand.engine import Engine, drive
from offhand.errors import OffhandError
from offhand.record import Times, timed, turn_record
from offhand.reply import Choice
from offhand.session import Session, Turn

HELP = "Type a message, or a choice's number; /new begins a new conversation, /quit ends."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (2 after an error that was explained)."""
    parser = argparse.ArgumentParser(prog="offhand", description="Talk to a tool-calling agent.")
    commands = parser.add_subparsers(required=True)
    chat = commands.add_parser("chat", help="hold a conversation in the terminal")
    chat.add_argument("--model", required=True, help="a model folder made by offhand-export")
    chat.add_argument("--catalog", default="smart_home", help="a catalog's name, or its JSON file")
    chat.add_argument("--precision", default="fp32", help="in-memory precision: fp32 or int8")
    chat.add_argument("--threads", type=int, default=0, help="onnxruntime threads; 0: all cores")
    chat.add_argument("--json", action="store_true", help="print each turn's record as a line")
    chat.add_argument("--bare", action="store_true", help="show the calls, carry nothing out")
    chat.set_defaults(run=_chat)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except OffhandError as error:
        print(f"offhand: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _chat(options: argparse.Namespace) -> int:
    # Here, so that `--help` and a wrong catalog answer at once.
    catalog = catalogs.load(options.catalog)
    from offhand.native import NativeModel

    model = NativeModel.open(options.model, options.precision, options.threads)
    session = Session(model.vocabulary, model.template, catalog, model.engine.context)
    drive(session.warm(), model.engine)
    world = None if options.bare else worlds.load(catalog.name)
    calibration = read_calibration(model.manifest.get("calibration"))
    talker = _Bare(session) if world is None else _Acting(Agent(session, world, calibration))
    interactive = sys.stdin.isatty()
    if interactive:
        print(f"{catalog.title}. {HELP}")
    while True:
        try:
            text = input("> " if interactive else "")
        except EOFError:
            return 0
        if text.strip() == "/quit":
            return 0
        if text.strip() == "/new":
            talker.renew()
            continue
        try:
            record, shown = talker.answer(text, model.engine)
        except OffhandError as error:
            print(f"  {error}", file=sys.stderr)
            continue
        print(json.dumps(record) if options.json else shown, flush=True)


class _Bare:
    """Shows the calls and carries nothing out."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def renew(self) -> None:
        self._session.reset()

    def answer(self, text: str, engine: Engine) -> tuple[dict[str, Any], str]:
        times = Times()
        turn = drive(timed(self._session.turn(text), _now, times), engine)
        return turn_record(turn, times), _turn_text(turn, times)


class _Acting:
    """The agent in its world; a number picks one of the choices it offers."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._choices: tuple[Choice, ...] = ()

    def renew(self) -> None:
        self._agent.renew()

    def answer(self, text: str, engine: Engine) -> tuple[dict[str, Any], str]:
        times = Times()
        number = text.strip()
        if number.isdecimal() and 0 < int(number) <= len(self._choices):
            reply = self._agent.choose(self._choices[int(number) - 1].id)
        else:
            reply = drive(timed(self._agent.say(text), _now, times), engine)
        self._choices = reply.choices
        turn = None if reply.turn is None else turn_record(reply.turn, times)
        lines = [f"  {reply.text}"]
        if reply.data and reply.data["kind"] == "terminal":
            lines.append(f"$ {reply.data['command']}\n{reply.data['output']}".rstrip())
        lines += [f"  {at}. {choice.label}" for at, choice in enumerate(reply.choices, start=1)]
        if reply.turn is not None:
            lines.append(_turn_text(reply.turn, times))
        return {**reply.record(), "turn": turn}, "\n".join(lines)


def _turn_text(turn: Turn, times: Times) -> str:
    return (
        f"  {call_text(turn.call)}\n"
        f"  confidence {turn.confidence:.1%}, {turn.tokens.run} tokens run, {times.total:.0f} ms"
    )


def call_text(call: ToolCall) -> str:
    """A call as a reader likes it: `name(slot=value, ...)`."""
    slots = ", ".join(f"{name}={json.dumps(value)}" for name, value in call.arguments.items())
    return f"{call.name}({slots})"


def _now() -> float:
    return time.perf_counter() * 1000


if __name__ == "__main__":
    sys.exit(main())
