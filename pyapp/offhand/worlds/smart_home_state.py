"""A house as a value: what is in it, how its devices may be set, and what its scenes do.

A scene holds as long as every device is as the scene put it; `settled` lets it go after that. The
names that people give to places are matched here too, since the catalog takes them as free text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

ROOMS: Mapping[str, str] = {
    "living_room": "living room",
    "bedroom": "bedroom",
    "kitchen": "kitchen",
    "bathroom": "bathroom",
    "office": "office",
    "hallway": "hallway",
}
"""Rooms that have lights, each with the words for it."""

DOORS = ("front", "back", "garage", "side")
MODES = ("heat", "cool", "auto")
COLDEST, WARMEST = 60, 80
"""Bounds of the thermostat's target, in Fahrenheit."""

INSIDE = 68
"""The temperature measured in the house, in Fahrenheit; nothing moves it."""


@dataclass(frozen=True, slots=True)
class House:
    """How everything in the house is set.

    Attributes:
        lit: rooms whose lights are on.
        locked: doors that are locked.
        target: what the thermostat is set to, in Fahrenheit.
        mode: of the thermostat.
        scene: the scene that holds, if any.

    Raises:
        ValueError: a device is set to what it does not have.
    """

    lit: frozenset[str]
    locked: frozenset[str]
    target: int
    mode: str
    scene: str | None = None

    def __post_init__(self) -> None:
        if not (self.lit <= ROOMS.keys() and self.locked <= set(DOORS)):
            raise ValueError("a house without that room or door")
        if type(self.target) is not int or not COLDEST <= self.target <= WARMEST:
            raise ValueError(f"a thermostat at {self.target!r}")
        if self.mode not in MODES or (self.scene is not None and self.scene not in SCENES):
            raise ValueError(f"a house in mode {self.mode!r} and scene {self.scene!r}")


@dataclass(frozen=True, slots=True)
class Scene:
    """What a scene sets; lights and doors not named stay as they are.

    Attributes:
        label: what people call it.
        on: rooms to light.
        off: rooms to darken.
        locks: whether every door is locked.
        target: for the thermostat, in Fahrenheit.
        mode: for the thermostat; None to leave it.
    """

    label: str
    on: frozenset[str]
    off: frozenset[str]
    locks: bool
    target: int
    mode: str | None = None


_NONE: frozenset[str] = frozenset()
_EVERY = frozenset(ROOMS)

SCENES: Mapping[str, Scene] = {
    "movie_night": Scene(
        "movie night", frozenset({"hallway"}), frozenset({"living_room", "kitchen"}), False, 71
    ),
    "bedtime": Scene("bedtime", _NONE, _EVERY, True, 66),
    "morning": Scene(
        "morning", frozenset({"kitchen", "bathroom", "hallway"}), frozenset({"bedroom"}), False, 70
    ),
    # Heating to a low target is a setback; cooling to one would be the opposite.
    "away": Scene("away", _NONE, _EVERY, True, 62, "heat"),
    "party": Scene(
        "party",
        frozenset({"living_room", "kitchen", "bathroom", "hallway"}),
        frozenset({"bedroom"}),
        False,
        67,
    ),
}


def begin() -> House:
    """The house as a visitor finds it."""
    return House(frozenset({"living_room", "kitchen"}), frozenset({"front", "side"}), 70, "auto")


def staged(house: House, name: str) -> House:
    """The house after a scene was set."""
    scene = SCENES[name]
    return replace(
        house,
        lit=(house.lit | scene.on) - scene.off,
        locked=frozenset(DOORS) if scene.locks else house.locked,
        target=scene.target,
        mode=scene.mode or house.mode,
        scene=name,
    )


def settled(house: House) -> House:
    """The house without its scene, if some device is no longer as the scene put it."""
    if house.scene is None or staged(house, house.scene) == house:
        return house
    return replace(house, scene=None)


def changes(before: House, after: House) -> tuple[str, ...]:
    """Names of the devices that differ, as the view has them."""
    lights = [f"light.{room}" for room in ROOMS if room in before.lit ^ after.lit]
    doors = [f"door.{door}" for door in DOORS if door in before.locked ^ after.locked]
    thermostat = (before.target, before.mode) != (after.target, after.mode)
    scene = before.scene != after.scene
    return (*lights, *doors, *["thermostat"] * thermostat, *["scene"] * scene)


def dump(house: House) -> dict[str, Any]:
    """The house, JSON-ready."""
    return {
        "lit": [room for room in ROOMS if room in house.lit],
        "locked": [door for door in DOORS if door in house.locked],
        "target": house.target,
        "mode": house.mode,
        "scene": house.scene,
    }


def read(data: Any) -> House:
    """The house that `dump` wrote.

    Raises:
        ValueError: it is no such data.
    """
    try:
        lit, locked = frozenset(data["lit"]), frozenset(data["locked"])
        return House(lit, locked, data["target"], data["mode"], data["scene"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"this is no house: {error!r}") from error


# Names of places, as people say them.

_FILLERS = frozenset({"the", "my", "our", "in", "at", "door", "doors", "light", "lights", "lock"})
_WHOLE = frozenset({"", "house", "home", "wholehouse", "everywhere", "everything", "all", "here"})
_OTHER_NAMES: Mapping[str, str] = {
    "living": "living_room",
    "lounge": "living_room",
    "frontroom": "living_room",
    "familyroom": "living_room",
    "sittingroom": "living_room",
    "den": "living_room",
    "study": "office",
    "homeoffice": "office",
    "corridor": "hallway",
    "hall": "hallway",
    "bath": "bathroom",
    "restroom": "bathroom",
    "washroom": "bathroom",
    "loo": "bathroom",
}
_ROOM_NAMES = {**{room.replace("_", ""): room for room in ROOMS}, **_OTHER_NAMES}


def _key(place: str) -> str:
    words = re.findall(r"[^\W_]+", place.lower())
    return "".join(word for word in words if word not in _FILLERS)


def room_of(place: str) -> str | None:
    """The room that is meant by a place told in words, if any."""
    return _ROOM_NAMES.get(_key(place))


def door_of(place: str) -> str | None:
    """The door that is meant by a place told in words, if any."""
    key = _key(place)
    return key if key in DOORS else None


def is_whole(place: str) -> bool:
    """Whether the words mean no place in particular, but the house."""
    return _key(place) in _WHOLE
