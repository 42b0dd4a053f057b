"""What a world's view says, as flat texts by name; the page is read to the same names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

View = Mapping[str, Any]


def facts_of(catalog: str, view: View) -> dict[str, str]:
    """All facts of a world's view."""
    return {"smart_home": _home, "banking": _bank, "files": _files}[catalog](view)


def _home(view: View) -> dict[str, str]:
    lights = {f"light.{room['name']}": "on" if room["light"] else "off" for room in view["rooms"]}
    doors = {
        f"door.{door['name']}": "locked" if door["locked"] else "unlocked" for door in view["doors"]
    }
    thermostat = view["thermostat"]
    scene = (view["scene"] or "none").replace("_", " ")
    held = {"thermostat": f"{thermostat['target']} {thermostat['mode']}", "scene": scene}
    return {**lights, **doors, **held}


def _bank(view: View) -> dict[str, str]:
    accounts = {f"account.{one['name']}": f"${one['balance']}" for one in view["accounts"]}
    cards = {f"card.{card['last_four']}": card["status"] for card in view["cards"]}
    cases = {f"case.{case['id']}": f"${case['amount']}" for case in view["cases"]}
    paid = [f"{bill['payee']} ${bill['amount']}" for bill in view["bills"]]
    bills = {"bill": paid[0]} if paid else {}
    queue = {"queue": view["queue"]["department"]} if view["queue"] else {}
    return {**accounts, **cards, **cases, **bills, **queue}


def _files(view: View) -> dict[str, str]:
    kinds = {"dir": "folder", "file": "file"}
    tree = {entry["path"]: kinds[entry["kind"]] for entry in view["tree"]}
    return {**tree, "cwd": view["cwd"]}
