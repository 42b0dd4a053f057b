"""Conversations with the smart home."""

from __future__ import annotations

from tests.conversations.script import Script, called, clicked, reload, said, stale

UNLOCK = called("lock_door", door="front", state="unlock")
OFFICE = called("toggle_lights", room="office", state="on")
LOCKED, UNLOCKED = {"door.front": "locked"}, {"door.front": "unlocked"}
YES_NO = ("Yes", "No")

SMART_HOME = (
    Script(
        "a scene is asked for and chosen",
        (
            said("set a scene", "ask", "Which scene?", called("set_scene"), offers=("Party",)),
            clicked(
                "Movie night",
                "done",
                "Movie night",
                {
                    "light.living_room": "off",
                    "light.hallway": "on",
                    "thermostat": "71 auto",
                    "scene": "movie night",
                },
                offers=("Undo",),
            ),
            clicked(
                "Undo",
                "done",
                "Undone",
                {"light.living_room": "on", "thermostat": "70 auto", "scene": "none"},
            ),
        ),
    ),
    Script(
        "a state is asked for and typed",
        (
            said(
                "the kitchen lights",
                "ask",
                "On or off?",
                called("toggle_lights", room="kitchen"),
                {"light.kitchen": "on"},
                ("Off", "On"),
            ),
            said("off", "done", "kitchen lights are off", facts={"light.kitchen": "off"}),
        ),
    ),
    Script(
        "a door is unlocked with a yes",
        (
            said(
                "Unlock the front door", "confirm", "Unlock the front door?", UNLOCK, LOCKED, YES_NO
            ),
            said("yes", "done", "Unlocked the front door.", facts=UNLOCKED),
            said(
                "Is the front door locked?",
                "answer",
                "The front door is unlocked.",
                called("get_device_status", device_type="door"),
                shows="Front door unlocked",
            ),
            said("undo", "done", "Undone: unlock the front door.", facts=LOCKED),
        ),
    ),
    Script(
        "a door is not unlocked with a no",
        (
            said("Unlock the front door", "confirm", "Unlock the front door?", UNLOCK),
            clicked("No", "said", "nothing was done", LOCKED),
            said("Unlock the front door", "confirm", "Unlock the front door?", UNLOCK),
            said("never mind", "said", "nothing was done", facts=LOCKED),
            stale("Yes", LOCKED),
        ),
    ),
    Script(
        "a door is corrected",
        (
            said(
                "Lock the garage door",
                "done",
                "Locked the garage door.",
                called("lock_door", door="garage", state="lock"),
                {"door.garage": "locked"},
            ),
            said(
                "no, the back door",
                "done",
                "Corrected. Locked the back door.",
                called("lock_door", door="back", state="lock"),
                {"door.garage": "unlocked", "door.back": "locked"},
            ),
            said("undo", "done", facts={"door.garage": "unlocked", "door.back": "unlocked"}),
            said("undo", "said", "There is nothing to undo."),
        ),
    ),
    Script(
        "a temperature is corrected twice",
        (
            said(
                "Set the thermostat to 72",
                "done",
                "72°F",
                called("set_thermostat", temperature=72),
                {"thermostat": "72 auto"},
            ),
            said(
                "no, 74",
                "done",
                "Corrected. The thermostat is on auto at 74°F.",
                called("set_thermostat", temperature=74),
                {"thermostat": "74 auto"},
            ),
            said(
                "sorry, make it 68",
                "done",
                "Corrected.",
                called("set_thermostat", temperature=68),
                {"thermostat": "68 auto"},
            ),
            clicked("Undo", "done", "Undone", {"thermostat": "70 auto"}),
            stale("Undo", {"thermostat": "70 auto"}),
        ),
    ),
    Script(
        "everything is undone",
        (
            said("Turn on the office lights", "done", call=OFFICE, facts={"light.office": "on"}),
            said(
                "Lock all the doors",
                "done",
                "Locked all doors.",
                called("lock_door", state="lock"),
                {"door.back": "locked", "door.garage": "locked"},
            ),
            said(
                "Set the scene to party",
                "done",
                "Party",
                called("set_scene", scene="party"),
                {"scene": "party", "light.bathroom": "on"},
            ),
            clicked("Undo", "done", "Undone: set the scene to party.", {"scene": "none"}),
            clicked("Undo", "done", "Undone: lock all doors.", {"door.back": "unlocked"}),
            clicked("Undo", "done", "Undone: turn on the office lights.", {"light.office": "off"}),
            said("undo that", "said", "There is nothing to undo."),
        ),
    ),
    Script(
        "a scene is left by a lamp",
        (
            said(
                "Set the scene to party",
                "done",
                call=called("set_scene", scene="party"),
                facts={"scene": "party", "light.kitchen": "on", "thermostat": "67 auto"},
            ),
            said(
                "Turn off the kitchen lights",
                "done",
                call=called("toggle_lights", room="kitchen", state="off"),
                facts={"scene": "none", "light.kitchen": "off", "light.bathroom": "on"},
            ),
            said(
                "What is the status of the house?",
                "answer",
                "67°F",
                called("get_device_status", device_type="all"),
                shows="Kitchen lights off",
            ),
            said("undo", "done", facts={"scene": "party", "light.kitchen": "on"}),
        ),
    ),
    Script(
        "bedtime shuts the house",
        (
            said(
                "Set the scene to bedtime",
                "done",
                "all doors are locked",
                called("set_scene", scene="bedtime"),
                {"door.garage": "locked", "light.kitchen": "off", "scene": "bedtime"},
            ),
            said(
                "Are the doors locked?",
                "answer",
                "All doors are locked.",
                called("get_device_status", device_type="door"),
            ),
            said(
                "Unlock all the doors",
                "confirm",
                "Unlock all doors?",
                called("lock_door", state="unlock"),
                {"door.front": "locked"},
            ),
            clicked("Yes", "done", "Unlocked", {"door.front": "unlocked", "scene": "none"}),
        ),
    ),
    Script(
        "another topic closes the question",
        (
            said("Unlock the front door", "confirm", call=UNLOCK, offers=YES_NO),
            said(
                "Turn on the office lights",
                "done",
                "office lights are on",
                OFFICE,
                {"light.office": "on", **LOCKED},
            ),
            stale("Yes", LOCKED),
            said("Unlock the front door", "confirm", "Unlock the front door?", UNLOCK, LOCKED),
            said("go ahead", "done", "Unlocked the front door.", facts=UNLOCKED),
        ),
    ),
    Script(
        "what is not understood ends with a person",
        (
            said("Order me a pizza", "unclear", "this house only", called("intent_unclear")),
            said("Tell me a joke", "unclear", call=called("intent_unclear")),
            said(
                "Write me a poem",
                "unclear",
                call=called("intent_unclear"),
                offers=("Hand over to a person",),
            ),
            clicked("Hand over to a person", "handover", "a person"),
            said("Turn on the office lights", "done", call=OFFICE, facts={"light.office": "on"}),
        ),
    ),
    Script(
        "help and a person on request",
        (
            said("what can you do", "said", "Try"),
            said("Turn on the office lights", "done", call=OFFICE),
            said("talk to a person", "handover", "a person", facts={"light.office": "on"}),
            said(
                "undo", "done", "Undone: turn on the office lights.", facts={"light.office": "off"}
            ),
        ),
    ),
    Script(
        "a reload in the middle of a question",
        (
            said("Unlock the front door", "confirm", call=UNLOCK, offers=YES_NO),
            reload(LOCKED, YES_NO),
            clicked("Yes", "done", "Unlocked the front door.", UNLOCKED),
            reload(UNLOCKED, ("Undo",)),
            clicked("Undo", "done", "Undone: unlock the front door.", LOCKED),
            reload(LOCKED),
            said("undo", "said", "There is nothing to undo."),
        ),
    ),
    Script(
        "a reload before a correction",
        (
            said("Turn on the office lights", "done", call=OFFICE, facts={"light.office": "on"}),
            reload({"light.office": "on"}),
            said(
                "no, the hallway",
                "done",
                "Corrected.",
                called("toggle_lights", room="hallway", state="on"),
                {"light.office": "off", "light.hallway": "on"},
            ),
            said(
                "Which lights are on?",
                "answer",
                call=called("get_device_status", device_type="lights"),
                shows="Hallway lights on",
            ),
        ),
    ),
    Script(
        "what is so already is said and not undone",
        (
            said(
                "Lock the front door",
                "answer",
                "locked already",
                called("lock_door", door="front", state="lock"),
                LOCKED,
            ),
            said("undo", "said", "There is nothing to undo.", facts=LOCKED),
        ),
    ),
    Script(
        "a temperature that cannot be",
        (
            said(
                "Set the thermostat to 95",
                "ask",
                "What temperature would you like?",
                called("set_thermostat"),
                {"thermostat": "70 auto"},
                offers=("72°F",),
            ),
            said("74", "done", "74°F", facts={"thermostat": "74 auto"}),
        ),
    ),
    Script(
        "words that point back",
        (
            said(
                "Is the kitchen light on?",
                "answer",
                "The kitchen lights are on.",
                called("get_device_status", device_type="lights"),
            ),
            said(
                "turn it off",
                "done",
                "The kitchen lights are off.",
                called("toggle_lights", room="kitchen", state="off"),
                {"light.kitchen": "off"},
            ),
            said(
                "which lights are on?",
                "answer",
                "The living room lights are on",
                called("get_device_status", device_type="lights"),
                shows="Kitchen lights off",
            ),
        ),
    ),
)
