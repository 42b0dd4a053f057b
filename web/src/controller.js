/**
 * Runs the page: loads the model, answers messages one after another, changes tools, recovers.
 * Knows no document; it changes the state, says so, and asks the worker through a client.
 */

import { toFailure } from "./errors.js";
import { keepable } from "./keep.js";
import { measure } from "./measure.js";
import { firstCatalog } from "./options.js";
import {
  addMessage,
  advance,
  beginConversation,
  beginLoading,
  current,
  failLoading,
  initialState,
  isOpen,
  nextWaiting,
  recall,
  withdraw,
} from "./state.js";

/** @typedef {import("./client.js").Client} Client */
/** @typedef {import("./keep.js").Keeper} Keeper */
/** @typedef {import("./options.js").Options} Options */
/** @typedef {import("./protocol.js").Requests} Requests */
/** @typedef {import("./protocol.js").WorkerEvent} WorkerEvent */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Message} Message */
/** @typedef {import("./state.js").Conversation} Conversation */

/** The page's behaviour; `onChange` is called after every change of `state`. */
export class Controller {
  /**
   * @param {object} parts
   * @param {(onEvent: (event: WorkerEvent) => void) => Client} parts.connect starts a worker
   * @param {Options} parts.options
   * @param {Keeper} parts.keeper
   * @param {(state: State) => void} parts.onChange
   */
  constructor({ connect, options, keeper, onChange }) {
    this.connect = connect;
    this.options = options;
    this.keeper = keeper;
    this.onChange = onChange;
    this.state = initialState();
    /** @type {Client | null} */
    this.client = null;
    this.lastId = 0;
  }

  /** Load the model, or load it again; messages that wait stay. */
  async start() {
    const { state } = this;
    this.client?.close();
    const client = this.connect((event) => this.#onEvent(event));
    this.client = client;
    beginLoading(state, performance.now());
    this.onChange(state);
    const { memory, threads } = this.options;
    try {
      const wanted = threads === undefined ? { memory } : { memory, threads };
      state.info = await client.request("load", wanted);
      await this.#open(current(state));
    } catch (error) {
      if (client === this.client) this.fail(error);
      return;
    }
    state.ended = performance.now();
    measure("load", state.started, state.ended, state.info);
    await this.#work();
  }

  /**
   * The model is not running; say why.
   *
   * @param {unknown} error
   */
  fail(error) {
    this.client?.close();
    failLoading(this.state, toFailure(error));
    this.onChange(this.state);
  }

  /**
   * Answer a message, now or when the ones before it are answered.
   *
   * @param {string} text
   * @param {string} [choice] id of the reply's choice that it takes
   */
  send(text, choice = "") {
    this.lastId += 1;
    addMessage(this.state, text, choice, this.lastId);
    this.#keep(current(this.state));
    this.#go();
  }

  /**
   * Take a message back to be edited.
   *
   * @param {number} id
   * @returns {string} its text
   */
  takeBack(id) {
    const text = withdraw(this.state, id);
    this.onChange(this.state);
    return text;
  }

  /**
   * Use other tools, in a new conversation.
   *
   * @param {string} catalog name
   */
  choose(catalog) {
    const conversation = beginConversation(this.state, catalog);
    if (!this.state.standing[catalog]) this.#recall(conversation);
    this.#go();
  }

  /** Give up the message that is being answered. */
  stop() {
    void this.client?.request("stop", {});
  }

  /** Begin a new conversation with the same tools. */
  renew() {
    beginConversation(this.state, current(this.state).catalog);
    this.#go();
  }

  /**
   * Ask the worker.
   *
   * @template {keyof Requests} Type
   * @param {Type} type
   * @param {Requests[Type]} payload
   */
  request(type, payload) {
    return /** @type {Client} */ (this.client).request(type, payload);
  }

  /**
   * Take what the worker says of a catalog's agent and world.
   *
   * @param {string} catalog
   * @param {import("./protocol.js").Standing} standing
   */
  stand(catalog, { world, saved }) {
    this.state.standing[catalog] = { world, saved };
  }

  #go() {
    if (this.state.phase === "ready") void this.#work();
    else this.onChange(this.state);
  }

  /** Answer what waits, then open the current conversation, until neither is left to do. */
  async #work() {
    const { state, client } = this;
    for (;;) {
      const next = nextWaiting(state);
      if (!next && isOpen(state, current(state))) break;
      this.#enter("busy");
      const ok = next
        ? await this.#answer(next.conversation, next.message)
        : await this.#prepare(current(state));
      if (client !== this.client) return;
      if (!ok && !nextWaiting(state)) break;
    }
    this.#enter("ready");
  }

  /** @param {import("./state.js").Phase} phase */
  #enter(phase) {
    this.state.phase = phase;
    this.onChange(this.state);
  }

  /**
   * @param {Conversation} conversation
   * @param {Message} message
   * @returns {Promise<boolean>} whether it was answered
   */
  async #answer(conversation, message) {
    message.started = performance.now();
    message.status = "running";
    this.onChange(this.state);
    try {
      await this.#open(conversation);
      const { text, choice } = message;
      const { world, saved, ...reply } = await (choice
        ? this.request("choose", { choice })
        : this.request("talk", { text }));
      message.reply = reply;
      message.status = "done";
      this.stand(conversation.catalog, { world, saved });
      this.#keep(conversation);
      measure("turn", message.started, performance.now(), reply);
    } catch (error) {
      message.failure = toFailure(error);
      message.status = "failed";
    }
    return message.status === "done";
  }

  /**
   * Open a conversation before its first message, so that this one is answered faster.
   *
   * @param {Conversation} conversation
   * @returns {Promise<boolean>} whether it is open
   */
  async #prepare(conversation) {
    try {
      await this.#open(conversation);
      return true;
    } catch (error) {
      this.state.catalogFailure = toFailure(error);
      return false;
    }
  }

  /**
   * Make the model's conversation this one.
   *
   * @param {Conversation} conversation
   */
  async #open(conversation) {
    const { state } = this;
    if (isOpen(state, conversation)) return;
    const { id, catalog } = conversation;
    state.catalogFailure = null;
    const saved = this.#savedOf(catalog);
    const fresh = !conversation.messages.some(({ reply }) => reply);
    if (state.open?.catalog === catalog) {
      this.stand(catalog, await this.request("reset", {}));
    } else {
      const name = { name: catalog, fresh };
      const opened = await this.request("catalog", saved ? { ...name, saved } : name);
      state.lost = opened.lost ?? "";
      this.stand(catalog, opened);
    }
    state.open = { id, catalog };
    this.#keep(conversation);
  }

  /** @param {Conversation} conversation */
  #keep(conversation) {
    const { catalog } = conversation;
    const saved = this.#savedOf(catalog);
    if (catalog && saved) this.keeper.put(catalog, keepable(conversation, saved));
  }

  /** @param {Conversation} conversation */
  #recall(conversation) {
    this.lastId = recall(conversation, this.keeper.get(conversation.catalog), this.lastId);
  }

  /** @param {string} catalog */
  #savedOf(catalog) {
    return this.state.standing[catalog]?.saved ?? this.keeper.get(catalog)?.saved;
  }

  /** @param {WorkerEvent} event */
  #onEvent(event) {
    const { state } = this;
    if (event.type === "ready") this.#offer(event.value);
    else if (state.phase === "loading") {
      const stage = state.stages[event.stage];
      advance(stage, event, performance.now());
      if (stage.state === "done")
        measure(`stage:${event.stage}`, stage.started, stage.ended, event);
    }
    this.onChange(state);
  }

  /**
   * Python is there: its catalogs can be chosen before the model can answer.
   *
   * @param {import("./protocol.js").Ready["value"]} value
   */
  #offer({ catalogs, model }) {
    const { state } = this;
    Object.assign(state, { catalogs, model });
    const conversation = current(state);
    if (conversation.catalog) return;
    try {
      conversation.catalog = firstCatalog(catalogs, this.options.catalog, this.keeper.last());
      this.#recall(conversation);
    } catch (error) {
      this.fail(error);
    }
  }
}
