"""The page as a visitor meets it, on the real weights."""

from __future__ import annotations

import itertools
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from offhand import Session, drive, load_catalog
from offhand.native import NativeModel
from tests.pyapp.test_native import ATTACKS, CONVERSATIONS
from tests.web.driver import choose, failure, is_valid, open_page, say, send, wait_ready


def test_a_first_visit(context: BrowserContext, site: str, model: NativeModel) -> None:
    """Load, say one thing, get a valid call; nothing is asked of any other origin."""
    requests: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    page = open_page(context, site)
    record = say(page, "Turn off the kitchen lights")
    assert is_valid(model, "smart_home", record["call"])
    expect(page.locator(".call-name").last).to_have_text(record["call"]["name"])
    expect(page.locator("#notice")).to_be_visible(visible=model.manifest["tuned"] is False)
    origins = {urlsplit(url).netloc for url in requests if urlsplit(url).scheme in ("http", "ws")}
    assert origins == {urlsplit(site).netloc}
    assert all(urlsplit(url).scheme in ("http", "blob", "data") for url in requests)
    assert any(url.endswith(".wasm") for url in requests)  # the worker's requests are seen too


@pytest.mark.parametrize("catalog", CONVERSATIONS)
def test_five_turns_in_one_conversation(
    shared_page: Page, model: NativeModel, catalog: str
) -> None:
    """Each turn prefills its own tokens only, and the calls are those the native app makes."""
    choose(shared_page, catalog)
    session = Session(model.vocabulary, model.template, load_catalog(catalog), model.engine.context)
    drive(session.warm(), model.engine)
    records = []
    for text in CONVERSATIONS[catalog]:
        record = say(shared_page, text)
        turn = drive(session.turn(text), model.engine)
        assert is_valid(model, catalog, record["call"])
        assert record["call"] == {"name": turn.call.name, "arguments": dict(turn.call.arguments)}
        assert record["confidence"] == pytest.approx(turn.confidence, rel=0.05, abs=1e-6)
        counts = {name: getattr(turn.tokens, name) for name in record["tokens"]}
        assert record["tokens"] == counts
        records.append(record)
    for before, record in itertools.pairwise(records):
        own = len(model.vocabulary.encode(record["text"]))
        assert record["tokens"]["prefilled"] < own + before["tokens"]["forced"] + 16
        assert record["tokens"]["cached"] > before["tokens"]["prompt"]


@pytest.mark.parametrize("text", ATTACKS)
def test_control_tokens_typed_by_a_user_stay_text(
    shared_page: Page, model: NativeModel, text: str
) -> None:
    choose(shared_page, "smart_home")
    record = say(shared_page, text)
    session = Session(
        model.vocabulary, model.template, load_catalog("smart_home"), model.engine.context
    )
    native = drive(session.turn(text), model.engine)
    assert record["tokens"]["prompt"] == native.tokens.prompt
    assert shared_page.locator(".said").last.inner_text() == text
    assert is_valid(model, "smart_home", record["call"])


@pytest.mark.parametrize(
    ("text", "named"), [("x" * 10_000, "10,000"), ("ab\ud83dcd", "U+D83D"), ("\u200b", "empty")]
)
def test_a_message_that_cannot_be_taken(shared_page: Page, text: str, named: str) -> None:
    """It is explained beside the message, which can be edited; the conversation goes on."""
    choose(shared_page, "smart_home")
    say(shared_page, "Turn on the office lights")
    shared_page.evaluate(
        """units => {
            const field = document.getElementById("message");
            field.value = String.fromCharCode(...units);
            field.form.requestSubmit();
        }""",
        [
            int.from_bytes(pair, "little")
            for pair in _pairs(text.encode("utf-16-le", "surrogatepass"))
        ],
    )
    assert named in failure(shared_page)
    wait_ready(shared_page)
    record = say(shared_page, "and the bedroom")
    assert record["tokens"]["cached"] > 0
    assert shared_page.locator("[data-call]").count() >= 2


def _pairs(data: bytes) -> list[bytes]:
    return [data[i : i + 2] for i in range(0, len(data), 2)]


def test_an_empty_message_is_not_sent(shared_page: Page) -> None:
    choose(shared_page, "smart_home")
    before = shared_page.locator(".said").count()
    send(shared_page, "   \n ")
    assert shared_page.locator(".said").count() == before
    assert shared_page.get_by_role("button", name="Send").is_disabled()


def test_a_message_typed_while_loading_is_answered(context: BrowserContext, site: str) -> None:
    page = open_page(context, site, ready=False)
    send(page, "Lock the front door")
    page.locator("[data-call]").first.wait_for(timeout=240_000)
    assert page.locator(".said").inner_text() == "Lock the front door"


def test_nothing_overflows(shared_page: Page) -> None:
    choose(shared_page, "smart_home")
    say(shared_page, "w" * 300 + " lights")
    shared_page.locator("[data-call] summary").last.click()
    for width in (360, 768, 1280, 1600):
        shared_page.set_viewport_size({"width": width, "height": 760})
        assert shared_page.evaluate("document.documentElement.scrollWidth") <= width
