/**
 * The world beside the conversation: follows the current catalog; can be begun again, and where it
 * is files, saved and brought back.
 */

import { button, el } from "./dom.js";
import { current } from "./state.js";
import { WorldView } from "./view-world.js";

/** @typedef {import("./state.js").State} State */

/**
 * @typedef {object} WorldActions
 * @property {() => void} renew
 * @property {() => Promise<Uint8Array<ArrayBuffer> | null>} save the world as a file
 * @property {(bytes: Uint8Array) => void} bring put a file in the world's place
 */

const LARGEST = 4_000_000;

/** Keeps the world's view equal to the state. */
export class WorldPanel {
  /**
   * @param {HTMLElement} root
   * @param {WorldActions} actions
   */
  constructor(root, actions) {
    this.root = root;
    this.actions = actions;
    const mount = el("section", { class: "world-mount" });
    this.reset = button("Begin again", "retry", actions.renew);
    this.picker = el("input", { type: "file", accept: ".zip,application/zip", hidden: true });
    this.picker.addEventListener("change", () => void this.#bring());
    const bring = button("Open a zip", "new", () => this.picker.click());
    const save = button("Save as zip", "save", () => void this.#save());
    this.archive = el("span", { class: "world-archive", hidden: true }, save, bring, this.picker);
    root.append(mount, el("div", { class: "world-actions" }, this.reset, this.archive));
    this.view = new WorldView(mount);
    /** @type {unknown} the world last shown */
    this.shown = null;
  }

  /** @param {State} state */
  update(state) {
    const { catalog, messages } = current(state);
    const world = state.standing[catalog]?.world;
    this.root.hidden = !world;
    this.archive.hidden = !state.catalogs.some(({ name, archive }) => name === catalog && archive);
    for (const node of this.root.querySelectorAll(".world-actions button"))
      /** @type {HTMLButtonElement} */ (node).disabled = state.phase !== "ready";
    if (!world || world === this.shown) return;
    this.shown = world;
    const replies = messages.flatMap(({ reply }) => (reply ? [reply] : []));
    const terminal = replies.flatMap(({ data }) => (data?.kind === "terminal" ? [data] : []));
    this.view.update(catalog, world, replies.at(-1)?.changed ?? [], terminal);
  }

  async #save() {
    const bytes = await this.actions.save();
    if (!bytes) return;
    const url = URL.createObjectURL(new Blob([bytes], { type: "application/zip" }));
    el("a", { href: url, download: "offhand-files.zip" }).click();
    // The browser has read the address by then; a minute is plenty for the bytes.
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }

  async #bring() {
    const file = this.picker.files?.[0];
    this.picker.value = "";
    if (!file) return;
    // What is far too large is not read at all; Python says what is wrong with the rest.
    this.actions.bring(new Uint8Array(await file.slice(0, LARGEST).arrayBuffer()));
  }
}
