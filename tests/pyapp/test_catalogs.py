"""The catalogs that travel inside the package, and what the loader refuses."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from offhand import catalogs
from offhand.errors import CatalogError, SchemaError
from offhand.schema import Choice, Number, Text

OWN = ["smart_home", "banking", "files"]
VALID: dict[str, Any] = {
    "name": "lamp",
    "title": "Lamp",
    "description": "One lamp.",
    "instructions": "Call one function.",
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "dim",
                "parameters": {"type": "object", "properties": {"level": {"type": "integer"}}},
            },
        }
    ],
    "examples": ["Darker please"],
}


def test_names_are_those_of_the_package() -> None:
    assert catalogs.names() == OWN
    files = Path(catalogs.__file__).parent.glob("*.json")
    assert sorted(path.stem for path in files) == sorted(OWN)
    files = Path(catalogs.__file__).parent.glob("*.json")
    assert sorted(catalogs.names()) == sorted(file.stem for file in files)


@pytest.mark.parametrize("name", OWN)
def test_own_catalog_is_complete(name: str) -> None:
    catalog = catalogs.load(name)
    assert catalog.name == name
    assert [tool.name for tool in catalog.tools] == [
        declaration["function"]["name"] for declaration in catalog.declarations
    ]
    assert all(tool.description for tool in catalog.tools)
    assert 5 <= len(catalog.examples) <= 6
    assert len(set(catalog.examples)) == len(catalog.examples)


@pytest.mark.parametrize("name", ["smart_home", "banking"])
def test_own_catalog_says_what_an_unclear_message_leads_to(name: str) -> None:
    assert "intent_unclear" in {tool.name for tool in catalogs.load(name).tools}


def _slots(name: str) -> dict[str, dict[str, Any]]:
    return {
        tool.name: {slot.name: slot.type for slot in tool.slots}
        for tool in catalogs.load(name).tools
    }


def test_smart_home_slots() -> None:
    slots = _slots("smart_home")
    rooms = ("living_room", "bedroom", "kitchen", "bathroom", "office", "hallway")
    assert slots["toggle_lights"] == {"room": Choice(rooms), "state": Choice(("on", "off"))}
    assert slots["set_thermostat"] == {
        "mode": Choice(("heat", "cool", "auto")),
        "temperature": Number(60, 80, 0),
    }
    assert isinstance(slots["get_device_status"]["room"], Text)
    assert [len(tool) for tool in slots.values()] == [2, 2, 2, 2, 1, 1]


def test_banking_slots() -> None:
    slots = _slots("banking")
    assert len(slots) == 14
    assert sorted(slots["transfer_money"]) == ["amount", "from_account", "to_account"]
    assert slots["transfer_money"]["amount"] == Number(None, None, 2)
    assert isinstance(slots["cancel_card"]["card_last_four"], Text)
    assert [name for name, own in slots.items() if not own] == [
        "intent_unclear",
        "greeting",
        "goodbye",
        "thank_you",
    ]


def test_path_loads_a_foreign_catalog(tmp_path: Path) -> None:
    path = tmp_path / "lamp.json"
    path.write_text(json.dumps(VALID), encoding="utf-8")
    for given in (path, str(path)):
        catalog = catalogs.load(given)
        assert (catalog.name, catalog.title, catalog.examples) == (
            "lamp",
            "Lamp",
            ("Darker please",),
        )


def test_catalogs_load_from_a_zipped_package(tmp_path: Path) -> None:
    archive = tmp_path / "offhand.zip"
    package = Path(catalogs.__file__).parents[1]
    with zipfile.ZipFile(archive, "w") as bundle:
        for path in package.rglob("*"):
            if path.suffix in (".py", ".json"):
                bundle.write(path, Path("offhand") / path.relative_to(package))
    script = (
        f"import sys; sys.path.insert(0, {str(archive)!r});"
        "from offhand import catalogs; print(catalogs.__file__, catalogs.load('banking').name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert str(archive) in done.stdout
    assert done.stdout.split()[-1] == "banking"


def _without(field: str) -> Callable[[dict[str, Any]], object]:
    return lambda fields: fields.pop(field)


def _with(field: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda fields: fields.update({field: value})


REFUSED: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    *[(_without(field), field) for field in VALID],
    (_with("icon", "lamp"), "'icon'"),
    (_with("name", "My Lamp"), "`name`"),
    (_with("name", 7), "`name`"),
    (_with("title", ""), "`title`"),
    (_with("description", "two\nlines"), "`description`"),
    (_with("instructions", " "), "`instructions`"),
    (_with("tools", []), "`tools`"),
    (_with("tools", {}), "`tools`"),
    (_with("examples", "one"), "`examples`"),
    (_with("examples", [""]), "`examples`"),
]


@pytest.mark.parametrize(("change", "named"), REFUSED)
def test_malformed_fields_are_refused_by_name(
    change: Callable[[dict[str, Any]], object], named: str
) -> None:
    fields = copy.deepcopy(VALID)
    change(fields)
    with pytest.raises(CatalogError) as caught:
        catalogs.parse(json.dumps(fields), "lamp.json")
    assert "lamp.json" in caught.value.message
    assert named in caught.value.message
    assert caught.value.fix


@pytest.mark.parametrize(("text", "reason"), [("{", "not JSON"), ("[]", "not a JSON object")])
def test_text_that_is_no_object_is_refused(text: str, reason: str) -> None:
    with pytest.raises(CatalogError, match=reason):
        catalogs.parse(text, "lamp.json")


def test_declaration_outside_the_subset_is_refused() -> None:
    fields = copy.deepcopy(VALID)
    fields["tools"][0]["function"]["parameters"]["properties"]["level"]["multipleOf"] = 5
    with pytest.raises(SchemaError, match="multipleOf"):
        catalogs.parse(json.dumps(fields), "lamp.json")


@pytest.mark.parametrize("name", ["lights", "nowhere/lights.json", "lights.json", ""])
def test_missing_catalog_names_those_there_are(name: str) -> None:
    with pytest.raises(CatalogError) as caught:
        catalogs.load(name)
    assert "smart_home, banking, files" in caught.value.fix
