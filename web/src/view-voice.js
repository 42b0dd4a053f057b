/**
 * The microphone and the switch for answers read aloud. Both are hidden where the browser lacks
 * them and off until asked for. Before sound leaves the device for the first time the visitor is
 * told so, and says yes or no.
 */

import { byId, button, el, setText } from "./dom.js";
import { isOn, setOn } from "./prefs.js";
import { Listener, Speaker } from "./voice.js";

/** @typedef {import("./protocol.js").Reply} Reply */
/** @typedef {import("./view-composer.js").ComposerView} ComposerView */

const MAY_LEAVE =
  "Your browser's speech recognition may send sound to its maker; everything else stays on this device.";
const STAYS = "Your browser recognizes speech on this device; no sound leaves it.";

/** Talks and listens for the composer. */
export class VoiceView {
  /** @param {ComposerView} composer */
  constructor(composer) {
    this.composer = composer;
    this.microphone = /** @type {HTMLButtonElement} */ (byId("microphone"));
    this.speak = /** @type {HTMLButtonElement} */ (byId("speak"));
    /** What stood in the field before the visitor spoke. */
    this.draft = "";
    this.listener = new Listener({
      onText: (text) => composer.write([this.draft, text].filter(Boolean).join(" ")),
      onEnd: (text) => this.#ended(text),
      onProblem: (problem) => this.#tell(problem),
    });
    this.speaker = new Speaker({
      onVoices: () => this.#show(),
      onProblem: (problem) => this.#tell(problem),
    });
    this.speaking = isOn("speak");
    this.agreed = isOn("microphone");
    this.asking = false;
    this.microphone.addEventListener("click", () => void this.#press());
    this.speak.addEventListener("click", () => this.#switch());
    composer.field.addEventListener("input", () => this.hush());
    this.#ask();
    this.#show();
  }

  /** Whether the microphone is open. */
  get listening() {
    return this.listener.recognition !== null;
  }

  /**
   * Read new replies aloud, if that is wanted.
   *
   * @param {Reply[]} replies
   */
  read(replies) {
    if (this.speaking && !this.listening) for (const { text } of replies) this.speaker.say(text);
  }

  /** The visitor types, sends or picks: neither talk nor listen any longer. */
  hush() {
    this.speaker.stop();
    this.listener.cancel();
    this.#show();
  }

  /**
   * Forget what is being said and put back what stood in the field.
   *
   * @returns {boolean} whether there was anything to give up
   */
  cancel() {
    const { listening, asking } = this;
    this.asking = false;
    this.hush();
    if (listening) this.composer.write(this.draft);
    return listening || asking;
  }

  async #press() {
    if (this.listening) {
      this.listener.finish();
      return;
    }
    await this.listener.asked;
    if (this.agreed || this.listener.local) this.#listen();
    else this.asking = !this.asking;
    this.#show();
  }

  #listen() {
    this.speaker.stop();
    this.#tell("");
    this.draft = this.composer.field.value.trim();
    this.listener.start();
    this.#show();
  }

  /** @param {string} text */
  #ended(text) {
    this.#show();
    if (text) this.composer.submit();
  }

  #ask() {
    const answer = (/** @type {boolean} */ yes) => {
      this.asking = false;
      this.agreed = yes;
      setOn("microphone", yes);
      if (yes) this.#listen();
      this.#show();
      this.microphone.focus();
    };
    byId("voice-consent").replaceChildren(
      button("Use the microphone", "check", () => answer(true)),
      el("button", { type: "button", class: "plain" }, "Not now"),
    );
    byId("voice-consent").lastElementChild?.addEventListener("click", () => answer(false));
  }

  #switch() {
    this.speaking = !this.speaking;
    setOn("speak", this.speaking);
    if (!this.speaking) this.speaker.stop();
    this.#tell("");
    this.#show();
  }

  /** @param {string} problem empty where there is none */
  #tell(problem) {
    setText(byId("voice-problem"), problem);
  }

  #show() {
    const { listening, microphone, speak } = this;
    microphone.hidden = !this.listener.recognizer;
    microphone.setAttribute("aria-pressed", String(listening));
    speak.hidden = !this.speaker.voice();
    speak.setAttribute("aria-checked", String(this.speaking));
    byId("voice").hidden = !listening && !this.asking;
    byId("voice-consent").hidden = !this.asking;
    setText(byId("voice-note"), this.listener.local ? STAYS : MAY_LEAVE);
  }
}
