/** The field to type in. It can always be typed in; what is sent too early waits, and says so. */

import { byId, setText } from "./dom.js";
import { current } from "./state.js";

/** @typedef {import("./state.js").State} State */

const HINTS = {
  loading: "Messages wait until the model is ready",
  ready: "Enter sends, Shift+Enter breaks the line",
  busy: "Enter sends, Shift+Enter breaks the line",
  error: "Messages wait until the model runs",
};

/** Reads messages and hands them on. */
export class ComposerView {
  /** @param {{say: (text: string) => void, renew: () => void}} actions */
  constructor({ say, renew }) {
    this.say = say;
    this.field = /** @type {HTMLTextAreaElement} */ (byId("message"));
    this.send = /** @type {HTMLButtonElement} */ (byId("send"));
    this.renew = /** @type {HTMLButtonElement} */ (byId("renew"));
    this.field.addEventListener("input", () => this.#fit());
    window.addEventListener("resize", () => this.#fit());
    this.field.addEventListener("keydown", (event) => this.#key(event));
    byId("composer").addEventListener("submit", (event) => this.#submit(event));
    this.renew.addEventListener("click", () => {
      renew();
      this.rest();
    });
    this.#fit();
  }

  /** @param {State} state */
  update(state) {
    setText(byId("hint"), HINTS[state.phase]);
    byId("hint").dataset["phase"] = state.phase;
    this.renew.disabled = current(state).messages.length === 0;
  }

  /** Take the focus a button had that is about to go, unless that would raise a touch keyboard. */
  rest() {
    if (window.matchMedia("(hover: hover)").matches) this.field.focus({ preventScroll: true });
  }

  /**
   * Put a text back to be edited; what was being typed stays below it.
   *
   * @param {string} text
   */
  put(text) {
    this.field.value = [text, this.field.value].filter(Boolean).join("\n");
    this.field.focus();
    this.#fit();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    this.#submit(event);
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    const text = this.field.value.trim();
    if (!text) return;
    this.field.value = "";
    this.#fit();
    this.field.focus();
    this.say(text);
  }

  #fit() {
    this.field.style.blockSize = "auto";
    this.field.style.blockSize = `${this.field.scrollHeight}px`;
    this.send.disabled = this.field.value.trim() === "";
  }
}
