/**
 * The page's end of the wire to the worker: requests become promises, events go to one listener.
 */

import { PageError, fromFailure } from "./errors.js";

/** @typedef {import("./protocol.js").Requests} Requests */
/** @typedef {import("./protocol.js").Values} Values */
/** @typedef {import("./protocol.js").Settled} Settled */
/** @typedef {import("./protocol.js").WorkerEvent} WorkerEvent */

/** @typedef {{resolve: (value: any) => void, reject: (error: unknown) => void}} Waiter */

/** One worker, from its start to its end. */
export class Client {
  /**
   * @param {Worker} worker
   * @param {(event: WorkerEvent) => void} onEvent
   */
  constructor(worker, onEvent) {
    this.worker = worker;
    this.onEvent = onEvent;
    this.next = 1;
    /** @type {Map<number, Waiter>} */
    this.waiting = new Map();
    worker.addEventListener("message", ({ data }) => this.#receive(data));
    worker.addEventListener("error", (event) => this.#fail(event.message));
    worker.addEventListener("messageerror", () => this.#fail("a message could not be read"));
  }

  /**
   * @template {keyof Requests} Type
   * @param {Type} type
   * @param {Requests[Type]} payload
   * @returns {Promise<Values[Type]>} rejects with what went wrong in the worker
   */
  request(type, payload) {
    const id = this.next;
    this.next += 1;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, type, ...payload });
    });
  }

  /** End the worker; what is still asked for is never answered. */
  close() {
    this.waiting.clear();
    this.worker.terminate();
  }

  /** @param {Settled | WorkerEvent} message */
  #receive(message) {
    if (!("id" in message)) {
      this.onEvent(message);
      return;
    }
    const waiter = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (message.ok) waiter?.resolve(message.value);
    else waiter?.reject(fromFailure(message.error));
  }

  /** @param {string} why */
  #fail(why) {
    const error = new PageError(
      "worker",
      `The worker stopped: ${why || "it could not start"}.`,
      "Start the model again.",
    );
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}

/**
 * Start the worker through a blob, because a blob's worker inherits this page's content security
 * policy and a file's worker does not: the policy must hold where the model runs, too.
 *
 * @param {URL} url of the module to run
 * @returns {Worker}
 */
export function startWorker(url) {
  const source = new Blob([`import ${JSON.stringify(url.href)};`], { type: "text/javascript" });
  const blob = URL.createObjectURL(source);
  const worker = new Worker(blob, { type: "module", name: "offhand" });
  worker.addEventListener("message", () => URL.revokeObjectURL(blob), { once: true });
  return worker;
}
