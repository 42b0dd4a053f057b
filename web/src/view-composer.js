/** The field to type in. It can always be typed in; what is sent too early waits, and says so. */

import { byId, setText } from "./dom.js";
import { hasModifier } from "./keys.js";
import { current } from "./state.js";
import { transcriptLine } from "./transcript.js";

/** @typedef {import("./state.js").State} State */

const HINTS = {
  loading: "Messages wait until the model is ready",
  ready: "Enter sends, Shift+Enter breaks the line",
  busy: "Enter sends, Shift+Enter breaks the line",
  error: "Messages wait until the model runs",
};
const MORE = {
  loading: "",
  ready: ", Up brings back the last message, / leads here from anywhere",
  busy: ", Escape stops",
  error: "",
};
const DIGIT = /^[1-9]$/;

/**
 * @typedef {object} ComposerActions
 * @property {(text: string) => void} say
 * @property {() => void} renew
 * @property {() => void} save the conversation as a file
 * @property {(key: string) => boolean} pickByKey take the choice that this digit stands for; false
 *   if there is none
 */

/** Reads messages and hands them on. */
export class ComposerView {
  /** @param {ComposerActions} actions */
  constructor({ say, renew, save, pickByKey }) {
    this.say = say;
    this.pickByKey = pickByKey;
    /** What was typed last; empty before. */
    this.last = "";
    this.field = /** @type {HTMLTextAreaElement} */ (byId("message"));
    this.send = /** @type {HTMLButtonElement} */ (byId("send"));
    this.renew = /** @type {HTMLButtonElement} */ (byId("renew"));
    this.save = /** @type {HTMLButtonElement} */ (byId("save"));
    this.field.addEventListener("input", () => this.#fit());
    window.addEventListener("resize", () => this.#fit());
    new ResizeObserver(tellHeight).observe(byId("composer"));
    this.field.addEventListener("keydown", (event) => this.#key(event));
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.save.addEventListener("click", save);
    this.renew.addEventListener("click", () => {
      renew();
      this.rest();
    });
    this.#fit();
  }

  /** @param {State} state */
  update(state) {
    const { catalog, messages } = current(state);
    const said = state.conversations.flatMap((conversation) => conversation.messages);
    this.last = said.findLast(({ choice }) => choice === "")?.text ?? "";
    setText(byId("hint-main"), HINTS[state.phase]);
    setText(byId("hint-more"), MORE[state.phase]);
    byId("hint").dataset["phase"] = state.phase;
    this.renew.disabled = messages.length === 0;
    this.save.disabled = !transcriptLine(state.standing[catalog]?.saved.messages ?? []);
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
    this.write([text, this.field.value].filter(Boolean).join("\n"));
    this.field.focus();
  }

  /**
   * Put a text in place of what is in the field.
   *
   * @param {string} text
   */
  write(text) {
    this.field.value = text;
    this.#fit();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing || event.shiftKey || hasModifier(event)) return;
    if (event.key === "Enter") this.submit();
    else if (this.field.value !== "" || !this.#shortcut(event.key)) return;
    event.preventDefault();
  }

  /**
   * What a key does in the empty field.
   *
   * @param {string} key
   * @returns {boolean} whether it does anything
   */
  #shortcut(key) {
    if (key === "ArrowUp" && this.last) {
      this.write(this.last);
      return true;
    }
    return DIGIT.test(key) && this.pickByKey(key);
  }

  /** Send what is in the field, if it is anything. */
  submit() {
    const text = this.field.value.trim();
    if (!text) return;
    this.write("");
    this.field.focus();
    this.say(text);
  }

  #fit() {
    this.field.style.blockSize = "auto";
    this.field.style.blockSize = `${this.field.scrollHeight}px`;
    this.send.disabled = this.field.value.trim() === "";
  }
}

/** Tell the style sheets how much of the page the composer takes up. */
function tellHeight() {
  const { style } = document.documentElement;
  style.setProperty("--composer", `${byId("composer").offsetHeight}px`);
}
