"""What a set of training conversations holds: counts by tool, value, length and phenomenon.

A model learns what is frequent, so whoever trains one looks here first: a tool nobody calls, a
value that never occurs, a slot that is always filled. Says also what was turned down, and why.
Making and choosing conversations is the rest of the package.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from offhand.catalogs import Catalog
from offhand.schema import Array, Bare, Choice, SlotType, Tool
from offhand_export.metrics import spelled
from offhand_export.synth.filters import normal
from offhand_export.synth.sample import Sample, gold

PERCENTILES = (5, 25, 50, 75, 95, 100)


@dataclass(frozen=True, slots=True)
class SlotRow:
    """One slot of a tool.

    Attributes:
        given: calls that have it.
        missing: calls of the tool that do not.
        distinct: different values it takes.
        values: count by value, for choices and booleans, those never met included; else empty.
    """

    given: int
    missing: int
    distinct: int
    values: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ToolRow:
    """One tool: how many calls, and its slots by name."""

    calls: int
    slots: Mapping[str, SlotRow]


@dataclass(frozen=True, slots=True)
class Balance:
    """The counts of one catalog's conversations.

    Attributes:
        turns: user messages, each with its call.
        tools: a row for every tool of the catalog.
        missing: turns by how many slots of the called tool have no value.
        lengths: conversations by number of turns.
        phenomena: conversations by tag.
        characters: percentile (as "50") to the length of a user message.
        words: the same in words.
        distinct_texts: different messages, as `filters.normal` compares them.
        vocabulary: different words in messages.
        conflicts: first messages that lead to different calls in different conversations: each is a
            label that is wrong, or that a model cannot know.
        rejections: what was turned down, by reason.
    """

    catalog: str
    conversations: int
    turns: int
    tools: Mapping[str, ToolRow]
    missing: Mapping[str, int]
    lengths: Mapping[str, int]
    phenomena: Mapping[str, int]
    characters: Mapping[str, int]
    words: Mapping[str, int]
    distinct_texts: int
    vocabulary: int
    conflicts: tuple[str, ...]
    rejections: Mapping[str, int]


def balance(
    samples: Sequence[Sample], catalog: Catalog, rejections: Mapping[str, int] | None = None
) -> Balance:
    """Count what conversations of one catalog hold; their calls must fit it (see `check`)."""
    turns = [exchange for sample in samples for exchange in sample.exchanges]
    calls = [gold(exchange) for exchange in turns]
    texts = [normal(exchange.text) for exchange in turns]
    slots = {tool.name: len(tool.slots) for tool in catalog.tools}
    return Balance(
        catalog=catalog.name,
        conversations=len(samples),
        turns=len(turns),
        tools={tool.name: _tool(tool, calls) for tool in catalog.tools},
        missing=_counted(slots[call.name] - len(call.arguments) for call in calls),
        lengths=_counted(len(sample.exchanges) for sample in samples),
        phenomena=_ranked(tag for sample in samples for tag in set(sample.phenomena)),
        characters=_percentiles([len(exchange.text) for exchange in turns]),
        words=_percentiles([len(text.split()) for text in texts]),
        distinct_texts=len(set(texts)),
        vocabulary=len({word for text in texts for word in text.split()}),
        conflicts=_conflicts(samples),
        rejections=_ranked(Counter(rejections or {}).elements()),
    )


def _tool(tool: Tool, calls: Iterable[Any]) -> ToolRow:
    own = [call.arguments for call in calls if call.name == tool.name]
    return ToolRow(len(own), {slot.name: _slot(slot.name, slot.type, own) for slot in tool.slots})


def _slot(name: str, kind: SlotType, calls: Sequence[Mapping[str, Any]]) -> SlotRow:
    given = [arguments[name] for arguments in calls if name in arguments]
    items = [item for value in given for item in (value if isinstance(value, list) else [value])]
    kind = kind.item if isinstance(kind, Array) else kind
    counts = Counter(_spelled(item) for item in items)
    possible = kind.values if isinstance(kind, Choice | Bare) else ()
    return SlotRow(
        given=len(given),
        missing=len(calls) - len(given),
        distinct=len(counts),
        values={_spelled(value): counts[_spelled(value)] for value in possible},
    )


def _spelled(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _counted(numbers: Iterable[int]) -> dict[str, int]:
    counts = Counter(numbers)
    return {str(number): counts[number] for number in sorted(counts)}


def _ranked(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0])))


def _percentiles(numbers: Sequence[int]) -> dict[str, int]:
    """Nearest rank: the least number that so many percent do not exceed."""
    ranked = sorted(numbers)
    return {str(p): ranked[-(-p * len(ranked) // 100) - 1] for p in PERCENTILES if ranked}


def _conflicts(samples: Iterable[Sample]) -> tuple[str, ...]:
    calls: dict[str, set[str]] = {}
    for sample in samples:
        first = sample.exchanges[0]
        calls.setdefault(normal(first.text), set()).add(spelled(gold(first)))
    return tuple(sorted(text for text, found in calls.items() if len(found) > 1))


def as_json(found: Balance) -> dict[str, Any]:
    """The counts as JSON-ready data."""
    return asdict(found)


def as_markdown(found: Balance) -> str:
    """The counts as Markdown tables."""
    per_talk = found.turns / found.conversations if found.conversations else 0.0
    parts = [
        f"# Training data: {found.catalog}\n\n{found.conversations:,} conversations, "
        f"{found.turns:,} turns ({per_talk:.1f} each), {found.distinct_texts:,} different "
        f"messages, {found.vocabulary:,} different words.\n",
        _tools_table(found),
        _slots_table(found),
        _table("Turns in a conversation", "turns", found.lengths, found.conversations),
        _table("Slots without a value in a call", "missing", found.missing, found.turns),
        _table(
            "Phenomena (conversations that show them)", "tag", found.phenomena, found.conversations
        ),
        _lengths_table(found),
        _table("Turned down", "reason", found.rejections, sum(found.rejections.values())),
        _conflicts_list(found),
    ]
    return "\n".join(part for part in parts if part)


def _rows(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)]
    return f"## {title}\n\n" + "\n".join(lines) + "\n"


def _table(title: str, head: str, counts: Mapping[str, int], whole: int) -> str:
    rows = [(name, f"{count:,}", _share(count, whole)) for name, count in counts.items()]
    return _rows(title, (head, "count", "share"), rows) if rows else ""


def _share(count: int, whole: int) -> str:
    return f"{100 * count / whole:.1f}%" if whole else "-"


def _tools_table(found: Balance) -> str:
    rows = [
        (name, f"{row.calls:,}", _share(row.calls, found.turns))
        for name, row in sorted(found.tools.items(), key=lambda pair: -pair[1].calls)
    ]
    return _rows("Calls by tool", ("tool", "calls", "share"), rows)


def _slots_table(found: Balance) -> str:
    rows = []
    for tool, tool_row in found.tools.items():
        for slot, row in tool_row.slots.items():
            values = ", ".join(f"{value} {count:,}" for value, count in row.values.items())
            values = values or f"{row.distinct:,} different"
            rows.append((f"{tool}.{slot}", f"{row.given:,}", f"{row.missing:,}", values))
    return _rows("Slots", ("slot", "given", "missing", "values"), rows) if rows else ""


def _lengths_table(found: Balance) -> str:
    heads = ("percentile", *(f"{p}%" for p in found.characters))
    rows = [
        ("characters", *map(str, found.characters.values())),
        ("words", *map(str, found.words.values())),
    ]
    return _rows("Length of a user message", heads, rows) if found.turns else ""


def _conflicts_list(found: Balance) -> str:
    if not found.conflicts:
        return ""
    shown = [f"- {text}" for text in found.conflicts[:20]]
    more = len(found.conflicts) - len(shown)
    tail = [f"- and {more:,} more"] if more > 0 else []
    head = f"## First messages with different calls: {len(found.conflicts):,}\n"
    return "\n".join([head, *shown, *tail, ""])
