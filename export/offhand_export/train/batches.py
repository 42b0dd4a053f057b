"""Conversations as the tokens a session would run, packed without padding.

Every assistant turn of a conversation is trained in one pass over it, since a session's prompts
grow: each is the one before, its call, and the next message. Where a template breaks that rule
(one that rewrites history), the conversation falls apart into several sequences and nothing else
changes. Scored are the tokens of each call, from `<start_function_call>` to `<end_of_turn>`.

Which conversations make up a step follows from the seed and the step's number alone, so that a run
that goes on after an interruption sees what it would have seen.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import torch

from offhand.automaton import Automaton
from offhand.catalogs import Catalog, load
from offhand.dialect import ToolCall, render_call
from offhand.errors import MessageError
from offhand.prompt import Message, Template
from offhand.session import RESERVE, check_message
from offhand.tokenizer import Vocabulary
from offhand_export.dataset import Conversation, read_conversations
from offhand_export.train.config import Data
from offhand_export.train.errors import TrainError
from offhand_export.train.functions import Segment
from offhand_export.train.network import Batch

END_OF_TURN = "<end_of_turn>"
CONTEXT = 2048
"""The most tokens a session's KV cache holds (`offhand_export.torch_engine.CONTEXT`)."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of a conversation.

    Attributes:
        ids: from `<bos>` on.
        calls: half-open ranges of `ids` that are scored, one a turn.
    """

    ids: tuple[int, ...]
    calls: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Examples:
    """The conversations about one catalog.

    Attributes:
        catalog: its name.
        prefix: how many tokens all sequences begin with: the declarations.
        train, valid: for each conversation its sequences, nearly always one.
    """

    catalog: str
    prefix: int
    train: tuple[tuple[Tokens, ...], ...]
    valid: tuple[tuple[Tokens, ...], ...]
    digest: str


@dataclass(frozen=True, slots=True)
class _Encoder:
    vocabulary: Vocabulary
    template: Template
    catalog: Catalog
    automaton: Automaton

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        pieces = self.template.render(messages, self.catalog.declarations, answer=True)
        return self.vocabulary.encode_pieces(pieces)

    def call(self, call: ToolCall) -> list[int]:
        try:
            ids = self.vocabulary.encode_pieces(render_call(call))
        except TypeError as error:
            raise TrainError(f"{error}.", "Correct the call.") from error
        if not self.automaton.accepts(ids[1:]):
            raise TrainError(
                f"The call {call.name}({dict(call.arguments)}) is outside the catalog "
                f"{self.catalog.name}.",
                "Correct the call, or name the catalog the data was made for.",
            )
        return [*ids, self.vocabulary.control[END_OF_TURN]]

    def sequences(self, conversation: Conversation) -> Iterator[Tokens]:
        """The conversation's tokens, as one sequence as far as prompts grow."""
        messages: tuple[Message, ...] = ()
        ids: list[int] = []
        calls: list[tuple[int, int]] = []
        for exchange in conversation.exchanges:
            try:
                text = check_message(exchange.text)
            except MessageError as error:
                raise TrainError(str(error)) from error
            messages = (*messages, Message("user", text))
            if exchange.gold is not None:
                prompt = self.prompt(messages)
                if len(prompt) > CONTEXT - RESERVE:
                    raise TrainError(
                        f"The conversation takes {len(prompt)} tokens; {CONTEXT - RESERVE} fit.",
                        "Split it.",
                    )
                if prompt[: len(ids)] != ids:
                    yield Tokens(tuple(ids), tuple(calls))
                    calls = []
                call = self.call(exchange.gold)
                ids = [*prompt, *call]
                calls.append((len(prompt), len(ids)))
            messages = (*messages, Message("assistant", exchange.said, exchange.gold))
        if calls:
            yield Tokens(tuple(ids), tuple(calls))


def read_examples(
    data: Data, vocabulary: Vocabulary, template: Template, limit: int | None = None
) -> Examples:
    """Read and encode the conversations about one catalog.

    Args:
        data: where they are.
        vocabulary, template: the checkpoint's.
        limit: validate on that many conversations at most.

    Raises:
        DataError, CatalogError: the files or the catalog cannot be read.
        TrainError: a conversation cannot be trained on; the message names its line.
    """
    catalog = load(data.catalog)
    encoder = _Encoder(vocabulary, template, catalog, Automaton(catalog.tools, vocabulary))
    train = _encoded(encoder, data.train, None)
    valid = _encoded(encoder, data.valid, limit)
    probes = [encoder.prompt([Message("user", text)]) for text in ("a", "1")]
    # A prefix ends before the first scored token's predecessor, which belongs to its conversation.
    heads = [one.ids[: one.calls[0][0] - 1] for both in (train, valid) for c in both for one in c]
    digest = hashlib.sha256()
    for path in (data.train, data.valid):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return Examples(catalog.name, _shared([*probes, *heads]), train, valid, digest.hexdigest())


def _encoded(encoder: _Encoder, path: Path, limit: int | None) -> tuple[tuple[Tokens, ...], ...]:
    made = []
    for conversation in read_conversations(path)[:limit]:
        try:
            if sequences := tuple(encoder.sequences(conversation)):
                made.append(sequences)
        except TrainError as error:
            place = f"{path}, line {conversation.line}"
            raise TrainError(f"{place}: {error.message}", error.fix) from error
    if not made:
        raise TrainError(f"{path} makes no call to learn from.", "Give conversations with calls.")
    return tuple(made)


def _shared(rows: Sequence[Sequence[int]]) -> int:
    """How many tokens all rows begin with."""
    same = takewhile(lambda column: len(set(column)) == 1, zip(*rows, strict=False))
    return sum(1 for _ in same)


def chosen(examples: Examples, seed: int, step: int, count: int) -> list[Tokens]:
    """What the step trains on: `count` conversations, each seen once before any is seen again."""
    total = len(examples.train)
    made: list[Tokens] = []
    for place in range(step * count, (step + 1) * count):
        order = _order(total, f"{seed}/{examples.catalog}/{place // total}")
        made += examples.train[order[place % total]]
    return made


def _order(total: int, seed: str) -> list[int]:
    order = list(range(total))
    random.Random(seed).shuffle(order)
    return order


def packed(sequences: Sequence[Tokens], prefix: int, max_tokens: int) -> list[list[Tokens]]:
    """Share sequences out over as few passes as `max_tokens` allows, about equally long.

    A sequence too long for one pass gets its own.
    """
    room = max(1, max_tokens - prefix)
    total = sum(len(one.ids) - prefix for one in sequences)
    passes: list[list[Tokens]] = [[] for _ in range(max(1, -(-total // room)))]
    sizes = [0] * len(passes)
    for one in sorted(sequences, key=lambda one: -len(one.ids)):
        least = sizes.index(min(sizes))
        if sizes[least] and sizes[least] + len(one.ids) - prefix > room:
            passes.append([])
            sizes.append(0)
            least = -1
        passes[least].append(one)
        sizes[least] += len(one.ids) - prefix
    return [group for group in passes if group]


def as_batch(sequences: Sequence[Tokens], prefix: int, device: torch.device) -> Batch:
    """Lay sequences behind one run of the `prefix` tokens they all begin with."""
    ids = list(sequences[0].ids[:prefix])
    positions = list(range(prefix))
    segments = [Segment(0, prefix, 0)] if prefix else []
    scored: list[int] = []
    targets: list[int] = []
    turns: list[int] = []
    count = 0
    for one in sequences:
        # The last token is only ever a target.
        run = one.ids[prefix:-1]
        begin = len(ids)
        segments.append(Segment(begin, len(run), prefix))
        for first, last in one.calls:
            scored += range(begin + first - prefix - 1, begin + last - prefix - 1)
            targets += one.ids[first:last]
            turns += [count] * (last - first)
            count += 1
        ids += run
        positions += range(prefix, prefix + len(run))

    def tensor(values: list[int]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.long, device=device)

    return Batch(
        tensor(ids),
        tensor(positions),
        tuple(segments),
        tensor(scored),
        tensor(targets),
        tensor(turns),
    )
