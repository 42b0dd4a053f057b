/**
 * The conversation: what was said, what was called, what went wrong. Nothing that was shown is ever
 * taken away; an earlier conversation folds up when the next one begins.
 */

import { button, el, setText } from "./dom.js";
import { plural, seconds } from "./format.js";
import { transcriptLine } from "./transcript.js";
import { failureCard } from "./view-failure.js";
import { closeChoices, replyCard } from "./view-reply.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Message} Message */
/** @typedef {import("./state.js").Conversation} Conversation */
/** @typedef {import("./protocol.js").TranscriptMessage} TranscriptMessage */

/**
 * @typedef {object} LogActions
 * @property {(message: Message) => void} edit put the text back into the composer
 * @property {(choice: import("./protocol.js").Choice) => void} pick take a reply's choice
 * @property {(catalog: string, messages: TranscriptMessage[]) => void} save as a file
 * @property {() => void} stop give up the message that is being answered
 * @property {() => void} restart load the model again
 */

/** Failures that the app reports about what it was asked, not about itself. */
const OF_THE_MESSAGE = new Set(["message", "schema", "catalog", "template", "stopped"]);
const PATIENCE = 2000;

/** Keeps the document's log equal to the state's conversations. */
export class LogView {
  /**
   * @param {HTMLElement} root
   * @param {LogActions} actions
   */
  constructor(root, actions) {
    this.root = root;
    this.actions = actions;
    /** @type {Map<number, {node: HTMLElement, status: string}>} */
    this.shown = new Map();
    /** @type {Map<number, HTMLElement>} */
    this.blocks = new Map();
    /** @type {{node: HTMLElement} | null} what was written last, to be brought into view */
    this.changed = null;
  }

  /** @param {State} state */
  update(state) {
    const before = this.changed;
    for (const conversation of state.conversations) this.#updateConversation(state, conversation);
    this.#removeWithdrawn(state);
    if (this.changed !== before) this.#follow();
  }

  /**
   * Show how long the message being answered takes, once that is long.
   *
   * @param {number} now milliseconds
   * @param {State} state
   */
  tick(now, state) {
    const message = state.conversations
      .flatMap(({ messages }) => messages)
      .find(({ status }) => status === "running");
    const line = message && this.shown.get(message.id)?.node.querySelector(".slow");
    if (!(line instanceof HTMLElement) || !message) return;
    line.hidden = now - message.started < PATIENCE;
    setText(/** @type {Node} */ (line.firstChild), seconds(now - message.started));
  }

  #follow() {
    const node = this.changed?.node;
    node?.scrollIntoView({ block: "nearest" });
  }

  /**
   * @param {State} state
   * @param {Conversation} conversation
   */
  #updateConversation(state, conversation) {
    if (conversation.messages.length === 0) return;
    const block = this.#block(conversation.id);
    for (const message of conversation.messages)
      this.#updateMessage(block, message, () => this.#saving(state, conversation, message));
    const over =
      conversation !== state.conversations.at(-1) && conversation.messages.every(isAnswered);
    if (over && !(block.parentElement instanceof HTMLDetailsElement))
      this.#fold(state, conversation, block);
  }

  /** @param {number} id */
  #block(id) {
    const known = this.blocks.get(id);
    if (known) return known;
    const block = el("div", { class: "conversation" });
    this.blocks.set(id, block);
    this.root.append(block);
    return block;
  }

  /**
   * @param {State} state
   * @param {Conversation} conversation
   * @param {HTMLElement} block
   */
  #fold(state, { catalog, messages }, block) {
    const title = state.catalogs.find(({ name }) => name === catalog)?.title ?? catalog;
    const summary = el("summary", {}, `Earlier: ${title}, ${plural(messages.length, "message")}`);
    const details = el("details", { class: "earlier" }, summary);
    closeChoices(block);
    block.replaceWith(details);
    details.append(block);
  }

  /**
   * @param {HTMLElement} block
   * @param {Message} message
   * @param {() => (() => void) | null} saving how its transcript is saved, if that is offered
   */
  #updateMessage(block, message, saving) {
    const known = this.shown.get(message.id);
    if (known?.status === message.status) return;
    const node = known?.node ?? el("div", { class: "turn" });
    if (!known) {
      for (const { node: earlier } of this.shown.values()) closeChoices(earlier);
      node.append(el("p", { class: message.choice ? "said picked" : "said" }, message.text));
      block.append(node);
    }
    node.dataset["status"] = message.status;
    while (node.childNodes.length > 1) node.lastChild?.remove();
    node.append(this.#answer(message, saving));
    this.shown.set(message.id, { node, status: message.status });
    this.changed = { node };
  }

  /**
   * A person who takes over reads what was said up to then, and nothing later.
   *
   * @param {State} state
   * @param {Conversation} conversation
   * @param {Message} message
   */
  #saving({ standing }, { catalog }, { reply }) {
    if (reply?.kind !== "handover") return null;
    const own = reply.data?.kind === "handover" ? reply.data.transcript : null;
    const messages = own ?? standing[catalog]?.saved.messages ?? [];
    return transcriptLine(messages) ? () => this.actions.save(catalog, messages) : null;
  }

  /**
   * @param {Message} message
   * @param {() => (() => void) | null} saving
   */
  #answer(message, saving) {
    const edit = () => this.actions.edit(message);
    if (message.reply) return replyCard(message.reply, this.actions.pick, saving());
    if (message.failure) {
      const actions = [button("Edit the message", "edit", edit)];
      if (!OF_THE_MESSAGE.has(message.failure.kind)) {
        actions.push(button("Start the model again", "retry", this.actions.restart));
      }
      return failureCard(message.failure, ...actions);
    }
    if (message.status === "running") return runningLine(this.actions.stop);
    return el(
      "p",
      { class: "pending waiting" },
      el("span", {}, "Waiting for its turn"),
      button("Take back", "edit", edit),
    );
  }

  /** @param {State} state */
  #removeWithdrawn(state) {
    const known = new Set(
      state.conversations.flatMap(({ messages }) => messages.map(({ id }) => id)),
    );
    for (const [id, { node }] of this.shown) {
      if (known.has(id)) continue;
      node.remove();
      this.shown.delete(id);
    }
  }
}

/** @param {() => void} stop */
function runningLine(stop) {
  const dots = el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
  const time = el("span", { "aria-hidden": "true" });
  const slow = el("span", { class: "slow", hidden: true }, time, button("Stop", "stop", stop));
  return el("p", { class: "pending" }, dots, el("span", { class: "unseen" }, "Deciding"), slow);
}

/** @param {Message} message */
function isAnswered({ status }) {
  return status === "done" || status === "failed";
}
