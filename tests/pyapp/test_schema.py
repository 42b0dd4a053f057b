"""What the schema subset accepts, and that it refuses the rest by name."""

from typing import Any

import pytest

from offhand import SchemaError
from offhand.schema import Array, Bare, Choice, Number, Text, parse_tools
from tests.tiny import function

ACCEPTED: list[tuple[dict[str, Any], object]] = [
    ({"type": "string"}, Text()),
    ({"type": "string", "description": "d", "default": "x"}, Text()),
    ({"type": "string", "enum": ["a", "b"]}, Choice(("a", "b"))),
    ({"type": "boolean"}, Bare((False, True))),
    ({"type": "integer", "enum": [3, -1]}, Bare((3, -1))),
    ({"type": "integer"}, Number(None, None, 0)),
    ({"type": "integer", "minimum": 60, "maximum": 80}, Number(60, 80, 0)),
    ({"type": "integer", "minimum": 0.5, "exclusiveMaximum": 3}, Number(1, 2, 0)),
    ({"type": "number", "exclusiveMinimum": 0}, Number(1, None, 6)),
    ({"type": "number", "minimum": -0.5, "maximum": 1}, Number(-500_000, 1_000_000, 6)),
    ({"type": "number", "multipleOf": 0.01}, Number(None, None, 2)),
    ({"type": "number", "multipleOf": 1, "minimum": 0.5}, Number(1, None, 0)),
    ({"type": "number", "multipleOf": 0.000001}, Number(None, None, 6)),
    ({"type": "array", "items": {"type": "string"}, "maxItems": 3}, Array(Text(), 0, 3)),
]


@pytest.mark.parametrize(("schema", "expected"), ACCEPTED)
def test_accepted(schema: dict[str, Any], expected: object) -> None:
    (tool,) = parse_tools([function("f", {"p": schema})])
    assert tool.slots[0].type == expected


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"type": "string", "pattern": "a+"}, "'pattern'"),
    ({"type": "string", "format": "date"}, "'format'"),
    ({"type": "string", "minLength": 1}, "'minLength'"),
    ({"type": "integer", "multipleOf": 5}, "'multipleOf'"),
    ({"type": "number", "enum": [1.5]}, "'enum'"),
    ({"type": "number", "multipleOf": 0.05}, "multipleOf 0.05"),
    ({"type": "number", "multipleOf": 10}, "multipleOf 10"),
    ({"type": "number", "multipleOf": "0.1"}, "multipleOf '0.1'"),
    ({"type": "number", "multipleOf": True}, "multipleOf True"),
    ({"type": "array", "items": {"type": "string"}, "uniqueItems": True}, "'uniqueItems'"),
    ({"type": "array", "items": {"type": "array", "items": {"type": "string"}}}, "arrays of"),
    ({"type": "array"}, "type None"),
    ({"type": "array", "items": {"type": "string"}, "maxItems": 0}, "maxItems"),
    ({"type": "object", "properties": {}}, "'object'"),
    ({"type": ["string", "null"]}, "null"),
    ({"type": "null"}, "'null'"),
    ({"anyOf": [{"type": "string"}]}, "type None"),
    ({"$ref": "#/x"}, "type None"),
    ({"type": "string", "enum": []}, "enum"),
    ({"type": "string", "enum": ["a", "a"]}, "distinct"),
    ({"type": "string", "enum": ["a", 1]}, "strings"),
    ({"type": "integer", "enum": [1, True]}, "integers"),
    ({"type": "integer", "enum": [1], "minimum": 0}, "enum beside bounds"),
    ({"type": "integer", "minimum": 3, "maximum": 2}, "no number"),
    ({"type": "integer", "minimum": "3"}, "minimum '3'"),
    ({"type": "integer", "minimum": True}, "minimum True"),
    ({"type": "integer", "maximum": 10**20}, "digits"),
]


@pytest.mark.parametrize(("schema", "named"), REFUSED)
def test_refused_by_name(schema: dict[str, Any], named: str) -> None:
    with pytest.raises(SchemaError) as caught:
        parse_tools([function("f", {"p": schema})])
    assert named in str(caught.value)
    assert "'f'" in str(caught.value)


@pytest.mark.parametrize(
    ("declarations", "named"),
    [
        ([], "no tool"),
        ([{"name": "f"}], "not of the form"),
        ([function("f"), function("f")], "twice"),
        ([function("a b")], "'a b'"),
        ([function("f", {"a:b": {"type": "string"}})], "'a:b'"),
        ([function("f", {}, ["x"])], "'x'"),
        ([{"type": "function", "function": {"name": "f", "returns": 1}}], "'returns'"),
    ],
)
def test_refused_declarations(declarations: list[dict[str, Any]], named: str) -> None:
    with pytest.raises(SchemaError, match=named):
        parse_tools(declarations)


def test_slots_are_sorted_and_know_what_is_required() -> None:
    declaration = function("f", {"b": {"type": "string"}, "a": {"type": "boolean"}}, ["b"])
    (tool,) = parse_tools([declaration])
    assert [(slot.name, slot.required) for slot in tool.slots] == [("a", False), ("b", True)]
