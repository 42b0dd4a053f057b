"""Speech and keys around the composer, with a microphone and a voice that the test plays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.driver import choose, open_page, say, wait_ready

SPEECH = """
window.heard = [];
window.spoken = [];
window.SpeechRecognition = class {
  static available = async () => localStorage.getItem("test:speech") ?? "unavailable";
  constructor() { heard.push(this); }
  start() { this.started = true; }
  stop() { this.onend(); }
  abort() { this.aborted = true; }
  hear(transcript, isFinal) {
    this.onresult({ results: [Object.assign([{ transcript }], { isFinal })] });
    if (isFinal) this.onend();
  }
  fail(error) { this.onerror({ error }); this.onend(); }
};
const voices = [
  { name: "remote", lang: "en-US", localService: false, default: true },
  { name: "local", lang: "en-GB", localService: true, default: false },
];
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
Object.defineProperty(window, "speechSynthesis", { value: {
  getVoices: () => voices,
  addEventListener: () => {},
  speak: ({ text, voice }) => spoken.push([text, voice.name]),
  cancel: () => spoken.push("silence"),
} });
"""
LAST = "window.heard.at(-1)"


@pytest.fixture(scope="module")
def page(browser: Browser, site: str) -> Iterator[Page]:
    context = browser.new_context()
    context.add_init_script(SPEECH)
    yield open_page(context, site)
    context.close()


@pytest.fixture
def listening(page: Page) -> Page:
    """The page, agreed to and listening, with an empty field."""
    choose(page, "smart_home")
    page.locator("#message").fill("")
    page.locator("#microphone").click()
    if page.locator("#voice-consent").is_visible():
        page.get_by_role("button", name="Use the microphone").click()
    expect(page.locator("#microphone")).to_have_attribute("aria-pressed", "true")
    return page


def test_no_sound_is_taken_before_the_visitor_agrees(page: Page) -> None:
    page.locator("#microphone").click()
    expect(page.locator("#voice-note")).to_contain_text("may send sound to its maker")
    assert page.evaluate("heard.length") == 0
    page.keyboard.press("Escape")
    expect(page.locator("#voice")).to_be_hidden()
    assert page.evaluate("heard.length") == 0


def test_what_is_said_is_sent_when_it_is_final(listening: Page) -> None:
    listening.evaluate(f"{LAST}.hear('turn on', false)")
    expect(listening.locator("#message")).to_have_value("turn on")
    listening.evaluate(f"{LAST}.hear('turn on the office lights', true)")
    expect(listening.locator(".said").last).to_have_text("turn on the office lights")
    expect(listening.locator("#message")).to_have_value("")
    wait_ready(listening)


@pytest.mark.parametrize("give_up", ["Escape", "x"])
def test_a_key_closes_the_microphone(listening: Page, give_up: str) -> None:
    said = listening.locator(".said").count()
    listening.locator("#message").press(give_up)
    assert listening.evaluate(f"{LAST}.aborted")
    expect(listening.locator("#microphone")).to_have_attribute("aria-pressed", "false")
    assert listening.locator(".said").count() == said


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("not-allowed", "not allowed"),
        ("no-speech", "Nothing was heard"),
        ("network", "could not be reached"),
        ("bad-grammar", "bad-grammar"),
    ],
)
def test_what_went_wrong_is_said(listening: Page, error: str, told: str) -> None:
    listening.evaluate(f"error => {LAST}.fail(error)", error)
    expect(listening.locator("#voice-problem")).to_contain_text(told)
    expect(listening.locator("#microphone")).to_have_attribute("aria-pressed", "false")


def test_new_answers_are_read_by_a_voice_of_this_device(page: Page) -> None:
    choose(page, "smart_home")
    say(page, "Turn on the office lights")
    assert not [entry for entry in page.evaluate("spoken") if entry != "silence"]
    page.get_by_role("switch", name="Speak answers").click()
    say(page, "Turn off the office lights")
    text = page.locator(".reply-text").last.inner_text()
    assert page.evaluate("spoken.at(-1)") == [text, "local"]
    page.locator("#message").press("a")
    assert page.evaluate("spoken.at(-1)") == "silence"
    page.locator("#message").fill("")
    page.get_by_role("switch", name="Speak answers").click()


def test_a_reply_is_announced_without_its_call(page: Page) -> None:
    choose(page, "smart_home")
    record = say(page, "Turn on the office lights")
    announced = page.locator("#announcer")
    text = page.locator(".reply-text").last.inner_text()
    expect(announced).to_contain_text(text)
    assert record["call"]["name"] not in announced.inner_text()
    labels = page.locator(".reply").last.locator(".choice").all_inner_texts()
    assert all(label in announced.inner_text() for label in labels)
    assert page.locator("#log").get_attribute("aria-live") == "off"


def test_keys_of_the_field(page: Page) -> None:
    """Up brings back what was said, but never over what is typed; "/" leads to the field."""
    choose(page, "smart_home")
    say(page, "Turn on the office lights")
    field = page.locator("#message")
    field.press("ArrowUp")
    expect(field).to_have_value("Turn on the office lights")
    field.fill("x")
    field.press("ArrowUp")
    expect(field).to_have_value("x")
    field.fill("")
    field.evaluate("field => field.blur()")
    page.keyboard.press("/")
    expect(field).to_be_focused()
    expect(field).to_have_value("")
