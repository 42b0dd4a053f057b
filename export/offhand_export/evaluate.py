"""Evaluation: how often a model makes the right tool call, measured through the serving code.

Every assistant turn of the data is made by an `offhand.session.Session`, in the page itself or as
the terminal makes it, twice over: with the gold calls as history, and with the model's own. The
second only differs where a call differs, so it is run from there on. Figures are `report`'s matter,
what counts as right is `metrics`', the shape of the data `dataset`'s, the page `browser_runtime`'s.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from offhand.automaton import Automaton
from offhand.calibration import features
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
from offhand_export.report import Outcome, Report, Setting, as_json, summarize, write_json
from offhand_export.report_lines import as_lines

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
class Made:
    """What a player made of a turn.

    Attributes:
        call: the call.
        confidence: how sure of it, 0 to 1.
        tokens: run for it.
        features: of its decisions, see `offhand.calibration.features`.
    """

    call: ToolCall
    confidence: float
    tokens: int
    features: tuple[float, ...]


class Player(Protocol):
    """Whatever makes a turn after a given history: a session here, or one in the page."""

    @property
    def vocabulary(self) -> Vocabulary: ...

    def play(self, history: tuple[Message, ...], text: str) -> Made:
        """Make one turn; `MessageError` where the app refuses the message."""
        ...


class SessionPlayer:
    """A player over an opened model."""

    def __init__(self, model: Model, catalog: Catalog) -> None:
        self.vocabulary = model.vocabulary
        self._engine = model.engine
        self._session = Session(model.vocabulary, model.template, catalog, model.engine.context)

    def play(self, history: tuple[Message, ...], text: str) -> Made:
        """Make one turn; raises MessageError where the app refuses the message."""
        self._session.reset()
        self._session.messages = history
        turn = drive(self._session.turn(text), self._engine)
        return Made(turn.call, turn.confidence, turn.tokens.run, features(turn.decisions))


@dataclass(frozen=True, slots=True)
class _Judge:
    """What is the same for every turn of an evaluation."""

    player: Player
    defaults: Defaults
    allows: Callable[[ToolCall], bool]

    def turn(
        self, place: tuple[int, int], history: tuple[Message, ...], exchange: Exchange
    ) -> Outcome:
        """Make the turn after a history and compare it with the exchange's gold call."""
        gold = exchange.gold
        inside = gold is not None and self.allows(gold)
        try:
            made = self.player.play(history, exchange.text)
        except MessageError:
            return Outcome(*place, exchange.text, gold, None, 0.0, False, 0, inside)
        right = gold is not None and equivalent(gold, made.call, self.defaults)
        return Outcome(
            *place,
            text=exchange.text,
            gold=gold,
            predicted=made.call,
            confidence=made.confidence,
            right=right,
            tokens=made.tokens,
            inside=inside,
            features=made.features,
        )


def evaluate(
    model: Model,
    catalog: Catalog,
    conversations: Sequence[Conversation],
    setting: Setting,
    progress: Progress = lambda done, outcomes: None,
) -> Report:
    """`measure` with an opened model."""
    return measure(SessionPlayer(model, catalog), catalog, conversations, setting, progress)


def measure(
    player: Player,
    catalog: Catalog,
    conversations: Sequence[Conversation],
    setting: Setting,
    progress: Progress = lambda done, outcomes: None,
) -> Report:
    """Make the turns of the conversations and draw the figures.

    Args:
        player: makes the turns.
        catalog: the tools to call.
        conversations: at least one.
        setting: how the report names what was evaluated; where it says `last`, only the final turn
            of each conversation is made, and the model's own history is not followed.
        progress: called after each conversation with their number so far and all outcomes under
            gold history.
    """
    judge = _Judge(
        player=player,
        defaults=documented_defaults(catalog.tools),
        allows=_allows(catalog, player.vocabulary),
    )
    gold_history: list[Outcome] = []
    own_history: list[Outcome] = []
    start = time.perf_counter()
    for number, conversation in enumerate(conversations):
        first = len(conversation.exchanges) - 1 if setting.last else 0
        outcomes = list(_under_gold_history(judge, number, conversation, first))
        gold_history += outcomes
        if not setting.last:
            own_history += _under_own_history(judge, conversation, outcomes)
        progress(number + 1, gold_history)
    return summarize(setting, gold_history, own_history, time.perf_counter() - start)


def _under_gold_history(
    judge: _Judge, number: int, conversation: Conversation, first: int
) -> Iterator[Outcome]:
    """The outcomes from turn `first` on, which counts from 0."""
    history = _history(conversation)
    for index, exchange in enumerate(conversation.exchanges[first:], start=first):
        yield judge.turn((number, index), history[: 2 * index], exchange)


def _under_own_history(
    judge: _Judge, conversation: Conversation, outcomes: Sequence[Outcome]
) -> list[Outcome]:
    """The outcomes anew from where the model first left the gold history, the same before."""
    parting = next((i for i, outcome in enumerate(outcomes) if _parts(outcome)), len(outcomes))
    own = [replace(outcome, tokens=0) for outcome in outcomes[: parting + 1]]
    if parting + 1 >= len(outcomes):
        return own
    history = _history(conversation)[: 2 * parting] + _said(own[parting])
    for place, exchange in enumerate(conversation.exchanges[parting + 1 :], start=parting + 1):
        own.append(judge.turn((own[0].conversation, place), history, exchange))
        history += _said(own[-1])
    return own


def _said(outcome: Outcome) -> tuple[Message, ...]:
    """What a turn leaves in the model's own history; nothing where its message was refused."""
    if outcome.predicted is None:
        return ()
    return Message("user", outcome.text), Message("assistant", call=outcome.predicted)


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
    parser.add_argument("--model", type=Path, help="model folder, or checkpoint folder for torch")
    parser.add_argument(
        "--dist", type=Path, help="static page to measure, for browser (default: dist)"
    )
    parser.add_argument("--report", required=True, type=Path, help="JSON file to write")
    parser.add_argument("--runtime", choices=("ort", "torch", "browser"), default="ort")
    parser.add_argument("--precision", choices=("fp32", "int8"), default="fp32", help="in memory")
    parser.add_argument("--threads", type=int, default=0, help="0 lets the runtime choose")
    parser.add_argument("--limit", type=int, help="evaluate the first N conversations only")
    parser.add_argument(
        "--last", action="store_true", help="score the final turn of each conversation only"
    )
    parser.add_argument(
        "--asr-wer",
        type=float,
        default=0.0,
        metavar="RATE",
        help="mishear this share of the users' words, as speech recognition does: 0 to 0.5",
    )


def evaluate_command(args: argparse.Namespace) -> int:
    """Run `offhand-export evaluate`: write the report, show its figures.

    Raises:
        ExportError, OffhandError: the data, the catalog, the model or the page cannot be used.
    """
    _check(args)
    catalog = load(args.catalog)
    conversations = read_conversations(args.data)[: args.limit]
    if args.asr_wer:
        from offhand_export.misheard import misheard

        conversations = [misheard(each, catalog.tools, args.asr_wer) for each in conversations]
    setting = Setting(
        model="" if args.model is None else args.model.resolve().name,
        runtime=args.runtime,
        precision=args.precision,
        threads=args.threads,
        catalog=catalog.name,
        data=args.data.name,
        data_sha256=fingerprint(args.data),
        last=args.last,
        asr_wer=args.asr_wer,
    )
    with _opened(args, catalog, setting) as (player, setting):
        report = measure(player, catalog, conversations, setting, _shown(len(conversations)))
    write_json(as_json(report), args.report)
    print("\n".join(as_lines(report)))
    return 0


def _check(args: argparse.Namespace) -> None:
    """Refuse what makes no sense before anything is read."""
    if args.limit is not None and args.limit < 1:
        raise EvaluateError(f"--limit is {args.limit}.", "Give at least 1, or leave it out.")
    if not 0 <= args.asr_wer <= 0.5:
        raise EvaluateError(f"--asr-wer is {args.asr_wer}.", "Give a rate from 0 to 0.5.")
    if args.runtime == "browser" and args.model is not None:
        raise EvaluateError(
            "The browser measures a page, which has its model.", "Give --dist and no --model."
        )
    if args.runtime != "browser" and args.dist is not None:
        raise EvaluateError(f"{args.runtime} reads no page.", "Give --model and no --dist.")
    if args.runtime != "browser" and args.model is None:
        raise EvaluateError("There is no model to evaluate.", "Name its folder with --model.")


@contextmanager
def _opened(
    args: argparse.Namespace, catalog: Catalog, setting: Setting
) -> Iterator[tuple[Player, Setting]]:
    """The player asked for, and the setting with what only it can tell."""
    if args.runtime != "browser":
        model = open_model(args.model, args.runtime, args.precision, args.threads)
        yield SessionPlayer(model, catalog), setting
        return
    from offhand_export.browser_runtime import open_page

    dist = args.dist or Path("dist")
    with open_page(dist, args.catalog, args.precision, args.threads) as page:
        told = replace(setting, model=page.model, threads=page.threads, browser=page.browser)
        yield page, told


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
