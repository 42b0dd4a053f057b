"""The page itself as a runtime: turns are made in a real Chromium, by the page's own worker.

The bundle is served with the headers that allow threads and opened as a visitor opens it, with the
precision, the threads and the catalog in its address. Once it is ready, its worker is sent the same
messages the page sends (web/src/protocol.js): `restore` for the history, `say` for the message. So
what is measured is what a visitor downloads and runs; the page's own view takes no part in it.

Playwright is a tool of development and not a dependency, so it is imported when a page is opened.
"""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from offhand.calibration import features
from offhand.decode import Decision
from offhand.dialect import ToolCall
from offhand.errors import MessageError
from offhand.prompt import Message
from offhand.tokenizer import Vocabulary
from offhand.transcript import transcript_record
from offhand_export.evaluate import EvaluateError, Made
from offhand_export.runtime import read_json
from offhand_export.serve import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip
LOAD_LIMIT = 600_000
"""Milliseconds for the page to load: a bound against hanging, on any machine."""
TURN_LIMIT = 300_000
"""Milliseconds for one answer, likewise."""

# The page starts its worker under this name; whoever opened the page may hold on to it.
KEEP_WORKER = """
globalThis.Worker = class extends globalThis.Worker {
  constructor(url, options) {
    super(url, options);
    if (options?.name === "offhand") globalThis.offhandWorker = this;
  }
};
"""
REQUEST = """
([request, limit]) => new Promise((resolve) => {
  const worker = globalThis.offhandWorker;
  const fail = (message, fix) =>
    end({ id: request.id, ok: false, error: { kind: "worker", message, fix } });
  const hear = ({ data }) => { if (data.id === request.id) end(data); };
  const stopped = ({ message }) => fail(`The page's worker stopped: ${message}.`, "Try again.");
  const timer = setTimeout(
    () => fail(`The page gave no answer within ${limit / 1000} s.`, "Try a faster machine."),
    limit,
  );
  function end(reply) {
    clearTimeout(timer);
    worker.removeEventListener("message", hear);
    worker.removeEventListener("error", stopped);
    resolve(reply);
  }
  worker.addEventListener("message", hear);
  worker.addEventListener("error", stopped);
  worker.postMessage(request);
})
"""
LOADED = "performance.getEntriesByName('offhand:load').at(-1).detail"


class PagePlayer:
    """A page that is ready, as an `evaluate.Player`.

    Args:
        page: showing the page of a bundle, opened after `KEEP_WORKER` was put in its way.
        vocabulary: of the page's model.
        model: the model's name.
        browser: name and version.

    Attributes:
        threads: the page runs its model with.
    """

    def __init__(self, page: Page, vocabulary: Vocabulary, model: str, browser: str) -> None:
        self.vocabulary = vocabulary
        self.model = model
        self.browser = browser
        self.threads = int(page.evaluate(LOADED)["threads"])
        self._page = page
        self._last = 0

    def play(self, history: tuple[Message, ...], text: str) -> Made:
        """Make one turn in the page.

        Raises:
            MessageError: the app refuses the message.
            EvaluateError: the page could not make the turn.
        """
        self._request("restore", messages=transcript_record(history))
        turn = self._request("say", text=text)
        call = ToolCall(turn["call"]["name"], turn["call"]["arguments"])
        decisions = [_decision(each) for each in turn["decisions"]]
        tokens = int(turn["tokens"]["run"])
        return Made(call, float(turn["confidence"]), tokens, features(decisions))

    def _request(self, kind: str, **payload: Any) -> Any:
        self._last -= 1  # the page counts its own requests upwards
        request = {"id": self._last, "type": kind, **payload}
        with _explained("The page broke off"):
            reply = self._page.evaluate(REQUEST, [request, TURN_LIMIT])
        if reply["ok"]:
            return reply["value"]
        error = reply["error"]
        refused = kind == "say" and error["kind"] == "message"
        raise (MessageError if refused else EvaluateError)(error["message"], error["fix"])


def _decision(shown: Mapping[str, Any]) -> Decision:
    """A decision from its record (`offhand.record`), less what could have been decided instead."""
    return Decision(shown["slot"], shown["value"], shown["probability"], shown["outside"], ())


@contextmanager
def open_page(dist: Path, catalog: str, precision: str, threads: int) -> Iterator[PagePlayer]:
    """Serve a bundle on a free port, open it in a headless Chromium, wait until it answers.

    Args:
        dist: what `offhand-export bundle` wrote.
        catalog: name of a catalog inside the page.
        precision: of the layers in memory, the page's `?memory=`.
        threads: the page's `?threads=`; 0 lets it choose.

    Raises:
        EvaluateError: there is no Playwright or browser, or the page cannot do it; says why.
        BundleError, ServeError: the folder holds no page, or half of one.
    """
    with serving(dist) as url:
        manifest = read_json(dist / "manifest.json")
        _check_catalog(dist, manifest, catalog)
        vocabulary = _vocabulary(dist, manifest["model"])
        query = {"catalog": catalog, "memory": precision}
        if threads:
            query["threads"] = str(threads)
        with open_browser() as browser:
            page = load_page(browser, f"{url}?{urlencode(query)}")
            version = f"{browser.browser_type.name} {browser.version}".capitalize()
            yield PagePlayer(page, vocabulary, manifest["model"]["name"], version)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A headless Chromium: OFFHAND_BROWSER, one on PATH, or Playwright's own.

    Raises:
        EvaluateError: Playwright is not installed, or no browser starts.
    """
    with _playwright()() as playwright:
        browser = _launch(playwright)
        try:
            yield browser
        finally:
            browser.close()


def load_page(browser: Browser, address: str) -> Page:
    """Open an address of the page, in a profile of its own, and wait until it answers.

    Raises:
        EvaluateError: it does not load, or says why it cannot.
    """
    # Headless Chromium composites on the CPU: animations would take it from the model.
    page = browser.new_context(reduced_motion="reduce").new_page()
    page.add_init_script(KEEP_WORKER)
    with _explained("The page does not load"):
        page.goto(address)
        page.wait_for_selector("html[data-state=ready], html[data-state=error]", timeout=LOAD_LIMIT)
    for failure in page.locator(".failure").all_inner_texts():
        raise EvaluateError(f"The page cannot run: {' '.join(failure.split())}")
    return page


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn what Playwright raises (a crashed tab, a limit of time) into one message."""
    from playwright.sync_api import Error

    try:
        yield
    except Error as error:
        raise EvaluateError(
            f"{what}: {error.message.splitlines()[0]}.",
            "Try again, with more memory free or --precision int8 if the page ran out of it.",
        ) from error


def _playwright() -> Callable[[], Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise EvaluateError(
            "Playwright, which drives the browser, is not installed.",
            "Run `make setup`, or `pip install playwright`.",
        ) from error
    return sync_playwright


def _launch(playwright: Playwright) -> Browser:
    from playwright.sync_api import Error

    named = os.environ.get("OFFHAND_BROWSER")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    try:
        return playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
    except Error as error:
        raise EvaluateError(
            f"No browser starts ({str(error).splitlines()[0]}).",
            "Run `make browser`, or set OFFHAND_BROWSER to the path of a Chromium.",
        ) from error


def _check_catalog(dist: Path, manifest: Mapping[str, Any], catalog: str) -> None:
    """The page must have this catalog, and the same as the one its calls are judged by."""
    if catalog not in manifest["catalogs"]:
        raise EvaluateError(
            f"The page {dist} has no catalog {catalog!r}.",
            f"Use one of {', '.join(manifest['catalogs'])}.",
        )
    name = f"offhand/catalogs/{catalog}.json"
    wheels = [dist / path for path in manifest["runtime"]["wheels"]]
    held = b""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            held = archive.read(name) if name in archive.namelist() else held
    own = resources.files("offhand.catalogs").joinpath(f"{catalog}.json").read_bytes()
    if json.loads(held or b"null") != json.loads(own):
        raise EvaluateError(
            f"The page's catalog {catalog!r} is not the one here.", "Bundle the page again."
        )


def _vocabulary(dist: Path, model: Mapping[str, Any]) -> Vocabulary:
    from tokenizers import Tokenizer

    from offhand.native import NativeText

    text = NativeText(Tokenizer.from_file(str(dist / "model" / "tokenizer.json")))
    return Vocabulary(text, model["dialect"]["control"], model["control_ids"])
