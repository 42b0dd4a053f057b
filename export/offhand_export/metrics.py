"""What makes a predicted tool call right, and how far its confidence can be trusted.

Pure functions over calls, rendered texts and confidences: no model, no files. Covers Tool Call
Equivalence, ROUGE-L, tables by function and by depth, and calibration. How predictions are obtained
is `evaluate`'s concern. All rates are fractions from 0 to 1; a rate over nothing is 0.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from offhand.dialect import ToolCall, number_text
from offhand.schema import Tool

Defaults = Mapping[str, Mapping[str, Any]]

BINS = 10
DEPTHS = 5
"""Turns of a conversation that the table by depth follows."""

COVERAGES = (0.90, 0.95, 1.00)
_WORD = re.compile(r"-?\d+(?:\.\d+)?|[^\W_]+")


@dataclass(frozen=True, slots=True)
class FunctionRow:
    """How one function fared. The model always calls exactly one function a turn.

    Attributes:
        count: turns whose gold call is this function.
        predicted: turns where the model called it.
        precision: share of `predicted` whose gold call is this function too.
        recall: share of `count` where the model called it.
        tce: share of `count` whose call is right, arguments included.
    """

    count: int
    predicted: int
    precision: float
    recall: float
    tce: float


@dataclass(frozen=True, slots=True)
class DepthRow:
    """How turns fared at one depth of their conversations, and what became of the whole.

    Attributes:
        turn: the depth, from 1.
        count: conversations whose turn at this depth was scored; the rates are shares of these.
        tce: with this turn right, history being gold.
        whole: with every turn up to this one right; None where earlier turns were not scored.
        closed_loop: the same, history being the model's own calls; None where it was not run.
        independent: what `whole` would be if every turn were right with the same probability p,
            whatever came before: p to the power of `turn`, p the share of all turns that are right.
    """

    turn: int
    count: int
    tce: float
    whole: float | None
    closed_loop: float | None
    independent: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether confidence means anything.

    Attributes:
        ece: expected calibration error over ten bins of equal width.
        accuracy_at: coverage (as "0.90") to the accuracy over that share of the turns, most
            confident first; turns of equal confidence count as if drawn at random.
    """

    ece: float
    accuracy_at: Mapping[str, float]


def documented_defaults(tools: Iterable[Tool]) -> Defaults:
    """What an absent argument means where its schema says so, by tool name and parameter name."""
    return {
        tool.name: {slot.name: slot.default for slot in tool.slots if slot.default is not None}
        for tool in tools
    }


def equivalent(gold: ToolCall, predicted: ToolCall, defaults: Defaults) -> bool:
    """Whether two calls ask for the same thing (Tool Call Equivalence).

    The names are equal, and so are the arguments as a dict: numbers by value (5 equals 5.0, True
    is no number), an absent argument equal to null and to the default its schema documents.
    """
    if gold.name != predicted.name:
        return False
    own = defaults.get(gold.name, {})
    return _equal(_meant(gold.arguments, own), _meant(predicted.arguments, own))


def spelled(call: ToolCall) -> str:
    """A call as plain text, arguments by name: what ROUGE-L and readers compare."""
    return call.name + _spelled({k: v for k, v in call.arguments.items() if v is not None})


def rouge_l(gold: str, predicted: str) -> float:
    """ROUGE-L F1 of two spelled calls: longest common subsequence of words and numbers."""
    wanted, found = _words(gold), _words(predicted)
    if not wanted or not found:
        return float(wanted == found)
    common = _longest_common_subsequence(wanted, found)
    return 2 * common / (len(wanted) + len(found))


def by_function(
    golds: Sequence[str], predictions: Sequence[str], rights: Sequence[bool]
) -> dict[str, FunctionRow]:
    """A row for every function that was wanted or called, by name."""
    wanted, called = Counter(golds), Counter(predictions)
    chosen = Counter(gold for gold, found in zip(golds, predictions, strict=True) if gold == found)
    right = Counter(gold for gold, is_right in zip(golds, rights, strict=True) if is_right)
    return {
        name: FunctionRow(
            count=wanted[name],
            predicted=called[name],
            precision=rate(chosen[name], called[name]),
            recall=rate(chosen[name], wanted[name]),
            tce=rate(right[name], wanted[name]),
        )
        for name in sorted(wanted | called)
    }


def confusion(golds: Sequence[str], predictions: Sequence[str]) -> dict[str, dict[str, int]]:
    """Turns that called another function than wanted: wanted name, called name, how many."""
    pairs = Counter(pair for pair in zip(golds, predictions, strict=True) if pair[0] != pair[1])
    table: dict[str, dict[str, int]] = {}
    for (gold, found), count in sorted(pairs.items(), key=lambda item: (-item[1], item[0])):
        table.setdefault(gold, {})[found] = count
    return table


def by_depth(
    gold_history: Sequence[Mapping[int, bool]], own_history: Sequence[Mapping[int, bool]]
) -> list[DepthRow]:
    """A row for each of the first `DEPTHS` turns that any conversation has.

    Args:
        gold_history: for each conversation, whether its turn (from 0) is right; scored turns alone.
        own_history: the same of the same conversations in the same order, or nothing at all.
    """
    rights = [right for turns in gold_history for right in turns.values()]
    overall = rate(sum(rights), len(rights))
    rows = []
    for depth in range(DEPTHS):
        there = [place for place, turns in enumerate(gold_history) if depth in turns]
        if there:
            row = DepthRow(
                turn=depth + 1,
                count=len(there),
                tce=rate(sum(gold_history[place][depth] for place in there), len(there)),
                whole=_whole([gold_history[place] for place in there], depth),
                closed_loop=_whole([own_history[place] for place in there], depth)
                if own_history
                else None,
                independent=overall ** (depth + 1),
            )
            rows.append(row)
    return rows


def _whole(conversations: Sequence[Mapping[int, bool]], depth: int) -> float | None:
    """Share whose turns up to `depth` (from 0) are all right; None if one was not scored."""
    turns = range(depth + 1)
    if not all(turn in rights for rights in conversations for turn in turns):
        return None
    return rate(
        sum(all(rights[turn] for turn in turns) for rights in conversations), len(conversations)
    )


def calibration(confidences: Sequence[float], rights: Sequence[bool]) -> Calibration:
    """Compare confidences (0 to 1) with what came of them."""
    return Calibration(
        ece=expected_calibration_error(confidences, rights),
        accuracy_at={
            f"{coverage:.2f}": accuracy_at(coverage, confidences, rights) for coverage in COVERAGES
        },
    )


def expected_calibration_error(confidences: Sequence[float], rights: Sequence[bool]) -> float:
    """Mean gap between confidence and accuracy, over ten bins of confidence of equal width."""
    gaps = [0.0] * BINS
    for confidence, is_right in zip(confidences, rights, strict=True):
        gaps[min(int(confidence * BINS), BINS - 1)] += confidence - is_right
    return rate(sum(abs(gap) for gap in gaps), len(confidences))


def accuracy_at(coverage: float, confidences: Sequence[float], rights: Sequence[bool]) -> float:
    """Accuracy over the most confident `coverage` of the turns, rounded up to whole turns.

    Turns of equal confidence count as if drawn at random.
    """
    # The small margin keeps 0.90 * 10 at nine turns, whatever its floating-point neighbour is.
    wanted = math.ceil(coverage * len(confidences) - 1e-9)
    taken, right = 0, 0.0
    ranked = sorted(zip(confidences, rights, strict=True), key=lambda pair: -pair[0])
    for _, group in groupby(ranked, key=lambda pair: pair[0]):
        members = [is_right for _, is_right in group]
        share = min(len(members), wanted - taken)
        right += share * sum(members) / len(members)
        taken += share
    return rate(right, taken)


def rate(part: float, whole: int) -> float:
    """`part / whole`, and 0 over nothing."""
    return part / whole if whole else 0.0


def _meant(arguments: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments without those that say no more than silence would."""
    return {
        name: value
        for name, value in arguments.items()
        if value is not None and not (name in defaults and _equal(value, defaults[name]))
    }


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


def _spelled(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{name}:{_spelled(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_spelled, value)) + "]"
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return value if isinstance(value, str) else number_text(value)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _longest_common_subsequence(one: Sequence[str], other: Sequence[str]) -> int:
    row = [0] * (len(other) + 1)
    for word in one:
        diagonal = 0
        for column, candidate in enumerate(other, start=1):
            above = row[column]
            row[column] = diagonal + 1 if word == candidate else max(above, row[column - 1])
            diagonal = above
    return row[-1]
