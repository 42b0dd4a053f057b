/**
 * The worker: answers the page's requests, one after another but for `stop`, and reports progress.
 *
 * Only messages are handled here; what a request does is in `model.js`. Every error travels back to
 * the request that caused it.
 */

import { toFailure } from "./errors.js";
import { Model } from "./model.js";

/** @typedef {import("./protocol.js").Requests} Requests */
/** @typedef {import("./protocol.js").Settled} Settled */
/** @typedef {import("./protocol.js").WorkerEvent} WorkerEvent */

/** @param {Settled | WorkerEvent} message */
const send = (message) => self.postMessage(message);

const model = new Model(new URL("../", import.meta.url), send);

/** @type {{[Type in keyof Requests]: (payload: Requests[Type]) => Promise<unknown>}} */
const handlers = {
  load: ({ memory, threads }) => model.load(memory ?? "fp32", threads),
  catalog: ({ name, saved, fresh }) => model.select(name, saved, fresh),
  talk: ({ text }) => model.turn((app) => app.talk(text)),
  choose: ({ choice }) => model.choose(choice),
  renewWorld: () => model.renewWorld(),
  exportWorld: () => model.exportWorld(),
  importWorld: ({ bytes }) => model.importWorld(bytes),
  say: ({ text }) => model.turn((app) => app.say(text)),
  reset: () => model.reset(),
  restore: ({ messages }) => model.restore(messages),
  stop: () => model.stop(),
};

/** @type {Promise<void>} */
let last = Promise.resolve();

/** @param {{id: number, type: keyof Requests} & Record<string, unknown>} request */
async function answer({ id, type, ...payload }) {
  try {
    const handle = /** @type {(payload: unknown) => Promise<unknown>} */ (handlers[type]);
    send({ id, ok: true, value: await handle(payload) });
  } catch (error) {
    send({ id, ok: false, error: toFailure(error) });
  }
}

self.addEventListener("message", ({ data }) => {
  if (data.type === "stop") void answer(data);
  else last = last.then(() => answer(data));
});
