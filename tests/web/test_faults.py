"""What goes wrong is said, with what to do about it, and what was done is not lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route

from offhand.native import NativeModel
from offhand_export.serve import serving
from tests.web.driver import failure, is_valid, open_page, say, send, wait_ready


@pytest.fixture
def shard(dist_dir: Path) -> str:
    """The path of one of the model's last shards."""
    manifest = json.loads((dist_dir / "manifest.json").read_text("utf-8"))
    path: str = manifest["model"]["weights"]["shards"][-2]["path"]
    return path


def missing(route: Route) -> None:
    route.fulfill(status=404, body="")


def truncated(route: Route) -> None:
    route.fulfill(status=200, body=b"cut short")


def altered(route: Route) -> None:
    body = bytearray(route.fetch().body())
    body[1000] ^= 1
    route.fulfill(status=200, body=bytes(body))


@pytest.mark.parametrize(
    ("damage", "named"), [(missing, "404"), (truncated, "found 9"), (altered, "SHA-256")]
)
def test_a_damaged_shard_is_named_and_fetched_again_alone(
    context: BrowserContext, site: str, shard: str, damage: object, named: str
) -> None:
    """A message sent meanwhile waits; after a retry of what is missing it is answered."""
    context.route(f"**/{shard}", damage)  # type: ignore[arg-type]
    page = open_page(context, site, ready=False)
    send(page, "Turn off the kitchen lights")
    page.wait_for_selector("html[data-state=error]", timeout=240_000)
    told = failure(page)
    assert Path(shard).name in told
    assert named in told
    context.unroute(f"**/{shard}")
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.get_by_role("button", name="Retry").click()
    page.locator("[data-call]").first.wait_for(timeout=240_000)
    assert page.locator(".said").all_inner_texts() == ["Turn off the kitchen lights"]
    shards = [url for url in fetched if url.endswith(".bin")]
    assert any(url.endswith(shard) for url in shards)
    assert len(shards) <= 2  # that one, and at most one more that the failure had interrupted


NO_SIMD = "WebAssembly.validate = () => false;"
NO_MODULE_WORKERS = """
    window.Worker = class extends EventTarget { postMessage() {} terminate() {} };
"""


@pytest.mark.parametrize(("lack", "named"), [(NO_SIMD, "SIMD"), (NO_MODULE_WORKERS, "modules")])
def test_a_browser_that_lacks_something_is_told_before_any_download(
    context: BrowserContext, site: str, lack: str, named: str
) -> None:
    context.add_init_script(lack)
    fetched: list[str] = []
    context.on("request", lambda request: fetched.append(request.url))
    page = open_page(context, site, ready=False)
    page.wait_for_selector("html[data-state=error]")
    assert named in failure(page)
    assert "Chrome" in failure(page)
    assert not any("/model/" in url for url in fetched)


def test_an_unknown_catalog_in_the_address_is_named(context: BrowserContext, site: str) -> None:
    page = open_page(context, f"{site}?catalog=garden", ready=False)
    page.wait_for_selector("html[data-state=error]", timeout=240_000)
    assert "garden" in failure(page)
    assert "smart_home" in failure(page)


def facts(page: Page) -> str:
    return page.locator("#facts").text_content() or ""


def test_without_isolation_one_thread_answers(context: BrowserContext, dist_dir: Path) -> None:
    with serving(dist_dir, isolated=False) as url:
        page = open_page(context, url)
        assert page.evaluate("globalThis.crossOriginIsolated") is False
        assert "Threads1" in facts(page)
        assert say(page, "Lock the back door")["call"]["name"]
        page.close()


def test_int8_in_memory_answers_too(context: BrowserContext, site: str, model: NativeModel) -> None:
    """With valid calls; not the native ones, since int8 activations round by the kernel's order."""
    page = open_page(context, f"{site}?memory=int8")
    assert "int8" in facts(page)
    for text in ("Turn off the kitchen lights", "and unlock the front door"):
        assert is_valid(model, "smart_home", say(page, text)["call"])


def test_a_second_visit_fetches_no_model(context: BrowserContext, site: str) -> None:
    page = open_page(context, site)
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.reload()
    wait_ready(page)
    assert not [url for url in fetched if url.endswith((".bin", ".onnx"))]
