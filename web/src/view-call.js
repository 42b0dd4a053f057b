/**
 * The card of one answered message: the call, how sure the model was, what it cost, and how each
 * choice was made.
 */

import { bar, el, icon } from "./dom.js";
import { duration, percent, plural, show } from "./format.js";

/** @typedef {import("./protocol.js").Turn} Turn */
/** @typedef {import("./protocol.js").Decision} Decision */

const SURE = 0.9;
const UNSURE = 0.6;
const WORTH_SHOWING = 0.001;
const LABELS = /** @type {Record<string, string>} */ ({ tool: "Function", slots: "Next" });

/**
 * @param {Turn} turn
 * @param {number | null} [sure] how likely the call is right, where that is known better than by
 *   the model's own probability
 * @returns {HTMLElement} with the whole record in data-call
 */
export function callCard(turn, sure) {
  const { call, confidence, milliseconds, tokens, truncated } = turn;
  return el(
    "article",
    { class: "call", "data-call": JSON.stringify(turn), "aria-label": `Call of ${call.name}` },
    el(
      "header",
      {},
      el("code", { class: "call-name" }, call.name),
      argumentList(call.arguments),
      confidenceMeter(sure ?? confidence),
    ),
    truncated &&
      el("p", { class: "quiet truncated" }, "A text reached its longest length and was cut."),
    el(
      "details",
      {},
      el(
        "summary",
        {},
        icon("chevron"),
        el(
          "span",
          { class: "call-cost" },
          `${duration(milliseconds.total)} · ${plural(tokens.run, "token")} run`,
        ),
        el("span", {}, " · details"),
      ),
      decisionTable(turn.decisions),
      costs(turn),
    ),
  );
}

/** @param {number} confidence */
function confidenceMeter(confidence) {
  const level = confidence >= SURE ? "high" : confidence >= UNSURE ? "middle" : "low";
  return el(
    "span",
    { class: "confidence", title: "How likely this call is right" },
    bar(confidence, level),
    el("span", {}, percent(confidence)),
    el("span", { class: "unseen" }, " confident"),
  );
}

/** @param {Record<string, unknown>} values */
function argumentList(values) {
  const entries = Object.entries(values);
  if (entries.length === 0) return el("p", { class: "quiet no-arguments" }, "No arguments");
  const chips = entries.map(([name, value]) => {
    return el(
      "div",
      { class: "chip" },
      el("dt", {}, name),
      el("dd", { "data-type": typeof value }, show(value)),
    );
  });
  return el("dl", { class: "arguments" }, ...chips);
}

/** @param {Decision[]} decisions */
function decisionTable(decisions) {
  return el("ol", { class: "decisions" }, ...decisions.map(decisionRow));
}

/** @param {Decision} decision */
function decisionRow({ slot, value, probability, outside, alternatives }) {
  const others = alternatives.filter(
    ([text, share]) => text !== show(value) && share >= WORTH_SHOWING,
  );
  return el(
    "li",
    {},
    el("span", { class: "slot" }, LABELS[slot] ?? slot),
    el("code", { class: "value" }, show(value)),
    bar(probability),
    el("span", { class: "number" }, percent(probability)),
    others.length > 0 && el("p", { class: "others" }, ...others.flatMap(alternative)),
    outside !== null &&
      outside >= WORTH_SHOWING &&
      el(
        "p",
        { class: "others" },
        `${percent(outside)} of the probability lay on what is not allowed here`,
      ),
  );
}

/** @param {[string, number]} option */
function alternative([text, probability]) {
  return [el("span", { class: "other" }, el("code", {}, text), ` ${percent(probability)}`), " "];
}

/** @param {Turn} turn */
function costs({ tokens, milliseconds }) {
  const { prepare, prefill, decode, total } = milliseconds;
  /** @type {[string, string, number][]} */
  const parts = [
    ["prepare", "Prompt in Python", prepare],
    ["prefill", "First pass", prefill],
    ["decode", "Later passes", decode],
  ];
  const split = el("span", { class: "split", "aria-hidden": "true" });
  for (const [kind, , value] of parts) {
    const piece = el("span", { class: kind });
    piece.style.flexGrow = String(total > 0 ? value / total : 0);
    split.append(piece);
  }
  const legend = parts.map(([kind, label, value]) =>
    el("div", { class: kind }, el("dt", {}, label), el("dd", {}, duration(value))),
  );
  return el(
    "div",
    { class: "costs" },
    split,
    el("dl", { class: "legend" }, ...legend),
    tokenList(tokens),
  );
}

/** @param {Turn["tokens"]} tokens */
function tokenList({ prompt, cached, prefilled, forced, decided }) {
  /** @type {[string, number][]} */
  const counts = [
    ["In the prompt", prompt],
    ["Cached", cached],
    ["Prefilled", prefilled],
    ["Forced", forced],
    ["Decided", decided],
  ];
  const items = counts.map(([label, count]) =>
    el("div", {}, el("dt", {}, label), el("dd", {}, count.toLocaleString("en"))),
  );
  return el("dl", { class: "counts", "aria-label": "Tokens" }, ...items);
}
