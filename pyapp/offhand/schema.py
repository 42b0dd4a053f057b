"""Tool declarations as typed values: the JSON-schema subset that Offhand decodes and dispatches.

Supported: `string`, `string` with `enum`, `integer` (bounds or `enum`), `number` with bounds,
`boolean`, and `array` of any of these (not of arrays). A keyword outside `SUPPORTED` is refused by
its name: a constraint that is silently dropped would be a promise not kept. Conversation state and
prompt rendering are not here; the raw declaration stays with the catalog for the template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from offhand.errors import SchemaError

DECIMALS = 6
"""Decimal places a `number` may have where `multipleOf` does not say fewer."""

MAX_DIGITS = 15
"""Integer digits a number may have where no bound says fewer (within a float's exact range)."""

MAX_ITEMS = 32
"""Items an array may have where `maxItems` does not say fewer."""

ANNOTATIONS = frozenset({"description", "title", "default", "examples", "$comment"})
SUPPORTED: Mapping[str, frozenset[str]] = {
    "string": frozenset({"type", "enum"}),
    "integer": frozenset(
        {"type", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    ),
    "number": frozenset(
        {"type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
    ),
    "boolean": frozenset({"type"}),
    "array": frozenset({"type", "items", "minItems", "maxItems"}),
    "object": frozenset({"type", "properties", "required", "additionalProperties"}),
}
"""Keywords understood for each type, beside `ANNOTATIONS`."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")


@dataclass(frozen=True, slots=True)
class Text:
    """Any text."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a list of strings."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bare:
    """One of a list of values written without quotes: booleans and integer enums."""

    values: tuple[bool | int, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A number; bounds are inclusive and in units of 10**-decimals."""

    low: int | None
    high: int | None
    decimals: int


@dataclass(frozen=True, slots=True)
class Array:
    """A list of items of one type."""

    item: Text | Choice | Bare | Number
    low: int
    high: int


SlotType = Text | Choice | Bare | Number | Array


@dataclass(frozen=True, slots=True)
class Slot:
    """One parameter of a tool; `default` is what an absent argument means, None when unsaid."""

    name: str
    type: SlotType
    required: bool
    default: Any = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool and its slots, sorted by name."""

    name: str
    description: str
    slots: tuple[Slot, ...]


def parse_tools(declarations: Sequence[Mapping[str, Any]]) -> tuple[Tool, ...]:
    """Read OpenAI-style tool declarations (`{"type": "function", "function": {...}}`).

    Raises:
        SchemaError: a declaration is malformed or uses anything outside the subset; the message
            names the tool, the parameter and the keyword.
    """
    if not declarations:
        raise SchemaError("The catalog declares no tool.", "Declare at least one function.")
    tools = tuple(_tool(declaration) for declaration in declarations)
    names = [tool.name for tool in tools]
    for name in names:
        if names.count(name) > 1:
            raise SchemaError(f"The tool {name!r} is declared twice.", "Keep one of them.")
    return tools


def _tool(declaration: Mapping[str, Any]) -> Tool:
    function = declaration.get("function") if isinstance(declaration, Mapping) else None
    if not isinstance(function, Mapping) or declaration.get("type") != "function":
        raise SchemaError(
            "A tool declaration is not of the form {'type': 'function', 'function': {...}}.",
            "Wrap each function that way.",
        )
    unknown = set(function) - {"name", "description", "parameters", "strict"}
    name = _checked_name(function.get("name"), "A tool")
    if unknown:
        raise SchemaError(f"The tool {name!r} has the unknown field {min(unknown)!r}.", "Drop it.")
    schema = function.get("parameters", {"type": "object", "properties": {}})
    description = function.get("description", "")
    if not isinstance(description, str):
        raise SchemaError(f"The description of the tool {name!r} is not a string.", "Make it one.")
    return Tool(name, description, tuple(sorted(_slots(name, schema), key=lambda slot: slot.name)))


def _slots(tool: str, schema: Any) -> Iterator[Slot]:
    where = f"the parameters of {tool!r}"
    if not isinstance(schema, Mapping) or schema.get("type", "object") != "object":
        raise SchemaError(f"In {where}: the schema is not an object.", "Use type: object.")
    _refuse_unknown(schema, "object", where)
    if schema.get("additionalProperties", False) is not False:
        raise SchemaError(
            f"In {where}: additionalProperties other than false is not supported.",
            "Name every parameter under properties.",
        )
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    if not isinstance(properties, Mapping) or not isinstance(required, Sequence):
        raise SchemaError(f"In {where}: properties or required is malformed.", "See JSON Schema.")
    missing = [name for name in required if name not in properties]
    if missing:
        raise SchemaError(
            f"In {where}: required names {missing[0]!r}, which properties does not.",
            "Declare it or drop it from required.",
        )
    for name, part in properties.items():
        here = f"parameter {_checked_name(name, 'A parameter')!r} of {tool!r}"
        kind = _type(part, here)
        default = part.get("default")
        yield Slot(name, kind, name in required, default)


def _type(schema: Any, where: str) -> SlotType:
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    if not isinstance(kind, str) or kind not in SUPPORTED or kind == "object":
        raise SchemaError(
            f"In {where}: type {kind!r} is not supported.",
            "Use string, integer, number, boolean, or array of these.",
        )
    _refuse_unknown(schema, kind, where)
    if kind == "string":
        return Choice(_strings(schema["enum"], where)) if "enum" in schema else Text()
    if kind == "boolean":
        return Bare((False, True))
    if kind == "array":
        return _array(schema, where)
    if "enum" in schema:
        if len(set(schema) - ANNOTATIONS) > 2:
            raise SchemaError(f"In {where}: enum beside bounds is not supported.", "Keep one.")
        return Bare(_integers(schema["enum"], where))
    return _number(schema, _decimals(schema, where) if kind == "number" else 0, where)


def _refuse_unknown(schema: Mapping[str, Any], kind: str, where: str) -> None:
    unknown = sorted(set(schema) - SUPPORTED[kind] - ANNOTATIONS)
    if unknown:
        raise SchemaError(
            f"In {where}: the keyword {unknown[0]!r} is not supported for {kind}.",
            f"Supported are {', '.join(sorted(SUPPORTED[kind]))}.",
        )


def _checked_name(name: Any, what: str) -> str:
    if not isinstance(name, str) or not _NAME.match(name):
        raise SchemaError(
            f"{what} is named {name!r}.", "Names are letters, digits and _ . - and start a-z or _."
        )
    return name


def _strings(values: Any, where: str) -> tuple[str, ...]:
    good = isinstance(values, list) and values and all(isinstance(v, str) and v for v in values)
    if not good or len(set(values)) != len(values):
        raise SchemaError(
            f"In {where}: enum is not a list of distinct, non-empty strings.", "Make it one."
        )
    return tuple(values)


def _integers(values: Any, where: str) -> tuple[int, ...]:
    good = isinstance(values, list) and values and all(type(value) is int for value in values)
    if not good or len(set(values)) != len(values):
        raise SchemaError(f"In {where}: enum is not a list of distinct integers.", "Make it one.")
    return tuple(values)


def _array(schema: Mapping[str, Any], where: str) -> Array:
    item = _type(schema.get("items"), f"the items of {where}")
    if isinstance(item, Array):
        raise SchemaError(f"In {where}: arrays of arrays are not supported.", "Flatten it.")
    low, high = schema.get("minItems", 0), schema.get("maxItems", MAX_ITEMS)
    if not (type(low) is int and type(high) is int and 0 <= low <= high <= MAX_ITEMS and high > 0):
        raise SchemaError(
            f"In {where}: minItems {low!r} and maxItems {high!r} do not fit.",
            f"Use 0 <= minItems <= maxItems <= {MAX_ITEMS}.",
        )
    return Array(item, low, high)


def _decimals(schema: Mapping[str, Any], where: str) -> int:
    """Decimal places that `multipleOf` leaves: powers of ten from 0.000001 to 1 are supported."""
    step = schema.get("multipleOf")
    if step is None:
        return DECIMALS
    for decimals in range(DECIMALS + 1):
        if type(step) in (int, float) and Decimal(str(step)) == Decimal(1).scaleb(-decimals):
            return decimals
    raise SchemaError(
        f"In {where}: multipleOf {step!r} is not supported.",
        "Use 1, 0.1, 0.01 and so on down to 0.000001.",
    )


def _number(schema: Mapping[str, Any], decimals: int, where: str) -> Number:
    low = _bound(schema, "minimum", "exclusiveMinimum", decimals, where)
    high = _bound(schema, "maximum", "exclusiveMaximum", decimals, where)
    if low is not None and high is not None and low > high:
        raise SchemaError(f"In {where}: no number lies within the bounds.", "Mend the bounds.")
    return Number(low, high, decimals)


def _bound(
    schema: Mapping[str, Any], inclusive: str, exclusive: str, decimals: int, where: str
) -> int | None:
    """The tightest bound of a pair of keywords, inclusive, in units of 10**-decimals."""
    sign = 1 if inclusive == "minimum" else -1
    bounds = []
    for keyword, step in ((inclusive, 0), (exclusive, 1)):
        if keyword not in schema:
            continue
        value = schema[keyword]
        try:
            if type(value) not in (int, float):
                raise InvalidOperation
            units = Decimal(str(value)).scaleb(decimals) * sign
            whole = int(units.to_integral_value("ROUND_CEILING"))
        except (InvalidOperation, OverflowError, ValueError):
            raise SchemaError(
                f"In {where}: {keyword} {value!r} is not a number.", "Make it one."
            ) from None
        bounds.append(whole + 1 if step and whole == units else whole)
    if bounds and abs(max(bounds)) >= 10 ** (MAX_DIGITS + decimals):
        raise SchemaError(f"In {where}: bounds beyond {MAX_DIGITS} digits.", "Tighten them.")
    return sign * max(bounds) if bounds else None
