"""People at home."""

from __future__ import annotations

from offhand_export.synth import values
from offhand_export.synth.domains import Domain
from offhand_export.synth.noise import writers
from offhand_export.synth.simulate import Habits

DOMAIN = Domain(
    kinds={"temperature": values.temperature(), "wild": values.wild_temperature()},
    habits=Habits(
        openings={
            "toggle_lights": 3.0,
            "set_thermostat": 3.0,
            "lock_door": 2.5,
            "get_device_status": 3.0,
            "set_scene": 2.2,
            "intent_unclear": 3.0,
        },
        turns=(2, 6, 6, 4, 3),
    ),
    voice=writers(copied=()),
)
