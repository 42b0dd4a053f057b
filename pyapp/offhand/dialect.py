"""FunctionGemma's tool-call syntax: writing calls and reading them back.

    <start_function_call>call:name{key:value,other:<escape>text<escape>}<end_function_call>

Arguments are sorted by name and absent when not known; strings stand between two `<escape>` control
tokens and have no other quoting; numbers and booleans are bare; arrays are `[a,b]`. Source: the
chat template published with FunctionGemma. Which calls a catalog allows is `automaton`'s matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from offhand.tokenizer import Data, Vocabulary

START_CALL = "<start_function_call>"
END_CALL = "<end_function_call>"
ESCAPE = "<escape>"

_HEAD = re.compile(r"call:([^{]*)\{")
_KEY = re.compile(r",?([^:,{}\[\]\0]+):")
_BARE = re.compile(r"[^,\]}]+")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool's name and its arguments; values are str, int, float, bool or lists of these."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


def number_text(value: float) -> str:
    """The canonical spelling of a number: plain decimal, integral values without a point."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) else format(Decimal(repr(value)), "f")


def render_value(value: Any) -> list[str]:
    """The pieces of one argument value; strings come as `Data`."""
    if isinstance(value, str):
        return [ESCAPE, Data(value), ESCAPE]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, (int, float)):
        return [number_text(value)]
    if isinstance(value, Sequence):
        items: list[str] = []
        for item in value:
            items += [*([","] if items else []), *render_value(item)]
        return ["[", *items, "]"]
    raise TypeError(f"an argument cannot be a {type(value).__name__}")


def render_call(call: ToolCall) -> list[str]:
    """The pieces of a call, control tokens included; neighbouring text is joined."""
    pieces = [START_CALL, f"call:{call.name}{{"]
    known = sorted(name for name, value in call.arguments.items() if value is not None)
    for position, name in enumerate(known):
        pieces.append(f"{',' if position else ''}{name}:")
        pieces += render_value(call.arguments[name])
    return _joined([*pieces, "}", END_CALL])


def _joined(pieces: Sequence[str]) -> list[str]:
    """Join what the tokenizer must see as one text: everything between control tokens."""
    out: list[str] = []
    for piece in pieces:
        if out and _structural(piece) and _structural(out[-1]):
            out[-1] += piece
        else:
            out.append(piece)
    return out


def _structural(piece: str) -> bool:
    return not isinstance(piece, Data) and piece not in (START_CALL, END_CALL, ESCAPE)


def parse_call(ids: Sequence[int], vocabulary: Vocabulary) -> ToolCall:
    """Read the call that token ids from `START_CALL` to `END_CALL` spell.

    Raises:
        ValueError: the ids do not spell a call.
    """
    control = vocabulary.control
    if len(ids) < 3 or ids[0] != control[START_CALL] or ids[-1] != control[END_CALL]:
        raise ValueError("a call runs from its start token to its end token")
    parts: list[list[int]] = [[]]
    for token in ids[1:-1]:
        if token == control[ESCAPE]:
            parts.append([])
        else:
            parts[-1].append(token)
    texts = [vocabulary.decode(part) if part else "" for part in parts]
    # Strings are taken out before parsing, so that no text can be read as structure.
    strings = iter(texts[1::2])
    reader = _Reader("\0".join(texts[0::2]), strings)
    return reader.call()


class _Reader:
    """A recursive reader of a call's structure, where each string is a NUL."""

    def __init__(self, text: str, strings: Any) -> None:
        self.text, self.strings, self.at = text, strings, 0

    def call(self) -> ToolCall:
        name = self._match(_HEAD)
        arguments: dict[str, Any] = {}
        while self.text[self.at :] != "}":
            key = self._match(_KEY)
            arguments[key] = self._value()
        return ToolCall(name, arguments)

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if not found:
            raise ValueError(f"a call breaks off at {self.text[self.at : self.at + 20]!r}")
        self.at = found.end()
        return found[found.lastindex or 0]

    def _value(self) -> Any:
        if self.text.startswith("\0", self.at):
            self.at += 1
            return next(self.strings)
        if self.text.startswith("[", self.at):
            self.at += 1
            items = []
            while not self.text.startswith("]", self.at):
                items.append(self._value())
                self.at += self.text.startswith(",", self.at)
            self.at += 1
            return items
        word = self._match(_BARE)
        if word in ("true", "false"):
            return word == "true"
        return float(word) if "." in word else int(word)
