/**
 * The model on ORT-web: one session, one KV cache, one `run`.
 *
 * The cache is an append-only log of token rows owned here; a run reads its first `keep` rows and
 * appends the rows of the tokens it ran. The weights come in ready for the graph. What the ids mean
 * and which to run is the business of the Python app.
 */

import { PageError, isOutOfMemory, memoryError } from "./errors.js";

/** @typedef {import("onnxruntime-web").InferenceSession} InferenceSession */
/** @typedef {import("onnxruntime-web").Tensor} Tensor */
/** @typedef {typeof import("onnxruntime-web")} Ort */
/** @typedef {import("./protocol.js").Memory} Memory */

/**
 * @typedef {object} RunResult scores after the last token run
 * @property {Float32Array} scores logits of the candidates, in their order
 * @property {Float32Array} log_total one value, or none unless the whole vocabulary was asked for
 * @property {Int32Array} top_ids best of the whole vocabulary, or none
 * @property {Float32Array} top_scores their logits
 * @property {number} milliseconds
 */

const FIRST_ROWS = 256;
const MAX_THREADS = 4;

/**
 * @param {number} [wanted] as asked for by the page's address
 * @returns {number} threads this page can have: one without shared memory
 */
export function chooseThreads(wanted) {
  if (!globalThis.crossOriginIsolated) return 1;
  return wanted ?? Math.min(navigator.hardwareConcurrency || 1, MAX_THREADS);
}

/**
 * @param {URL} folder of the ORT files
 * @param {number} threads
 * @returns {Promise<Ort>}
 */
export async function importOrt(folder, threads) {
  const ort = /** @type {Ort} */ (await import(new URL("ort.wasm.min.mjs", folder).href));
  ort.env.wasm.wasmPaths = folder.href;
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = "error";
  return ort;
}

/** The rows of keys and values of every token run so far. */
export class KvLog {
  /**
   * @param {number} context most rows
   * @param {number} width numbers in a row
   */
  constructor(context, width) {
    this.context = context;
    this.width = width;
    this.length = 0;
    this.rows = new Float32Array(Math.min(FIRST_ROWS, context) * width);
  }

  /**
   * @param {number} keep rows
   * @returns {Float32Array} a view of the first `keep` rows
   */
  head(keep) {
    return this.rows.subarray(0, keep * this.width);
  }

  /**
   * Forget what lies beyond `keep`, then append.
   *
   * @param {number} keep
   * @param {Float32Array} present rows of the new tokens
   */
  append(keep, present) {
    const end = keep * this.width + present.length;
    if (end > this.rows.length) this.#grow(end, keep);
    this.rows.set(present, keep * this.width);
    this.length = end / this.width;
  }

  /**
   * @param {number} size numbers needed
   * @param {number} keep rows worth copying
   */
  #grow(size, keep) {
    const limit = this.context * this.width;
    const larger = new Float32Array(Math.min(limit, Math.max(size, 2 * this.rows.length)));
    larger.set(this.head(keep));
    this.rows = larger;
  }
}

/** A synchronous-looking model for the Python app; one run at a time. */
export class Engine {
  /**
   * @param {Ort} ort
   * @param {InferenceSession} session
   * @param {{context: number, channels: number, headSize: number}} shape
   */
  constructor(ort, session, { context, channels, headSize }) {
    this.ort = ort;
    this.session = session;
    this.channels = channels;
    this.headSize = headSize;
    this.log = new KvLog(context, channels * headSize);
  }

  /**
   * @param {object} parts
   * @param {Ort} parts.ort
   * @param {Uint8Array} parts.graph
   * @param {Uint8Array} parts.weights laid out as the graph's external initializers say
   * @param {Memory} parts.memory
   * @param {{context: number, channels: number, headSize: number}} parts.shape
   * @returns {Promise<Engine>}
   * @throws {PageError} kind "memory" or "runtime"
   */
  static async create({ ort, graph, weights, memory, shape }) {
    try {
      const session = await ort.InferenceSession.create(graph, {
        executionProviders: ["wasm"],
        graphOptimizationLevel: "all",
        externalData: [{ path: "weights", data: weights }],
      });
      return new Engine(ort, session, shape);
    } catch (cause) {
      throw sessionError(memory, cause);
    }
  }

  /**
   * @param {number} keep rows of the KV cache that stay
   * @param {Iterable<number>} ids tokens to run after them, at least one
   * @param {Iterable<number>} candidates tokens whose logits are wanted, at least one
   * @param {boolean} whole also compare with the whole vocabulary
   * @returns {Promise<RunResult>}
   * @throws {PageError} kind "engine"
   */
  async run(keep, ids, candidates, whole) {
    const started = performance.now();
    const tokens = Int32Array.from(ids);
    this.#check(keep, tokens);
    const feeds = this.#feeds(keep, tokens, Int32Array.from(candidates), whole);
    try {
      const outputs = await this.session.run(feeds);
      return this.#collect(keep, outputs, started);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new PageError("engine", `The runtime failed: ${why}`, "Reload the page.", { cause });
    } finally {
      for (const tensor of Object.values(feeds)) tensor.dispose();
    }
  }

  /**
   * @param {number} keep
   * @param {Int32Array} tokens
   */
  #check(keep, tokens) {
    const { length, context } = this.log;
    if (keep > length)
      throw new PageError(
        "engine",
        `Asked to keep ${keep} tokens of ${length}.`,
        "Start a new conversation.",
      );
    if (keep + tokens.length > context) {
      throw new PageError(
        "engine",
        `The conversation is longer than ${context} tokens.`,
        "Start a new conversation.",
      );
    }
  }

  /**
   * @param {number} keep
   * @param {Int32Array} tokens
   * @param {Int32Array} candidates
   * @param {boolean} whole
   * @returns {Record<string, Tensor>}
   */
  #feeds(keep, tokens, candidates, whole) {
    const { Tensor } = this.ort;
    return {
      input_ids: new Tensor("int32", tokens, [1, tokens.length]),
      past: new Tensor("float32", this.log.head(keep), [keep, this.channels, this.headSize]),
      candidate_ids: new Tensor("int32", candidates, [candidates.length]),
      whole: new Tensor("bool", [whole], [1]),
    };
  }

  /**
   * @param {number} keep
   * @param {Readonly<Record<string, Tensor>>} outputs
   * @param {number} started
   * @returns {RunResult}
   */
  #collect(keep, outputs, started) {
    this.log.append(keep, floats(outputs["present"]));
    const result = {
      scores: floats(outputs["scores"]),
      log_total: floats(outputs["log_total"]),
      top_ids: /** @type {Int32Array} */ (outputs["top_ids"]?.data),
      top_scores: floats(outputs["top_scores"]),
      milliseconds: performance.now() - started,
    };
    for (const tensor of Object.values(outputs)) tensor.dispose();
    return result;
  }
}

/** @param {Tensor | undefined} tensor */
function floats(tensor) {
  return /** @type {Float32Array} */ (tensor?.data);
}

/**
 * @param {Memory} memory
 * @param {unknown} cause
 */
function sessionError(memory, cause) {
  if (isOutOfMemory(cause)) return memoryError(memory, cause);
  const why = cause instanceof Error ? cause.message : String(cause);
  return new PageError(
    "runtime",
    `The runtime could not open the model: ${why}`,
    "Reload the page; if that does not help, try another browser.",
    { cause },
  );
}
