"""Schema-valid decoding: walk the automaton, ask the model only where there is a choice.

`decode` is a generator: it yields the token ids to run with the ids allowed next, and is sent
their scores. Forced tokens are never sampled; they ride with the next run, and those after the last
choice are not run at all (the next turn's prompt contains them). Choices are greedy. There is no
clock and no runtime here.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field

from offhand.automaton import Automaton, State
from offhand.dialect import START_CALL, ToolCall, parse_call
from offhand.engine import Run, Scores
from offhand.errors import EngineError

ALTERNATIVES = 4
"""How many of the options of a choice are kept to be shown."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One choice the model made.

    Attributes:
        slot: what was decided: "tool", "slots" (which comes next), or a slot's name.
        value: what the chosen token stands for.
        probability: of the chosen token among those allowed.
        outside: probability mass on tokens not allowed; None where it was not measured.
        alternatives: the likeliest options and their probabilities, the chosen one included.
        tokens: their token ids, in the same order.
    """

    slot: str
    value: str
    probability: float
    outside: float | None
    alternatives: tuple[tuple[str, float], ...]
    tokens: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded call.

    Attributes:
        call: name and arguments.
        confidence: product of the decisions' probabilities and of the mass within what is allowed.
        decisions: in the order taken.
        ids: the call's tokens, control tokens included.
        forced, decided: how many of them the automaton and the model chose.
        truncated: a free text was cut at its limit.
    """

    call: ToolCall
    confidence: float
    decisions: tuple[Decision, ...]
    ids: tuple[int, ...]
    forced: int
    decided: int
    truncated: bool


@dataclass(slots=True)
class Cache:
    """Which tokens the KV cache holds; the driver holds the keys and values themselves."""

    limit: int
    ids: list[int] = field(default_factory=list)

    def rewind(self, prompt: Sequence[int]) -> list[int]:
        """Forget all but the common beginning with a prompt; return the rest of the prompt.

        At least one token is left to run, since scores come with a run.
        """
        keep = 0
        for have, want in zip(self.ids, prompt[:-1], strict=False):
            if have != want:
                break
            keep += 1
        del self.ids[keep:]
        return list(prompt[keep:])

    def run(
        self, ids: Sequence[int], candidates: Sequence[int], whole: bool = False
    ) -> Generator[Run, Scores, Scores]:
        """Run ids after those cached; they count as cached only once the scores are back.

        The first token of an empty cache runs alone: its activations are so much larger than all
        others that, in one run, they would take most of the steps that int8 activations have.

        Raises:
            EngineError: the ids do not fit the context.
        """
        if len(self.ids) + len(ids) > self.limit:
            raise EngineError(
                f"The turn needs more than the {self.limit} tokens of the context.",
                "Shorten the message or begin a new conversation.",
            )
        if not self.ids and len(ids) > 1:
            yield from self.run(ids[:1], candidates)
            ids = ids[1:]
        scores = yield Run(len(self.ids), tuple(ids), tuple(candidates), whole)
        self.ids.extend(ids)
        return scores


def decode(
    automaton: Automaton,
    cache: Cache,
    pending: Sequence[int],
    instead: Mapping[int, int] | None = None,
) -> Generator[Run, Scores, Decoded]:
    """Decode one call after the prompt tokens that are `pending` (not yet in the cache).

    Args:
        automaton: the calls that are allowed.
        cache: what the model has seen.
        pending: tokens of the prompt to run, at least one.
        instead: tokens to choose in place of the best, by the number of the decision; how a second
            reading of the same message is made.
    """
    wanted = instead or {}
    vocabulary = automaton.vocabulary
    waiting = [*pending, vocabulary.control[START_CALL]]
    ids = [vocabulary.control[START_CALL]]
    decisions: list[Decision] = []
    state, truncated = automaton.start(), False
    while not state.done:
        token = state.forced
        if token is not None:
            truncated = truncated or state.cut
            state = state.edges[token]()
        else:
            # The first choice and free text are compared with the whole vocabulary: the one says
            # how far the model is from calling at all, the other may be any token.
            whole = not decisions or state.text is not None
            scores = yield from cache.run(waiting, tuple(state.edges), whole)
            waiting.clear()
            token, decision = choose(state, scores, automaton, wanted.get(len(decisions)))
            decisions.append(decision)
            following = state.edges.get(token, state.text)
            assert following is not None
            state = following()
        waiting.append(token)
        ids.append(token)
    forced = len(ids) - len(decisions)
    call = parse_call(ids, vocabulary)
    return Decoded(
        call, confidence(decisions), tuple(decisions), tuple(ids), forced, len(decisions), truncated
    )


def choose(
    state: State, scores: Scores, automaton: Automaton, wanted: int | None = None
) -> tuple[int, Decision]:
    """The best allowed token, or the one wanted if it is allowed; what to know of the choice."""
    options = dict(zip(state.edges, scores.candidates, strict=True))
    if state.text is not None:
        for token, score in zip(scores.top_ids, scores.top_scores, strict=True):
            if token not in automaton.vocabulary.control_ids:
                options.setdefault(token, score)
    allowed = _log_sum(options.values())
    outside = None
    if scores.log_total is not None:
        # In free text every token but the control ones is allowed, not only the best few.
        if state.text is not None:
            allowed = max(allowed, scores.log_total)
        outside = max(0.0, 1.0 - math.exp(min(0.0, allowed - scores.log_total)))
    best = sorted(options, key=lambda token: -options[token])[:ALTERNATIVES]

    def meaning(token: int) -> str:
        return state.meanings.get(token) or automaton.vocabulary.decode([token])

    shown = tuple((meaning(token), math.exp(options[token] - allowed)) for token in best)
    chosen = wanted if wanted in options else best[0]
    probability = math.exp(options[chosen] - allowed)
    return chosen, Decision(state.label, meaning(chosen), probability, outside, shown, tuple(best))


def confidence(decisions: Sequence[Decision]) -> float:
    """How likely the whole call is under the model, in 0..1."""
    inside = (1.0 - decision.outside for decision in decisions if decision.outside is not None)
    return math.prod(decision.probability for decision in decisions) * math.prod(inside)


def _log_sum(values: Collection[float]) -> float:
    top = max(values)
    return top + math.log(sum(math.exp(value - top) for value in values))
