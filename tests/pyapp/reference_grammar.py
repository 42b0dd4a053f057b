"""A second opinion on what a call may look like: tool declarations as an llguidance grammar.

Written from the JSON schema and the dialect's description alone, sharing no code with the app, so
that a mistake would have to be made twice to go unseen. Numbers are regular expressions that list
every tenth within the bounds, which keeps them simple and the bounds of tests small.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

START, END, ESCAPE = "<start_function_call>", "<end_function_call>", "<escape>"
INTEGER_DIGITS = 15
FRACTION = r"[0-9]{0,5}[1-9]"
"""What may follow a point: one to six digits, the last of them not zero."""


def lark_grammar(declarations: Sequence[Mapping[str, Any]]) -> str:
    """The grammar of one call to any of the functions, control tokens included."""
    functions = [declaration["function"] for declaration in declarations]
    tools = " | ".join(f"tool_{index}" for index in range(len(functions)))
    lines = [f"start: {START} ({tools}) {END}", r"TEXT: /(?s:.)+/"]
    for index, function in enumerate(functions):
        lines += _tool(f"tool_{index}", function)
    return "\n".join(lines) + "\n"


def _tool(rule: str, function: Mapping[str, Any]) -> Iterator[str]:
    schema = function.get("parameters", {})
    names = sorted(schema.get("properties", {}))
    required = schema.get("required", [])
    opening = json.dumps(f"call:{function['name']}{{")
    yield f'{rule}: {opening} {rule}_first_0 "}}"'
    for index, name in enumerate(names):
        yield f"{rule}_pair_{index}: {json.dumps(name + ':')} {_value(schema['properties'][name])}"
        for place, comma in (("first", ""), ("rest", '"," ')):
            skip = "" if name in required else f" | {rule}_{place}_{index + 1}"
            said = f"{comma}{rule}_pair_{index} {rule}_rest_{index + 1}"
            yield f"{rule}_{place}_{index}: {said}{skip}"
    for place in ("first", "rest") if names else ("first",):
        yield f'{rule}_{place}_{len(names)}: ""'


def _value(schema: Mapping[str, Any]) -> str:
    kind = schema["type"]
    if kind == "array":
        return _array(schema)
    if kind == "boolean":
        return '("true" | "false")'
    if kind == "string":
        words = " | ".join(map(json.dumps, schema.get("enum", [])))
        return f"{ESCAPE} ({words}) {ESCAPE}" if words else f"{ESCAPE} TEXT? {ESCAPE}"
    if "enum" in schema:
        return "(" + " | ".join(json.dumps(str(value)) for value in schema["enum"]) + ")"
    return f"/{number_pattern(schema)}/"


def _array(schema: Mapping[str, Any]) -> str:
    item = _value(schema["items"])
    low, high = schema.get("minItems", 0), schema.get("maxItems", 32)
    more = f'("," {item}){{{max(low - 1, 0)},{high - 1}}}' if high > 1 else ""
    return f'"[" ({item} {more}){"?" if low == 0 else ""} "]"'


def number_pattern(schema: Mapping[str, Any]) -> str:
    """A regular expression for the canonical numbers within the bounds; empty for none."""
    low, above_low = _bound(schema, "minimum", "exclusiveMinimum", max)
    high, below_high = _bound(schema, "maximum", "exclusiveMaximum", min)
    whole = schema["type"] == "integer"
    up = [*_magnitudes(low, above_low, high, below_high, whole, zero=True)]
    negated_low = None if high is None else -high
    negated_high = None if low is None else -low
    down = [*_magnitudes(negated_low, below_high, negated_high, above_low, whole, zero=False)]
    options = [*up, *(f"-({'|'.join(down)})" for _ in [0] if down)]
    return "|".join(options)


def _bound(
    schema: Mapping[str, Any], inclusive: str, exclusive: str, tightest: Any
) -> tuple[Decimal | None, bool]:
    """The tighter of a pair of bounds, and whether it is itself left out."""
    found = [(Decimal(str(schema[key])), key) for key in (inclusive, exclusive) if key in schema]
    if not found:
        return None, False
    value = tightest(value for value, _ in found)
    return value, (value, exclusive) in found


def _magnitudes(
    low: Decimal | None,
    above_low: bool,
    high: Decimal | None,
    below_high: bool,
    whole: bool,
    zero: bool,
) -> Iterator[str]:
    """Patterns for the magnitudes between two bounds that are whole numbers of tenths."""
    if low is None or low < 0:
        low, above_low = Decimal(0), False
    if low == 0 and not zero:
        above_low = True
    digits = len(str(int(low)))
    last = 10**digits * 10 if high is None else int(high * 10)
    for tenth in range(int(low * 10), last + (high is not None)):
        exact = Decimal(tenth) / 10
        at_edge = (exact == low and above_low) or (exact == high and below_high)
        if not at_edge and not (whole and tenth % 10):
            yield re.escape(str(tenth // 10) if tenth % 10 == 0 else str(exact))
        if not whole and (high is None or tenth < last):
            yield rf"{tenth // 10}\.{tenth % 10}[0-9]{{0,4}}[1-9]"
    if high is None:
        longer = f"[1-9][0-9]{{{digits},{INTEGER_DIGITS - 1}}}"
        yield longer if whole else rf"{longer}(\.{FRACTION})?"
