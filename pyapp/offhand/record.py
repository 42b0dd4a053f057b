"""What is shown of a turn: its record as plain data, with where the milliseconds went.

The page and the terminal show the same record. The clock is given, since generators do no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from offhand.decode import Decision
from offhand.engine import Run, Scores
from offhand.errors import OffhandError
from offhand.session import Turn

Result = TypeVar("Result")


@dataclass(slots=True)
class Times:
    """Milliseconds of one turn: outside the model, up to the first decision, and after it."""

    prepare: float = 0.0
    prefill: float = 0.0
    decode: float = 0.0

    @property
    def total(self) -> float:
        return self.prepare + self.prefill + self.decode


def timed(
    steps: Generator[Run, Scores, Result], now: Callable[[], float], times: Times
) -> Generator[Run, Scores, Result]:
    """The same generator, writing into `times` what passes on the clock `now` (milliseconds)."""
    mark = now()
    deciding = False
    try:
        run = next(steps)
        while True:
            left, mark = mark, now()
            times.prepare += mark - left
            scores = yield run
            left, mark = mark, now()
            if deciding:
                times.decode += mark - left
            else:
                times.prefill += mark - left
            # The first decision is the first to be compared with the whole vocabulary.
            deciding = deciding or run.whole
            run = steps.send(scores)
    except StopIteration as stop:
        times.prepare += now() - mark
        result: Result = stop.value
        return result


def turn_record(turn: Turn, times: Times) -> dict[str, Any]:
    """A turn as JSON-ready data."""
    return {
        "text": turn.text,
        "call": {"name": turn.call.name, "arguments": dict(turn.call.arguments)},
        "confidence": turn.confidence,
        "truncated": turn.truncated,
        "decisions": [_decision_record(decision) for decision in turn.decisions],
        "tokens": asdict(turn.tokens),
        "milliseconds": {**asdict(times), "total": times.total},
    }


def _decision_record(decision: Decision) -> dict[str, Any]:
    shown = asdict(decision)
    del shown["tokens"]
    return shown


def error_record(error: OffhandError) -> dict[str, Any]:
    """An error as JSON-ready data: what kind, what is wrong, how to fix it."""
    return {"error": {"kind": error.kind, "message": error.message, "fix": error.fix}}
