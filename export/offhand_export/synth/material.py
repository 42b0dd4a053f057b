"""Material: the built-in teacher's language, written by hand as text files.

A material file is a list of blocks; `material/README.md` shows the whole
notation. A block's header says which call its utterances lead to, and, for messages that make sense
only after something, which call came before:

    == toggle_lights room={room} state=on
    switch on the {room} lights
    == toggle_lights ... -> toggle_lights ... room={room} @ellipsis
    and the {room} too

This module reads and checks files: unknown tools, parameters and slot types are refused with file
and line, and so is an utterance that does not say a value its label claims. It draws nothing.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from offhand.catalogs import Catalog
from offhand.schema import Bare, Number, Slot
from offhand_export.errors import ExportError

_VARIABLE = re.compile(r"\{([a-z_]+[0-9]*)(?::([a-z_]+))?\}")
_WEIGHT = re.compile(r"x([0-9.]+)\Z")


class MaterialError(ExportError):
    """A material file that breaks the notation or contradicts the catalog."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A value to be drawn or taken over: its name within a block, and the slot it is drawn from."""

    name: str
    slot: str


@dataclass(frozen=True, slots=True)
class CallForm:
    """A call with variables.

    Attributes:
        name: the tool's; "any" in a pattern matches every call.
        arguments: values, or `Variable`s.
        rest: whether other arguments match (in a pattern) or are taken over (in a result).
    """

    name: str
    arguments: Mapping[str, Any]
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """Utterances that lead to one call.

    Attributes:
        before: the call they follow; None for utterances that open a matter.
        earlier: whether `before` is an earlier matter that others have followed.
        call: where they lead.
        lines: the utterances, in the notation of `grammar`.
        tags: phenomena.
        weight: how often it is drawn, relative to its like.
    """

    before: CallForm | None
    earlier: bool
    call: CallForm
    lines: tuple[str, ...]
    tags: tuple[str, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class Script:
    """A whole conversation with variables."""

    turns: tuple[tuple[str, CallForm], ...]
    tags: tuple[str, ...]
    weight: float


@dataclass(slots=True)
class Material:
    """Everything the built-in teacher knows of a domain.

    Attributes:
        slots: ways to say a value, by slot and value: (surface, weight).
        phrases: lists of words without a value, by name ("please", "prefix", "suffix").
    """

    rules: list[Rule] = field(default_factory=list)
    scripts: list[Script] = field(default_factory=list)
    slots: dict[str, dict[str, list[tuple[str, float]]]] = field(default_factory=dict)
    phrases: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Block:
    header: str
    lines: tuple[str, ...]
    where: str


def read(folder: Path, catalog: Catalog, drawn: Sequence[str]) -> Material:
    """Read every `.txt` file of a folder, in the order of their names.

    Args:
        folder: the domain's material.
        catalog: whose tools the labels call.
        drawn: names of slots that are drawn by code, not listed.

    Raises:
        MaterialError: with file and line.
    """
    material = Material()
    blocks = [block for path in sorted(folder.glob("*.txt")) for block in _blocks(path)]
    if not blocks:
        raise MaterialError(f"{folder} holds no material. Give a folder with .txt files.")
    calls: list[_Block] = []
    for block in blocks:
        kind, _, name = block.header.partition(" ")
        if kind == "slot":
            _read_slot(material, name.strip(), block)
        elif kind == "phrase":
            material.phrases.setdefault(name.strip(), []).extend(block.lines)
        else:
            calls.append(block)
    reader = _Reader(catalog, {*material.slots, *drawn}, set(material.phrases))
    for block in calls:
        if block.header.split()[0] == "dialogue":
            material.scripts.append(reader.script(block))
        else:
            material.rules.append(reader.rule(block))
    return material


def variables(line: str) -> list[Variable]:
    """The variables of an utterance, in order."""
    return [_variable(*found.groups()) for found in _VARIABLE.finditer(line)]


def _variable(name: str, slot: str | None) -> Variable:
    return Variable(name, slot or name.rstrip("0123456789"))


def _blocks(path: Path) -> Iterator[_Block]:
    header, lines, where = "", list[str](), ""
    for number, raw in enumerate(path.read_text("utf-8").split("\n"), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("=="):
            if header:
                yield _Block(header, tuple(lines), where)
            header, lines, where = line[2:].strip(), [], f"{path.name}, line {number}"
            if not header:
                raise MaterialError(f"{where}: a block needs a header after `==`.")
        elif not header:
            raise MaterialError(f"{path.name}, line {number}: text before the first `==` header.")
        else:
            lines.append(line)
    if header:
        yield _Block(header, tuple(lines), where)


def _read_slot(material: Material, name: str, block: _Block) -> None:
    values = material.slots.setdefault(name, {})
    for line in block.lines:
        value, _, surfaces = line.partition("=")
        spoken = values.setdefault(value.strip(), [])
        for surface in (surfaces or value).split("|"):
            text, _, weight = surface.strip().partition("*")
            spoken.append((text.strip(), _number(weight or "1", block.where)))


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise MaterialError(f"{where}: {text!r} is no number.") from error


def _split(text: str, where: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise MaterialError(f"{where}: {error} in {text!r}.") from error


class _Reader:
    """Reads the blocks that make calls."""

    def __init__(self, catalog: Catalog, slots: set[str], phrases: set[str]) -> None:
        self._tools = {
            tool.name: {slot.name: slot for slot in tool.slots} for tool in catalog.tools
        }
        self._slots, self._phrases = slots, phrases

    def rule(self, block: _Block) -> Rule:
        words, tags, weight = self._header(block)
        earlier = words[0] == "earlier"
        words = words[earlier:]
        before = None
        if "->" in words:
            at = words.index("->")
            before = self.call(words[:at], block.where)
            words = words[at + 1 :]
        call = self.call(words, block.where, _slots(before))
        if earlier and before is None:
            raise MaterialError(f"{block.where}: `earlier` needs a call, then `->`.")
        if not block.lines:
            raise MaterialError(f"{block.where}: the block has no utterance.")
        known = _names(before) if before else set()
        for line in block.lines:
            self._check(line, _names(call) - known, known | _names(call), block.where)
        return Rule(before, earlier, call, block.lines, tags, weight)

    def script(self, block: _Block) -> Script:
        _, tags, weight = self._header(block)
        if len(block.lines) % 2 or not block.lines:
            raise MaterialError(f"{block.where}: a dialogue alternates `U:` and `C:` lines.")
        turns, said, declared = [], set[str](), dict[str, str]()
        for spoken, called in zip(block.lines[::2], block.lines[1::2], strict=True):
            if not spoken.startswith("U:") or not called.startswith("C:"):
                raise MaterialError(
                    f"{block.where}: expected `U:` then `C:`, found {spoken!r}, {called!r}."
                )
            line = spoken[2:].strip()
            declared |= {v.name: v.slot for v in variables(line) if v.name not in declared}
            call = self.call(_split(called[2:], block.where), block.where, declared)
            self._check(line, _names(call) - said, said | _names(call), block.where)
            said |= {variable.name for variable in variables(line)}
            turns.append((line, call))
        return Script(tuple(turns), tags, weight)

    def call(
        self, words: Sequence[str], where: str, declared: Mapping[str, str] | None = None
    ) -> CallForm:
        if not words or (words[0] not in self._tools and words[0] != "any"):
            raise MaterialError(f"{where}: {words[0] if words else ''!r} is not a tool.")
        slots = self._tools.get(words[0], {})
        arguments: dict[str, Any] = {}
        for word in words[1:]:
            if word == "...":
                continue
            name, sign, value = word.partition("=")
            if name not in slots or not sign:
                raise MaterialError(f"{where}: {word!r} is no argument of {words[0]}.")
            arguments[name] = self._value(slots[name], value, where, declared or {})
        return CallForm(words[0], arguments, "..." in words[1:])

    def _value(self, slot: Slot, value: str, where: str, declared: Mapping[str, str]) -> Any:
        found = _VARIABLE.fullmatch(value)
        if found:
            name, written = found.groups()
            variable = _variable(name, written or declared.get(name))
            if variable.slot not in self._slots:
                raise MaterialError(f"{where}: there is no slot {variable.slot!r}.")
            return variable
        if value == "-":
            return None
        if isinstance(slot.type, Bare):
            if value not in ("true", "false"):
                raise MaterialError(f"{where}: {slot.name} is true or false, not {value!r}.")
            return value == "true"
        if isinstance(slot.type, Number):
            number = _number(value, where)
            return number if "." in value else int(number)
        return value

    def _header(self, block: _Block) -> tuple[list[str], tuple[str, ...], float]:
        words, tags, weight = [], [], 1.0
        for word in _split(block.header, block.where):
            if word.startswith("@"):
                tags.append(word[1:])
            elif found := _WEIGHT.match(word):
                weight = _number(found[1], block.where)
            else:
                words.append(word)
        if not words:
            raise MaterialError(f"{block.where}: {block.header!r} names no call.")
        return words, tuple(tags), weight

    def _check(self, line: str, due: set[str], known: set[str], where: str) -> None:
        used = variables(line)
        missing = due - {variable.name for variable in used}
        if missing:
            raise MaterialError(
                f"{where}: {line!r} does not say {{{'}, {'.join(sorted(missing))}}}."
            )
        # `{b:account} ... {b}`: the slot is written once.
        known = known | {name for name, slot in _VARIABLE.findall(line) if slot in self._slots}
        for variable in used:
            if variable.name not in known and variable.slot not in self._slots | self._phrases:
                raise MaterialError(f"{where}: {line!r} uses an unknown {{{variable.slot}}}.")


def _slots(form: CallForm | None) -> dict[str, str]:
    values = form.arguments.values() if form else ()
    return {value.name: value.slot for value in values if isinstance(value, Variable)}


def _names(form: CallForm) -> set[str]:
    return {value.name for value in form.arguments.values() if isinstance(value, Variable)}
