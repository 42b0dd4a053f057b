/**
 * What this browser keeps of each catalog between visits: the agent's record (conversation and
 * world) and the messages as they were shown. Built on localStorage; where that is missing, refused
 * or full, the page works and keeps nothing. What was kept by hand or by another version and cannot
 * be read is left out, never half used.
 */

/** @typedef {import("./protocol.js").Saved} Saved */
/** @typedef {import("./state.js").Message} Message */

/** @typedef {{saved: Saved, messages: Message[]}} Kept */

const VERSION = 1;
const MESSAGES = 200;
const WITH_TURNS = 40;

/** One keeper per address of the page, since an origin may host several. */
export class Keeper {
  /**
   * @param {string} base path of the page
   * @param {Storage | null} storage
   */
  constructor(base, storage) {
    this.base = base;
    this.storage = storage;
  }

  /** @returns {Keeper} */
  static open() {
    try {
      return new Keeper(location.pathname, localStorage);
    } catch {
      return new Keeper(location.pathname, null);
    }
  }

  /** @param {string} catalog */
  #key(catalog) {
    return `offhand:${this.base}:${catalog}`;
  }

  /**
   * @param {string} catalog
   * @returns {Kept | null}
   */
  get(catalog) {
    try {
      const kept = JSON.parse(this.storage?.getItem(this.#key(catalog)) ?? "null");
      return kept?.version === VERSION && kept.messages.every(isMessage) ? kept : null;
    } catch {
      return null;
    }
  }

  /**
   * Keep a conversation: the newest messages, and what the model did of the very newest.
   *
   * @param {string} catalog
   * @param {Kept} kept
   */
  put(catalog, { saved, messages }) {
    const newest = messages.slice(-MESSAGES);
    const light = newest.slice(0, -WITH_TURNS).map(withoutTurn);
    const entry = { version: VERSION, saved, messages: [...light, ...newest.slice(-WITH_TURNS)] };
    try {
      this.storage?.setItem(this.#key(catalog), JSON.stringify(entry));
      this.storage?.setItem(this.#key(""), catalog);
    } catch {
      // A full store must not end a conversation; what was kept before stays.
    }
  }

  /** @returns {string | null} the catalog that was kept last */
  last() {
    try {
      return this.storage?.getItem(this.#key("")) ?? null;
    } catch {
      return null;
    }
  }
}

/**
 * What to keep of a conversation: what is not answered yet will be at the next visit.
 *
 * @param {import("./state.js").Conversation} conversation
 * @param {Saved} saved
 * @returns {Kept}
 */
export function keepable({ messages }, saved) {
  const waiting = /** @type {const} */ ("waiting");
  const entries = messages.map((message) =>
    message.status === "running" ? { ...message, status: waiting } : message,
  );
  return { saved, messages: entries };
}

/** @param {Message} message */
function withoutTurn(message) {
  return message.reply ? { ...message, reply: { ...message.reply, turn: null } } : message;
}

/** @param {unknown} entry */
function isMessage(entry) {
  const { id, text, choice, status } = /** @type {Message} */ (entry);
  const texts = typeof text === "string" && typeof choice === "string";
  return texts && typeof id === "number" && ["waiting", "done", "failed"].includes(status);
}
