/** The world beside the conversation: follows the current catalog, and can be begun again. */

import { button, el } from "./dom.js";
import { current } from "./state.js";
import { WorldView } from "./view-world.js";

/** @typedef {import("./state.js").State} State */

/** Keeps the world's view equal to the state. */
export class WorldPanel {
  /**
   * @param {HTMLElement} root
   * @param {() => Promise<void>} renew
   */
  constructor(root, renew) {
    this.root = root;
    const mount = el("section", { class: "world-mount" });
    this.reset = button("Begin again", "retry", () => void renew(), "plain world-renew");
    root.append(mount, this.reset);
    this.view = new WorldView(mount);
    /** @type {unknown} the world last shown */
    this.shown = null;
  }

  /** @param {State} state */
  update(state) {
    const { catalog, messages } = current(state);
    const world = state.standing[catalog]?.world;
    this.root.hidden = !world;
    this.reset.disabled = state.phase !== "ready";
    if (!world || world === this.shown) return;
    this.shown = world;
    const replies = messages.flatMap(({ reply }) => (reply ? [reply] : []));
    const terminal = replies.flatMap(({ data }) => (data?.kind === "terminal" ? [data] : []));
    this.view.update(catalog, world, replies.at(-1)?.changed ?? [], terminal);
  }
}
