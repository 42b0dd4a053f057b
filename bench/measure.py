"""Measures the page in a real browser: `python -m bench.measure`.

One headless Chromium with a fresh profile loads the bundle cold, holds the scripted conversations,
and loads it again warm; for one thread and for as many as the page takes. Writes report.json and
the table in README.md. Times are this machine's; compare ratios within one report, not reports.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, sync_playwright

from bench.memory import renderer_bytes
from bench.script import CONVERSATIONS
from bench.table import write_table
from offhand_export.serve import serving
from tools.browser import require_browser

HERE = Path(__file__).parent
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip
LOAD_LIMIT = 300_000  # milliseconds
TURN_LIMIT = 120_000


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dist", type=Path, default=Path("dist"), help="the page to measure")
    parser.add_argument("--out", type=Path, default=HERE / "report.json")
    parser.add_argument("--memory", default="fp32", choices=("fp32", "int8"))
    parser.add_argument("--threads", type=int, nargs="*", default=[2, 1])
    options = parser.parse_args()
    manifest = json.loads((options.dist / "manifest.json").read_text("utf-8"))
    report: dict[str, Any] = {
        "date": date.today().isoformat(),
        "machine": {"cores": os.cpu_count(), "system": platform.platform(terse=True)},
        "versions": manifest["versions"],
        "model": manifest["model"]["name"],
        "memory": options.memory,
        "runs": [],
    }
    executable = require_browser()
    with serving(options.dist) as url:
        for threads in options.threads:
            print(f"measuring with {threads} thread(s)", flush=True)
            report["runs"].append(measure(executable, url, options.memory, threads, report))
    options.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    if options.out == HERE / "report.json":
        write_table(report, HERE / "README.md")
    print(f"wrote {options.out}")


def measure(
    executable: str, url: str, memory: str, threads: int, report: dict[str, Any]
) -> dict[str, Any]:
    """One browser with a fresh profile: cold load, conversations, warm load."""
    with tempfile.TemporaryDirectory() as profile, open_browser(executable, profile) as context:
        report["browser"] = browser_version(context)
        page = context.new_page()
        transfer = Transfer(page)
        address = f"{url}?memory={memory}&threads={threads}"
        cold = load(page, address)
        cold_bytes = transfer.take()
        loaded_memory = renderer_bytes(profile)
        turns = [turn for name in CONVERSATIONS for turn in converse(page, address, name)]
        after_memory = renderer_bytes(profile)
        transfer.take()
        warm = load(page, address)
        return {
            "threads": threads,
            "cold": {**cold, "bytes": cold_bytes},
            "warm": {**warm, "bytes": transfer.take()},
            "turns": turns,
            "summary": summary(turns),
            "renderer_bytes": {"loaded": loaded_memory, "after_turns": after_memory},
        }


@contextmanager
def open_browser(executable: str, profile: str) -> Iterator[BrowserContext]:
    """A headless Chromium with its own profile folder, so that its disk cache is real."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=executable,
            args=list(ARGUMENTS),
            headless=True,
            # Headless Chromium composites on the CPU: animations would take it from the model.
            reduced_motion="reduce",
        )
        try:
            yield context
        finally:
            context.close()


def browser_version(context: BrowserContext) -> str:
    """The browser's name and version."""
    session = context.new_cdp_session(context.pages[0])
    return str(session.send("Browser.getVersion")["product"]).replace("/", " ")


class Transfer:
    """Counts the bytes of response bodies that come over the network to a page and its workers."""

    def __init__(self, page: Page) -> None:
        self._requests: list[Any] = []
        page.on("requestfinished", lambda request: self._requests.append(request))

    def take(self) -> int:
        """Bytes since the last call; what a cache or the page's store held counts nothing."""
        requests, self._requests[:] = list(self._requests), []
        return sum(
            max(0, request.sizes()["responseBodySize"])
            for request in requests
            if (response := request.response()) and not response.from_service_worker
        )


def load(page: Page, address: str) -> dict[str, Any]:
    """Open the page and wait until it answers: milliseconds in all and by stage."""
    page.goto(address)
    page.wait_for_selector("html[data-state=ready]", timeout=LOAD_LIMIT)
    entries = page.evaluate(
        "performance.getEntriesByType('measure').map(({name, duration}) => [name, duration])"
    )
    stages = {name.removeprefix("offhand:"): round(duration) for name, duration in entries}
    total = page.evaluate("performance.getEntriesByName('offhand:load').at(-1)")
    return {"milliseconds": round(total["startTime"] + total["duration"]), "stages": stages}


def converse(page: Page, address: str, catalog: str) -> list[dict[str, Any]]:
    """Hold one scripted conversation; returns the record of each turn, with the page's own time."""
    page.goto(f"{address}&catalog={catalog}")
    page.wait_for_selector("html[data-state=ready]", timeout=LOAD_LIMIT)
    turns = []
    for number, text in enumerate(CONVERSATIONS[catalog], 1):
        page.get_by_role("textbox").fill(text)
        page.keyboard.press("Enter")
        card = page.locator("[data-call]").nth(number - 1)
        card.wait_for(timeout=TURN_LIMIT)
        record = json.loads(card.get_attribute("data-call") or "{}")
        seen = page.evaluate("performance.getEntriesByName('offhand:turn').at(-1).duration")
        turns.append(
            {
                "catalog": catalog,
                "text": text,
                "call": record["call"],
                "tokens": record["tokens"],
                "milliseconds": {**record["milliseconds"], "seen": seen},
            }
        )
    return turns


def summary(turns: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians and the 95th percentile of what a turn costs."""
    seen = sorted(turn["milliseconds"]["seen"] for turn in turns)
    run = [turn["tokens"]["run"] for turn in turns]
    return {
        "turns": len(turns),
        "p50": round(statistics.median(seen)),
        "p95": round(seen[min(len(seen) - 1, int(0.95 * len(seen)))]),
        "prefill_p50": round(statistics.median(t["milliseconds"]["prefill"] for t in turns)),
        "decode_p50": round(statistics.median(t["milliseconds"]["decode"] for t in turns)),
        "tokens_run_p50": round(statistics.median(run)),
    }


if __name__ == "__main__":
    main()
