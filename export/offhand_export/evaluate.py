"""Evaluation: how often a model makes the right tool call, measured through the serving code.

Every assistant turn of the data is made by an `offhand.session.Session`, as the page and the
terminal make it, twice over: with the gold calls as history, and with the model's own. The second
only differs where a call differs, so it is run from there on. Figures are `report`'s concern, what
counts as right is `metrics`', and the shape of the data `dataset`'s.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from offhand.automaton import Automaton
from offhand.catalogs import Catalog, load
from offhand.dialect import ToolCall, render_call
from offhand.engine import Engine, drive
from offhand.errors import MessageError
from offhand.prompt import Message, Template
from offhand.session import Session
from offhand.tokenizer import Vocabulary
from offhand_export.dataset import Conversation, Exchange, fingerprint, read_conversations
from offhand_export.errors import ExportError
from offhand_export.metrics import Defaults, documented_defaults, equivalent, spelled
from offhand_export.report import (
    Outcome,
    Report,
    Setting,
    as_json,
    as_lines,
    summarize,
    write_json,
)

Progress = Callable[[int, Sequence[Outcome]], None]


class EvaluateError(ExportError):
    """An evaluation that makes no sense as it was asked for."""


class Model(Protocol):
    """What evaluation needs of an opened model, whatever runs it."""

    @property
    def engine(self) -> Engine: ...

    @property
    def vocabulary(self) -> Vocabulary: ...

    @property
    def template(self) -> Template: ...


@dataclass(frozen=True, slots=True)
class _Judge:
    """What is the same for every turn of an evaluation."""

    session: Session
    engine: Engine
    defaults: Defaults
    allows: Callable[[ToolCall], bool]

    def turn(self, place: tuple[int, int], exchange: Exchange) -> Outcome:
        """Make the next turn of the session and compare it with the exchange's gold call."""
        gold = exchange.gold
        inside = gold is not None and self.allows(gold)
        try:
            turn = drive(self.session.turn(exchange.text), self.engine)
        except MessageError:
            return Outcome(*place, exchange.text, gold, None, 0.0, False, 0, inside)
        right = gold is not None and equivalent(gold, turn.call, self.defaults)
        return Outcome(
            *place,
            text=exchange.text,
            gold=gold,
            predicted=turn.call,
            confidence=turn.confidence,
            right=right,
            tokens=turn.tokens.run,
            inside=inside,
        )


def evaluate(
    model: Model,
    catalog: Catalog,
    conversations: Sequence[Conversation],
    setting: Setting,
    progress: Progress = lambda done, outcomes: None,
) -> Report:
    """Make every turn of the conversations and draw the figures.

    Args:
        model: an opened model.
        catalog: the tools to call.
        conversations: at least one.
        setting: how the report names what was evaluated.
        progress: called after each conversation with their number so far and all outcomes under
            gold history.
    """
    judge = _Judge(
        session=Session(model.vocabulary, model.template, catalog, model.engine.context),
        engine=model.engine,
        defaults=documented_defaults(catalog.tools),
        allows=_allows(catalog, model.vocabulary),
    )
    gold_history: list[Outcome] = []
    own_history: list[Outcome] = []
    start = time.perf_counter()
    for number, conversation in enumerate(conversations):
        outcomes = list(_under_gold_history(judge, number, conversation))
        gold_history += outcomes
        own_history += _under_own_history(judge, conversation, outcomes)
        progress(number + 1, gold_history)
    return summarize(setting, gold_history, own_history, time.perf_counter() - start)


def _under_gold_history(
    judge: _Judge, number: int, conversation: Conversation
) -> Iterator[Outcome]:
    history = _history(conversation)
    judge.session.reset()
    for index, exchange in enumerate(conversation.exchanges):
        judge.session.messages = history[: 2 * index]
        yield judge.turn((number, index), exchange)


def _under_own_history(
    judge: _Judge, conversation: Conversation, outcomes: Sequence[Outcome]
) -> list[Outcome]:
    """The outcomes anew from where the model first left the gold history, the same before."""
    parting = next((i for i, outcome in enumerate(outcomes) if _parts(outcome)), len(outcomes))
    own = [replace(outcome, tokens=0) for outcome in outcomes[: parting + 1]]
    if parting + 1 >= len(outcomes):
        return own
    judge.session.reset()
    judge.session.messages = _history(conversation)[: 2 * parting]
    if (call := outcomes[parting].predicted) is not None:
        said = Message("user", outcomes[parting].text), Message("assistant", call=call)
        judge.session.messages += said
    for outcome, exchange in zip(
        outcomes[parting + 1 :], conversation.exchanges[parting + 1 :], strict=True
    ):
        own.append(judge.turn((outcome.conversation, outcome.turn), exchange))
    return own


def _parts(outcome: Outcome) -> bool:
    """Whether the next prompt would differ: equivalent calls may be written differently."""
    if outcome.gold is None or outcome.predicted is None:
        return True
    return spelled(outcome.gold) != spelled(outcome.predicted)


def _history(conversation: Conversation) -> tuple[Message, ...]:
    messages: list[Message] = []
    for exchange in conversation.exchanges:
        messages.append(Message("user", exchange.text))
        messages.append(Message("assistant", exchange.said, exchange.gold))
    return tuple(messages)


def _allows(catalog: Catalog, vocabulary: Vocabulary) -> Callable[[ToolCall], bool]:
    automaton = Automaton(catalog.tools, vocabulary)

    def allows(call: ToolCall) -> bool:
        try:
            pieces = render_call(call)
        except TypeError:  # a value that the dialect cannot say
            return False
        return automaton.accepts(vocabulary.encode_pieces(pieces)[1:])

    return allows


# The command.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `offhand-export evaluate` takes."""
    parser.add_argument("--catalog", required=True, help="name or path of the catalog")
    parser.add_argument("--data", required=True, type=Path, help="conversations, as JSON lines")
    parser.add_argument(
        "--model", required=True, type=Path, help="model folder, or checkpoint folder for torch"
    )
    parser.add_argument("--report", required=True, type=Path, help="JSON file to write")
    parser.add_argument("--runtime", choices=("ort", "torch"), default="ort")
    parser.add_argument("--precision", choices=("fp32", "int8"), default="fp32")
    parser.add_argument("--threads", type=int, default=0, help="0 lets the runtime choose")
    parser.add_argument("--limit", type=int, help="evaluate the first N conversations only")


def evaluate_command(args: argparse.Namespace) -> int:
    """Run `offhand-export evaluate`: write the report, show its figures.

    Raises:
        ExportError, OffhandError: the data, the catalog or the model cannot be used.
    """
    if args.limit is not None and args.limit < 1:
        raise EvaluateError(f"--limit is {args.limit}.", "Give at least 1, or leave it out.")
    catalog = load(args.catalog)
    conversations = read_conversations(args.data)[: args.limit]
    setting = Setting(
        model=args.model.resolve().name,
        runtime=args.runtime,
        precision=args.precision,
        threads=args.threads,
        catalog=catalog.name,
        data=args.data.name,
        data_sha256=fingerprint(args.data),
    )
    model = open_model(args.model, args.runtime, args.precision, args.threads)
    report = evaluate(model, catalog, conversations, setting, _shown(len(conversations)))
    write_json(as_json(report), args.report)
    print("\n".join(as_lines(report)))
    return 0


def open_model(folder: Path, runtime: str, precision: str, threads: int) -> Model:
    """Open a model folder on onnxruntime ("ort") or a checkpoint folder on torch ("torch").

    Raises:
        EvaluateError: torch was asked for a precision that only a converted model has.
        CheckpointError, ModelError: the folder is not what the runtime reads.
    """
    # The runtimes are large and a caller wants one of them, so they are imported when asked for.
    if runtime == "torch":
        if precision != "fp32":
            raise EvaluateError(
                f"torch runs a checkpoint in fp32, not {precision}.",
                "Use --runtime ort with a converted model.",
            )
        from offhand_export.torch_engine import TorchModel

        return TorchModel.open(folder, threads)
    from offhand.native import NativeModel

    return NativeModel.open(folder, precision, threads)


def _shown(total: int) -> Progress:
    """A progress line on stderr: rewritten in place on a terminal, every tenth part elsewhere."""
    in_place = sys.stderr.isatty()
    step = 1 if in_place else max(1, total // 10)

    def show(done: int, outcomes: Sequence[Outcome]) -> None:
        if done % step == 0 or done == total:
            right = sum(outcome.right for outcome in outcomes)
            line = f"{done}/{total} conversations, {right} of {len(outcomes)} turns right"
            end = "\r" if in_place and done < total else "\n"
            print(line, end=end, file=sys.stderr, flush=True)

    return show
