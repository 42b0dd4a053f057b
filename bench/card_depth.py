"""How a model holds through a conversation: figures by depth, data sets of one catalog together.

Depth counts from 1. Where data sets are put together their rates are weighted with their counts,
and the power of p is taken anew. The closed loop is left out: as long as all is right its history
is the gold one, and so its share of conversations right so far is the same. Tables and pictures are
drawn elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.card_reports import Json, Shelf, weighted


@dataclass(frozen=True, slots=True)
class Step:
    """One depth; rates are fractions of the `count` conversations that are so long.

    Attributes:
        turn: the depth, from 1.
        tce: with this turn right, history being gold.
        whole: with every turn up to this one right, history being gold.
        independent: p to the power of `turn`, p the share of all turns that are right.
    """

    turn: int
    count: int
    tce: float
    whole: float | None
    independent: float


@dataclass(frozen=True, slots=True)
class Course:
    """The depths of one catalog's data, own or public."""

    name: str
    steps: tuple[Step, ...]


def courses(shelf: Shelf, precision: str) -> list[Course]:
    """By catalog over our own data, then over the public conversations."""
    found = [
        Course(plain(catalog), _together(reports))
        for catalog, reports in shelf.own(precision).items()
    ]
    for catalog, kind in shelf.sets():
        report = shelf.get(catalog, kind, precision)
        if kind == "public" and report is not None:
            found.append(Course(f"{plain(catalog)}, public", _together([report])))
    return found


def plain(catalog: str) -> str:
    """A catalog's name for a reader."""
    return catalog.replace("_", " ")


def _together(reports: Sequence[Json]) -> tuple[Step, ...]:
    overall = weighted([(one["tce"], one["turns"]) for one in reports]) or 0.0
    depths = sorted({row["turn"] for one in reports for row in one["depth"]})
    steps = []
    for turn in depths:
        rows = [row for one in reports for row in one["depth"] if row["turn"] == turn]
        steps.append(
            Step(
                turn=turn,
                count=sum(row["count"] for row in rows),
                tce=weighted([(row["tce"], row["count"]) for row in rows]) or 0.0,
                whole=weighted([(row["whole"], row["count"]) for row in rows]),
                independent=overall**turn,
            )
        )
    return tuple(steps)
