/**
 * The agent's answer: its words, what can be clicked, what it has to show, and the call behind it.
 * Choices belong to the newest answer alone; when the next message comes they go.
 */

import { button, el } from "./dom.js";
import { callCard } from "./view-call.js";
import { dataBlock } from "./world-data.js";

/** @typedef {import("./protocol.js").Reply} Reply */
/** @typedef {import("./protocol.js").Choice} Choice */

const ASKING = new Set(["ask", "confirm", "clarify"]);
const KEYS = 9;
/** A label that a visitor would type digits for: an amount, a temperature, a card's last four. */
const NUMERIC = /^\$?\d|\d{4}$/;

/**
 * @param {Reply} reply
 * @param {(choice: Choice) => void} pick
 * @param {(() => void) | null} save the transcript, where it is to be offered
 * @returns {HTMLElement}
 */
export function replyCard(reply, pick, save) {
  const { kind, text, data, choices, turn, sure } = reply;
  return el(
    "div",
    { class: "reply", "data-kind": kind },
    el("p", { class: "reply-text" }, text),
    choices.length > 0 && choiceRow(reply, pick),
    save && button("Save the transcript", "save", save, "choice save"),
    data && data.kind !== "handover" && dataBlock(data),
    turn && callCard(turn, sure),
  );
}

/**
 * @param {Reply} reply
 * @param {(choice: Choice) => void} pick
 */
function choiceRow(reply, pick) {
  const row = el("div", { class: "choices", role: "group", "aria-label": "Answers" });
  reply.choices.forEach((choice, index) => {
    const node = el(
      "button",
      {
        type: "button",
        class: `choice ${choice.style}`,
        "data-choice": choice.id,
        "aria-keyshortcuts": keyOf(reply, index),
      },
      choice.label,
    );
    node.addEventListener("click", () => pick(choice));
    row.append(node);
  });
  return row;
}

/**
 * The digit that stands for a choice while the field is empty. There is none where a number may be
 * the answer itself, and none for what is dangerous: "150 instead" must not begin with a yes.
 *
 * @param {Reply} reply
 * @param {number} index
 */
function keyOf({ kind, choices }, index) {
  const taken = choices.some(({ label }) => NUMERIC.test(label));
  const safe = index < KEYS && choices[index]?.style !== "danger";
  return ASKING.has(kind) && safe && !taken ? String(index + 1) : null;
}

/**
 * Take away the choices of an answer that is no longer the newest.
 *
 * @param {HTMLElement} node
 */
export function closeChoices(node) {
  for (const row of node.querySelectorAll(".choices")) row.remove();
}
