/** What an answer has to show besides words: a table, facts, or what a terminal printed. */

import { el } from "./dom.js";

/** @typedef {import("./world-types.js").Data} Data */
/** @typedef {import("./world-types.js").TableData} TableData */
/** @typedef {import("./world-types.js").FactsData} FactsData */
/** @typedef {import("./world-types.js").TerminalData} TerminalData */

const NUMBER = /^[-+−]?\$?[\d,]+(?:\.\d+)?%?$/;
const SHORT = 10; // characters

/**
 * @param {Data} data
 * @returns {HTMLElement}
 */
export function dataBlock(data) {
  if (data.kind === "table") return tableBlock(data);
  return data.kind === "facts" ? factsBlock(data) : terminalBlock(data);
}

/** @param {TableData} data */
function tableBlock({ title, columns, rows }) {
  const kinds = columns.map((_, column) => kindOf(rows.map((row) => row[column] ?? "")));
  const head = columns.map((text, column) =>
    el("th", { scope: "col", class: kinds[column] }, text),
  );
  const body = rows.map((row) =>
    el("tr", {}, ...row.map((text, column) => el("td", { class: kinds[column] }, text))),
  );
  return scroller(
    title,
    "data-scroll",
    el(
      "table",
      { class: "data-table" },
      el("caption", {}, title),
      el("thead", {}, el("tr", {}, ...head)),
      el("tbody", {}, ...body),
    ),
  );
}

/**
 * @param {string[]} cells of a column
 * @returns {string | null} class
 */
function kindOf(cells) {
  if (cells.some((text) => text !== "") && cells.every((text) => text === "" || NUMBER.test(text)))
    return "amount";
  return cells.every((text) => text.length <= SHORT) ? "short" : null;
}

/** @param {FactsData} data */
function factsBlock({ rows }) {
  const items = rows.map(([name, value]) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, value)),
  );
  return el("dl", { class: "data-facts" }, ...items);
}

/** @param {TerminalData} data */
function terminalBlock(data) {
  return scroller("Terminal", "terminal", terminalEntry(data));
}

/**
 * A part that scrolls in itself, and so must be within reach of the keyboard.
 *
 * @param {string} label
 * @param {string} kind class
 * @param {...HTMLElement} children
 */
export function scroller(label, kind, ...children) {
  return el(
    "div",
    { class: kind, role: "group", tabindex: "0", "aria-label": label },
    ...children,
  );
}

/** @param {TerminalData} data */
export function terminalEntry({ command, output, error }) {
  return el(
    "div",
    { class: "terminal-entry", "data-error": error },
    el(
      "p",
      { class: "terminal-command" },
      el("span", { class: "prompt", "aria-hidden": "true" }, "$ "),
      command,
    ),
    output !== "" &&
      el(
        "pre",
        { class: "terminal-output" },
        error && el("span", { class: "terminal-error" }, "Error: "),
        output,
      ),
  );
}
