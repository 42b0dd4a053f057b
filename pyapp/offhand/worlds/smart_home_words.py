"""What the smart home says: calls as commands, the state of things as sentences and facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from offhand.worlds.smart_home_state import (
    DOORS,
    INSIDE,
    ROOMS,
    SCENES,
    House,
    door_of,
    is_whole,
    room_of,
)
from offhand.worlds.wording import capital, listed

Arguments = Mapping[str, Any]
Row = list[str]

UNCLEAR: Mapping[str | None, str] = {
    "unsupported_device": (
        "That is not among what I can work here: the lights in six rooms, four door locks, "
        "the thermostat and five scenes."
    ),
    "off_topic": "I look after this house only: its lights, doors, heating and scenes.",
    "incomplete": "That broke off. Name a room, a door, a temperature or a scene.",
    "ambiguous": "I can't tell what is meant. Name a room, a door, a temperature or a scene.",
    None: "I can't tell what is meant. Name a room, a door, a temperature or a scene.",
}
"""What to say of a message that fits nothing, by the reason."""


# The state of things.


def lights(rooms: Sequence[str]) -> str:
    """Lights of some rooms as a subject: "the kitchen and hallway lights", "all lights"."""
    if len(rooms) == len(ROOMS):
        return "all lights"
    return f"the {listed([ROOMS[room] for room in rooms])} lights"


def doors(names: Sequence[str]) -> str:
    """Doors as a subject: "the front door", "the front and side doors", "all doors"."""
    if len(names) == len(DOORS):
        return "all doors"
    return f"the {listed(names)} door{'s' * (len(names) > 1)}"


def are(names: Sequence[str]) -> str:
    """The verb that goes with so many doors."""
    return "is" if len(names) == 1 else "are"


def lights_sentence(house: House) -> str:
    """Which lights are on."""
    on = [room for room in ROOMS if room in house.lit]
    if not on:
        return "All lights are off."
    rest = "" if len(on) == len(ROOMS) else ", the others are off"
    return f"{capital(lights(on))} are on{rest}."


def doors_sentence(house: House) -> str:
    """Which doors are unlocked."""
    open_ones = [door for door in DOORS if door not in house.locked]
    if not open_ones:
        return "All doors are locked."
    left = len(DOORS) - len(open_ones)
    rest = ("", ", the other is locked")[left] if left < 2 else ", the others are locked"
    return f"{capital(doors(open_ones))} {are(open_ones)} unlocked{rest}."


def thermostat_sentence(house: House) -> str:
    """What the thermostat is set to and how warm it is."""
    return f"It is {INSIDE}°F inside. The thermostat is on {house.mode} at {house.target}°F."


def house_sentences(house: House) -> str:
    """All of it."""
    scene = f" The scene is {SCENES[house.scene].label}." if house.scene else ""
    return f"{lights_sentence(house)} {doors_sentence(house)} {thermostat_sentence(house)}{scene}"


def unknown_place(kind: str, place: str) -> str:
    """That there is no such place for a kind of device, and which there are."""
    rooms, outside = listed(list(ROOMS.values())), listed(DOORS)
    if kind == "lights":
        return f"I know no lights there ({place}). There are lights in the {rooms}."
    if kind == "door":
        return f"I know no such door ({place}). There are the {outside} doors."
    return f"I know no such place ({place}). There are the {rooms}, and the {outside} doors."


def light_row(house: House, room: str) -> Row:
    """A room's lights as a fact."""
    return [f"{capital(ROOMS[room])} lights", "on" if room in house.lit else "off"]


def door_row(house: House, door: str) -> Row:
    """A door as a fact."""
    return [f"{capital(door)} door", "locked" if door in house.locked else "unlocked"]


def thermostat_rows(house: House) -> list[Row]:
    """The thermostat as facts."""
    return [["Thermostat", f"{house.target}°F, {house.mode}"], ["Inside now", f"{INSIDE}°F"]]


def scene_sentence(before: House, after: House) -> str:
    """What a scene did, device by device."""
    label = capital(SCENES[after.scene or ""].label)
    lit = [room for room in ROOMS if room in after.lit - before.lit]
    dark = [room for room in ROOMS if room in before.lit - after.lit]
    locked = [door for door in DOORS if door in after.locked - before.locked]
    parts = [f"{lights(lit)} are on"] * bool(lit)
    if dark:
        parts.append(f"{lights(list(ROOMS) if not after.lit else dark)} are off")
    if locked:
        shut = DOORS if len(after.locked) == len(DOORS) else locked
        parts.append(f"{doors(shut)} {are(shut)} locked")
    if (before.target, before.mode) != (after.target, after.mode):
        parts.append(f"the thermostat is on {after.mode} at {after.target}°F")
    if parts:
        return f"{label}: {', and '.join(filter(None, [', '.join(parts[:-1]), parts[-1]]))}."
    return f"{label} is set already." if before == after else f"{label}: all is as it should be."


# Calls as commands.


def _light_command(arguments: Arguments) -> str:
    room, state = arguments.get("room"), arguments.get("state")
    what = lights([room] if room else list(ROOMS))
    return f"Turn {state} {what}" if state else f"Switch {what}"


def _thermostat_command(arguments: Arguments) -> str:
    target, mode = arguments.get("temperature"), arguments.get("mode")
    if target is None:
        return f"Switch the thermostat to {mode}" if mode else "Change the thermostat"
    return f"Set the thermostat to {f'{mode} at ' if mode else ''}{target}°F"


def _door_command(arguments: Arguments) -> str:
    door, state = arguments.get("door"), arguments.get("state")
    return f"{capital(state or 'lock or unlock')} {doors([door] if door else DOORS)}"


_WHOLE = {
    "lights": "all lights",
    "door": "all doors",
    "thermostat": "the thermostat",
    "all": "the house",
}


def _status_command(arguments: Arguments) -> str:
    kind, place = arguments.get("device_type", "all"), arguments.get("room")
    if kind == "thermostat" or place is None or is_whole(place):
        return f"Check {_WHOLE[kind]}"
    room, door = room_of(place), door_of(place)
    if kind == "lights":
        return f"Check the {ROOMS[room] if room else place} lights"
    if kind == "door" or (door and not room):
        return f"Check the {door or place} door"
    return f"Check the {ROOMS[room] if room else place}"


def _scene_command(arguments: Arguments) -> str:
    scene = arguments.get("scene")
    return f"Set the scene to {SCENES[scene].label}" if scene else "Set a scene"


COMMANDS: Mapping[str, Callable[[Arguments], str]] = {
    "toggle_lights": _light_command,
    "set_thermostat": _thermostat_command,
    "lock_door": _door_command,
    "get_device_status": _status_command,
    "set_scene": _scene_command,
    "intent_unclear": lambda arguments: "Ask what is meant",
}
"""Every tool's call in words."""
