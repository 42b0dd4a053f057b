"""From the model's probabilities to how often it is right.

The product of a call's probabilities is a score, not a frequency: it falls with every decision and
knows nothing of texts. A logistic function of a few features of the decisions, fitted on
conversations that the model was not trained on, turns it into one. Its weights travel in the
manifest (`calibration`), fitted by `bench.calibrate`; without them the product is shown as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offhand.decode import Decision, confidence
from offhand.errors import ModelError

FEATURES = ("log_confidence", "log_least", "log_inside", "log_decisions", "log_tool")
_FLOOR = 1e-6


def features(decisions: Sequence[Decision]) -> tuple[float, ...]:
    """What is looked at, in the order of `FEATURES`; natural logarithms, 0 at best.

    The whole call's probability, the least certain decision's, the mass within what is allowed, how
    many decisions there were, and the first decision's probability (which tool).
    """
    inside = [1.0 - decision.outside for decision in decisions if decision.outside is not None]
    return (
        _log(confidence(decisions)),
        _log(min((decision.probability for decision in decisions), default=1.0)),
        _log(math.prod(inside)),
        math.log(1 + len(decisions)),
        _log(decisions[0].probability if decisions else 1.0),
    )


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic function of `features`: `intercept`, and a weight a feature."""

    intercept: float
    weights: tuple[float, ...]

    def __call__(self, decisions: Sequence[Decision]) -> float:
        """How likely the call is right, in 0..1."""
        pairs = zip(self.weights, features(decisions), strict=True)
        logit = self.intercept + sum(weight * value for weight, value in pairs)
        return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, logit))))


def read_calibration(data: Any) -> Calibration | None:
    """The manifest's `calibration`; None where it has none.

    Raises:
        ModelError: it is there and not understood.
    """
    if data is None:
        return None
    try:
        weights = data["weights"]
        if not isinstance(weights, Mapping) or set(weights) != set(FEATURES):
            raise ValueError(f"the weights are not of {', '.join(FEATURES)}")
        return Calibration(
            float(data["intercept"]), tuple(float(weights[name]) for name in FEATURES)
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"The model's calibration cannot be read: {error}.",
            "Make it again with `python -m bench.calibrate`.",
        ) from error


def _log(value: float) -> float:
    return math.log(max(_FLOOR, value))
