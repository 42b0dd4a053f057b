"""`offhand chat`: the app in a terminal, on onnxruntime."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence

from offhand import catalogs
from offhand.dialect import ToolCall
from offhand.engine import drive
from offhand.errors import OffhandError
from offhand.record import Times, timed, turn_record
from offhand.session import Session

HELP = "Type a message; /new begins a new conversation, /quit ends."


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
            session.reset()
            continue
        times = Times()
        try:
            turn = drive(timed(session.turn(text), _now, times), model.engine)
        except OffhandError as error:
            print(f"  {error}", file=sys.stderr)
            continue
        record = turn_record(turn, times)
        if options.json:
            print(json.dumps(record), flush=True)
        else:
            print(
                f"  {call_text(turn.call)}\n"
                f"  confidence {turn.confidence:.1%}, {turn.tokens.run} tokens run, "
                f"{times.total:.0f} ms",
                flush=True,
            )


def call_text(call: ToolCall) -> str:
    """A call as a reader likes it: `name(slot=value, ...)`."""
    slots = ", ".join(f"{name}={json.dumps(value)}" for name, value in call.arguments.items())
    return f"{call.name}({slots})"


def _now() -> float:
    return time.perf_counter() * 1000


if __name__ == "__main__":
    sys.exit(main())
