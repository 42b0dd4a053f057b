"""The smart home: what every tool does and says, and what no sequence of calls can break."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhand.dialect import ToolCall
from offhand.journal import Journal
from offhand.worlds.smart_home import SmartHome
from offhand.worlds.smart_home_state import DOORS, ROOMS, SCENES, staged
from tests.pyapp.world_checks import call, catalog_calls, same_json, state_after, take, undo_all

HOME = SmartHome()
PLACES = ["kitchen", "living_room", "front", "the garage door", "attic", "house", "Lounge", ""]

DONE = [
    ("toggle_lights room=hallway state=on", "The hallway lights are on.", "light.hallway"),
    ("toggle_lights room=kitchen state=on", "The kitchen lights were on already.", ""),
    ("toggle_lights state=off", "All lights are off.", "light.living_room light.kitchen"),
    ("set_thermostat temperature=72", "The thermostat is on auto at 72°F.", "thermostat"),
    ("set_thermostat mode=heat", "The thermostat is on heat, still at 70°F.", "thermostat"),
    ("set_thermostat temperature=68 mode=heat", "The thermostat is on heat at 68°F.", "thermostat"),
    ("set_thermostat temperature=70", "The thermostat was on auto at 70°F already.", ""),
    ("lock_door door=back state=lock", "Locked the back door.", "door.back"),
    ("lock_door door=front state=lock", "The front door was locked already.", ""),
    ("lock_door state=lock", "Locked all doors.", "door.back door.garage"),
    ("lock_door state=unlock", "Unlocked all doors.", "door.front door.side"),
    (
        "set_scene scene=movie_night",
        "Movie night: the hallway lights are on, the living room and kitchen lights are off, and "
        "the thermostat is on auto at 71°F.",
        "light.living_room light.kitchen light.hallway thermostat scene",
    ),
    (
        "set_scene scene=bedtime",
        "Bedtime: all lights are off, all doors are locked, and the thermostat is on auto at 66°F.",
        "light.living_room light.kitchen door.back door.garage thermostat scene",
    ),
    (
        "set_scene scene=away",
        "Away: all lights are off, all doors are locked, and the thermostat is on heat at 62°F.",
        "light.living_room light.kitchen door.back door.garage thermostat scene",
    ),
    (
        "set_scene scene=morning",
        "Morning: the bathroom and hallway lights are on.",
        "light.bathroom light.hallway scene",
    ),
    (
        "set_scene scene=party",
        "Party: the bathroom and hallway lights are on, and the thermostat is on auto at 67°F.",
        "light.bathroom light.hallway thermostat scene",
    ),
]


@pytest.mark.parametrize(("spelled", "text", "changed"), DONE)
def test_a_call_does_what_it_says(spelled: str, text: str, changed: str) -> None:
    state = HOME.begin()
    outcome = HOME.apply(state, call(spelled))
    assert (outcome.ok, outcome.text) == (True, text)
    assert outcome.changed == tuple(changed.split())
    if not changed:
        assert outcome.state is state


@pytest.mark.parametrize(
    ("device", "place", "text"),
    [
        ("lights", None, "The living room and kitchen lights are on, the others are off."),
        ("lights", "living_room", "The living room lights are on."),
        ("lights", "Front room", "The living room lights are on."),
        ("lights", "the study", "The office lights are off."),
        ("lights", "house", "The living room and kitchen lights are on, the others are off."),
        ("door", None, "The back and garage doors are unlocked, the others are locked."),
        ("door", "front", "The front door is locked."),
        ("door", "Garage door", "The garage door is unlocked."),
        ("thermostat", None, "It is 68°F inside. The thermostat is on auto at 70°F."),
        ("thermostat", "attic", "It is 68°F inside. The thermostat is on auto at 70°F."),
        ("all", "kitchen", "The kitchen lights are on. It is 68°F inside."),
        (None, "side", "The side door is locked."),
    ],
)
def test_status_is_answered_from_the_state(
    device: str | None, place: str | None, text: str
) -> None:
    asked = {"device_type": device, "room": place}
    known = {slot: value for slot, value in asked.items() if value is not None}
    state = HOME.begin()
    outcome = HOME.apply(state, ToolCall("get_device_status", known))
    assert (outcome.ok, outcome.text) == (True, text)
    assert outcome.state is state
    assert outcome.data is not None
    assert outcome.data["kind"] == "facts"


def test_the_whole_report_names_every_device() -> None:
    state = state_after(HOME, ["set_scene scene=morning"])
    data = HOME.apply(state, call("get_device_status")).data
    assert data is not None
    facts = dict(data["rows"])
    assert len(facts) == len(ROOMS) + len(DOORS) + 3
    assert facts["Bathroom lights"] == "on"
    assert facts["Garage door"] == "unlocked"
    assert (facts["Thermostat"], facts["Inside now"]) == ("70°F, auto", "68°F")
    assert facts["Scene"] == "Morning"


def test_the_whole_report_names_the_scene() -> None:
    asked, state = call("get_device_status"), HOME.begin()
    assert "scene" not in HOME.apply(state, asked).text
    state = state_after(HOME, ["set_scene scene=party"])
    assert HOME.apply(state, asked).text.endswith(" The scene is party.")


@pytest.mark.parametrize(
    ("device", "place", "names"),
    [
        ("lights", "garage", "the living room, bedroom, kitchen, bathroom, office and hallway"),
        ("door", "kitchen", "the front, back, garage and side doors"),
        ("all", "attic", "hallway, and the front, back, garage and side doors"),
    ],
)
def test_an_unknown_place_is_refused_with_what_there_is(
    device: str, place: str, names: str
) -> None:
    state = HOME.begin()
    asked = ToolCall("get_device_status", {"device_type": device, "room": place})
    outcome = HOME.apply(state, asked)
    assert not outcome.ok
    assert outcome.state is state
    assert f"({place})" in outcome.text
    assert outcome.text.endswith(f"{names}.")


@pytest.mark.parametrize(
    "reason", ["unsupported_device", "off_topic", "incomplete", "ambiguous", None]
)
def test_an_unclear_message_changes_nothing(reason: str | None) -> None:
    state = HOME.begin()
    outcome = HOME.apply(state, ToolCall("intent_unclear", {"reason": reason} if reason else {}))
    assert outcome.ok
    assert outcome.state is state
    assert "thermostat" in outcome.text or "scene" in outcome.text


MISSING = [
    ("toggle_lights room=kitchen", "state", ["off", "on"]),
    ("toggle_lights room=office", "state", ["on", "off"]),
    ("lock_door door=back", "state", ["lock", "unlock"]),
    ("lock_door door=front", "state", ["unlock", "lock"]),
    ("set_thermostat", "temperature", [72, 68, 74, 66]),
    ("set_scene", "scene", ["movie_night", "bedtime", "morning", "away", "party"]),
]


@pytest.mark.parametrize(("spelled", "slot", "values"), MISSING)
def test_what_is_missing_is_offered(spelled: str, slot: str, values: list[Any]) -> None:
    state = HOME.begin()
    assert HOME.missing(state, call(spelled)) == (slot,)
    options = HOME.options(state, call(spelled), slot)
    assert [option.value for option in options] == values


@pytest.mark.parametrize(
    "spelled", ["toggle_lights state=on", "set_thermostat mode=cool", "get_device_status"]
)
def test_what_is_known_is_not_asked_for(spelled: str) -> None:
    assert HOME.missing(HOME.begin(), call(spelled)) == ()


@pytest.mark.parametrize(
    ("target", "offered"), [(79, [77, 75]), (61, [63, 65]), (62, [64, 60, 66])]
)
def test_offered_temperatures_stay_within_the_bounds(target: int, offered: list[int]) -> None:
    state = state_after(HOME, [f"set_thermostat temperature={target}"])
    options = HOME.options(state, call("set_thermostat"), "temperature")
    assert [option.value for option in options] == offered


@pytest.mark.parametrize(
    ("spelled", "question"),
    [
        ("lock_door door=front state=unlock", "Unlock the front door?"),
        ("lock_door state=unlock", "Unlock all doors?"),
        ("lock_door door=back state=unlock", None),
        ("lock_door door=back state=lock", None),
        ("set_scene scene=away", None),
        ("toggle_lights state=off", None),
    ],
)
def test_only_unlocking_is_asked_about(spelled: str, question: str | None) -> None:
    assert HOME.danger(HOME.begin(), call(spelled)) == question


@pytest.mark.parametrize(
    ("spelled", "command"),
    [
        ("toggle_lights room=kitchen state=on", "Turn on the kitchen lights"),
        ("toggle_lights state=off", "Turn off all lights"),
        ("toggle_lights room=office", "Switch the office lights"),
        ("set_thermostat temperature=72", "Set the thermostat to 72°F"),
        ("set_thermostat temperature=72 mode=cool", "Set the thermostat to cool at 72°F"),
        ("set_thermostat mode=cool", "Switch the thermostat to cool"),
        ("set_thermostat", "Change the thermostat"),
        ("lock_door door=front state=lock", "Lock the front door"),
        ("lock_door state=unlock", "Unlock all doors"),
        ("lock_door door=side", "Lock or unlock the side door"),
        ("get_device_status", "Check the house"),
        ("get_device_status device_type=lights", "Check all lights"),
        ("get_device_status device_type=lights room=living_room", "Check the living room lights"),
        ("get_device_status device_type=door room=front", "Check the front door"),
        ("get_device_status room=garage", "Check the garage door"),
        ("get_device_status device_type=all room=kitchen", "Check the kitchen"),
        ("set_scene scene=movie_night", "Set the scene to movie night"),
        ("set_scene", "Set a scene"),
    ],
)
def test_calls_are_described_as_commands(spelled: str, command: str) -> None:
    assert HOME.describe(call(spelled)) == command


def test_a_scene_holds_until_a_device_leaves_it() -> None:
    scene = state_after(HOME, ["set_scene scene=bedtime"])
    again = HOME.apply(scene, call("set_scene scene=bedtime"))
    assert (again.state, again.text) == (scene, "Bedtime is set already.")
    left = HOME.apply(scene, call("toggle_lights room=hallway state=on"))
    assert left.state.scene is None
    assert left.changed == ("light.hallway", "scene")
    # Bedtime says nothing of the mode, so that it holds through a change of it.
    kept = HOME.apply(scene, call("set_thermostat mode=heat"))
    assert kept.state.scene == "bedtime"


def test_the_view_shows_what_a_visitor_finds() -> None:
    view = HOME.view(HOME.begin())
    assert view["rooms"][0] == {"name": "living_room", "label": "Living room", "light": True}
    assert view["doors"][1] == {"name": "back", "label": "Back door", "locked": False}
    assert view["thermostat"] == {"target": 70, "mode": "auto", "now": 68}
    assert view["scene"] is None


GOOD = {"lit": ["office"], "locked": [], "target": 66, "mode": "heat", "scene": None}


@pytest.mark.parametrize(
    "wrong",
    [
        {"lit": ["attic"]},
        {"lit": 5},
        {"locked": ["window"]},
        {"target": 95},
        {"target": "70"},
        {"target": True},
        {"mode": "off"},
        {"scene": "dinner"},
        {"scene": []},
    ],
)
def test_damaged_data_is_refused(wrong: dict[str, Any]) -> None:
    assert HOME.dump(HOME.read(GOOD)) == GOOD
    with pytest.raises(ValueError, match=r"house|thermostat"):
        HOME.read({**GOOD, **wrong})


@pytest.mark.parametrize("data", [None, [], {}, {**GOOD, "lit": None}])
def test_other_data_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="house"):
        HOME.read(data)


@given(st.lists(catalog_calls("smart_home", {"room": PLACES}), max_size=12))
def test_no_calls_break_the_house(calls: list[ToolCall]) -> None:
    journal = Journal.begin(HOME)
    for number, each in enumerate(calls):
        journal = take(HOME, journal, number, each)
        state = journal.state
        assert state.lit <= set(ROOMS)
        assert state.locked <= set(DOORS)
        assert 60 <= state.target <= 80
        assert state.scene is None or staged(state, state.scene) == state
    assert Journal.read(HOME, same_json(journal.record())).state == journal.state
    assert undo_all(journal).state == HOME.begin()


@pytest.mark.parametrize("scene", SCENES)
@given(calls=st.lists(catalog_calls("smart_home", {"room": PLACES}), max_size=4))
def test_a_scene_ends_the_same_whatever_was_before(scene: str, calls: list[ToolCall]) -> None:
    journal = Journal.begin(HOME)
    for number, each in enumerate(calls):
        journal = take(HOME, journal, number, each)
    done = HOME.apply(journal.state, ToolCall("set_scene", {"scene": scene})).state
    rule = SCENES[scene]
    assert rule.on <= done.lit
    assert not rule.off & done.lit
    assert done.locked == (set(DOORS) if rule.locks else journal.state.locked)
    assert (done.target, done.scene) == (rule.target, scene)
