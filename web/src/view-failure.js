/** A failure as the page shows it, wherever it happened: what is wrong, and what to do. */

import { el, icon } from "./dom.js";

/** @typedef {import("./protocol.js").Failure} Failure */

/**
 * @param {Failure} failure
 * @param {...Node} actions buttons and links
 */
export function failureCard({ kind, message, fix }, ...actions) {
  return el(
    "div",
    { class: "failure", role: "alert", "data-kind": kind },
    icon("alert"),
    el(
      "div",
      {},
      el("p", { class: "failure-message" }, message),
      fix && el("p", {}, fix),
      actions.length > 0 && el("div", { class: "actions" }, ...actions),
    ),
  );
}
