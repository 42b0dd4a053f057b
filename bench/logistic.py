"""Logistic regression: how likely something is right, from a few numbers that are known of it.

Newton's method on features scaled to unit spread, with a small penalty on their weights that keeps
them finite where the data parts cleanly. The same data gives the same weights.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

RIDGE = 1.0
"""Penalty on half the square of a scaled weight, against one a case for its log-likelihood."""
STEPS = 100


def fit_logistic(
    features: Sequence[Sequence[float]], rights: Sequence[bool], rising: Collection[int] = ()
) -> tuple[float, tuple[float, ...]]:
    """The intercept, and a weight a feature, that make the outcomes likeliest.

    Args:
        features: of each case, equally many.
        rights: what came of it.
        rising: places of features that must not speak against a case by growing; where the data
            would have it so by chance, the feature is left out (its weight is 0).

    Raises:
        ValueError: the outcomes are all the same, so that no intercept is finite.
    """
    if len(set(rights)) < 2:
        raise ValueError("the outcomes are all the same")
    raw, wanted = np.asarray(features, dtype=float), np.asarray(rights, dtype=float)
    middle, spread = raw.mean(axis=0), raw.std(axis=0)
    spread[spread < 1e-9] = 1.0  # a constant tells nothing, and the penalty leaves it at nothing
    scaled = (raw - middle) / spread
    kept = list(range(raw.shape[1]))
    found = _newton(scaled[:, kept], wanted)
    while falling := [(found[1 + at], place) for at, place in enumerate(kept) if place in rising]:
        worst, place = min(falling)
        if worst >= 0:
            break
        kept.remove(place)
        found = _newton(scaled[:, kept], wanted)
    own = np.zeros(raw.shape[1])
    own[kept] = found[1:] / spread[kept]
    return float(found[0] - own @ middle), tuple(map(float, own))


def _newton(scaled: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The intercept and the weights of scaled features."""
    cases = np.column_stack([np.ones(len(scaled)), scaled])
    penalty = np.full(cases.shape[1], RIDGE)
    penalty[0] = 0.0

    def loss(weights: np.ndarray) -> float:
        logits = cases @ weights
        likely = np.logaddexp(0.0, logits).sum() - wanted @ logits
        return float(likely + penalty @ weights**2 / 2)

    weights = np.zeros(cases.shape[1])
    for _ in range(STEPS):
        found = 1.0 / (1.0 + np.exp(-np.clip(cases @ weights, -50, 50)))
        slope = cases.T @ (found - wanted) + penalty * weights
        curve = (cases.T * (found * (1 - found))) @ cases + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        while loss(weights - step) > loss(weights) and np.abs(step).max() > 1e-9:
            step /= 2
        weights = weights - step
        if np.abs(step).max() < 1e-9:
            break
    return weights
