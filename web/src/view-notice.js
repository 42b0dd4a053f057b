/** What is said above the conversation: that an earlier visit could not be taken up, until read. */

import { byId, setText } from "./dom.js";

/** @typedef {import("./state.js").State} State */

/** Shows what was lost; each loss can be dismissed. */
export class LostNotice {
  constructor() {
    this.node = byId("lost");
    /** The loss that was dismissed. */
    this.dismissed = "";
    this.lost = "";
    byId("lost-dismiss").addEventListener("click", () => {
      this.dismissed = this.lost;
      this.node.hidden = true;
      byId("message").focus({ preventScroll: true });
    });
  }

  /** @param {State} state */
  update({ lost }) {
    this.lost = lost;
    if (lost === "") this.dismissed = "";
    this.node.hidden = lost === "" || lost === this.dismissed;
    setText(byId("lost-text"), lost && `Your last visit could not be taken up again. ${lost}`);
  }
}
