"""How the tests use the page: what a visitor sees and does, and the record behind each card."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from offhand import Automaton, ToolCall, load_catalog
from offhand.dialect import render_call
from offhand.native import NativeModel

LAUNCH_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip
LOAD_LIMIT = 240_000  # milliseconds: a generous bound against hanging, not a measure
TURN_LIMIT = 120_000


def is_valid(model: NativeModel, catalog: str, call: dict[str, Any]) -> bool:
    """Whether a call's canonical tokens are among those the catalog allows."""
    automaton = Automaton(load_catalog(catalog).tools, model.vocabulary)
    pieces = render_call(ToolCall(call["name"], call["arguments"]))
    return automaton.accepts(model.vocabulary.encode_pieces(pieces)[1:])


def open_page(context: BrowserContext, url: str, ready: bool = True) -> Page:
    """Open the page; wait until it can answer, unless told not to."""
    page = context.new_page()
    page.set_default_timeout(TURN_LIMIT)
    page.goto(url)
    if ready:
        wait_ready(page)
    return page


def wait_ready(page: Page) -> None:
    page.wait_for_selector("html[data-state=ready], html[data-state=error]", timeout=LOAD_LIMIT)
    assert page.locator("html").get_attribute("data-state") == "ready", page.inner_text("#engine")


def choose(page: Page, catalog: str) -> None:
    """Begin a new conversation about a catalog."""
    page.locator(f"#catalogs input[value={catalog}]").check(force=True)
    renew = page.get_by_role("button", name="New conversation")
    if renew.is_enabled():
        renew.click()
    wait_ready(page)


def send(page: Page, text: str) -> None:
    page.locator("#message").fill(text)
    page.locator("#message").press("Enter")


def say(page: Page, text: str) -> dict[str, Any]:
    """Send a message and return the record of the turn that answers it."""
    before = page.locator("[data-call]").count()
    send(page, text)
    card = page.locator("[data-call]").nth(before)
    card.wait_for()
    expect(page.locator("html")).to_have_attribute("data-state", "ready")
    record: dict[str, Any] = json.loads(card.get_attribute("data-call") or "")
    return record


def failure(page: Page) -> str:
    """The text of the newest failure shown."""
    card = page.locator(".failure").last
    card.wait_for()
    return card.inner_text()
