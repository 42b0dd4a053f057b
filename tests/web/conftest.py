"""A real Chromium, and the page built from the real weights, served with isolation headers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from offhand_export.serve import serving
from tests.web.driver import LAUNCH_ARGUMENTS, open_page
from tools.browser import require_browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=require_browser(), args=list(LAUNCH_ARGUMENTS)
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(dist_dir: Path) -> Iterator[str]:
    """The URL of the real page."""
    with serving(dist_dir) as url:
        yield url


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A context of its own: nothing stored, nothing shared."""
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture(scope="module")
def shared_page(browser: Browser, site: str) -> Iterator[Page]:
    """A page that answers, loaded once for a module; every test begins a new conversation."""
    context = browser.new_context()
    yield open_page(context, site)
    context.close()
