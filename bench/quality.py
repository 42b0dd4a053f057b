"""Measures how good a model is: `python -m bench.quality --model DIR --reports DIR`.

Every data set is evaluated through the serving code (`offhand_export.evaluate`) on onnxruntime: our
own conversations in tests/data, and, where they are given, public conversations and the file system
turns of the Berkeley Function Calling Leaderboard; the banking ones again as speech recognition
would hear them. One JSON report a measurement; one that is there for the same model, catalog and
data is kept, so a run that was killed goes on where it stopped. What the reports say together is
`bench.card`'s matter, and what a turn costs `bench.measure`'s.

Public conversations stay where they are: their reports name neither texts nor arguments.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from offhand.calibration import FEATURES
from offhand.catalogs import load
from offhand.errors import OffhandError
from offhand_export.dataset import Conversation, fingerprint, read_conversations
from offhand_export.errors import ExportError
from offhand_export.evaluate import Model, Progress, evaluate, open_model
from offhand_export.files import sha256
from offhand_export.misheard import misheard
from offhand_export.model_folder import MODEL, read_contract
from offhand_export.report import Setting, as_json, write_json

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "tests" / "data"
CATALOGS = ("smart_home", "banking", "files")
KINDS = ("formulaic", "loose")
PUBLIC = ("smart_home", "banking")
"""Catalogs of which a reference folder holds `CATALOG.train.jsonl`."""
PUBLIC_NAME = "public conversations"
BFCL_NAME = "BFCL file system turns"
HEARD = ("banking",)
"""Catalogs that are spoken to, and so are measured with words misheard."""
RATES = (0.05, 0.1, 0.2)
PRECISIONS = ("fp32", "int8")

OpenModel = Callable[[Path, str, str, int], Model]


class QualityError(ExportError):
    """A measurement that cannot be made as it was asked for."""


@dataclass(frozen=True, slots=True)
class Job:
    """One measurement.

    Attributes:
        catalog: name of the catalog to call.
        kind: "formulaic", "loose", "public" or "bfcl".
        data: the conversations.
        precision: of the weights in memory.
        last: whether final turns alone are scored.
        asr_wer: rate of words misheard, 0 to 1.
    """

    catalog: str
    kind: str
    data: Path
    precision: str
    last: bool = False
    asr_wer: float = 0.0

    @property
    def name(self) -> str:
        """What the report's file is called, less `.json`."""
        heard = f".asr-{self.asr_wer:.2f}" if self.asr_wer else ""
        return f"{self.catalog}.{self.kind}{heard}.{self.precision}"

    @property
    def title(self) -> str:
        """What readers are told the data is; where public data lies is nobody's business."""
        titles = {"public": PUBLIC_NAME, "bfcl": BFCL_NAME}
        return titles.get(self.kind, self.data.name)


def jobs(
    data: Path, reference: Path | None, bfcl: Path | None, precisions: Sequence[str]
) -> list[Job]:
    """Every measurement in order: at each precision all data, then the first with words misheard.

    Args:
        data: folder of our own conversations.
        reference: folder of the public ones, if there is one.
        bfcl: what `tools.bfcl` wrote, if anything.
        precisions: at least one.
    """
    sets = [(name, kind, data / f"{name}.{kind}.jsonl") for name in CATALOGS for kind in KINDS]
    if reference is not None:
        sets += [(name, "public", reference / f"{name}.train.jsonl") for name in PUBLIC]
    planned = []
    for precision in precisions:
        planned += [Job(*each, precision) for each in sets]
        if bfcl is not None:
            planned.append(Job("files", "bfcl", bfcl, precision, last=True))
    planned += [
        Job(*each, precisions[0], asr_wer=rate)
        for rate in RATES
        for each in sets
        if each[0] in HEARD
    ]
    return planned


def model_facts(folder: Path) -> dict[str, Any]:
    """What tells a model from another: its name, and the sha256 of weights and other files.

    Raises:
        ExportError: the folder holds no converted model.
    """
    contract = read_contract(folder / MODEL)
    try:
        weights = str(contract["weights"]["file"])
        names = sorted(contract["files"])
        digests = {name: sha256(folder / name) for name in names}
        size = sum((folder / name).stat().st_size for name in names)
        wire = {part: contract["wire"][part] for part in ("layers", "embedding")}
        return {
            "name": str(contract["name"]),
            "weights_sha256": digests[weights],
            "files": digests,
            "bytes": size,
            "wire": wire,
            "vocabulary": contract["config"]["vocabulary"],
        }
    except (KeyError, TypeError, OSError) as error:
        raise QualityError(
            f"{folder} is no converted model ({error!r}).", "Make it with `offhand-export convert`."
        ) from None


def key_of(job: Job, facts: Mapping[str, Any], limit: int | None) -> dict[str, Any]:
    """What a report has to be about to stand for this measurement.

    Raises:
        DataError: the data is not there or cannot be read.
    """
    said = [[each.text for each in one.exchanges] for one in conversations_of(job, limit)]
    declarations = load(job.catalog).declarations
    return {
        "kind": job.kind,
        "model": dict(facts),
        "data_sha256": fingerprint(job.data),
        # Mishearing is code, which may change while the data stays.
        "texts_sha256": _digest(said),
        "declarations_sha256": _digest(declarations),
        "features": list(FEATURES),
        "limit": limit,
    }


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, default=dict).encode()).hexdigest()


def conversations_of(job: Job, limit: int | None) -> list[Conversation]:
    """What is put to the model, misheard where the measurement says so.

    Raises:
        DataError: the data is not there or cannot be read.
    """
    conversations = read_conversations(job.data)[:limit]
    if not job.asr_wer:
        return conversations
    tools = load(job.catalog).tools
    return [misheard(conversation, tools, job.asr_wer) for conversation in conversations]


def read_report(path: Path) -> dict[str, Any] | None:
    """A report of this benchmark; None where there is none, or something else."""
    try:
        report = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return report if isinstance(report, dict) and isinstance(report.get("bench"), dict) else None


def run(
    planned: Sequence[Job],
    folder: Path,
    reports: Path,
    limit: int | None = None,
    threads: int = 0,
    opener: OpenModel = open_model,
    say: Callable[[str], None] = lambda line: None,
) -> None:
    """Make the measurements that have no report yet.

    Args:
        planned: what to measure, all of one precision in a row to open the model once.
        folder: the converted model.
        reports: folder the reports are written to.
        limit: evaluate the first so many conversations only.
        threads: 0 lets the runtime choose.
        opener: opens a model folder.
        say: told of every measurement begun or passed over.

    Raises:
        ExportError, OffhandError: model or data cannot be used; what was measured before is kept.
    """
    facts = model_facts(folder)
    wanted = {job: key_of(job, facts, limit) for job in planned}
    opened: tuple[str, Model] | None = None
    for job in planned:
        path = reports / f"{job.name}.json"
        found = read_report(path)
        if found is not None and found["bench"] == wanted[job]:
            say(f"{job.name}: there already")
            continue
        if opened is None or opened[0] != job.precision:
            opened = (job.precision, opener(folder, "ort", job.precision, threads))
        say(f"{job.name}: measuring {job.title}")
        record = measured(job, opened[1], limit, threads, str(facts["name"]), _shown())
        write_json({**record, "bench": wanted[job]}, path)


def measured(
    job: Job,
    model: Model,
    limit: int | None,
    threads: int,
    name: str,
    progress: Progress = lambda done, outcomes: None,
) -> dict[str, Any]:
    """One measurement as JSON-ready data; `name` is the model's."""
    catalog = load(job.catalog)
    setting = Setting(
        model=name,
        runtime="ort",
        precision=job.precision,
        threads=threads,
        catalog=catalog.name,
        data=job.title,
        data_sha256=fingerprint(job.data),
        last=job.last,
        asr_wer=job.asr_wer,
    )
    conversations = conversations_of(job, limit)
    report = as_json(evaluate(model, catalog, conversations, setting, progress))
    if job.kind == "public":
        report["errors"] = [_without_words(error) for error in report["errors"]]
    return report


def _without_words(error: Mapping[str, Any]) -> dict[str, Any]:
    """Which functions were wanted and called, and nothing of what the data says."""
    names = {
        key: None if error[key] is None else {"name": error[key]["name"]}
        for key in ("gold", "predicted")
    }
    return {**error, "text": None, **names}


def _shown() -> Progress:
    """A line on stderr every tenth conversation."""

    def show(done: int, outcomes: Sequence[Any]) -> None:
        if done % 10 == 0:
            right = sum(outcome.right for outcome in outcomes)
            line = f"  {done} conversations, {right} of {len(outcomes)} turns right"
            print(line, file=sys.stderr, flush=True)

    return show


# The summary.

TITLES = (
    "data", "in memory", "turns", "TCE", "right function", "whole conversations", "closed loop",
    "ECE", "seconds",
)  # fmt: skip


def summary(planned: Sequence[Job], reports: Path) -> list[str]:
    """The measurements that have a report as the lines of a Markdown table; rates in percent."""
    rows = [TITLES, ("---",) * 2 + ("--:",) * (len(TITLES) - 2), *_rows(planned, reports)]
    return [f"| {' | '.join(row)} |" for row in rows]


def _rows(planned: Sequence[Job], reports: Path) -> Iterator[tuple[str, ...]]:
    for job in planned:
        report = read_report(reports / f"{job.name}.json")
        if report is None:
            continue
        heard = f", {job.asr_wer:.0%} misheard" if job.asr_wer else ""
        yield (
            f"{job.catalog}, {job.kind}{heard}",
            job.precision,
            str(report["turns"]),
            _percent(report["tce"]),
            _percent(report["function_accuracy"]),
            _percent(None if report["last"] else report["conversation_accuracy"]),
            _percent(report["closed_loop_accuracy"]),
            _percent(report["calibration"]["ece"]),
            f"{report['seconds']:.0f}",
        )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


# The command.


def make_parser() -> argparse.ArgumentParser:
    """What the command takes."""
    parser = argparse.ArgumentParser(prog="bench.quality", description=__doc__)
    parser.add_argument("--model", required=True, type=Path, help="folder of a converted model")
    parser.add_argument("--reports", required=True, type=Path, help="folder of JSON reports")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of our conversations")
    parser.add_argument("--reference", type=Path, help="folder of public conversations")
    parser.add_argument("--bfcl", type=Path, help="what tools.bfcl wrote")
    parser.add_argument(
        "--precisions", type=_precisions, default=list(PRECISIONS), help="in memory: fp32,int8"
    )
    parser.add_argument("--only", metavar="PATTERN", help="reports whose name matches alone")
    parser.add_argument("--limit", type=int, help="the first N conversations of each alone")
    parser.add_argument("--threads", type=int, default=0, help="0 lets the runtime choose")
    return parser


def _precisions(text: str) -> list[str]:
    chosen = text.split(",")
    if not set(chosen) <= set(PRECISIONS):
        raise argparse.ArgumentTypeError(f"{text} is not a list of {', '.join(PRECISIONS)}")
    return chosen


def selected(planned: Sequence[Job], pattern: str | None) -> list[Job]:
    """The jobs whose name holds the pattern (`*` and `?` as in a shell).

    Raises:
        QualityError: there are none.
    """
    kept = [job for job in planned if fnmatch(job.name, f"*{pattern or ''}*")]
    if not kept:
        names = ", ".join(job.name for job in planned)
        raise QualityError(f"No measurement is called {pattern!r}.", f"There are {names}.")
    return kept


def main(words: Sequence[str] | None = None) -> int:
    """Measure and show the summary; 0, or 2 after an error raised on purpose."""
    args = make_parser().parse_args(words)
    try:
        if args.limit is not None and args.limit < 1:
            raise QualityError(f"--limit is {args.limit}.", "Give at least 1, or leave it out.")
        planned = jobs(args.data, args.reference, args.bfcl, args.precisions)
        chosen = selected(planned, args.only)
        run(chosen, args.model, args.reports, args.limit, args.threads, open_model, _say)
    except (ExportError, OffhandError) as error:
        print(f"bench.quality: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench.quality: interrupted; the same command goes on", file=sys.stderr)
        return 130
    print("\n".join(summary(chosen, args.reports)))
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
