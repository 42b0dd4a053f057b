"""How far a confidence can be trusted: figures over calls, each with a confidence and an outcome.

Pure functions; rates are fractions from 0 to 1. Which calls are judged by which fit is
`bench.calibrate`'s matter, ECE over bins of equal width and accuracy at a coverage `metrics`'.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

from offhand.dialect import ToolCall
from offhand.policy import Policy, judge
from offhand.world import Outcome, World
from offhand_export.metrics import BINS, accuracy_at, expected_calibration_error, rate

RIGHT = 0.995
"""Aimed at: the least share of what is executed without asking that is right,"""
COVERAGE = 0.9
"""at this share of the calls or more,"""
ECE = 0.03
"""and the most that confidence is off by (ECE)."""
COVERAGES = (0.80, 0.90, 0.95, 1.00)


@dataclass(frozen=True, slots=True)
class Shown:
    """One call with a confidence, as it is judged.

    Attributes:
        catalog, tool: what was called.
        confidence: 0 to 1.
        right: what came of it.
        threshold: of other calls, where `RIGHT` of those above it are; None where none is.
    """

    catalog: str
    tool: str
    confidence: float
    right: bool
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """A threshold of confidence: the share of calls at or above it, and how many are right."""

    threshold: float
    coverage: float
    right: float


def reach(confidences: Sequence[float], rights: Sequence[bool], least: float) -> Reach | None:
    """The lowest threshold that leaves at least `least` of the calls above it right, if any."""
    ranked = sorted(zip(confidences, rights, strict=True), key=lambda pair: -pair[0])
    found, right = None, 0
    for taken, (confidence, is_right) in enumerate(ranked, start=1):
        right += is_right
        # Calls of equal confidence stand or fall together.
        last = taken == len(ranked) or ranked[taken][0] != confidence
        if last and right >= least * taken:
            found = Reach(confidence, taken / len(ranked), right / taken)
    return found


def mass_error(confidences: Sequence[float], rights: Sequence[bool]) -> float:
    """ECE over ten bins of equally many calls, in the order of confidence."""
    ranked = sorted(zip(confidences, rights, strict=True), key=lambda pair: pair[0])
    edges = [round(place * len(ranked) / BINS) for place in range(BINS + 1)]
    parts = [ranked[low:high] for low, high in pairwise(edges)]
    gaps = [abs(sum(confidence - right for confidence, right in part)) for part in parts]
    return rate(sum(gaps), len(ranked))


def bins(confidences: Sequence[float], rights: Sequence[bool]) -> list[dict[str, float]]:
    """The reliability table: mean confidence and share right in ten bins of equal width."""
    held: dict[int, list[tuple[float, bool]]] = {}
    for confidence, right in zip(confidences, rights, strict=True):
        held.setdefault(min(int(confidence * BINS), BINS - 1), []).append((confidence, right))
    return [
        {
            "from": place / BINS,
            "turns": len(pairs),
            "confidence": rate(sum(confidence for confidence, _ in pairs), len(pairs)),
            "right": rate(sum(right for _, right in pairs), len(pairs)),
        }
        for place, pairs in sorted(held.items())
    ]


def figures(shown: Sequence[Shown], policies: Mapping[str, Policy]) -> dict[str, Any]:
    """Everything that is told of some calls, JSON-ready.

    Args:
        shown: at least one call.
        policies: by catalog.
    """
    confidences, rights = [one.confidence for one in shown], [one.right for one in shown]
    best = reach(confidences, rights, RIGHT)
    return {
        "ece": expected_calibration_error(confidences, rights),
        "ece_mass": mass_error(confidences, rights),
        "accuracy_at": {f"{at:.2f}": accuracy_at(at, confidences, rights) for at in COVERAGES},
        "reach": None
        if best is None
        else {"threshold": best.threshold, "coverage": best.coverage, "right": best.right},
        "carried": _carried(shown),
        "policy": policy_figures(shown, policies),
        "bins": bins(confidences, rights),
    }


def _carried(shown: Sequence[Shown]) -> dict[str, float]:
    """The same at thresholds that other calls chose, which is what a threshold is worth."""
    above = [
        one.right for one in shown if one.threshold is not None and one.confidence >= one.threshold
    ]
    return {"coverage": rate(len(above), len(shown)), "right": rate(sum(above), len(above))}


def policy_figures(shown: Sequence[Shown], policies: Mapping[str, Policy]) -> dict[str, Any]:
    """What the catalogs' policies do with the calls; counts, and `right` of those executed.

    The world, which may ask for more, is left out. Calls that carry nothing out (a message not
    understood, a person asked for) are `idle`; those that are always confirmed are `risk`.
    """
    counts: Counter[str] = Counter()
    for one in shown:
        counts[_fate(policies[one.catalog], one)] += 1
        counts["right"] += one.right and _fate(policies[one.catalog], one) == "execute"
    names = {"execute": "executed", "right": "right", "confidence": "doubt"}
    found = {told: counts[name] for name, told in names.items()}
    return {"calls": len(shown), **found, "risk": counts["risk"], "idle": counts["idle"]}


def _fate(policy: Policy, one: Shown) -> str:
    if one.tool in policy.unclear | policy.handover:
        return "idle"
    if policy.tier(one.tool) == "danger":
        return "risk"
    verdict = judge(policy, cast(World, _Harmless()), None, ToolCall(one.tool, {}), one.confidence)
    return verdict.reason or verdict.kind


class _Harmless:
    """A world where nothing is missing or dangerous and all is done: confidence alone decides."""

    def apply(self, state: Any, call: ToolCall) -> Outcome:
        return Outcome(call, "")

    def missing(self, state: Any, call: ToolCall) -> tuple[str, ...]:
        return ()

    def danger(self, state: Any, call: ToolCall) -> str | None:
        return None

    def describe(self, call: ToolCall) -> str:
        return call.name
