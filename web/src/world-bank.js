/** The bank: accounts and the ledger of one, cards, and what is under way. */

import { el, setText } from "./dom.js";
import { dollars, LedgerView } from "./world-ledger.js";
import { glyph, Parts, setGlyph, words } from "./world-parts.js";

/** @typedef {import("./world-types.js").BankWorld} BankWorld */
/** @typedef {import("./world-types.js").Account} Account */
/** @typedef {import("./world-types.js").Card} Card */
/** @typedef {import("./world-types.js").CardStatus} CardStatus */
/** @typedef {import("./world-types.js").Case} Case */
/** @typedef {import("./world-types.js").Bill} Bill */

/** @type {Record<CardStatus, import("./world-parts.js").Glyph>} */
const SYMBOLS = {
  active: "active",
  "not activated": "waiting",
  blocked: "blocked",
  cancelled: "cancelled",
  ordered: "ordered",
};

/** Shows a customer's bank. */
export class BankView {
  constructor() {
    this.title = "Bank";
    this.chosen = "";
    /** @type {BankWorld | null} */
    this.world = null;
    const accounts = el("fieldset", { class: "accounts", "aria-label": "Accounts" });
    this.accounts = new Parts(accounts, ({ name }) => name, this.#account.bind(this));
    this.ledger = new LedgerView();
    this.queue = el("p", { class: "queue", "data-part": "queue" });
    this.cards = section("Cards", "cards", ({ last_four }) => last_four, cardPart);
    this.cases = section("Reported charges", "entries", ({ id }) => id, casePart);
    this.bills = section("Paid just now", "entries", billKey, billPart);
    this.node = el(
      "div",
      { class: "bank" },
      this.queue,
      el("div", {}, el("h3", { class: "unseen" }, "Accounts"), accounts, this.ledger.node),
      this.cards.node,
      this.cases.node,
      this.bills.node,
    );
  }

  /** @param {BankWorld} world */
  summary({ accounts, queue }) {
    const balances = accounts.map(({ label, balance }) => `${label} ${dollars(balance)}`);
    return [...(queue ? [`in line for ${queue.department}`] : []), ...balances].join(", ");
  }

  /**
   * @param {BankWorld} world
   * @param {readonly string[]} changed
   */
  update(world, changed) {
    const before = this.world;
    this.world = world;
    this.chosen = choice(world, changed, this.chosen);
    this.queue.hidden = world.queue === null;
    if (world.queue) this.queue.replaceChildren(...queueText(world.queue));
    this.accounts.update(world.accounts);
    this.cards.update(world.cards);
    this.cases.update(world.cases);
    this.bills.update(world.bills);
    this.#showLedger(before);
  }

  /** @param {BankWorld | null} before to compare with, so as to mark what is new */
  #showLedger(before) {
    const account = accountOf(this.world, this.chosen);
    if (account) this.ledger.update(account, accountOf(before, this.chosen));
  }

  /** @param {Account} account */
  #account({ name }) {
    const input = el("input", { type: "radio", name: "account", value: name });
    input.addEventListener("change", () => {
      this.chosen = name;
      this.#showLedger(this.world);
    });
    const label = el("span", { class: "account-name" });
    const number = el("span", { class: "account-number quiet" });
    const balance = el("span", { class: "account-balance" });
    const owed = el("span", { class: "account-owed quiet" }, "owed");
    const node = el(
      "label",
      { class: "account", "data-part": `account.${name}` },
      input,
      label,
      " ",
      number,
      " ",
      owed,
      " ",
      balance,
    );
    return {
      node,
      /** @param {Account} account */
      update: (account) => {
        input.checked = name === this.chosen;
        setText(label, account.label);
        setText(number, account.number);
        setText(balance, dollars(account.balance));
        owed.hidden = !account.owed;
      },
    };
  }
}

/**
 * @param {BankWorld | null} world
 * @param {string} name
 */
function accountOf(world, name) {
  return world?.accounts.find((account) => account.name === name);
}

/**
 * The account to show: the chosen one, unless only others have changed.
 *
 * @param {BankWorld} world
 * @param {readonly string[]} changed
 * @param {string} chosen
 */
function choice({ accounts }, changed, chosen) {
  const moved = accounts.filter(({ name }) => changed.includes(`account.${name}`));
  const candidates = moved.length > 0 ? moved : accounts;
  const kept = candidates.find(({ name }) => name === chosen) ?? candidates[0];
  return kept?.name ?? "";
}

/**
 * A titled list that is there only while it has something to show.
 *
 * @template Item
 * @param {string} title
 * @param {string} kind class
 * @param {(item: Item) => string} keyOf
 * @param {(item: Item) => {node: HTMLElement, update: (item: Item) => void}} make
 */
function section(title, kind, keyOf, make) {
  const list = el("ul", { class: kind });
  const node = el("div", {}, el("h3", {}, title), list);
  const parts = new Parts(list, keyOf, make);
  return {
    node,
    /** @param {readonly Item[]} items */
    update: (items) => {
      node.hidden = items.length === 0;
      parts.update(items);
    },
  };
}

/** @param {Card} card */
function cardPart({ type, last_four }) {
  const symbol = glyph("active");
  const status = el("span");
  const note = el("span", { class: "card-note quiet" });
  const face = el(
    "div",
    { class: "card-face" },
    el("span", { class: "card-type" }, words(type)),
    el("span", { class: "card-chip", "aria-hidden": "true" }),
    el(
      "span",
      { class: "card-number" },
      el("span", { "aria-hidden": "true" }, "•••• "),
      el("span", { class: "unseen" }, " ending in "),
      last_four,
    ),
  );
  const node = el(
    "li",
    { class: "card", "data-type": type, "data-part": `card.${last_four}` },
    face,
    el("span", { class: "card-status" }, symbol, status),
    note,
  );
  return {
    node,
    /** @param {Card} card */
    update: (card) => {
      node.dataset["status"] = card.status;
      setGlyph(symbol, SYMBOLS[card.status]);
      setText(status, words(card.status));
      setText(note, card.note);
    },
  };
}

/** @param {Case} item */
function casePart({ id, card, amount }) {
  const what = el("span", { class: "entry-note quiet" });
  const node = el(
    "li",
    { "data-part": `case.${id}` },
    glyph("flag"),
    el("span", {}, `${id}, card ${card}`),
    el("span", { class: "amount" }, dollars(amount)),
    what,
  );
  return { node, update: (/** @type {Case} */ item) => setText(what, item.what) };
}

/** @param {Bill} bill */
function billKey({ payee, amount }) {
  return `${payee}|${amount}`;
}

/** @param {Bill} bill */
function billPart({ payee, amount }) {
  const node = el(
    "li",
    { "data-part": "bill" },
    glyph("active"),
    el("span", {}, payee),
    el("span", { class: "amount" }, dollars(amount)),
  );
  return { node, update: () => undefined };
}

/** @param {{department: string, text: string}} queue */
function queueText({ department, text }) {
  const said = el("span", {}, el("strong", {}, `In line for ${department}.`), " ", text);
  return [glyph("person"), said];
}
