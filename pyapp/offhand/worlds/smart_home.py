"""The smart home: what each tool does to the house, and what has to be known and asked first.

One small function a tool; the tables below name them. No room means all lights, no door all doors.
How a house is kept is in `smart_home_state`, what is said of it in `smart_home_words`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from offhand.dialect import ToolCall
from offhand.world import Option, Outcome
from offhand.worlds import smart_home_state as home
from offhand.worlds import smart_home_words as words
from offhand.worlds.smart_home_state import DOORS, INSIDE, MODES, ROOMS, SCENES, House
from offhand.worlds.smart_home_words import Arguments
from offhand.worlds.wording import capital

_STEPS = (2, -2, 4, -4)
"""Degrees that the offered temperatures are away from the target."""


def _changed(before: House, after: House, text: str) -> Outcome:
    after = home.settled(after)
    if after == before:
        return Outcome(before, text)
    return Outcome(after, text, changed=home.changes(before, after))


# The tools.


def _toggle_lights(house: House, arguments: Arguments) -> Outcome:
    room, state = arguments.get("room"), arguments["state"]
    rooms = [room] if room else list(ROOMS)
    lit = house.lit | set(rooms) if state == "on" else house.lit - set(rooms)
    verb = "were" if lit == house.lit else "are"
    already = " already" * (lit == house.lit)
    text = f"{capital(words.lights(rooms))} {verb} {state}{already}."
    return _changed(house, replace(house, lit=lit), text)


def _set_thermostat(house: House, arguments: Arguments) -> Outcome:
    target = arguments.get("temperature", house.target)
    after = replace(house, target=target, mode=arguments.get("mode", house.mode))
    if after == house:
        text = f"The thermostat was on {after.mode} at {after.target}°F already."
    elif after.target == house.target:
        text = f"The thermostat is on {after.mode}, still at {after.target}°F."
    else:
        text = f"The thermostat is on {after.mode} at {after.target}°F."
    return _changed(house, after, text)


def _lock_door(house: House, arguments: Arguments) -> Outcome:
    door, state = arguments.get("door"), arguments["state"]
    names = [door] if door else DOORS
    locked = house.locked | set(names) if state == "lock" else house.locked - set(names)
    if locked == house.locked:
        verb = "was" if door else "were"
        text = f"{capital(words.doors(names))} {verb} {state}ed already."
    else:
        text = f"{capital(state)}ed {words.doors(names)}."
    return _changed(house, replace(house, locked=locked), text)


def _get_device_status(house: House, arguments: Arguments) -> Outcome:
    kind, place = arguments.get("device_type", "all"), arguments.get("room")
    if kind == "thermostat" or place is None or home.is_whole(place):
        return _STATUS[kind](house)
    room = home.room_of(place) if kind != "door" else None
    door = home.door_of(place) if kind != "lights" else None
    if room:
        return _room_status(house, room, lights_only=kind == "lights")
    if door:
        row = words.door_row(house, door)
        return _facts(house, f"The {door} door is {row[1]}.", [row])
    return Outcome(house, words.unknown_place(kind, place), ok=False)


def _room_status(house: House, room: str, lights_only: bool) -> Outcome:
    row = words.light_row(house, room)
    text = f"The {ROOMS[room]} lights are {row[1]}."
    if lights_only:
        return _facts(house, text, [row])
    inside = words.thermostat_rows(house)[1]
    return _facts(house, f"{text} It is {INSIDE}°F inside.", [row, inside])


def _facts(house: House, text: str, rows: list[list[str]]) -> Outcome:
    return Outcome(house, text, data={"kind": "facts", "rows": rows})


def _lights_status(house: House) -> Outcome:
    rows = [words.light_row(house, room) for room in ROOMS]
    return _facts(house, words.lights_sentence(house), rows)


def _doors_status(house: House) -> Outcome:
    rows = [words.door_row(house, door) for door in DOORS]
    return _facts(house, words.doors_sentence(house), rows)


def _thermostat_status(house: House) -> Outcome:
    return _facts(house, words.thermostat_sentence(house), words.thermostat_rows(house))


def _house_status(house: House) -> Outcome:
    rows = [words.light_row(house, room) for room in ROOMS]
    rows += [words.door_row(house, door) for door in DOORS]
    scene = capital(SCENES[house.scene].label) if house.scene else "none"
    rows += [*words.thermostat_rows(house), ["Scene", scene]]
    return _facts(house, words.house_sentences(house), rows)


_STATUS: Mapping[str, Callable[[House], Outcome]] = {
    "lights": _lights_status,
    "door": _doors_status,
    "thermostat": _thermostat_status,
    "all": _house_status,
}


def _set_scene(house: House, arguments: Arguments) -> Outcome:
    after = home.staged(house, arguments["scene"])
    return _changed(house, after, words.scene_sentence(house, after))


def _intent_unclear(house: House, arguments: Arguments) -> Outcome:
    return Outcome(house, words.UNCLEAR[arguments.get("reason")])


_TOOLS: Mapping[str, Callable[[House, Arguments], Outcome]] = {
    "toggle_lights": _toggle_lights,
    "set_thermostat": _set_thermostat,
    "lock_door": _lock_door,
    "get_device_status": _get_device_status,
    "set_scene": _set_scene,
    "intent_unclear": _intent_unclear,
}

_NEEDED: Mapping[str, str] = {
    "toggle_lights": "state",
    "lock_door": "state",
    "set_scene": "scene",
}


# Values to offer.


def _temperatures(house: House, arguments: Arguments) -> tuple[Option, ...]:
    near = (house.target + step for step in _STEPS)
    within = (value for value in near if home.COLDEST <= value <= home.WARMEST)
    return tuple(Option(value, f"{value}°F") for value in within)


def _modes(house: House, arguments: Arguments) -> tuple[Option, ...]:
    return tuple(Option(mode, capital(mode)) for mode in MODES if mode != house.mode)


def _light_states(house: House, arguments: Arguments) -> tuple[Option, ...]:
    room = arguments.get("room")
    lit = room in house.lit if room else bool(house.lit)
    states = ("off", "on") if lit else ("on", "off")
    return tuple(Option(state, capital(state)) for state in states)


def _door_states(house: House, arguments: Arguments) -> tuple[Option, ...]:
    door = arguments.get("door")
    shut = door in house.locked if door else len(house.locked) == len(DOORS)
    states = ("unlock", "lock") if shut else ("lock", "unlock")
    return tuple(Option(state, capital(state)) for state in states)


def _rooms(house: House, arguments: Arguments) -> tuple[Option, ...]:
    return tuple(Option(room, capital(label)) for room, label in ROOMS.items())


def _doors(house: House, arguments: Arguments) -> tuple[Option, ...]:
    return tuple(Option(door, f"{capital(door)} door") for door in DOORS)


def _scenes(house: House, arguments: Arguments) -> tuple[Option, ...]:
    others = ((name, scene) for name, scene in SCENES.items() if name != house.scene)
    return tuple(Option(name, capital(scene.label)) for name, scene in others)


_OPTIONS: Mapping[tuple[str, str], Callable[[House, Arguments], tuple[Option, ...]]] = {
    ("set_thermostat", "temperature"): _temperatures,
    ("set_thermostat", "mode"): _modes,
    ("toggle_lights", "state"): _light_states,
    ("toggle_lights", "room"): _rooms,
    ("lock_door", "state"): _door_states,
    ("lock_door", "door"): _doors,
    ("get_device_status", "room"): _rooms,
    ("set_scene", "scene"): _scenes,
}


class SmartHome:
    """The world of the catalog `smart_home`."""

    name = "smart_home"

    def begin(self) -> House:
        """The state that a visitor finds."""
        return home.begin()

    def apply(self, state: House, call: ToolCall) -> Outcome:
        """Carry out a call that fits the catalog and has what `missing` asks for."""
        return _TOOLS[call.name](state, call.arguments)

    def missing(self, state: House, call: ToolCall) -> tuple[str, ...]:
        """The slot without which the call cannot be carried out."""
        if call.name == "set_thermostat":
            return () if {"temperature", "mode"} & call.arguments.keys() else ("temperature",)
        needed = _NEEDED.get(call.name)
        return () if needed is None or needed in call.arguments else (needed,)

    def options(self, state: House, call: ToolCall, slot: str) -> tuple[Option, ...]:
        """Values to offer for a slot, likeliest first."""
        offer = _OPTIONS.get((call.name, slot))
        return offer(state, call.arguments) if offer else ()

    def danger(self, state: House, call: ToolCall) -> str | None:
        """The question before a locked door is unlocked; all else is harmless."""
        if call.name != "lock_door" or call.arguments.get("state") != "unlock":
            return None
        door = call.arguments.get("door")
        names = [door] if door else DOORS
        return f"Unlock {words.doors(names)}?" if state.locked & set(names) else None

    def describe(self, call: ToolCall) -> str:
        """The call in words, as a command without a final stop."""
        return words.COMMANDS[call.name](call.arguments)

    def view(self, state: House) -> Mapping[str, Any]:
        """What the page shows, JSON-ready."""
        return {
            "rooms": [
                {"name": room, "label": capital(label), "light": room in state.lit}
                for room, label in ROOMS.items()
            ],
            "doors": [
                {"name": door, "label": f"{capital(door)} door", "locked": door in state.locked}
                for door in DOORS
            ],
            "thermostat": {"target": state.target, "mode": state.mode, "now": INSIDE},
            "scene": state.scene,
        }

    def dump(self, state: House) -> Any:
        """The state, JSON-ready; `read` takes it back."""
        return home.dump(state)

    def read(self, data: Any) -> House:
        """A state from `dump`'s data.

        Raises:
            ValueError: it is not such data.
        """
        return home.read(data)
