"""The page for everyone: what axe-core finds, the keyboard alone, little motion, any width."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.web.driver import TURN_LIMIT, choose, send, wait_ready

Scheme = Literal["light", "dark"]
Motion = Literal["reduce", "no-preference"]

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
HEIGHT = 780  # CSS pixels
WIDTHS = (360, 768, 1000, 1280, 1600)
STOPS = 200  # more than any page has

# What is said ("> " before a choice that is picked), and what must be shown then. The last answer
# keeps its choices.
CONFIRMS = "[data-kind=confirm] .choice.danger"
REFUSES = "[data-kind=refused] .reply-text"
TALKS = {
    "smart_home": (
        ("What is the status of the house?", ".data-facts"),
        ("x" * 10_000, ".failure"),
        ("Order me a pizza", "[data-kind=unclear] .reply-text"),
        ("talk to a person", "[data-kind=handover] .save"),
        ("Unlock the front door", CONFIRMS),
    ),
    "banking": (
        ("Show me my checking statement", "[data-kind=ask] .choice"),
        ("> Last month", ".data-table"),
        ("Transfer $9,000 from checking to savings", REFUSES),
        ("Transfer $200 from savings to checking", CONFIRMS),
    ),
    "files": (
        ("What is in here?", ".terminal"),
        ("Show me missing.txt", REFUSES),
        ("Delete draft.txt", CONFIRMS),
    ),
}
RUN_AXE = """async levels => {
    const found = await axe.run({
        runOnly: { type: "tag", values: levels },
        rules: { "target-size": { enabled: true } },
        resultTypes: ["violations"],
    });
    return found.violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) =>
        `${id}: ${target.join(" ")}\\n${failureSummary}`));
}"""
OPEN_ALL = "() => { for (const node of document.querySelectorAll('details')) node.open = true; }"

# Everything that Tab has to reach, by its place in the document; of radio buttons the chosen one.
REACHABLE = """() => {
    const every = [...document.querySelectorAll("*")];
    const kinds = "a[href], button, input:not([type=file]), textarea, summary, [tabindex='0']";
    const counts = node => node.matches(kinds) && !node.disabled && node.checkVisibility()
        && (node.type !== "radio" || node.checked);
    return every.flatMap((node, index) =>
        counts(node) ? [[index, node.outerHTML.slice(0, 90)]] : []);
}"""
# Where the focus is, whether an outline shows it, and whether anything lies over it.
FOCUS = """() => {
    const node = document.activeElement;
    const { left, top, right, bottom } = node.getBoundingClientRect();
    const [lowest, highest] = [Math.min(bottom, innerHeight), Math.max(top, 0)];
    const seen = document.elementFromPoint((left + right) / 2, (lowest + highest) / 2);
    let outlined = false;
    for (let at = node; at && at !== document.body; at = at.parentElement) {
        const { outlineStyle, outlineWidth } = getComputedStyle(at);
        outlined ||= outlineStyle !== "none" && parseFloat(outlineWidth) >= 1;
    }
    return {
        index: [...document.querySelectorAll("*")].indexOf(node),
        name: node.outerHTML.slice(0, 90),
        start: node === document.body || node.matches(".skip"),
        outlined,
        covered: !seen || !(node.contains(seen) || node.closest("label")?.contains(seen)),
    };
}"""
# Small things to touch: what a pointer must hit, measured as it is drawn.
SMALL = """([kinds, least]) => [...document.querySelectorAll(kinds)]
    .filter(node => node.checkVisibility())
    .map(node => [node.getBoundingClientRect(), node.outerHTML.slice(0, 90)])
    .filter(([{ width, height }]) => Math.min(width, height) < least)
    .map(([{ width, height }, name]) => `${width} x ${height}: ${name}`)"""
WATCH = """() => {
    window.moving = new Set();
    window.watch = setInterval(() => {
        for (const { playState, effect, animationName, transitionProperty } of
                document.getAnimations())
            if (playState === "running" && effect.getComputedTiming().duration > 10)
                moving.add(`${animationName ?? transitionProperty} of ${effect.target.className}`);
    }, 5);
}"""
WATCHED = "() => { clearInterval(watch); return [...moving]; }"


@pytest.fixture(scope="module", params=TALKS)
def talk(shared_page: Page, request: pytest.FixtureRequest) -> Page:
    """The page after a conversation of one catalog, shown with everything unfolded."""
    lay_out(shared_page, 1280)
    choose(shared_page, request.param)
    turns = shared_page.locator("#log > .conversation > .turn")
    for number, (text, shown) in enumerate(TALKS[request.param], start=1):
        if text.startswith("> "):
            shared_page.get_by_role("button", name=text[2:], exact=True).click()
        else:
            send(shared_page, text)
        expect(turns).to_have_count(number)
        expect(turns.last.locator(shown).first).to_be_visible(timeout=TURN_LIMIT)
        wait_ready(shared_page)
    expect(shared_page.locator("[data-changed]")).to_have_count(0)  # marks are colours in between
    return shared_page


def lay_out(page: Page, width: int, scheme: Scheme = "light") -> None:
    """Show the page at a width, everything on it unfolded."""
    page.set_viewport_size({"width": width, "height": HEIGHT})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.evaluate(OPEN_ALL)


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(talk: Page, scheme: Scheme, width: int) -> None:
    lay_out(talk, width, scheme)
    talk.evaluate(AXE.read_text(encoding="utf-8"))
    found = talk.evaluate(RUN_AXE, LEVELS)
    assert not found, "\n\n".join(found)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_width_scrolls_sideways(talk: Page, width: int) -> None:
    lay_out(talk, width)
    assert talk.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("kinds", "least"), [("button, summary, label", 24), (".choice", 40)])
def test_what_is_touched_is_large_enough(talk: Page, kinds: str, least: int) -> None:
    lay_out(talk, 360)
    small = talk.evaluate(SMALL, [f":is({kinds}):not(.unseen)", least])
    assert not small, "\n".join(small)


@pytest.mark.parametrize("width", [1280, 360])
def test_tab_reaches_everything_in_sight(talk: Page, width: int) -> None:
    """Every stop can be seen to have the focus, with nothing lying over it."""
    lay_out(talk, width)
    wanted = {index: name for index, name in talk.evaluate(REACHABLE)}
    assert talk.locator("#log > .conversation .choice").count() >= 2
    stops = walk(talk)
    reached = {at["index"] for at in stops}
    flaws = [f"not reached: {name}" for index, name in wanted.items() if index not in reached]
    flaws += [f"covered while it has the focus: {at['name']}" for at in stops if at["covered"]]
    flaws += [f"does not show the focus: {at['name']}" for at in stops if not at["outlined"]]
    assert not flaws, "\n".join(flaws)


def walk(page: Page) -> list[dict[str, Any]]:
    """Everything that Tab stops at, from the link that skips the rest on."""
    page.locator(".skip").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    stops = [page.evaluate(FOCUS)]
    assert stops[0]["start"]
    for _ in range(STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        if stop["start"]:
            return stops
        stops.append(stop)
    pytest.fail("Tab never comes back to the beginning of the page")


def test_the_first_link_skips_to_the_field(shared_page: Page) -> None:
    shared_page.locator(".skip").focus()
    shared_page.keyboard.press("Enter")
    expect(shared_page.locator("#message")).to_be_focused()


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
def test_motion_is_left_out_on_request(shared_page: Page, motion: Motion, moves: bool) -> None:
    """A question is answered by the keyboard alone, and something changes in the world."""
    shared_page.set_viewport_size({"width": 1280, "height": HEIGHT})
    choose(shared_page, "smart_home")
    shared_page.emulate_media(reduced_motion=motion)
    shared_page.evaluate(WATCH)
    send(shared_page, "Unlock the front door")
    shared_page.locator(CONFIRMS).wait_for()
    wait_ready(shared_page)
    pick(shared_page, "Yes")
    expect(shared_page.locator(".reply-text").last).to_have_text("Unlocked the front door.")
    moving = shared_page.evaluate(WATCHED)
    assert bool(moving) is moves, moving
    pick(shared_page, "Undo")
    expect(shared_page.locator(".reply-text").last).to_contain_text("Undone")


def pick(page: Page, label: str) -> None:
    """Go back from the field to a choice and take it; the field has the focus again then."""
    expect(page.locator("#message")).to_be_focused()
    choice = page.get_by_role("button", name=label, exact=True)
    for _ in range(STOPS):
        page.keyboard.press("Shift+Tab")
        if choice.evaluate("node => node === document.activeElement"):
            page.keyboard.press("Enter")
            expect(page.locator("#message")).to_be_focused()
            return
    pytest.fail(f"Shift+Tab never comes to {label!r}")


@pytest.mark.parametrize("width", [360, 1280])
def test_the_newest_answer_ends_above_the_composer(shared_page: Page, width: int) -> None:
    lay_out(shared_page, width)
    before = shared_page.locator(".reply").count()
    send(shared_page, "what can you do")
    expect(shared_page.locator(".reply")).to_have_count(before + 1)
    end, begin = shared_page.evaluate(
        """() => [".turn:last-child > .reply:last-child", "#composer"].map(kind =>
            [...document.querySelectorAll(kind)].at(-1).getBoundingClientRect())
            .map(({ top, bottom }, at) => (at === 0 ? bottom : top))"""
    )
    assert end <= begin
