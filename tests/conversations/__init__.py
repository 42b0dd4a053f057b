"""Conversations that visitors hold with each world, as data; held natively and on the page."""

from __future__ import annotations

from collections.abc import Mapping

from tests.conversations.banking import BANKING
from tests.conversations.files import FILES
from tests.conversations.script import Script
from tests.conversations.smart_home import SMART_HOME

SCRIPTS: Mapping[str, tuple[Script, ...]] = {
    "smart_home": SMART_HOME,
    "banking": BANKING,
    "files": FILES,
}
"""By catalog."""

NAMED = [(catalog, script) for catalog, listed in SCRIPTS.items() for script in listed]
IDS = [f"{catalog}-{script.name.replace(' ', '-')}" for catalog, script in NAMED]
