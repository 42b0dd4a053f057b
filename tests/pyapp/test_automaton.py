"""What the automaton accepts: the canonical tokens of valid calls, and nothing else."""

from typing import Any

import pytest

from offhand import Automaton, SchemaError, ToolCall
from offhand.dialect import render_call
from tests.tiny import catalog, function, tiny_vocabulary

VOCABULARY = tiny_vocabulary()
LIST = function(
    "list",
    {
        "tags": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}, "minItems": 1},
        "sizes": {"type": "array", "items": {"type": "integer", "minimum": -9}, "maxItems": 2},
        "flags": {"type": "array", "items": {"type": "boolean"}, "maxItems": 2},
        "level": {"type": "integer", "enum": [1, 2, 12]},
    },
)
TINY = Automaton(catalog().tools, VOCABULARY)
LISTS = Automaton(catalog(LIST).tools, VOCABULARY)

CASES: list[tuple[Automaton, str, dict[str, Any], bool]] = [
    (TINY, "lights", {}, True),
    (TINY, "lights", {"room": "living"}, True),
    (TINY, "lights", {"room": "living_room", "state": "on"}, True),
    (TINY, "lights", {"state": "one"}, True),
    (TINY, "lights", {"room": "garage"}, False),
    (TINY, "lights", {"room": "liv"}, False),
    (TINY, "lights", {"colour": "on"}, False),
    (TINY, "heat", {"temperature": 80}, True),
    (TINY, "heat", {"temperature": -5, "quiet": True}, True),
    (TINY, "heat", {"temperature": 81}, False),
    (TINY, "heat", {"temperature": 7.5}, False),
    (TINY, "heat", {"quiet": "true"}, False),
    (TINY, "note", {"text": ""}, True),
    (TINY, "note", {"text": "any text }, {<escape>"}, True),
    (TINY, "note", {"text": "é 日本 🙂"}, True),
    (TINY, "note", {"number": 1}, False),
    (TINY, "note", {"text": "x", "number": -0.25}, True),
    (TINY, "stop", {}, True),
    (TINY, "unknown", {}, False),
    (LISTS, "list", {"tags": ["a"]}, True),
    (LISTS, "list", {"tags": ["a", "b", "a"]}, True),
    (LISTS, "list", {"tags": []}, False),
    (LISTS, "list", {"tags": ["c"]}, False),
    (LISTS, "list", {"sizes": [1, -9]}, True),
    (LISTS, "list", {"sizes": [], "tags": ["b"]}, True),
    (LISTS, "list", {"sizes": [1, 2, 3]}, False),
    (LISTS, "list", {"sizes": [-10]}, False),
    (LISTS, "list", {"flags": [True, False], "level": 12, "sizes": [3]}, True),
    (LISTS, "list", {"level": 3}, False),
]


@pytest.mark.parametrize(("automaton", "name", "arguments", "valid"), CASES)
def test_language(automaton: Automaton, name: str, arguments: dict[str, Any], valid: bool) -> None:
    ids = VOCABULARY.encode_pieces(render_call(ToolCall(name, arguments)))
    assert automaton.accepts(ids[1:]) is valid
    assert not automaton.accepts(ids[1:-1])
    assert not automaton.accepts([*ids[1:], ids[-1]])


def test_only_canonical_tokens_are_accepted() -> None:
    ids = VOCABULARY.encode_pieces(render_call(ToolCall("lights", {"state": "on"})))
    on = VOCABULARY.encode("on")
    at = ids.index(on[0])
    split = [*ids[:at], *VOCABULARY.encode("o"), *VOCABULARY.encode("n"), *ids[at + 1 :]]
    assert len(on) == 1
    assert VOCABULARY.decode(split) == VOCABULARY.decode(ids)
    assert not TINY.accepts(split[1:])


def test_free_text_ends_at_its_limit() -> None:
    automaton = Automaton(catalog().tools, VOCABULARY, text_limit=3)
    for text, accepted in (("@@@", True), ("@@@@", False)):
        ids = VOCABULARY.encode_pieces(render_call(ToolCall("note", {"text": text})))
        assert automaton.accepts(ids[1:]) is accepted


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ({"p": {"type": "string", "enum": ["<escape>"]}}, "<escape>"),
        ({"p": {"type": "array", "items": {"type": "boolean"}}}, "maxItems"),
        ({f"p{i}": {"type": "boolean"} for i in range(12)}, "required"),
    ],
)
def test_refused(properties: dict[str, Any], named: str) -> None:
    with pytest.raises(SchemaError, match=named):
        Automaton(catalog(function("f", properties)).tools, VOCABULARY)


def test_states_say_what_they_decide() -> None:
    start = TINY.start()
    while start.forced is not None:
        start = start.edges[start.forced]()
    assert start.label == "tool"
    assert set(start.meanings.values()) == {"lights", "heat", "note", "stop"} or any(
        " / " in meaning for meaning in start.meanings.values()
    )
