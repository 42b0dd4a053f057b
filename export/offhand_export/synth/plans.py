"""What a language model is asked for: a plan, so that answers vary, and a form, so that they read.

Left to itself a model writes the same few conversations again and again. A drawn plan therefore
fixes, for each conversation, its length, the tools that come up, what the user's language shows,
who speaks and one word that must occur. Plans depend on the seed and their number alone. Covers the
texts of the request and reading the answer; whether a label is right is `check`'s concern.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offhand.catalogs import Catalog
from offhand.dialect import ToolCall
from offhand_export.dataset import Exchange
from offhand_export.synth.sample import Sample

PHENOMENA: Mapping[str, tuple[int, str]] = {
    "opening": (1, "plain requests in everyday words"),
    "clipped": (1, "a message of two to four words, grammar left out"),
    "indirect": (1, "the wish is only implied by what the user says is the case"),
    "polite": (1, "long-winded politeness around a small request"),
    "disfluent": (1, "fillers, restarts and repeated words of spontaneous speech"),
    "misheard": (1, "a speech recognizer's mistakes, no punctuation, numbers in words"),
    "compound": (1, "small talk or a reason beside the request"),
    "changed_mind": (1, "the user changes a value within one message; the last one counts"),
    "missing": (1, "a request that leaves out one or more details; nothing is guessed for them"),
    "unclear": (1, "one message that no tool fits, or that cannot be understood"),
    "fill": (2, "details left out at first are given later, a bare word or number at a time"),
    "correction": (2, "a later message corrects one value of the call before, the rest stays"),
    "ellipsis": (2, "a message that only makes sense as a variation of the one before"),
    "pronoun": (2, "it, that one, there and the like for something mentioned before"),
    "return": (3, "the user goes back to an earlier matter after another one"),
}
"""What language may show: name to the least number of messages it needs, and its description."""

WHO = (
    "a parent with a child on one arm",
    "a retired teacher",
    "a teenager",
    "a nurse after a night shift",
    "someone with little English",
    "a grumpy craftsman",
    "a cheerful student",
    "a lawyer who is precise about everything",
    "someone half asleep",
    "a guest who is here for the first time",
    "a person who speaks in dialect",
    "an impatient manager",
    "a shy person",
    "someone who jokes a lot",
    "a person who talks to machines like to a dog",
    "someone who has just moved in",
)
WHEN = (
    "in a hurry",
    "with guests in the room",
    "early on a cold morning",
    "late at night",
    "on the phone at the same time",
    "after bad news",
    "on a day off",
    "with full hands",
    "while cooking",
    "shortly before a trip",
    "in a noisy place",
    "after several tries that failed",
    "in the best of moods",
    "bored",
    "in bed with a cold",
    "on the way out",
)
WORDS = (
    "actually", "already", "again", "anyway", "back", "before", "both", "check", "done", "either",
    "else", "first", "forgot", "getting", "going", "instead", "just", "kind of", "later", "left",
    "like", "mind", "moment", "need", "next", "other", "please", "quick", "ready", "really", "same",
    "second", "since", "sorry", "still", "that", "thing", "think", "though", "today", "tonight",
    "usual", "wait", "want", "well", "whatever", "wonder", "would",
)  # fmt: skip
TURNS = (5, 6, 6, 4, 2)
"""How often conversations have 1, 2, 3... user messages, relative to each other."""

_FENCE = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL)

_TASK = """\
You write training data for a small model that answers every user message with exactly one tool
call. Write conversations as real people would have them, and label every message with the right
call.

What the model does: {instructions}

The tools, as JSON Schema:
{tools}

How to label:
{guide}

Rules:
- A call holds only what the user has said, in this message or an earlier one of the same matter.
  Leave an argument out when nobody said it. Never write null and never guess.
- The assistant says nothing: users react to what was done, or simply go on.
- Every conversation is worded differently; avoid stock phrases.

Answer with one JSON object and nothing else, no explanation, in exactly this form:
{form}
"""
_FORM = (
    '{"conversations": [{"turns": [{"user": "what the user says", '
    '"call": {"name": "tool", "arguments": {}}}]}]}'
)

GUIDE = "Choose the tool that does what the user wants; copy names and numbers exactly."
"""How to label where no guide is given."""


class Malformed(Exception):
    """An answer that cannot be read; the text is meant for the model."""


@dataclass(frozen=True, slots=True)
class Outline:
    """One conversation to write: its number of user messages, and what it should show."""

    turns: int
    tools: tuple[str, ...]
    phenomena: tuple[str, ...]
    who: str
    word: str


def draw(catalog: Catalog, seed: int, index: int, size: int) -> tuple[Outline, ...]:
    """The outlines of request number `index` (from 0) of this seed, `size` of them."""
    rng = random.Random(f"{seed}:{catalog.name}:{index}")
    return tuple(_outline(catalog, rng) for _ in range(size))


def _outline(catalog: Catalog, rng: random.Random) -> Outline:
    turns = rng.choices(range(1, len(TURNS) + 1), TURNS)[0]
    names = [tool.name for tool in catalog.tools]
    tools = rng.sample(names, min(len(names), rng.randint(1, max(1, (turns + 1) // 2))))
    possible = [name for name, (least, _) in PHENOMENA.items() if least <= turns]
    shown = rng.sample(possible, min(turns, rng.choice((1, 1, 2))))
    who = f"{rng.choice(WHO)}, {rng.choice(WHEN)}"
    return Outline(turns, tuple(tools), tuple(sorted(shown)), who, rng.choice(WORDS))


def messages(
    catalog: Catalog, outlines: Sequence[Outline], guide: str = ""
) -> list[dict[str, str]]:
    """The chat messages that ask for these conversations, in order."""
    declared = [declaration["function"] for declaration in catalog.declarations]
    task = _TASK.format(
        instructions=catalog.instructions,
        tools="\n".join(json.dumps(function, ensure_ascii=False) for function in declared),
        guide=guide.strip() or GUIDE,
        form=_FORM,
    )
    lines = [_described(number, outline) for number, outline in enumerate(outlines, start=1)]
    count = f"Write {len(outlines)} conversation{'s' if len(outlines) > 1 else ''}:"
    return [
        {"role": "system", "content": task},
        {"role": "user", "content": "\n".join([count, *lines])},
    ]


def again(text: str, fault: Malformed) -> list[dict[str, str]]:
    """What to add to the messages after an answer that could not be read."""
    return [
        {"role": "assistant", "content": text or "(no text)"},
        {"role": "user", "content": f"This cannot be used: {fault}. Give the whole object again."},
    ]


def _described(number: int, outline: Outline) -> str:
    shows = "; ".join(PHENOMENA[name][1] for name in outline.phenomena)
    size = f"{outline.turns} user message{'s' if outline.turns > 1 else ''}"
    return (
        f"{number}. {size}. Among the tools: {', '.join(outline.tools)}. Shows: {shows}. The user "
        f'is {outline.who}. One message contains "{outline.word}".'
    )


def read(text: str, catalog: Catalog, outlines: Sequence[Outline]) -> list[Sample]:
    """The conversations of an answer, tagged with what their outlines wanted shown.

    A Markdown fence around the object is taken off; nothing else is forgiven.

    Raises:
        Malformed: the answer is not in the form asked for.
    """
    fenced = _FENCE.fullmatch(text)
    try:
        record = json.loads(fenced[1] if fenced else text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"it is not JSON ({error})") from error
    talks = _list(_only(record, "the answer", "conversations")[0], "`conversations`")
    if len(talks) != len(outlines):
        raise Malformed(f"there are {len(talks)} conversations instead of {len(outlines)}")
    return [
        Sample(catalog.name, _exchanges(talk, number), outline.phenomena)
        for number, (talk, outline) in enumerate(zip(talks, outlines, strict=True), start=1)
    ]


def _exchanges(talk: Any, number: int) -> tuple[Exchange, ...]:
    where = f"conversation {number}"
    turns = _list(_only(talk, where, "turns")[0], f"`turns` of {where}")
    if not turns:
        raise Malformed(f"{where} has no turn")
    return tuple(_exchange(turn, f"a turn of {where}") for turn in turns)


def _exchange(turn: Any, where: str) -> Exchange:
    user, call = _only(turn, where, "user", "call")
    name, arguments = _only(call, f"`call` of {where}", "name", "arguments")
    if not isinstance(user, str) or not isinstance(name, str):
        raise Malformed(f"`user` or `name` of {where} is not text")
    if not isinstance(arguments, dict):
        raise Malformed(f"`arguments` of {where} is not an object")
    return Exchange(user.strip(), ToolCall(name, arguments))


def _only(value: Any, where: str, *names: str) -> list[Any]:
    """The fields of an object that has these and no others."""
    if not isinstance(value, dict):
        raise Malformed(f"{where} is not a JSON object")
    for name in names:
        if name not in value:
            raise Malformed(f"{where} lacks `{name}`")
    if unknown := sorted(value.keys() - set(names)):
        raise Malformed(f"{where} has the unknown field `{unknown[0]}`")
    return [value[name] for name in names]


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise Malformed(f"{where} is not a list")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")
