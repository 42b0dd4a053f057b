"""A conversation saved from the page is evaluation data: what is read back is what was said."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from offhand import ToolCall
from offhand_export.dataset import Exchange, read_conversations
from tests.web.driver import choose, say, send, wait_ready
from tools.web import require_node

SOURCE = Path(__file__).parents[2] / "web" / "src" / "transcript.js"
LINE = """
import { pathToFileURL } from "node:url";
const { transcriptLine } = await import(pathToFileURL(process.argv[2]).href);
process.stdout.write(transcriptLine(JSON.parse(process.argv[3])));
"""

ON = ToolCall("toggle_lights", {"room": "kitchen", "state": "on"})
SET = ToolCall("set_thermostat", {"temperature": 72})
LIGHTS = Exchange("Kitchen lights on", ON)
SPOKEN = Exchange("and?", None, "Which room?")
HEAT = Exchange('heat to "72"\u2028— 72°', SET)


def messages(*exchanges: Exchange) -> list[dict[str, Any]]:
    """Exchanges as the agent keeps them."""
    found: list[dict[str, Any]] = []
    for text, gold, said in ((turn.text, turn.gold, turn.said) for turn in exchanges):
        call = gold and {"name": gold.name, "arguments": dict(gold.arguments)}
        found.append({"role": "user", "content": text})
        found.append({"role": "assistant", **({"call": call} if call else {"content": said})})
    return found


def line(folder: Path, *exchanges: Exchange) -> str:
    """What the page would save, made by its own code."""
    script = folder / "line.mjs"
    script.write_text(LINE, encoding="utf-8")
    node, _ = require_node()
    command = [node, str(script), str(SOURCE), json.dumps(messages(*exchanges))]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ((LIGHTS,), (LIGHTS,)),
        ((LIGHTS, HEAT), (LIGHTS, HEAT)),
        ((SPOKEN, LIGHTS), (SPOKEN, LIGHTS)),
        ((LIGHTS, SPOKEN, HEAT), (LIGHTS, SPOKEN, HEAT)),
        ((LIGHTS, SPOKEN), (LIGHTS,)),  # what led to no call has nothing to compare with
    ],
)
def test_a_line_is_read_as_evaluation_data(
    tmp_path: Path, said: tuple[Exchange, ...], kept: tuple[Exchange, ...]
) -> None:
    file = tmp_path / "saved.jsonl"
    file.write_text(line(tmp_path, *said), encoding="utf-8", newline="")
    (conversation,) = read_conversations(file)
    assert conversation.exchanges == kept


@pytest.mark.parametrize("said", [(), (SPOKEN,)])
def test_without_a_call_there_is_no_line(tmp_path: Path, said: tuple[Exchange, ...]) -> None:
    assert line(tmp_path, *said) == ""


def test_the_page_saves_what_was_said(shared_page: Page, tmp_path: Path) -> None:
    choose(shared_page, "smart_home")
    save = shared_page.locator("#save")
    expect(save).to_be_disabled()
    texts = ["Turn on the office lights", "Lock the back door"]
    for text in texts:
        say(shared_page, text)
    expect(save).to_be_enabled()
    with shared_page.expect_download() as begun:
        save.click()
    assert begun.value.suggested_filename == "offhand-smart_home.jsonl"
    begun.value.save_as(tmp_path / "saved.jsonl")
    (conversation,) = read_conversations(tmp_path / "saved.jsonl")
    assert [turn.text for turn in conversation.exchanges] == texts
    shared_page.get_by_role("button", name="New conversation").click()
    expect(save).to_be_disabled()


def test_a_handover_offers_what_was_said_before_it(shared_page: Page, tmp_path: Path) -> None:
    choose(shared_page, "smart_home")
    say(shared_page, "Turn on the office lights")
    send(shared_page, "talk to a person")
    offered = shared_page.locator(".reply[data-kind=handover] .save").last
    offered.wait_for()
    wait_ready(shared_page)
    say(shared_page, "Lock the back door")
    with shared_page.expect_download() as begun:
        offered.click()
    begun.value.save_as(tmp_path / "saved.jsonl")
    (conversation,) = read_conversations(tmp_path / "saved.jsonl")
    assert [turn.text for turn in conversation.exchanges] == ["Turn on the office lights"]
