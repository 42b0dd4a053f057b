"""The border between the app and whatever runs the model.

The app is generators that yield a `Run` and are sent back `Scores`; a driver owns the weights, the
KV cache and the clock, and decides whether waiting is synchronous. This keeps decoding free of I/O
and of sync/async twins (the idea of httpx's auth flow). Drivers live in `native` and `browser`.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Run:
    """One pass of the model.

    Attributes:
        keep: how many tokens of the KV cache stay; what lies beyond is forgotten first.
        ids: token ids to run after those kept, at least one.
        candidates: token ids whose logits at the last position are wanted, at least one.
        whole: also compare with the whole vocabulary (costs the full output head).
    """

    keep: int
    ids: tuple[int, ...]
    candidates: tuple[int, ...]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Scores:
    """What a `Run` returns, all of it about the position after the last token run.

    Attributes:
        candidates: logits in the order of `Run.candidates`.
        log_total: log of the summed exponentials of all logits; None unless `Run.whole`.
        top_ids: the best token ids of the whole vocabulary; empty unless `Run.whole`.
        top_scores: their logits.
    """

    candidates: Sequence[float]
    log_total: float | None = None
    top_ids: Sequence[int] = ()
    top_scores: Sequence[float] = ()


class Engine(Protocol):
    """A synchronous driver of the model; `context` is the most tokens its KV cache holds."""

    context: int

    def run(self, run: Run) -> Scores: ...


def drive(steps: Generator[Run, Scores, Result], engine: Engine) -> Result:
    """Run a generator of model passes to its end on a synchronous engine."""
    try:
        run = next(steps)
        while True:
            run = steps.send(engine.run(run))
    except StopIteration as stop:
        result: Result = stop.value
        return result
