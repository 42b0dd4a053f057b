/** What is done to a world as a whole: begun again, saved as a file, replaced by one. */

import { toFailure } from "./errors.js";
import { current, isOpen } from "./state.js";

/** @typedef {import("./controller.js").Controller} Controller */
/** @typedef {import("./protocol.js").Standing} Standing */

/** Acts on the current catalog's world while nothing else is under way. */
export class WorldControl {
  /** @param {Controller} controller */
  constructor(controller) {
    this.controller = controller;
  }

  /** Put it back to its beginning, in a new conversation. */
  async renew() {
    await this.#replace(() => this.controller.request("renewWorld", {}));
  }

  /**
   * Put what a file holds in its place, in a new conversation.
   *
   * @param {Uint8Array} bytes
   */
  async bring(bytes) {
    await this.#replace(() => this.controller.request("importWorld", { bytes }));
  }

  /** @returns {Promise<Uint8Array<ArrayBuffer> | null>} it as a file; null while it is in use */
  async save() {
    return this.#free() ? await this.controller.request("exportWorld", {}) : null;
  }

  #free() {
    const { state } = this.controller;
    return state.phase === "ready" && isOpen(state, current(state));
  }

  /** @param {() => Promise<Standing>} make */
  async #replace(make) {
    const { controller } = this;
    const { state } = controller;
    if (!this.#free()) return;
    try {
      controller.stand(current(state).catalog, await make());
      state.catalogFailure = null;
    } catch (error) {
      state.catalogFailure = toFailure(error);
      controller.onChange(state);
      return;
    }
    controller.renew();
  }
}
