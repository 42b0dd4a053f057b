/**
 * What the page knows, as plain data, and the small steps that change it. Pure: no clock, no worker,
 * no document.
 */

import { STAGES } from "./protocol.js";

/** @typedef {import("./protocol.js").Stage} Stage */
/** @typedef {import("./protocol.js").Progress} Progress */
/** @typedef {import("./protocol.js").Failure} Failure */
/** @typedef {import("./protocol.js").Reply} Reply */
/** @typedef {import("./protocol.js").Standing} Standing */
/** @typedef {import("./protocol.js").CatalogInfo} CatalogInfo */
/** @typedef {import("./protocol.js").ModelInfo} ModelInfo */
/** @typedef {import("./protocol.js").LoadInfo} LoadInfo */

/**
 * @typedef {object} StageState
 * @property {"waiting" | "running" | "done" | "failed"} state
 * @property {number} loaded
 * @property {number} total
 * @property {number} stored bytes that came from this browser
 * @property {"bytes" | "steps"} unit
 * @property {number} started milliseconds
 * @property {number} ended milliseconds
 */

/**
 * @typedef {object} Message
 * @property {number} id
 * @property {string} text
 * @property {"waiting" | "running" | "done" | "failed"} status
 * @property {number} started when the model began with it, milliseconds
 * @property {string} choice id of the choice that was clicked; "" for words
 * @property {Reply | null} reply when done
 * @property {Failure | null} failure when failed
 */

/**
 * @typedef {object} Conversation
 * @property {number} id
 * @property {string} catalog name
 * @property {Message[]} messages
 */

/** @typedef {"loading" | "ready" | "busy" | "error"} Phase */

/**
 * @typedef {object} State
 * @property {Phase} phase
 * @property {Record<Stage, StageState>} stages
 * @property {number} started when loading began
 * @property {number} ended when it was over; 0 before
 * @property {Failure | null} failure why the model is not running
 * @property {Failure | null} catalogFailure why the chosen catalog could not be opened
 * @property {CatalogInfo[]} catalogs
 * @property {ModelInfo | null} model
 * @property {LoadInfo | null} info
 * @property {Conversation[]} conversations the last is the current one
 * @property {{id: number, catalog: string} | null} open the conversation the model is in
 * @property {Record<string, Standing>} standing of each catalog's agent and world
 * @property {string} lost why what was kept of an earlier visit could not be used
 */

/** @returns {State} */
export function initialState() {
  return {
    phase: "loading",
    stages: freshStages(),
    started: 0,
    ended: 0,
    failure: null,
    catalogFailure: null,
    catalogs: [],
    model: null,
    info: null,
    conversations: [{ id: 1, catalog: "", messages: [] }],
    open: null,
    standing: {},
    lost: "",
  };
}

/** @returns {Record<Stage, StageState>} */
function freshStages() {
  const fresh = () => ({
    state: "waiting",
    loaded: 0,
    total: 1,
    stored: 0,
    unit: "steps",
    started: 0,
    ended: 0,
  });
  return /** @type {Record<Stage, StageState>} */ (
    Object.fromEntries(STAGES.map((name) => [name, fresh()]))
  );
}

/**
 * @param {State} state
 * @param {number} now milliseconds
 */
export function beginLoading(state, now) {
  const fresh = { failure: null, info: null, open: null, started: now, ended: 0 };
  Object.assign(state, fresh, { phase: "loading", stages: freshStages() });
}

/**
 * @param {State} state
 * @param {Failure} failure
 */
export function failLoading(state, failure) {
  state.phase = "error";
  state.failure = failure;
  for (const stage of Object.values(state.stages))
    if (stage.state === "running") stage.state = "failed";
}

/**
 * @param {StageState} stage
 * @param {Progress} progress
 * @param {number} now milliseconds
 */
export function advance(stage, { loaded, total, unit, stored }, now) {
  if (stage.state === "waiting") stage.started = now;
  Object.assign(stage, { loaded, total, unit, stored: stored ?? 0 });
  stage.state = loaded < total ? "running" : "done";
  if (stage.state === "done") stage.ended = now;
}

/** @param {State} state */
export function current(state) {
  return /** @type {Conversation} */ (state.conversations.at(-1));
}

/**
 * @param {Conversation} conversation
 * @returns {boolean} whether anything but waiting was done in it
 */
export function isBegun(conversation) {
  return conversation.messages.some(({ status }) => status !== "waiting");
}

/**
 * @param {State} state
 * @param {Conversation} conversation
 * @returns {boolean} whether the model is in it
 */
export function isOpen({ open }, { id, catalog }) {
  return open?.id === id && open.catalog === catalog;
}

/**
 * The conversation to go on with: a new one if the current one has begun.
 *
 * @param {State} state
 * @param {string} catalog
 * @returns {Conversation}
 */
export function beginConversation(state, catalog) {
  const conversation = current(state);
  if (!isBegun(conversation)) {
    conversation.catalog = catalog;
    return conversation;
  }
  const next = { id: conversation.id + 1, catalog, messages: [] };
  state.conversations.push(next);
  return next;
}

/**
 * @param {State} state
 * @param {string} text
 * @param {string} choice id of what was clicked, "" for words
 * @param {number} id
 * @returns {Message} waiting, in the current conversation
 */
export function addMessage(state, text, choice, id) {
  /** @type {Message} */
  const message = { id, text, choice, status: "waiting", started: 0, reply: null, failure: null };
  current(state).messages.push(message);
  return message;
}

/**
 * @param {State} state
 * @returns {{conversation: Conversation, message: Message} | null} what to answer next
 */
export function nextWaiting(state) {
  for (const conversation of state.conversations) {
    const message = conversation.messages.find(({ status }) => status === "waiting");
    if (message) return { conversation, message };
  }
  return null;
}

/**
 * Take back a message that was not answered.
 *
 * @param {State} state
 * @param {number} id
 * @returns {string} its text; empty if it is being answered or gone
 */
export function withdraw(state, id) {
  for (const { messages } of state.conversations) {
    const index = messages.findIndex((message) => message.id === id);
    const message = messages[index];
    if (!message) continue;
    if (message.status === "waiting") messages.splice(index, 1);
    if (message.status === "waiting" || message.status === "failed") return message.text;
  }
  return "";
}

/**
 * Show what was kept of an earlier visit, before what was typed since.
 *
 * @param {Conversation} conversation
 * @param {{messages: Message[]} | null} kept
 * @param {number} lastId the last id given
 * @returns {number} the last id given now
 */
export function recall({ messages }, kept, lastId) {
  let id = lastId;
  for (const message of [...(kept?.messages ?? []), ...messages.splice(0)]) {
    id += 1;
    messages.push({ ...message, id });
  }
  return id;
}
