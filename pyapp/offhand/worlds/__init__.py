"""The worlds of the catalogs that travel with the app, by the catalog's name."""

from __future__ import annotations

from importlib import import_module

from offhand.world import World

_CLASSES = {"smart_home": "SmartHome", "banking": "Bank", "files": "Files"}


def load(catalog: str) -> World | None:
    """The world of a catalog; None where it has none, and its calls can only be shown."""
    if catalog not in _CLASSES:
        return None
    world: World = getattr(import_module(f"{__name__}.{catalog}"), _CLASSES[catalog])()
    return world
