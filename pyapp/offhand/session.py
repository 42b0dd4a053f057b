"""One conversation: what was said, what the KV cache holds, and the turn being made.

Every turn renders the whole conversation and runs only what the cache does not hold yet, so
history is never prefilled twice, whatever the template. A turn that fails, or is abandoned, changes
nothing: its message joins the conversation together with its call. When the context is full the
oldest turns leave the prompt, half of it at a time, so that this is rare. Dispatch is not here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Generator, Mapping
from dataclasses import dataclass

from offhand.automaton import Automaton
from offhand.catalogs import Catalog
from offhand.decode import Cache, Decision, decode
from offhand.dialect import ToolCall
from offhand.engine import Run, Scores
from offhand.errors import MessageError
from offhand.prompt import Message, Template
from offhand.tokenizer import Vocabulary

MAX_CHARACTERS = 2_000
"""The longest message taken, in characters."""

RESERVE = 256
"""Tokens of the context kept free for the call itself."""


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """What one turn cost, in tokens.

    Attributes:
        prompt: tokens of the whole conversation up to the model's turn.
        cached: of these, held by the KV cache already.
        prefilled: of these, run in this turn.
        forced, decided: tokens of the call chosen by the automaton and by the model.
        run: tokens that passed through the model in this turn.
    """

    prompt: int
    cached: int
    prefilled: int
    forced: int
    decided: int
    run: int


@dataclass(frozen=True, slots=True)
class Turn:
    """A user's message and the tool call made for it.

    Attributes:
        confidence: product of the decisions' probabilities, 0 to 1.
        first: number of the oldest message that was in the prompt; those before had to leave.
    """

    text: str
    call: ToolCall
    confidence: float
    decisions: tuple[Decision, ...]
    tokens: TokenCounts
    truncated: bool
    first: int = 0


class Session:
    """A conversation with a model about one catalog.

    Args:
        vocabulary: the model's tokenizer and control tokens.
        template: the model's chat template.
        catalog: the tools to call.
        context: the most tokens the engine's KV cache holds.
    """

    def __init__(
        self, vocabulary: Vocabulary, template: Template, catalog: Catalog, context: int
    ) -> None:
        self.catalog = catalog
        self.messages: tuple[Message, ...] = ()
        self.cache = Cache(context)
        self._vocabulary = vocabulary
        self._template = template
        self._context = context
        self._automaton = Automaton(catalog.tools, vocabulary)
        self._first = 0  # the oldest message still in the prompt

    def warm(self) -> Generator[Run, Scores, int]:
        """Prefill the declarations; returns how many tokens were run (0 when already there)."""
        # What two conversations have in common is what every first message will follow.
        one, other = (self._encode((Message("user", text),)) for text in ("a", "1"))
        pairs = zip(one, other, strict=False)
        shared = next(i for i, (a, b) in enumerate(pairs) if a != b)
        if self.cache.ids[:shared] == one[:shared]:
            return 0
        pending = self.cache.rewind(one[:shared])
        yield from self.cache.run(pending, pending[-1:])
        return len(pending)

    def turn(self, text: str) -> Generator[Run, Scores, Turn]:
        """Make the call for a message.

        Raises:
            MessageError: the message is empty, too long, or not text; nothing has changed.
        """
        turn = yield from self.read(text)
        self.take(turn, turn.call)
        return turn

    def read(self, text: str) -> Generator[Run, Scores, Turn]:
        """The call for a message, which joins the conversation only when it is taken.

        Raises:
            MessageError: the message is empty, too long, or not text.
        """
        return (yield from self._decoded(check_message(text), {}))

    def second(self, turn: Turn) -> Generator[Run, Scores, Turn | None]:
        """The second likeliest reading of a message that has been read and not yet taken.

        The least certain choice of the first reading is taken the other way, and the rest of the
        call is decided anew.

        Returns:
            Another call for the same message; None where no choice was left to the model, or the
            other way leads to the same call.
        """
        open_ = [i for i, decision in enumerate(turn.decisions) if len(decision.tokens) > 1]
        if not open_:
            return None
        at = min(open_, key=lambda i: turn.decisions[i].probability)
        # A first reading has the likeliest token everywhere, and tokens are listed likeliest first.
        found = yield from self._decoded(turn.text, {at: turn.decisions[at].tokens[1]})
        return None if found.call == turn.call else found

    def take(self, turn: Turn, call: ToolCall) -> None:
        """Let a message that has been read join the conversation, with the call made of it."""
        self._first = turn.first
        self.add(turn.text, call)

    def add(self, text: str, call: ToolCall) -> None:
        """Let a message and its call join the conversation without asking the model.

        Raises:
            MessageError: the message is empty, too long, or not text; nothing has changed.
        """
        user = Message("user", check_message(text))
        self.messages = (*self.messages, user, Message("assistant", call=call))

    def _decoded(self, text: str, instead: Mapping[int, int]) -> Generator[Run, Scores, Turn]:
        """A call for a message after those of the conversation."""
        prompt, first = self._fit((*self.messages, Message("user", text)))
        pending = self.cache.rewind(prompt)
        cached = len(self.cache.ids)
        decoded = yield from decode(self._automaton, self.cache, pending, instead)
        counts = TokenCounts(
            prompt=len(prompt),
            cached=cached,
            prefilled=len(pending),
            forced=decoded.forced,
            decided=decoded.decided,
            run=len(self.cache.ids) - cached,
        )
        confidence, decisions = decoded.confidence, decoded.decisions
        return Turn(text, decoded.call, confidence, decisions, counts, decoded.truncated, first)

    def replace_last_call(self, call: ToolCall) -> None:
        """Put another call in the place of the last one (a correction, or the gold history)."""
        if not self.messages:
            raise MessageError("There is no call to replace.", "Make a turn first.")
        self.messages = (*self.messages[:-1], Message("assistant", call=call))

    def reset(self) -> None:
        """Begin a new conversation; the declarations stay in the KV cache."""
        self.messages = ()
        self._first = 0

    def _encode(self, messages: tuple[Message, ...]) -> list[int]:
        pieces = self._template.render(messages, self.catalog.declarations, answer=True)
        return self._vocabulary.encode_pieces(pieces)

    def _fit(self, messages: tuple[Message, ...]) -> tuple[list[int], int]:
        """The prompt's tokens, and the first message in it that still fits the context."""
        first = self._first
        prompt = self._encode(messages[first:])
        while len(prompt) > self._context - RESERVE:
            if first >= len(messages) - 1:
                raise MessageError(
                    f"The message and the declarations take {len(prompt)} tokens; "
                    f"{self._context - RESERVE} fit.",
                    "Shorten the message.",
                )
            # Whole turns leave, half of those there are: a cache kept for many turns to come.
            first += max(2, (len(messages) - first) // 4 * 2)
            prompt = self._encode(messages[first:])
        return prompt, first


def check_message(text: str) -> str:
    """A message ready for the prompt, without the white space around it.

    Raises:
        MessageError: it is empty, too long, or not text.
    """
    text = text.strip()
    if not any(unicodedata.category(c) not in ("Cf", "Cc", "Zs", "Zl", "Zp") for c in text):
        raise MessageError("The message is empty.", "Type what you would like to be done.")
    if len(text) > MAX_CHARACTERS:
        raise MessageError(
            f"The message has {len(text):,} characters; at most {MAX_CHARACTERS:,} are taken.",
            "Shorten it or send it in parts.",
        )
    for position, character in enumerate(text):
        if 0xD800 <= ord(character) <= 0xDFFF:
            raise MessageError(
                f"Character {position + 1} of the message is half of a character "
                f"(the lone surrogate U+{ord(character):04X}).",
                "Delete it or type it again.",
            )
    return text
