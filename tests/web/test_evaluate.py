"""The page measured as a runtime: its worker takes a history, and makes the native app's calls."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from offhand import Message, MessageError, ToolCall, load_catalog
from offhand.native import NativeModel
from offhand_export.browser_runtime import PagePlayer, load_page
from offhand_export.evaluate import EvaluateError, SessionPlayer
from tests.web.driver import say
from tools.browser import require_browser

CALL = ToolCall("toggle_lights", {"room": "kitchen", "state": "off"})
HISTORY = (Message("user", "kitchen lights off"), Message("assistant", call=CALL))
SPOKEN = (*HISTORY, Message("user", "and?"), Message("assistant", "Which room?"))


@pytest.fixture(scope="module")
def page(browser: Browser, site: str) -> Iterator[Page]:
    page = load_page(browser, f"{site}?catalog=smart_home&memory=fp32&threads=1")
    yield page
    page.context.close()


@pytest.fixture
def player(page: Page, model: NativeModel) -> PagePlayer:
    return PagePlayer(page, model.vocabulary, "any", "any")


@pytest.mark.parametrize("history", [(), HISTORY, SPOKEN])
def test_the_page_plays_as_the_native_app_does(
    player: PagePlayer, model: NativeModel, history: tuple[Message, ...]
) -> None:
    native = SessionPlayer(model, load_catalog("smart_home"))
    made = player.play(history, "and the ones in the hallway")
    expected = native.play(history, "and the ones in the hallway")
    assert made.call == expected.call
    assert made.confidence == pytest.approx(expected.confidence, rel=0.05, abs=1e-6)


def test_a_history_taken_up_again_is_still_in_the_kv_cache(player: PagePlayer) -> None:
    first = player.play(HISTORY, "now the bedroom")
    assert 0 < player.play(HISTORY, "now the bedroom").tokens < 60
    assert player.play(HISTORY, "now the bedroom") == player.play(HISTORY, "now the bedroom")
    assert player.play(HISTORY, "now the bedroom").call == first.call


def test_refusals_reach_the_one_who_asked(player: PagePlayer) -> None:
    with pytest.raises(MessageError, match="is empty"):
        player.play(HISTORY, " ")
    with pytest.raises(EvaluateError, match="does not end with the assistant's message"):
        player.play(HISTORY[:1], "on")
    assert player.threads == 1


def test_the_page_goes_on_beside_it(page: Page, player: PagePlayer) -> None:
    """Its own requests and these are answered apart, one after another."""
    player.play((), "Lock the back door")
    assert say(page, "Turn off the kitchen lights")["text"] == "Turn off the kitchen lights"


def test_a_page_that_cannot_run_says_why(browser: Browser, site: str) -> None:
    with pytest.raises(EvaluateError, match="There is no memory=int2"):
        load_page(browser, f"{site}?memory=int2")


def evaluate(folder: Path, *words: str) -> dict[str, Any]:
    data = Path(__file__).parents[1] / "data" / "smart_home.formulaic.jsonl"
    command = [sys.executable, "-m", "offhand_export", "evaluate", "--catalog", "smart_home"]
    command += ["--data", str(data), "--limit", "1", "--report", str(folder / "report.json")]
    done = subprocess.run([*command, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    record: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    return record


def test_the_command_reports_as_for_other_runtimes(
    dist_dir: Path, model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFFHAND_BROWSER", require_browser())
    page = evaluate(tmp_path, "--runtime", "browser", "--dist", str(dist_dir))
    native = evaluate(tmp_path, "--model", str(model_dir))
    assert page.keys() == native.keys()
    assert page["browser"].startswith("Chromium ")
    assert page["threads"] >= 1
    assert (page["turns"], page["data_sha256"]) == (native["turns"], native["data_sha256"])
    assert [error["predicted"] for error in page["errors"]] == [
        error["predicted"] for error in native["errors"]
    ]
