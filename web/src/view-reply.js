/**
 * The agent's answer: its words, what it has to show, what can be clicked, and the call behind it.
 * Choices belong to the newest answer alone; when the next message comes they go.
 */

import { el } from "./dom.js";
import { callCard } from "./view-call.js";
import { dataBlock } from "./world-data.js";

/** @typedef {import("./protocol.js").Reply} Reply */
/** @typedef {import("./protocol.js").Choice} Choice */

/**
 * @param {Reply} reply
 * @param {(choice: Choice) => void} pick
 * @returns {HTMLElement}
 */
export function replyCard(reply, pick) {
  const { kind, text, data, choices, turn } = reply;
  return el(
    "div",
    { class: "reply", "data-kind": kind },
    el("p", { class: "reply-text" }, text),
    data && data.kind !== "handover" && dataBlock(data),
    choices.length > 0 && choiceRow(choices, pick),
    turn && callCard(turn),
  );
}

/**
 * @param {Choice[]} choices
 * @param {(choice: Choice) => void} pick
 */
function choiceRow(choices, pick) {
  const row = el("div", { class: "choices", role: "group", "aria-label": "Answers" });
  for (const choice of choices) {
    const node = el(
      "button",
      { type: "button", class: `choice ${choice.style}`, "data-choice": choice.id },
      choice.label,
    );
    node.addEventListener("click", () => pick(choice));
    row.append(node);
  }
  return row;
}

/**
 * Take away the choices of an answer that is no longer the newest.
 *
 * @param {HTMLElement} node
 */
export function closeChoices(node) {
  for (const row of node.querySelectorAll(".choices")) row.remove();
}
