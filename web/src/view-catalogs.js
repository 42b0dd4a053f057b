/** The choice of tools, and what to say first with those chosen. */

import { byId, el, setText } from "./dom.js";
import { plural } from "./format.js";
import { current } from "./state.js";
import { failureCard } from "./view-failure.js";

/** @typedef {import("./protocol.js").CatalogInfo} CatalogInfo */
/** @typedef {import("./state.js").State} State */

/**
 * @typedef {object} CatalogActions
 * @property {(name: string) => void} choose
 * @property {(text: string) => void} say
 */

/** Keeps the radio buttons and the suggestions equal to the state. */
export class CatalogView {
  /** @param {CatalogActions} actions */
  constructor(actions) {
    this.actions = actions;
    /** @type {CatalogInfo[] | null} */
    this.catalogs = null;
    /** @type {string | null} */
    this.suggested = null;
    /** @type {unknown} */
    this.failure = null;
  }

  /** @param {State} state */
  update(state) {
    const { catalog, messages } = current(state);
    if (state.catalogs !== this.catalogs) this.#list(state.catalogs);
    for (const input of byId("catalogs").querySelectorAll("input"))
      input.checked = input.value === catalog;
    if (this.suggested !== catalog)
      this.#suggest(state.catalogs.find(({ name }) => name === catalog));
    byId("welcome").hidden = messages.length > 0;
    if (state.catalogFailure !== this.failure) this.#showFailure(state);
  }

  /** @param {CatalogInfo[]} catalogs */
  #list(catalogs) {
    this.catalogs = catalogs;
    const cards = catalogs.map((catalog) => this.#card(catalog));
    const hold = [1, 2].map(() => el("div", { class: "catalog empty" }));
    byId("catalogs").replaceChildren(...(cards.length > 0 ? cards : hold));
  }

  /** @param {CatalogInfo} catalog */
  #card({ name, title, description, tools }) {
    const input = el("input", { type: "radio", name: "catalog", value: name });
    input.addEventListener("change", () => this.actions.choose(name));
    return el(
      "label",
      { class: "catalog", title: tools.join(", ") },
      input,
      el("span", { class: "catalog-title" }, title),
      el("span", { class: "catalog-count quiet" }, plural(tools.length, "function")),
      el("span", { class: "catalog-text quiet" }, description),
    );
  }

  /** @param {CatalogInfo | undefined} catalog */
  #suggest(catalog) {
    if (!catalog) {
      setText(
        byId("welcome-text"),
        "You can type already: a message waits until the model is ready.",
      );
      return;
    }
    this.suggested = catalog.name;
    setText(byId("welcome-text"), catalog.description);
    const items = catalog.examples.map((text) => {
      const node = el("button", { type: "button" }, text);
      node.addEventListener("click", () => this.actions.say(text));
      return el("li", {}, node);
    });
    byId("examples").replaceChildren(...items);
  }

  /** @param {State} state */
  #showFailure({ catalogFailure }) {
    this.failure = catalogFailure;
    byId("catalog-failure").replaceChildren(
      ...(catalogFailure ? [failureCard(catalogFailure)] : []),
    );
  }
}
