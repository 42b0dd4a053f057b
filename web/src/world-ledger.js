/** The ledger of an account, and money as it is written. */

import { el, setText } from "./dom.js";
import { mark, Parts } from "./world-parts.js";

/** @typedef {import("./world-types.js").Account} Account */
/** @typedef {import("./world-types.js").Entry} Entry */

/** The latest entries of one account. */
export class LedgerView {
  constructor() {
    this.caption = el("caption");
    this.balance = el("th", { scope: "col", class: "amount" });
    const body = el("tbody");
    this.rows = new Parts(body, entryKey, entryPart);
    this.node = el(
      "table",
      { class: "ledger" },
      this.caption,
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          el("th", { scope: "col" }, "Date"),
          el("th", { scope: "col" }, "Entry"),
          el("th", { scope: "col", class: "amount" }, "Amount"),
          this.balance,
        ),
      ),
      body,
    );
  }

  /**
   * @param {Account} account
   * @param {Account | undefined} before
   */
  update({ label, owed, ledger }, before) {
    setText(this.caption, `${label}, latest entries`);
    setText(this.balance, owed ? "Owed" : "Balance");
    this.rows.update(ledger);
    if (!before) return;
    const known = new Set(before.ledger.map(entryKey));
    for (const [key, { node }] of this.rows.parts) if (!known.has(key)) mark(node);
  }
}

/** @param {Entry} entry */
function entryKey({ when, what, amount, balance }) {
  return [when, what, amount, balance].join("|");
}

/** @param {Entry} entry */
function entryPart({ when, what, amount, balance }) {
  const node = el(
    "tr",
    {},
    el("td", { class: "quiet" }, when),
    el("td", {}, what),
    el("td", { class: "amount" }, signed(amount)),
    el("td", { class: "amount quiet" }, dollars(balance)),
  );
  return { node, update: () => undefined };
}

/** @param {string} amount "2,431.18" or "-54.20" */
export function dollars(amount) {
  return amount.startsWith("-") ? `−$${amount.slice(1)}` : `$${amount}`;
}

/** @param {string} amount */
function signed(amount) {
  return amount.startsWith("-") ? dollars(amount) : `+${dollars(amount.replace("+", ""))}`;
}
