"""Whether a made-up conversation may be learned from: its calls fit the catalog and what was said.

A teacher errs, whether it is a program or a language model, and a wrong label costs more than a
missing one. A conversation is turned down with the first reason found, one of `REASONS`. Values are
traced to the user's words by rules that know nothing of the domain: numbers by `numbers.spoken`,
free text by its words. What else says a value ("it's dark in here" for lights on), a domain knows
and may tell through a `Support`. Duplicates and leaks are `filters`' concern.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from offhand.catalogs import Catalog
from offhand.dialect import ToolCall
from offhand.dispatch import check as refused
from offhand.schema import Array, Choice, Number, SlotType, Text, Tool
from offhand_export.synth.numbers import Spoken, spoken
from offhand_export.synth.sample import Sample

REASONS = (
    "empty_text",
    "too_long",
    "control_text",
    "unknown_tool",
    "schema",
    "ungrounded",
)
"""Why a conversation is turned down, in the order in which a turn is looked at."""

MAX_CHARACTERS = 400
"""Characters a user message may have; longer ones are not what anybody says in one breath."""

_CONTROL = re.compile(
    r"<(?:bos|eos|pad|unk|escape|(?:start|end)_of_(?:turn|image)|image_soft_token|unused\d+"
    r"|(?:start|end)_function_(?:declaration|call|response))>"
)
_WORD = re.compile(r"[^\W_]+")
_APOSTROPHE = re.compile("['\u2019]")


@dataclass(frozen=True, slots=True)
class Claim:
    """An argument that a call makes, with what was said until then.

    Attributes:
        catalog, tool, slot: where it stands.
        kind: the slot's type, or that of an array's items.
        value: one value; an array makes one claim an item.
        texts: the user's messages so far, the current one last.
        calls: the calls before this one.
    """

    catalog: str
    tool: str
    slot: str
    kind: SlotType
    value: Any
    texts: tuple[str, ...]
    calls: tuple[ToolCall, ...]


Support = Callable[[Claim], bool | None]
"""Whether the words support a claim, as far as a domain knows; None leaves it to the rules here."""


def no_opinion(claim: Claim) -> bool | None:
    """The `Support` of a domain that has nothing to add."""
    return None


def check(sample: Sample, catalog: Catalog, support: Support = no_opinion) -> str | None:
    """The reason to turn a conversation down, one of `REASONS`, or None if there is none.

    Args:
        sample: what a teacher made.
        catalog: the catalog it was made for.
        support: asked about every argument first. Without its word, a choice and a boolean are
            taken to be supported (also a text that is a choice of another slot), and a number or a
            text has to be said by the user, in this message or an earlier one, or to stand in an
            earlier call. A number may also be an earlier one plus or minus one of this message
            ("two degrees warmer").
    """
    tools = {tool.name: tool for tool in catalog.tools}
    kinds = [slot.type for tool in catalog.tools for slot in tool.slots]
    choices = {value for kind in kinds if isinstance(kind, Choice) for value in kind.values}
    calls: list[ToolCall] = []
    if not sample.exchanges:
        return "empty_text"
    for turn, exchange in enumerate(sample.exchanges):
        if reason := _text_fault(exchange.text):
            return reason
        call = exchange.gold
        if call is None or call.name not in tools:
            return "unknown_tool"
        if refused(catalog, call) or None in call.arguments.values():
            return "schema"
        if any(map(_has_control, _texts_of(call.arguments))):
            return "control_text"
        texts = tuple(past.text for past in sample.exchanges[: turn + 1])
        for slot, kind, value in _values(call, tools[call.name]):
            claim = Claim(sample.catalog, call.name, slot, kind, value, texts, tuple(calls))
            if not _supported(claim, support, choices):
                return "ungrounded"
        calls.append(call)
    return None


def _text_fault(text: str) -> str | None:
    if not text.strip():
        return "empty_text"
    if len(text) > MAX_CHARACTERS:
        return "too_long"
    return "control_text" if _has_control(text) else None


def _has_control(text: str) -> bool:
    # Category C is what nobody types: control and format characters, private use, surrogates.
    odd = any(unicodedata.category(character).startswith("C") for character in text)
    return odd or _CONTROL.search(text) is not None


def _texts_of(arguments: Mapping[str, Any]) -> Iterator[str]:
    for value in arguments.values():
        for item in value if isinstance(value, list | tuple) else (value,):
            if isinstance(item, str):
                yield item


def _values(call: ToolCall, tool: Tool) -> Iterator[tuple[str, SlotType, Any]]:
    kinds = {slot.name: slot.type for slot in tool.slots}
    for slot, value in call.arguments.items():
        kind = kinds[slot]
        if isinstance(kind, Array):
            yield from ((slot, kind.item, item) for item in value)
        else:
            yield slot, kind, value


def _supported(claim: Claim, support: Support, choices: Collection[str]) -> bool:
    opinion = support(claim)
    if opinion is not None:
        return opinion
    if isinstance(claim.kind, Text):
        return claim.value in choices or _says_text(claim)
    return not isinstance(claim.kind, Number) or _says_number(claim)


def _says_number(claim: Claim) -> bool:
    wanted = abs(Decimal(str(claim.value)))
    heard = [_spoken(text).values for text in claim.texts]
    earlier = {abs(Decimal(str(number))) for call in claim.calls for number in _numbers(call)}
    changed = {abs(old + sign * step) for old in earlier for step in heard[-1] for sign in (1, -1)}
    return wanted in earlier | changed or any(wanted in values for values in heard)


def _says_text(claim: Claim) -> bool:
    """Whether every word of a text was said, numbers in any form, or all of it stuck together."""
    known = [*claim.texts, *(text for call in claim.calls for text in _texts_of(call.arguments))]
    words = frozenset[str]().union(*map(_words, known))
    value = _plain(claim.value)
    parts = _WORD.findall(value)
    if not parts:  # nothing but signs, "*" or "..": they have to be there as they are
        return any(_has_sign(_plain(text), value.strip()) for text in known)
    if all(part in words or _says_figure(part, claim.texts) for part in parts):
        return True
    stuck = "".join(parts)
    return len(stuck) > 3 and any(stuck in "".join(_WORD.findall(_plain(text))) for text in known)


def _has_sign(text: str, sign: str) -> bool:
    """Whether the sign stands in the text as it is; ".." is not in "..."."""
    if not sign:  # an apostrophe alone
        return False
    first, whole, last = map(re.escape, (sign[0], sign, sign[-1]))
    return re.search(f"(?<!{first}){whole}(?!{last})", text) is not None


def _says_figure(part: str, texts: Sequence[str]) -> bool:
    return part.isdecimal() and any(_spoken(text).spells(part) for text in texts)


def _numbers(call: ToolCall) -> Iterator[float]:
    for value in call.arguments.values():
        for item in value if isinstance(value, list | tuple) else (value,):
            if type(item) in (int, float):
                yield item


def _plain(text: str) -> str:
    return _APOSTROPHE.sub("", unicodedata.normalize("NFKC", text).casefold())


@lru_cache(maxsize=4096)
def _words(text: str) -> frozenset[str]:
    """A message's words, with and without the s of a plural or a possessive."""
    words = _WORD.findall(_plain(text))
    return frozenset([*words, *(word[:-1] for word in words if word.endswith("s"))])


@lru_cache(maxsize=4096)
def _spoken(text: str) -> Spoken:
    return spoken(text)
