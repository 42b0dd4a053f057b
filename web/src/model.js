/**
 * Puts the parts together inside the worker: Python, the runtime and the model's files load side by
 * side, then turns are answered. Knows the order of things and nothing of how each is done.
 */

import { Engine, chooseThreads, importOrt } from "./engine.js";
import { PageError, isOutOfMemory, memoryError } from "./errors.js";
import { Expander } from "./expand.js";
import { Loader, loadManifest } from "./loader.js";
import { PythonApp, bootPython, installWheels } from "./python.js";
import { FileStore } from "./store.js";
import { TextTokenizer } from "./tokenizer.js";

/** @typedef {import("./protocol.js").Manifest} Manifest */
/** @typedef {import("./protocol.js").Memory} Memory */
/** @typedef {import("./protocol.js").Stage} Stage */
/** @typedef {import("./protocol.js").WorkerEvent} WorkerEvent */
/** @typedef {import("./protocol.js").LoadInfo} LoadInfo */
/** @typedef {import("./protocol.js").FileEntry} FileEntry */

const REPORT_EVERY = 80;
const PYTHON_STEPS = 3;

/** The model and its app, from nothing to answers. */
export class Model {
  /**
   * @param {URL} base folder of the page
   * @param {(event: WorkerEvent) => void} send
   */
  constructor(base, send) {
    this.base = base;
    this.send = send;
    /** @type {PythonApp | null} */
    this.app = null;
    this.stopping = false;
  }

  /**
   * @param {Memory} memory
   * @param {number} [threads]
   * @returns {Promise<LoadInfo>}
   */
  async load(memory, threads) {
    const { text, manifest } = await loadManifest(this.base);
    const store = await FileStore.open(this.base);
    const loader = new Loader(this.base, manifest.files, store);
    const bytes = this.#countModel(manifest, memory, loader);
    const count = chooseThreads(threads);
    const engine = this.#openEngine(manifest, loader, memory, count);
    const app = this.#openApp(manifest, text, loader, engine);
    [this.app] = await Promise.all([app, engine]);
    await store.prune(manifest.files);
    return {
      threads: count,
      isolated: globalThis.crossOriginIsolated,
      memory,
      memoryBytes: manifest.model.memory[memory].bytes,
      modelBytes: bytes,
      stored: loader.kept,
    };
  }

  /**
   * @param {string} name
   * @param {import("./protocol.js").Saved} [saved]
   * @param {boolean} [fresh]
   */
  async select(name, saved, fresh) {
    this.stopping = false;
    this.#report("warm", 0, 1);
    const value = await this.#ready().select(name, saved, fresh);
    this.#report("warm", 1, 1);
    return value;
  }

  /**
   * Let the app make a turn that can be stopped.
   *
   * @template Value
   * @param {(app: PythonApp) => Promise<Value>} make
   * @returns {Promise<Value>}
   * @throws {PageError} kind "stopped" when `stop` came before the answer
   */
  async turn(make) {
    this.stopping = false;
    try {
      return await make(this.#ready());
    } catch (error) {
      throw this.stopping ? stopped() : error;
    }
  }

  /** Let the turn that is being made fail at its next run; the conversation stays as it was. */
  async stop() {
    this.stopping = true;
    return {};
  }

  /** @param {string} choice */
  async choose(choice) {
    return this.#ready().choose(choice);
  }

  async renewWorld() {
    return this.#ready().renewWorld();
  }

  async exportWorld() {
    return this.#ready().exportWorld();
  }

  /** @param {Uint8Array} bytes */
  async importWorld(bytes) {
    return this.#ready().importWorld(bytes);
  }

  async reset() {
    return this.#ready().reset();
  }

  /** @param {import("./protocol.js").TranscriptMessage[]} messages */
  async restore(messages) {
    this.#ready().restore(messages);
    return {};
  }

  #ready() {
    if (this.app) return this.app;
    throw new PageError(
      "order",
      "The model is not loaded yet.",
      "Wait until the page says it is ready.",
    );
  }

  /**
   * @param {Stage} stage
   * @param {number} loaded
   * @param {number} total
   */
  #report(stage, loaded, total) {
    this.send({ type: "progress", stage, loaded, total, unit: "steps" });
  }

  /**
   * Let the loader's bytes drive the model stage.
   *
   * @param {Manifest} manifest
   * @param {Memory} memory
   * @param {Loader} loader
   * @returns {number} bytes of all the model's files
   */
  #countModel(manifest, memory, loader) {
    const files = modelFiles(manifest, memory, loader);
    const total = files.reduce((sum, { size }) => sum + size, 0);
    let [loaded, stored, reported] = [0, 0, -Infinity];
    loader.count = (bytes, fromStore) => {
      loaded += bytes;
      stored += fromStore;
      const now = performance.now();
      if (now - reported < REPORT_EVERY && loaded < total) return;
      reported = now;
      this.send({ type: "progress", stage: "model", loaded, total, unit: "bytes", stored });
    };
    loader.count(0, 0);
    return total;
  }

  /**
   * @param {Manifest} manifest
   * @param {Loader} loader
   * @param {Memory} memory
   * @param {number} threads
   */
  async #openEngine({ model, runtime }, loader, memory, threads) {
    const [ort, graph, weights] = await Promise.all([
      importOrt(new URL(runtime.ort, this.base), threads),
      loader.read(loader.entry(modelPath(model.memory[memory].graph))),
      readWeights(model, loader, memory),
    ]);
    this.#report("session", 0, 1);
    const shape = {
      context: model.config.context,
      channels: model.cache.channels,
      headSize: model.cache.head_size,
    };
    const engine = await Engine.create({ ort, graph, weights, memory, shape });
    this.#report("session", 1, 1);
    return engine;
  }

  /**
   * Python and its catalogs do not wait for the engine; only their first run does.
   *
   * @param {Manifest} manifest
   * @param {string} json the manifest as sent
   * @param {Loader} loader
   * @param {Promise<Engine>} engine
   */
  async #openApp({ model, runtime }, json, loader, engine) {
    this.#report("python", 0, PYTHON_STEPS);
    const booting = bootPython(new URL(runtime.pyodide, this.base)).then((python) => {
      this.#report("python", 1, PYTHON_STEPS);
      return python;
    });
    const [python, words, template, ...wheels] = await Promise.all([
      booting,
      openTokenizer(this.base, runtime.tokenizers, loader),
      loader.read(loader.entry(modelPath("chat_template.jinja"))),
      ...runtime.wheels.map((path) => loader.read(loader.entry(path))),
    ]);
    installWheels(python, wheels);
    this.#report("python", 2, PYTHON_STEPS);
    const app = await PythonApp.open(python, {
      manifest: json,
      template: new TextDecoder().decode(template),
      context: model.config.context,
      encode: (text) => words.encode(text),
      decode: (ids) => words.decode(ids),
      run: async (...run) => {
        if (this.stopping) throw stopped();
        return (await engine).run(...run);
      },
      now: () => performance.now(),
    });
    this.#report("python", PYTHON_STEPS, PYTHON_STEPS);
    const info = { name: model.name, tuned: model.tuned === true };
    this.send({ type: "ready", stage: "python", value: { catalogs: app.catalogs(), model: info } });
    return app;
  }
}

function stopped() {
  return new PageError(
    "stopped",
    "This turn was stopped.",
    "The conversation is as it was before it.",
  );
}

/**
 * @param {string} name
 * @returns {string} path of a model file in the bundle
 */
function modelPath(name) {
  return `model/${name}`;
}

/**
 * @param {Manifest} manifest
 * @param {Memory} memory
 * @param {Loader} loader
 * @returns {FileEntry[]} what counts as the model's download
 */
function modelFiles({ model, runtime }, memory, loader) {
  const names = [model.memory[memory].graph, "tokenizer.json", "chat_template.jinja"];
  const paths = [...names.map(modelPath), ...runtime.wheels];
  return [...paths.map((path) => loader.entry(path)), ...model.weights.shards];
}

/**
 * @param {URL} base
 * @param {string} library
 * @param {Loader} loader
 */
async function openTokenizer(base, library, loader) {
  const file = await loader.read(loader.entry(modelPath("tokenizer.json")));
  return await TextTokenizer.open(new URL(library, base), file);
}

/**
 * @param {Manifest["model"]} model
 * @param {Loader} loader
 * @param {Memory} memory
 * @returns {Promise<Uint8Array<ArrayBuffer>>} laid out for the graph
 */
async function readWeights({ weights, memory: layouts }, loader, memory) {
  const { tensors, bytes } = layouts[memory];
  const expander = makeExpander(memory, () => new Expander(weights.tensors, tensors, bytes));
  for await (const shard of loader.readAll(weights.shards)) expander.write(shard);
  return expander.finish();
}

/**
 * @param {Memory} memory
 * @param {() => Expander} make
 */
function makeExpander(memory, make) {
  try {
    return make();
  } catch (error) {
    throw isOutOfMemory(error) ? memoryError(memory, error) : error;
  }
}
