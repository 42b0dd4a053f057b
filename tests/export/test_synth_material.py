"""The notation of the built-in teacher's material: what it reads, what it refuses."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from offhand import catalogs
from offhand_export.synth.grammar import Span, expand
from offhand_export.synth.material import Material, MaterialError, Variable, read

SLOTS = """
== slot room
living_room = living room | lounge*0.5
kitchen = kitchen
"""
LIGHTS = catalogs.load("smart_home")


def material(folder: Path, text: str) -> Material:
    (folder / "a.txt").write_text(SLOTS + text, "utf-8")
    return read(folder, LIGHTS, ["temperature"])


def said(line: str, seed: int = 0) -> str:
    def say(name: str, slot: str) -> list[Span]:
        return [Span(f"<{name}>", f"{name}:{slot}")]

    return "".join(span.text for span in expand(line, random.Random(seed), say))


def test_an_opening_names_its_call(tmp_path: Path) -> None:
    (rule,) = material(
        tmp_path, "== toggle_lights room={room} state=on @dark x2\nlight in the {room}"
    ).rules
    assert rule.before is None
    assert rule.call.name == "toggle_lights"
    assert dict(rule.call.arguments) == {"room": Variable("room", "room"), "state": "on"}
    assert (rule.lines, rule.tags, rule.weight) == (("light in the {room}",), ("dark",), 2.0)


def test_a_follow_up_has_a_pattern(tmp_path: Path) -> None:
    (rule,) = material(
        tmp_path,
        "== toggle_lights room={r:room} ... -> set_thermostat temperature={temperature} mode=-\n"
        "{temperature} in the {r}",
    ).rules
    assert rule.before is not None
    assert (rule.before.name, rule.before.rest) == ("toggle_lights", True)
    assert dict(rule.before.arguments) == {"room": Variable("r", "room")}
    assert rule.call.arguments["mode"] is None
    assert not rule.call.rest


def test_a_dialogue_keeps_its_variables(tmp_path: Path) -> None:
    (script,) = material(
        tmp_path,
        "== dialogue @story\nU: dark in the {room2}\nC: toggle_lights room={room2} state=on\n"
        "U: off again\nC: toggle_lights room={room2} state=off",
    ).scripts
    assert [call.arguments["room"] for _, call in script.turns] == [Variable("room2", "room")] * 2


def test_surfaces_have_weights(tmp_path: Path) -> None:
    slots = material(tmp_path, "== phrase prefix\nhey").slots
    assert slots["room"]["living_room"] == [("living room", 1.0), ("lounge", 0.5)]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("== fly\nup", "'fly' is not a tool"),
        ("== toggle_lights colour=red\nred", "'colour=red' is no argument"),
        ("== toggle_lights room={place}\nthe {place}", "no slot 'place'"),
        ("== toggle_lights room={room}\nlights", "does not say {room}"),
        ("== toggle_lights\nlights in {somewhere}", "unknown {somewhere}"),
        ("== toggle_lights", "no utterance"),
        ("== earlier toggle_lights\nback", "`earlier` needs"),
        ("== dialogue\nU: hi", "alternates"),
        ("== dialogue\nU: hi\nU: ho", "expected `U:` then `C:`"),
        ("==\nhi", "needs a header"),
        ('== toggle_lights "\nhi', "No closing quotation"),
    ],
)
def test_faults_are_refused_with_their_place(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(MaterialError, match=r"a\.txt, line") as caught:
        material(tmp_path, text)
    assert fault in str(caught.value)


def test_text_before_a_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello\n", "utf-8")
    with pytest.raises(MaterialError, match="before the first"):
        read(tmp_path, LIGHTS, [])


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match="holds no material"):
        read(tmp_path, LIGHTS, [])


@pytest.mark.parametrize(
    ("line", "readings"),
    [
        ("(a|b) c", {"a c", "b c"}),
        ("x [y] z", {"x z", "x y z"}),
        ("((a|b)|c)[ d]", {"a", "b", "c", "a d", "b d", "c d"}),
        (r"\(plain\) \[text\]", {"(plain) [text]"}),
        ("to {room} now", {"to <room> now"}),
        ("[well], go", {", go", "well, go"}),
        ("a|b", {"a|b"}),
    ],
)
def test_expansion_gives_every_reading(line: str, readings: set[str]) -> None:
    assert {said(line, seed) for seed in range(60)} == readings


@pytest.mark.parametrize("line", ["(a|b", "a)", "[a", "(a]"])
def test_brackets_must_match(line: str) -> None:
    with pytest.raises(ValueError, match=r"bracket|closes|missing"):
        said(line)
