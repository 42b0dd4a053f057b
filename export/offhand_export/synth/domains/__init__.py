"""What the built-in teacher knows of each catalog beside its material: values, habits, voices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from offhand_export.synth.check import Support, no_opinion
from offhand_export.synth.simulate import Habits, Voice
from offhand_export.synth.values import Kind

OWN = ("smart_home", "banking", "files")
"""Catalogs the built-in teacher has material for."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A catalog's simulated users."""

    kinds: Mapping[str, Kind]
    habits: Habits
    voice: Voice
    support: Support = no_opinion


def load(catalog: str) -> Domain:
    """The domain of a catalog named in `OWN`."""
    domain: Domain = import_module(f"{__name__}.{catalog}").DOMAIN
    return domain
