/**
 * What the calls act on, beside the conversation: a house, a bank, a file system. It shows; the
 * conversation tells. So nothing here is announced, and everything drawn is there in words as well.
 */

import { el, icon, setText } from "./dom.js";
import { BankView } from "./world-bank.js";
import { FilesView } from "./world-files.js";
import { HomeView } from "./world-home.js";
import { mark, reveal } from "./world-parts.js";

/** @typedef {import("./world-types.js").World} World */
/** @typedef {import("./world-types.js").TerminalData} TerminalData */

/**
 * @typedef {object} Shown one world's view; each takes only the world of its own catalog
 * @property {string} title
 * @property {HTMLElement} node
 * @property {(world: any) => string} summary
 * @property {(world: any, changed: readonly string[], terminal: readonly TerminalData[]) => void
 *   } update
 */

/** @type {Record<string, () => Shown>} by catalog */
const VIEWS = {
  smart_home: () => new HomeView(),
  banking: () => new BankView(),
  files: () => new FilesView(),
};
const WIDE = "(min-width: 60.01rem)";

/** Keeps the panel of the world equal to what it is given. */
export class WorldView {
  /** @param {HTMLElement} root empty; hidden while there is no world */
  constructor(root) {
    this.root = root;
    this.title = el("h2", { id: "world-title" });
    this.summary = el("span", { class: "world-summary quiet" });
    const chevron = icon("chevron");
    chevron.classList.add("chevron");
    this.head = el("summary", {}, this.title, this.summary, chevron);
    this.body = el("div", { class: "world-body" });
    this.panel = el("details", { class: "panel world-panel" }, this.head, this.body);
    /** @type {Map<string, Shown>} those that were needed, each with its own nodes */
    this.views = new Map();
    /** @type {{catalog: string, world: World, changed: readonly string[], count: number} | null} */
    this.shown = null;
    root.setAttribute("role", "region");
    root.setAttribute("aria-labelledby", this.title.id);
    root.replaceChildren(this.panel);
    root.hidden = true;
    this.#followWidth();
  }

  /**
   * @param {string} catalog name
   * @param {World | null} world nothing while there is none to show
   * @param {readonly string[]} changed by the answer that led to this world; a list that was given
   *   before is not marked again
   * @param {readonly TerminalData[]} terminal what ran in this conversation, oldest first
   */
  update(catalog, world, changed, terminal) {
    const view = this.#viewOf(catalog);
    this.root.hidden = !world || !view;
    if (!world || !view) return;
    const before = this.shown?.catalog === catalog ? this.shown : null;
    const count = terminal.length;
    if (before?.world === world && before.changed === changed && before.count === count) return;
    const fresh = before?.changed === changed ? [] : changed;
    this.shown = { catalog, world, changed, count };
    if (this.body.firstElementChild !== view.node) this.body.replaceChildren(view.node);
    this.panel.dataset["catalog"] = catalog;
    setText(this.title, view.title);
    setText(this.summary, view.summary(world));
    view.update(world, fresh, terminal);
    if (before) this.#mark(fresh);
  }

  /** @param {string} catalog */
  #viewOf(catalog) {
    const known = this.views.get(catalog);
    if (known || !Object.hasOwn(VIEWS, catalog)) return known;
    const view = VIEWS[catalog]?.();
    if (view) this.views.set(catalog, view);
    return view;
  }

  /** @param {readonly string[]} changed */
  #mark(changed) {
    if (changed.length === 0) return;
    const parts = new Set(changed);
    /** @type {NodeListOf<HTMLElement | SVGElement>} */
    const nodes = this.body.querySelectorAll("[data-part]");
    const found = Array.from(nodes).filter(({ dataset }) => parts.has(dataset["part"] ?? ""));
    found.forEach(mark);
    mark(this.head);
    const [first] = found;
    const frame = this.root.closest(".side");
    if (first && frame && frame.scrollHeight > frame.clientHeight) reveal(frame, first);
  }

  /** Open beside the conversation, folded to its summary above it; either way it can be changed. */
  #followWidth() {
    const wide = window.matchMedia(WIDE);
    this.panel.open = wide.matches;
    wide.addEventListener("change", () => (this.panel.open = wide.matches));
  }
}
