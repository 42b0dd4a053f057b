"""Evaluation in the page, without a browser: what is asked of one, and what stands in the way."""

from __future__ import annotations

import argparse
import json
import math
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from offhand import Message, MessageError, ToolCall
from offhand.catalogs import names
from offhand_export import browser_runtime as module
from offhand_export.browser_runtime import LOADED, PagePlayer, open_page
from offhand_export.errors import BundleError, ServeError
from offhand_export.evaluate import EvaluateError, Made, add_arguments, evaluate_command
from tests.tiny import tiny_tokenizer, tiny_vocabulary

CALL = {"name": "lights", "arguments": {"room": "kitchen"}}
DECISIONS = [
    {"slot": "tool", "value": "lights", "probability": 0.8, "outside": 0.1, "alternatives": []},
    {"slot": "room", "value": "k", "probability": 0.5, "outside": None, "alternatives": []},
]
TURN = {"call": CALL, "confidence": 0.36, "tokens": {"run": 7}, "decisions": DECISIONS}
HISTORY = (Message("user", "hi"), Message("assistant", call=ToolCall("greet", {"warm": True})))


class FakePage:
    """Answers `restore` and `say` by rule and keeps what it was asked."""

    def __init__(self, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []

    def evaluate(self, script: str, argument: Any = None) -> Any:
        if script == LOADED:
            return {"threads": 3}
        request, _ = argument
        self.asked.append(json.loads(json.dumps(request)))
        return {"id": request["id"], **self.answer(request)}


def played(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> tuple[PagePlayer, FakePage]:
    page = FakePage(answer)
    return PagePlayer(page, tiny_vocabulary(), "tiny", "Chromium 1"), page  # type: ignore[arg-type]


def failing(kind: str, error: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A page whose requests of one kind fail with an error of a kind."""

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        if request["type"] == kind:
            return {"ok": False, "error": {"kind": error, "message": "No.", "fix": "Rest."}}
        return {"ok": True, "value": TURN}

    return answer


def test_a_turn_is_a_history_and_a_message() -> None:
    player, page = played(lambda request: {"ok": True, "value": TURN})
    made = player.play(HISTORY, "on")
    assert made.features == pytest.approx([math.log(each) for each in (0.36, 0.5, 0.9, 3, 0.8)])
    assert made == Made(ToolCall("lights", {"room": "kitchen"}), 0.36, 7, made.features)
    player.play((), "off")
    assert page.asked == [
        {"id": -1, "type": "restore", "messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "call": {"name": "greet", "arguments": {"warm": True}}},
        ]},
        {"id": -2, "type": "say", "text": "on"},
        {"id": -3, "type": "restore", "messages": []},
        {"id": -4, "type": "say", "text": "off"},
    ]  # fmt: skip
    assert player.threads == 3


@pytest.mark.parametrize(
    ("kind", "error", "raised"),
    [
        ("say", "message", MessageError),
        ("say", "engine", EvaluateError),
        ("say", "worker", EvaluateError),
        ("restore", "message", EvaluateError),
    ],
)
def test_only_a_refused_message_is_a_missed_turn(
    kind: str, error: str, raised: type[Exception]
) -> None:
    player, _ = played(failing(kind, error))
    with pytest.raises(raised, match=r"No\. Rest\."):
        player.play(HISTORY, "on")


def write_page(dist: Path, catalog: str | None = "") -> Path:
    """A bundle of what is read before a browser is asked for; None leaves the catalog out."""
    own = Path(module.__file__).parents[2] / "pyapp" / "offhand" / "catalogs" / "files.json"
    (dist / "model").mkdir(parents=True)
    (dist / "index.html").write_text("<title>page</title>", "utf-8")
    tiny_tokenizer().save(str(dist / "model" / "tokenizer.json"))
    with zipfile.ZipFile(dist / "app.whl", "w") as wheel:
        wheel.writestr("offhand/__init__.py", "")
        if catalog is not None:
            wheel.writestr("offhand/catalogs/files.json", catalog or own.read_text("utf-8"))
    vocabulary = tiny_vocabulary()
    control = {"control": vocabulary.control}
    manifest = {
        "catalogs": ["files"],
        "model": {"name": "tiny", "dialect": control, "control_ids": []},
        "runtime": {"wheels": ["app.whl"]},
    }
    (dist / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return dist


def opened(dist: Path, catalog: str = "files") -> None:
    with open_page(dist, catalog, "fp32", 0):
        pytest.fail("a page was opened")


def test_playwright_is_named_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(EvaluateError, match=r"Playwright.*not installed\. Run `make setup`"):
        opened(write_page(tmp_path / "dist"))


def test_a_catalog_that_the_page_lacks(tmp_path: Path) -> None:
    dist = write_page(tmp_path / "dist")
    with pytest.raises(EvaluateError, match=r"no catalog 'banking'\. Use one of files"):
        opened(dist, "banking")
    with pytest.raises(EvaluateError, match=r"no catalog 'mine/files\.json'"):
        opened(dist, "mine/files.json")


@pytest.mark.parametrize("held", ['{"name": "files"}', None])
def test_a_catalog_that_is_another_in_the_page(tmp_path: Path, held: str | None) -> None:
    with pytest.raises(EvaluateError, match=r"not the one here\. Bundle the page again"):
        opened(write_page(tmp_path / "dist", held))


def test_a_folder_without_a_page(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match="holds no page"):
        opened(tmp_path)
    dist = write_page(tmp_path / "dist")
    (dist / "manifest.json").unlink()
    with pytest.raises(BundleError, match=r"manifest\.json is missing"):
        opened(dist)


def test_the_command_opens_the_page_and_tells_what_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []

    class Opened:
        def __init__(self, *given: Any) -> None:
            asked.append(given)

        def __enter__(self) -> PagePlayer:
            return played(lambda request: {"ok": True, "value": TURN})[0]

        def __exit__(self, *error: Any) -> None:
            asked.append(("closed",))

    monkeypatch.setattr(module, "open_page", Opened)
    data, report = tmp_path / "data.jsonl", tmp_path / "report.json"
    question = [{"role": "user", "content": "on"}]
    gold = {"name": "lights", "parameters": {"room": "kitchen"}}
    data.write_text(json.dumps({"question": question, "answer": gold}), "utf-8")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    words = ["--runtime", "browser", "--catalog", names()[0], "--precision", "int8"]
    evaluate_command(parser.parse_args([*words, "--data", str(data), "--report", str(report)]))
    assert asked == [(Path("dist"), names()[0], "int8", 0), ("closed",)]
    record = json.loads(report.read_text("utf-8"))
    told = [record[key] for key in ("model", "runtime", "precision", "threads", "browser")]
    assert told == ["tiny", "browser", "int8", 3, "Chromium 1"]
    assert (record["tce"], record["tokens_run"]) == (1.0, 7)
