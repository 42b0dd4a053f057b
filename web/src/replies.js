/** Which replies are new: for what happens once for each, being announced and being read aloud. */

/** @typedef {import("./protocol.js").Reply} Reply */
/** @typedef {import("./state.js").State} State */

/** Tells replies that came in this visit from those that were kept of an earlier one. */
export class NewReplies {
  constructor() {
    /** @type {Set<number>} ids of messages that have been seen without an answer */
    this.open = new Set();
  }

  /**
   * @param {State} state
   * @returns {Reply[]} that came since the last call
   */
  take({ conversations }) {
    /** @type {Reply[]} */
    const fresh = [];
    for (const { id, status, reply } of conversations.flatMap(({ messages }) => messages)) {
      if (status === "waiting" || status === "running") this.open.add(id);
      else if (this.open.delete(id) && reply) fresh.push(reply);
    }
    return fresh;
  }
}

/**
 * A reply as it is announced: its words and what can be answered, without the call behind it.
 *
 * @param {Reply} reply
 * @returns {string}
 */
export function sentence({ text, choices }) {
  if (choices.length === 0) return text;
  return `${text} Choices: ${choices.map(({ label }) => label).join("; ")}.`;
}
