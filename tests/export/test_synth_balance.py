"""What is counted, and what is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from offhand.catalogs import Catalog
from offhand_export.dataset import read_conversations
from offhand_export.synth.balance_report import as_json, as_markdown, balance
from offhand_export.synth.writer import WriteError, replace_text, write_samples
from tests.export.talks import TOOLS, one, sample
from tests.tiny import STOP, catalog

# The balance report.


def counted() -> Any:
    samples = [
        sample(
            ("It is dark", "lights", {"state": "on"}),
            ("the kitchen", "lights", {"state": "on", "room": "kitchen"}),
            tags=("fill", "indirect"),
        ),
        one("quietly", "heat", quiet=True),
        one("it is dark!", "stop"),
        one("tag red and blue", "tag", names=["red", "blue"]),
    ]
    return balance(samples, TOOLS, {"leak": 1, "duplicate": 3})


def test_the_balance_counts() -> None:
    found = counted()
    assert (found.conversations, found.turns, found.distinct_texts) == (4, 5, 4)
    assert {name: row.calls for name, row in found.tools.items()} == {
        "lights": 2, "heat": 1, "note": 0, "stop": 1, "tag": 1,
    }  # fmt: skip
    room = found.tools["lights"].slots["room"]
    assert (room.given, room.missing) == (1, 1)
    assert room.values == {"kitchen": 1, "living": 0, "living_room": 0}
    assert found.tools["heat"].slots["quiet"].values == {"false": 0, "true": 1}
    assert found.tools["tag"].slots["names"].distinct == 2
    assert found.missing == {"0": 2, "1": 2, "2": 1}
    assert found.lengths == {"1": 3, "2": 1}
    assert found.phenomena == {"fill": 1, "indirect": 1}
    assert list(found.rejections.items()) == [("duplicate", 3), ("leak", 1)]
    assert found.characters["100"] == len("tag red and blue")
    assert found.words == {"5": 1, "25": 2, "50": 3, "75": 3, "95": 4, "100": 4}


def test_messages_with_different_calls_are_named() -> None:
    assert counted().conflicts == ("it is dark",)


def test_the_balance_is_json_and_a_table() -> None:
    found = counted()
    assert json.loads(json.dumps(as_json(found)))["tools"]["lights"]["calls"] == 2
    table = as_markdown(found)
    assert "4 conversations, 5 turns (1.2 each), 4 different messages" in table
    assert "| lights | 2 | 40.0% |" in table
    assert "| lights.room | 1 | 1 | kitchen 1, living 0, living_room 0 |" in table
    assert "| note.text | 0 | 0 | 0 different |" in table
    assert "| duplicate | 3 | 75.0% |" in table
    assert "First messages with different calls: 1\n\n- it is dark" in table


def test_nothing_made_can_still_be_told() -> None:
    tiny: Catalog = catalog(STOP)
    assert "0 conversations" in as_markdown(balance([], tiny, {"leak": 2}))


# Writing.


def test_what_is_written_is_read_as_evaluation_data(tmp_path: Path) -> None:
    samples = [one("café", "note", text="café"), sample(("a", "stop", {}), ("b", "stop", {}))]
    path = tmp_path / "new" / "tiny.train.jsonl"
    assert write_samples(iter(samples), path) == 2
    found = read_conversations(path)
    assert [conversation.exchanges for conversation in found] == [s.exchanges for s in samples]
    assert json.loads(path.read_text().splitlines()[0])["catalog"] == "tiny"


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "tiny.jsonl"
    replace_text(path, "old\n")
    with pytest.raises(UnicodeEncodeError):
        replace_text(path, "\ud800")
    assert path.read_text() == "old\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["tiny.jsonl"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match=r"Cannot write .*tiny\.jsonl"):
        replace_text(tmp_path / "file" / "tiny.jsonl", "")
