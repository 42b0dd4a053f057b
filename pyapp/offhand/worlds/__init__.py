"""The worlds of the catalogs that travel with the app, by the catalog's name."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

from offhand.world import World

_CLASSES = {"smart_home": "SmartHome", "banking": "Bank", "files": "Files"}
_ARCHIVES = {"files": "files_zip"}


class Archive(Protocol):
    """A way to take a world's state along as a file, and to bring one."""

    def export(self, state: Any) -> bytes:
        """The state as a file."""

    def load(self, data: bytes) -> Any:
        """The state that a file holds; ValueError says what is wrong with it and how to mend it."""


def load(catalog: str) -> World | None:
    """The world of a catalog; None where it has none, and its calls can only be shown."""
    if catalog not in _CLASSES:
        return None
    world: World = getattr(import_module(f"{__name__}.{catalog}"), _CLASSES[catalog])()
    return world


def archive(catalog: str) -> Archive | None:
    """How a catalog's world is taken along; None where it is not."""
    if catalog not in _ARCHIVES:
        return None
    found: Any = import_module(f"{__name__}.{_ARCHIVES[catalog]}")
    return found  # type: ignore[no-any-return]
