"""Whole conversations with the agent on the page: said, clicked and read as a visitor does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from offhand import ToolCall, worlds
from offhand.journal import Journal
from tests.conversations import IDS, NAMED
from tests.conversations.facts import facts_of
from tests.conversations.script import Script, Seen, hold
from tests.web.driver import TURN_LIMIT, choose, open_page, wait_ready

KEPT = "name => JSON.parse(localStorage.getItem(`offhand:${location.pathname}:${name}`))"
SHOWN = ".data-facts, .data-scroll, .terminal"

# What is drawn, by the names of `facts_of`.
DRAWN = {
    "smart_home": """() => {
        const text = (node, part) => node.querySelector(part).textContent.trim().toLowerCase();
        const facts = {};
        for (const node of document.querySelectorAll(".states [data-part]"))
            facts[node.dataset.part] = text(node, ".state-value");
        const climate = document.querySelectorAll(".climate-facts [data-part]");
        const [target, mode, scene] = Array.from(climate, node => text(node, "dd"));
        return {...facts, thermostat: `${parseInt(target)} ${mode}`, scene};
    }""",
    "banking": """() => {
        const text = (node, part) => node.querySelector(part).textContent.trim();
        const facts = {};
        const read = (list, part, change = value => value) => {
            for (const node of document.querySelectorAll(list))
                facts[node.dataset.part] = change(text(node, part));
        };
        read(".account[data-part]", ".account-balance");
        read(".card[data-part]", ".card-status", value => value.toLowerCase());
        read("[data-part^='case.']", ".amount");
        const bill = document.querySelector("li[data-part=bill]");
        if (bill) facts.bill = `${text(bill, "span")} ${text(bill, ".amount")}`;
        const queue = document.querySelector(".queue:not([hidden])");
        if (queue) facts.queue = /In line for (.+)\\./.exec(text(queue, "strong"))[1];
        return facts;
    }""",
    "files": """() => {
        const facts = {cwd: document.querySelector(".where code").textContent};
        for (const {dataset} of document.querySelectorAll(".tree-row[data-part]"))
            facts[dataset.part] = dataset.kind === "dir" ? "folder" : "file";
        return facts;
    }""",
}


class PageVisit:
    """A conversation on the page, about a world put back to its beginning."""

    def __init__(self, page: Page, catalog: str) -> None:
        self._page = page
        self._catalog = catalog
        wait_ready(page)
        welcome = page.locator("#welcome")
        if not welcome.is_visible():
            page.get_by_role("button", name="Begin again", exact=True).click()
            expect(welcome).to_be_visible()
            wait_ready(page)

    def say(self, text: str) -> Seen:
        # Key by key, since a digit may stand for a choice.
        return self._answered(lambda: self._typed(text))

    def click(self, label: str) -> Seen:
        assert label in self._offers(), f"there is no {label!r} among {self._offers()}"
        return self._answered(lambda: self._choice(label).click())

    def stale(self, label: str) -> None:
        """Choices of earlier replies are gone, so that there is nothing to click."""
        expect(self._choice(label)).to_have_count(0)

    def reload(self) -> tuple[str, ...]:
        before = self._log()
        self._page.reload()
        wait_ready(self._page)
        assert self._log() == before
        return self._offers()

    def facts(self) -> dict[str, str]:
        found: dict[str, str] = self._page.evaluate(DRAWN[self._catalog])
        return found

    def kept(self) -> Any:
        """What the browser keeps of the conversation."""
        return self._page.evaluate(KEPT, self._catalog)

    def _typed(self, text: str) -> None:
        field = self._page.locator("#message")
        field.press_sequentially(text)
        field.press("Enter")

    def _answered(self, act: Callable[[], None]) -> Seen:
        turns = self._page.locator(".turn")
        before = turns.count()
        act()
        turn = turns.nth(before)
        answered = self._page.locator(".turn[data-status=done], .turn[data-status=failed]")
        expect(turn.and_(answered)).to_be_visible(timeout=TURN_LIMIT)
        wait_ready(self._page)
        assert turn.get_attribute("data-status") == "done", turn.inner_text()
        return self._seen(turn.locator(".reply"))

    def _seen(self, reply: Locator) -> Seen:
        kept = self.kept()["messages"][-1]["reply"]
        call = kept["call"] and ToolCall(kept["call"]["name"], kept["call"]["arguments"])
        shows = " ".join(" ".join(reply.locator(SHOWN).all_inner_texts()).split())
        return Seen(
            reply.get_attribute("data-kind") or "",
            reply.locator(".reply-text").inner_text(),
            call,
            kept["reason"],
            self._offers(),
            shows,
        )

    def _choice(self, label: str) -> Locator:
        return self._page.locator("#log").get_by_role("button", name=label, exact=True)

    def _offers(self) -> tuple[str, ...]:
        return tuple(self._page.locator("#log .choices .choice").all_inner_texts())

    def _log(self) -> list[str]:
        """All that was said in this conversation, by both."""
        newest = self._page.locator("#log > .conversation")
        return newest.locator(".said, .reply-text").all_inner_texts()


@pytest.fixture(scope="module")
def page_of(browser: Browser, site: str) -> Iterator[Callable[[str], Page]]:
    """A page that answers, by its catalog; loaded once for all scripts of it."""
    opened: dict[str, tuple[BrowserContext, Page]] = {}

    def page(catalog: str) -> Page:
        if catalog not in opened:
            close()
            context = browser.new_context()
            opened[catalog] = context, open_page(context, site)
            choose(opened[catalog][1], catalog)
        return opened[catalog][1]

    def close() -> None:
        for context, _ in opened.values():
            context.close()
        opened.clear()

    yield page
    close()


@pytest.mark.parametrize(("catalog", "script"), NAMED, ids=IDS)
def test_a_conversation(page_of: Callable[[str], Page], catalog: str, script: Script) -> None:
    """As the script has it; in the end, what is drawn is the world that is kept."""
    visit = PageVisit(page_of(catalog), catalog)
    hold(script, visit)
    world = worlds.load(catalog)
    assert world is not None
    journal = Journal.read(world, json.loads(json.dumps(visit.kept()["saved"]["journal"])))
    assert visit.facts() == facts_of(catalog, world.view(journal.state))
