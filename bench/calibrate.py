"""Turns the model's confidence into how often it is right, and measures how well that does.

    python -m bench.calibrate --fit REPORT... --judge REPORT... --out models/NAME/calibration.json
    python -m bench.calibrate --put models/NAME/calibration.json models/NAME/served

Reports are `bench.quality`'s (or `offhand-export evaluate`'s), which hold the features of every
call; fit on conversations that the model was not trained on. A conversation that is both fitted on
and judged is judged by a fit that did not see it: the conversations are dealt into five parts, and
each part is judged by a fit on the other four. The fit that is written saw all of them. It goes on
from the file beside the adapter into the folder's model.json (`--put`, and `make release-model`).
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from bench.card_calibration import GROUP_ALL, calibration_tables
from bench.card_reports import ALL_KINDS
from bench.logistic import fit_logistic
from bench.quality import CATALOGS
from bench.reliability import RIGHT, Shown, figures, reach
from offhand.calibration import FEATURES
from offhand.catalogs import load
from offhand.errors import OffhandError
from offhand_export.errors import ExportError
from offhand_export.metrics import expected_calibration_error
from offhand_export.model_calibration import put
from offhand_export.report import write_json

FOLDS = 5
RISING = tuple(at for at, name in enumerate(FEATURES) if name != "log_decisions")
"""Probabilities: the more, the likelier right. A few hundred calls may say otherwise of the mass
outside the schema, which is nearly always none, and would make the fit sure where it is not."""


class CalibrateError(ExportError):
    """Reports that cannot be fitted or judged."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a report.

    Attributes:
        talk: tells its conversation from all others: the data's sha256 and the place in it.
        catalog, kind: of the data ("banking", "loose").
        tool: what was called.
        right: whether the call was.
        confidence: before calibration, 0 to 1.
        features: see `offhand.calibration.features`.
    """

    talk: tuple[str, int]
    catalog: str
    kind: str
    tool: str
    right: bool
    confidence: float
    features: tuple[float, ...]

    @property
    def fold(self) -> int:
        """The part its conversation is dealt to, the same in every report on the same data."""
        digest = sha256(f"{self.talk[0]}:{self.talk[1]}".encode()).digest()
        return int.from_bytes(digest[:4], "big") % FOLDS


@dataclass(frozen=True, slots=True)
class Fit:
    """A logistic function of the features, and a threshold.

    Attributes:
        intercept, weights: of the function, a weight a feature.
        threshold: least confidence at which `RIGHT` of the calls fitted on are right; None where
            there is none.
    """

    intercept: float
    weights: tuple[float, ...]
    threshold: float | None

    def __call__(self, features: Sequence[float]) -> float:
        """How likely a call is right, in 0..1."""
        return _likely(self.intercept, self.weights, features)


@dataclass(frozen=True, slots=True)
class Judged:
    """A call, and what a fit says of it that has not seen its conversation."""

    call: Call
    before: Shown
    after: Shown


# Reading.


def read_calls(paths: Sequence[Path]) -> tuple[list[Call], set[str]]:
    """The calls of some reports, and the sha256 of the weights that made them where it is known.

    Raises:
        CalibrateError: a report cannot be read, or holds no features, or others than are in use.
    """
    calls: list[Call] = []
    models: set[str] = set()
    for path in dict.fromkeys(paths):
        try:
            report = json.loads(path.read_text("utf-8"))
            if report["features"] != list(FEATURES):
                raise ValueError(f"its features are not {', '.join(FEATURES)}")
            calls += _calls(report)
            models |= {report["bench"]["model"]["weights_sha256"]} if "bench" in report else set()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CalibrateError(
                f"{path} is no report with features ({error!r}).", "Measure again (bench.quality)."
            ) from None
    return calls, models


def _calls(report: dict[str, Any]) -> Iterator[Call]:
    for row in report["calls"]:
        features = tuple(float(value) for value in row["features"])
        if len(features) != len(FEATURES) or not all(map(math.isfinite, features)):
            raise ValueError(f"features are {features}")
        yield Call(
            talk=(str(report["data_sha256"]), int(row["conversation"])),
            catalog=str(report["catalog"]),
            kind=_kind(report),
            tool=str(row["tool"]),
            right=bool(row["right"]),
            confidence=float(row["confidence"]),
            features=features,
        )


def _kind(report: dict[str, Any]) -> str:
    """As bench.quality knows it, else from a name like banking.loose.jsonl."""
    named = str(report["data"]).split(".")
    kind = report.get("bench", {}).get("kind") or (named[1] if len(named) > 2 else "other")
    heard = f" {report['asr_wer']:.0%} misheard" if report["asr_wer"] else ""
    return f"{kind}{heard}"


# Fitting and judging.


def fit(calls: Sequence[Call]) -> Fit:
    """The fit on some calls.

    Raises:
        CalibrateError: none of them is wrong, or none right.
    """
    rights = [call.right for call in calls]
    try:
        intercept, weights = fit_logistic([call.features for call in calls], rights, RISING)
    except ValueError as error:
        raise CalibrateError(
            f"{len(calls)} calls cannot be fitted on: {error}.", "Give more reports with --fit."
        ) from None
    likely = [_likely(intercept, weights, call.features) for call in calls]
    found = reach(likely, rights, RIGHT)
    return Fit(intercept, weights, found.threshold if found else None)


def _likely(intercept: float, weights: Sequence[float], features: Sequence[float]) -> float:
    pairs = zip(weights, features, strict=True)
    logit = intercept + sum(weight * value for weight, value in pairs)
    return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, logit))))


def plan(fitted: Sequence[Call], judged: Sequence[Call]) -> Iterator[tuple[list[Call], list[Call]]]:
    """Pairs of calls to fit on and calls to judge by that fit; their conversations are apart."""
    seen = {call.talk for call in fitted}
    unseen = [call for call in judged if call.talk not in seen]
    if unseen:
        yield list(fitted), unseen
    for fold in range(FOLDS):
        left_out = [call for call in judged if call.talk in seen and call.fold == fold]
        if left_out:
            yield [call for call in fitted if call.fold != fold], left_out


def judge(fitted: Sequence[Call], judged: Sequence[Call]) -> list[Judged]:
    """Every judged call with its confidence before and after; see `plan`.

    Raises:
        CalibrateError: a part cannot be fitted on.
    """
    found = []
    for training, held_out in plan(fitted, judged):
        made = fit(training)
        raw = reach([one.confidence for one in training], [one.right for one in training], RIGHT)
        start = raw.threshold if raw else None
        for call in held_out:
            same = (call.catalog, call.tool)
            before = Shown(*same, call.confidence, call.right, start)
            after = Shown(*same, made(call.features), call.right, made.threshold)
            found.append(Judged(call, before, after))
    return found


def groups(judged: Sequence[Judged]) -> dict[str, list[Judged]]:
    """The calls all together, by catalog, by kind of data, and by both; in the order of telling."""
    catalogs = [name for name in CATALOGS if any(one.call.catalog == name for one in judged)]
    kinds = sorted({one.call.kind for one in judged}, key=lambda kind: (_place(kind), kind))
    found = {GROUP_ALL: list(judged)}
    for name in catalogs:
        found[name] = [one for one in judged if one.call.catalog == name]
    for kind in kinds:
        found[kind] = [one for one in judged if one.call.kind == kind]
    for kind in kinds:
        for name in catalogs:
            both = [one for one in found[name] if one.call.kind == kind]
            found |= {f"{name}, {kind}": both} if both else {}
    return found


def _place(kind: str) -> int:
    return ALL_KINDS.index(kind) if kind in ALL_KINDS else len(ALL_KINDS)


def calibrate(fit_paths: Sequence[Path], judge_paths: Sequence[Path]) -> dict[str, Any]:
    """The fit and how well it does, JSON-ready.

    Raises:
        CalibrateError: the reports cannot be used, or are about several models.
        OffhandError: a catalog cannot be read.
    """
    (fitted, models), (judged, others) = read_calls(fit_paths), read_calls(judge_paths)
    if len(models | others) > 1:
        raise CalibrateError("The reports are about several models.", "Give those of one.")
    if not judged:
        raise CalibrateError("The reports to judge hold no calls.", "Give others with --judge.")
    if unknown := {call.catalog for call in judged} - set(CATALOGS):
        raise CalibrateError(f"There is no policy for {', '.join(sorted(unknown))}.")
    whole, found = fit(fitted), judge(fitted, judged)
    own = [one.after for one in judge(fitted, fitted)]
    policies = {name: load(name).policy for name in CATALOGS}
    seen = {call.talk for call in fitted}
    return _rounded(
        {
            "intercept": whole.intercept,
            "weights": dict(zip(FEATURES, whole.weights, strict=True)),
            "fitted": {
                "turns": len(fitted),
                "ece": expected_calibration_error(
                    [one.confidence for one in own], [one.right for one in own]
                ),
                **({"weights_sha256": next(iter(models))} if models else {}),
            },
            "reports": {
                "fit": [path.stem for path in fit_paths],
                "judge": [path.stem for path in judge_paths],
            },
            "folds": {"parts": FOLDS, "turns": sum(call.talk in seen for call in judged)},
            "judged": {
                name: {
                    "turns": len(members),
                    "before": figures([one.before for one in members], policies),
                    "after": figures([one.after for one in members], policies),
                }
                for name, members in groups(found).items()
            },
        }
    )


def _rounded(value: Any) -> Any:
    """Six digits after the point are more than is known."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return round(value, 6) if isinstance(value, float) else value


# The command.


def make_parser() -> argparse.ArgumentParser:
    """What the command takes."""
    parser = argparse.ArgumentParser(
        prog="bench.calibrate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--fit", type=Path, nargs="+", metavar="REPORT", help="to fit on")
    parser.add_argument(
        "--judge", type=Path, nargs="+", metavar="REPORT", help="to judge; those fitted on if none"
    )
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="fit and figures")
    parser.add_argument(
        "--put", type=Path, nargs=2, metavar=("FILE.json", "MODEL"), help="into a model folder"
    )
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Fit and judge, or put; 0, or 2 after an error raised on purpose."""
    parser = make_parser()
    args = parser.parse_args(words)
    if bool(args.fit and args.out) == bool(args.put):
        parser.error("give --fit and --out, or --put alone")
    try:
        if args.put:
            put(*args.put)
            print(f"wrote the calibration into {args.put[1]}")
            return 0
        record = calibrate(args.fit, args.judge or args.fit)
        write_json(record, args.out)
    except (ExportError, OffhandError) as error:
        print(f"bench.calibrate: {error}", file=sys.stderr)
        return 2
    print("\n\n".join(calibration_tables(record).values()))
    print(f"\n{told(record)}\nwrote {args.out}")
    return 0


def told(record: dict[str, Any]) -> str:
    """How it was fitted and judged, in words."""
    total, folded = record["judged"][GROUP_ALL]["turns"], record["folds"]["turns"]
    return (
        f"Fitted on {record['fitted']['turns']:,} calls. Of {total:,} judged, {folded:,} are of "
        "conversations fitted on;\n"
        f"these were judged by fits on the other {FOLDS - 1} of {FOLDS} parts of the conversations."
    )


if __name__ == "__main__":
    sys.exit(main())
