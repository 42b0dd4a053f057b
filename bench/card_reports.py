"""What the model card is made of, read from disk: reports, a run's records, tables by hand.

Whatever is not there is None or empty, so that a card leaves its section out; what is there and
makes no sense is refused. How it is told is `card_tables`' and `card_pictures`' matter.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.quality import CATALOGS, KINDS, PRECISIONS, read_report
from offhand_export.errors import ExportError

Json = dict[str, Any]
OWN = KINDS
"""Kinds of data that are the repository's own, which alone are cited."""
ALL_KINDS = (*KINDS, "public", "bfcl")


class CardError(ExportError):
    """Something given for the card that cannot be read or contradicts the rest."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The reports of one model; those of a part of the data are left out.

    Attributes:
        reports: by catalog, kind, precision and rate of words misheard.
    """

    reports: Mapping[tuple[str, str, str, float], Json] = field(default_factory=dict)

    def get(self, catalog: str, kind: str, precision: str, wer: float = 0.0) -> Json | None:
        """One report, if it is there."""
        return self.reports.get((catalog, kind, precision, wer))

    def sets(self) -> list[tuple[str, str]]:
        """Catalog and kind of every data set measured as it was said, in the order of telling."""
        there = {(catalog, kind) for catalog, kind, _, wer in self.reports if not wer}
        pairs = [(catalog, kind) for kind in ALL_KINDS for catalog in CATALOGS]
        return [pair for pair in pairs if pair in there]

    def precisions(self) -> list[str]:
        """Those that anything was measured at, the most precise first."""
        there = {precision for _, _, precision, _ in self.reports}
        return [precision for precision in PRECISIONS if precision in there]

    def rates(self) -> list[float]:
        """Rates of words misheard, 0 among them where anything is measured; ascending."""
        return sorted({wer for *_, wer in self.reports})

    def own(self, precision: str) -> dict[str, list[Json]]:
        """The reports on our own data by catalog, in order; catalogs without any are left out."""
        found = {
            catalog: [
                report for kind in OWN if (report := self.get(catalog, kind, precision)) is not None
            ]
            for catalog in CATALOGS
        }
        return {catalog: reports for catalog, reports in found.items() if reports}

    def model(self) -> Json | None:
        """What tells the model from another; None where nothing was measured."""
        return next((report["bench"]["model"] for report in self.reports.values()), None)


def read_shelf(folder: Path | None) -> Shelf:
    """The reports in a folder that `bench.quality` wrote; none where there is no folder.

    Raises:
        CardError: they are about several models.
    """
    if folder is None:
        return Shelf()
    found = [report for path in sorted(folder.glob("*.json")) if (report := read_report(path))]
    whole = [report for report in found if report["bench"]["limit"] is None]
    models = {report["bench"]["model"]["weights_sha256"] for report in whole}
    if len(models) > 1:
        raise CardError(
            f"{folder} holds reports on {len(models)} models.",
            "Measure again with bench.quality, or give each model its own folder.",
        )
    return Shelf(
        {
            (one["catalog"], one["bench"]["kind"], one["precision"], one["asr_wer"]): one
            for one in whole
        }
    )


def read_records(run: Path | None) -> list[Json]:
    """The records of a training run; none where there is no run."""
    path = None if run is None else run / "metrics.jsonl"
    if path is None or not path.is_file():
        return []
    try:
        return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    except ValueError as error:
        raise CardError(f"{path} is not JSON lines ({error}).", "Give the run's folder.") from None


def read_data(folder: Path | None) -> dict[str, Json]:
    """What `synth` says of the training data, by catalog."""
    if folder is None:
        return {}
    paths = {catalog: folder / f"{catalog}.report.json" for catalog in CATALOGS}
    return {catalog: _json(path) for catalog, path in paths.items() if path.is_file()}


def read_config(path: Path | None) -> Json | None:
    """The experiment, as its TOML file says."""
    if path is None or not path.is_file():
        return None
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise CardError(f"{path} is not TOML ({error}).", "Mend it.") from None


def read_precisions(path: Path | None) -> list[Json]:
    """The table of wire precisions: `wire`, `megabytes`, `adapter`, `sets`, `note` a row.

    Raises:
        CardError: it is no such table, or a rate is not a fraction.
    """
    if path is None:
        return []
    rows = _json(path)
    try:
        for row in rows:
            str(row["wire"]), float(row["megabytes"]), str(row["adapter"]), str(row["note"])
            for found in row["sets"].values():
                if not set(found) <= {"turns", "tce", "conversations"}:
                    raise KeyError(*sorted(found))
                rates = [found.get("tce"), found.get("conversations")]
                if not all(rate is None or 0 <= rate <= 1 for rate in rates):
                    raise CardError(f"{path}: {rates} are not rates.", "Write fractions of 1.")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CardError(
            f"{path} is no table of precisions ({error!r}).",
            "A row has wire, megabytes, adapter, note, and sets with turns, tce, conversations.",
        ) from None
    return list(rows)


def read_bars(path: Path | None) -> dict[str, dict[str, float]]:
    """What was aimed at: by `CATALOG.KIND` the least `tce` and, if any, `conversations`.

    Raises:
        CardError: it is of another shape, or a bar is not a fraction.
    """
    if path is None:
        return {}
    bars = _json(path)
    try:
        rates = [rate for bar in bars.values() for rate in bar.values()]
        named = all(set(bar) <= {"tce", "conversations"} for bar in bars.values())
        if not named or not all(0 <= rate <= 1 for rate in rates):
            raise TypeError("a bar is no fraction of tce or conversations")
    except (TypeError, AttributeError) as error:
        raise CardError(
            f"{path} holds no bars ({error}).",
            'Write {"banking.loose": {"tce": 0.9, "conversations": 0.7}}.',
        ) from None
    return dict(bars)


def weighted(pairs: Sequence[tuple[float | None, int]]) -> float | None:
    """The mean of rates over their counts; None where one is None or there is nothing."""
    total = sum(count for _, count in pairs)
    rates = [rate for rate, _ in pairs if rate is not None]
    if not total or len(rates) < len(pairs):
        return None
    return sum(rate * count for rate, (_, count) in zip(rates, pairs, strict=True)) / total


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CardError(f"Cannot read {path} ({error}).", "Give a JSON file.") from None
