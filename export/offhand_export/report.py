"""What an evaluation found: one outcome a turn, and the figures drawn from them.

Covers the figures and the JSON written to disk. Obtaining outcomes is `evaluate`'s concern, what
counts as right is `metrics`', and the lines a reader is shown are `report_lines`'.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from offhand.calibration import FEATURES
from offhand.dialect import ToolCall
from offhand_export.metrics import (
    Calibration,
    DepthRow,
    FunctionRow,
    by_depth,
    by_function,
    calibration,
    confusion,
    rate,
    rouge_l,
    spelled,
)
from offhand_export.synth.writer import replace_text

NOTHING = "(nothing)"
"""Stands in the table of functions for a turn without a call, wanted or made."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One assistant turn: what was wanted and what the model did.

    Attributes:
        conversation, turn: both count from 0.
        text: the user's message.
        gold: the wanted call; None where the data has the assistant speak instead.
        predicted: the call made; None where the app refuses the message.
        confidence: of the call made, 0 to 1.
        right: whether the two calls are equivalent.
        tokens: run through the model for this turn.
        inside: whether the catalog allows the gold call.
        features: of the call made, see `offhand.calibration.features`; none where there is none.
    """

    conversation: int
    turn: int
    text: str
    gold: ToolCall | None
    predicted: ToolCall | None
    confidence: float
    right: bool
    tokens: int
    inside: bool
    features: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """What was evaluated: enough to do it again.

    Attributes:
        threads: the model ran with; 0 where the runtime chose and does not tell.
        browser: its name and version, where the page was measured; else empty.
        last: only the final turn of each conversation was scored.
        asr_wer: word error rate put into the user's messages, 0 to 0.5.
    """

    model: str
    runtime: str
    precision: str
    threads: int
    catalog: str
    data: str
    data_sha256: str
    browser: str = ""
    last: bool = False
    asr_wer: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """The figures; all rates are fractions from 0 to 1.

    Attributes:
        tce: share of turns that are right, history being gold.
        function_accuracy: share of turns that call the right function.
        conversation_accuracy: share of conversations whose every scored turn is right.
        closed_loop_accuracy: share of turns that are right, history being the model's own calls;
            None where only final turns were scored.
        closed_loop_conversation_accuracy: the same by conversation.
        rouge_l: mean over the turns.
        outside_schema: gold calls that the catalog does not allow; they can only be missed.
        spoken: turns where the data has the assistant speak; they can only be missed.
        refused: turns whose message the app does not take; they can only be missed.
        tokens_run: tokens that passed through the model, for gold and own history together.
        functions: how each function fared, by name.
        confusion: turns that called another function than wanted: wanted, called, how many.
        depth: how turns fared at each depth of their conversations.
        seconds: wall time of the same, without loading the model.
        errors: the turns that are not right.
        calls: the turns in which a call was made, history being gold.
    """

    setting: Setting
    turns: int
    conversations: int
    tce: float
    function_accuracy: float
    conversation_accuracy: float
    closed_loop_accuracy: float | None
    closed_loop_conversation_accuracy: float | None
    rouge_l: float
    outside_schema: int
    spoken: int
    refused: int
    functions: Mapping[str, FunctionRow]
    confusion: Mapping[str, Mapping[str, int]]
    depth: Sequence[DepthRow]
    calibration: Calibration
    tokens_run: int
    seconds: float
    errors: tuple[Outcome, ...]
    calls: tuple[Outcome, ...]


def summarize(
    setting: Setting,
    gold_history: Sequence[Outcome],
    own_history: Sequence[Outcome],
    seconds: float,
) -> Report:
    """Draw the figures from the outcomes of every turn under both histories.

    Outcomes under the model's own history that were not run again carry no tokens; there are none
    at all where that history was not followed.
    """
    rights = [outcome.right for outcome in gold_history]
    golds = [_name(outcome.gold) for outcome in gold_history]
    predictions = [_name(outcome.predicted) for outcome in gold_history]
    chosen = sum(map(str.__eq__, golds, predictions))
    spoken = sum(outcome.gold is None for outcome in gold_history)
    return Report(
        setting=setting,
        turns=len(rights),
        conversations=len({outcome.conversation for outcome in gold_history}),
        tce=rate(sum(rights), len(rights)),
        function_accuracy=rate(chosen, len(rights)),
        conversation_accuracy=_by_conversation(gold_history),
        closed_loop_accuracy=rate(sum(turn.right for turn in own_history), len(own_history))
        if own_history
        else None,
        closed_loop_conversation_accuracy=_by_conversation(own_history) if own_history else None,
        rouge_l=rate(sum(map(_rouge_l, gold_history)), len(rights)),
        outside_schema=sum(not outcome.inside for outcome in gold_history) - spoken,
        spoken=spoken,
        refused=sum(outcome.predicted is None for outcome in gold_history),
        functions=by_function(golds, predictions, rights),
        confusion=confusion(golds, predictions),
        depth=by_depth(_rights(gold_history), _rights(own_history)),
        calibration=calibration([outcome.confidence for outcome in gold_history], rights),
        tokens_run=sum(outcome.tokens for outcome in (*gold_history, *own_history)),
        seconds=seconds,
        errors=tuple(outcome for outcome in gold_history if not outcome.right),
        calls=tuple(outcome for outcome in gold_history if outcome.predicted is not None),
    )


def as_json(report: Report) -> dict[str, Any]:
    """The report as JSON-ready data; what was evaluated stands beside the figures.

    Of the calls made there is what `bench.calibrate` needs, and no words; `features` names theirs.
    """
    fields = asdict(report)
    setting, errors = fields.pop("setting"), fields.pop("errors")
    kept = ("conversation", "turn", "text", "gold", "predicted", "confidence")
    return {
        **setting,
        **fields,
        "errors": [{key: error[key] for key in kept} for error in errors],
        "features": list(FEATURES),
        "calls": [_call_row(outcome) for outcome in report.calls],
    }


def _call_row(outcome: Outcome) -> dict[str, Any]:
    assert outcome.predicted is not None
    return {
        "conversation": outcome.conversation,
        "turn": outcome.turn,
        "tool": outcome.predicted.name,
        "right": outcome.right,
        "confidence": outcome.confidence,
        "features": [round(value, 6) for value in outcome.features],
    }


def write_json(record: Mapping[str, Any], path: Path) -> None:
    """Write a JSON file whole or not at all; folders are made.

    Raises:
        WriteError: the disk is full or the place cannot be written.
    """
    replace_text(path, json.dumps(record, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def _rights(outcomes: Sequence[Outcome]) -> list[dict[int, bool]]:
    """For each conversation in order: whether its turn, by number, is right."""
    conversations: dict[int, dict[int, bool]] = {}
    for outcome in outcomes:
        conversations.setdefault(outcome.conversation, {})[outcome.turn] = outcome.right
    return list(conversations.values())


def _by_conversation(outcomes: Sequence[Outcome]) -> float:
    whole = [all(rights.values()) for rights in _rights(outcomes)]
    return rate(sum(whole), len(whole))


def _rouge_l(outcome: Outcome) -> float:
    if outcome.gold is None or outcome.predicted is None:
        return 0.0
    return rouge_l(spelled(outcome.gold), spelled(outcome.predicted))


def _name(call: ToolCall | None) -> str:
    return NOTHING if call is None else call.name
