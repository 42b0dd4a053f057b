"""Calibration: a logistic function of what the decisions looked like."""

from __future__ import annotations

import math
from typing import Any

import pytest

from offhand import ModelError
from offhand.calibration import FEATURES, Calibration, features, read_calibration
from offhand.decode import Decision

WEIGHTS = dict.fromkeys(FEATURES, 0.0)


def decision(probability: float, outside: float | None = None) -> Decision:
    return Decision("tool", "a", probability, outside, ())


def test_features() -> None:
    decisions = [decision(0.5, 0.2), decision(0.25)]
    confidence, least, inside = math.log(0.5 * 0.25 * 0.8), math.log(0.25), math.log(0.8)
    assert features(decisions) == pytest.approx(
        (confidence, least, inside, math.log(3), math.log(0.5))
    )
    assert features([]) == (0.0,) * 5


def test_what_cannot_be_is_still_a_number() -> None:
    assert all(math.isfinite(value) for value in features([decision(0.0, 1.0)]))


@pytest.mark.parametrize(
    ("intercept", "weights", "probability"),
    [
        (0.0, (0.0,) * 5, 0.5),
        (1.0, (0.0, 1.0, 0.0, 0.0, 0.0), 1 / (1 + math.exp(-1 - math.log(0.25)))),
        (1e9, (0.0,) * 5, 1.0),
        (-1e9, (0.0,) * 5, 0.0),
    ],
)
def test_probabilities(intercept: float, weights: tuple[float, ...], probability: float) -> None:
    calibrated = Calibration(intercept, weights)([decision(0.5), decision(0.25)])
    assert calibrated == pytest.approx(probability, abs=1e-9)


def test_the_manifest_is_read() -> None:
    weights = {name: float(number) for number, name in enumerate(reversed(FEATURES))}
    read = read_calibration({"intercept": 2, "weights": weights})
    assert read == Calibration(2.0, (4.0, 3.0, 2.0, 1.0, 0.0))
    assert read_calibration(None) is None


@pytest.mark.parametrize(
    "data",
    [
        [],
        {},
        "calibration",
        {"intercept": 1},
        {"weights": WEIGHTS},
        {"intercept": "high", "weights": WEIGHTS},
        {"intercept": 0, "weights": list(WEIGHTS)},
        {"intercept": 0, "weights": {**WEIGHTS, "mood": 1}},
        {"intercept": 0, "weights": {"log_tool": 1}},
        {"intercept": 0, "weights": {**WEIGHTS, "log_tool": None}},
    ],
)
def test_what_is_no_calibration_is_refused(data: Any) -> None:
    with pytest.raises(ModelError, match="calibration") as caught:
        read_calibration(data)
    assert caught.value.fix
