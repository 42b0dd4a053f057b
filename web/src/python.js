/**
 * Python in the worker: boots Pyodide from the page's own files and opens the app in it.
 *
 * Strings go in, JSON strings come out, and no Python source is ever put together here. What the
 * app does is its own business; it reaches the model through the `host` object alone.
 */

import { PageError } from "./errors.js";

/** @typedef {import("pyodide").PyodideAPI} Pyodide */
/** @typedef {import("./protocol.js").CatalogInfo} CatalogInfo */
/** @typedef {import("./protocol.js").Opened} Opened */
/** @typedef {import("./protocol.js").Turn} Turn */
/** @typedef {import("./protocol.js").Answer} Answer */
/** @typedef {import("./protocol.js").Standing} Standing */
/** @typedef {import("./engine.js").Engine} Engine */
/** @typedef {import("./engine.js").RunResult} RunResult */

/**
 * @typedef {object} Host what Python may ask of the page
 * @property {string} manifest JSON
 * @property {string} template the model's chat template
 * @property {number} context most tokens the KV cache holds
 * @property {(text: string) => Int32Array} encode
 * @property {(ids: Iterable<number>) => string} decode
 * @property {(...run: Parameters<Engine["run"]>) => Promise<RunResult>} run
 * @property {() => number} now milliseconds
 */

/**
 * @typedef {object} AppProxy module `offhand.browser`, class of `open_app`'s result
 * @property {() => string} catalogs
 * @property {(name: string, saved: string, fresh: boolean) => Promise<string>} select
 * @property {(text: string) => Promise<string>} talk
 * @property {(choice: string) => string} choose
 * @property {() => string} reset_world
 * @property {() => Uint8Array<ArrayBuffer> | string} export_world
 * @property {(data: Uint8Array) => string} import_world
 * @property {(text: string) => Promise<string>} say
 * @property {() => string} reset
 * @property {(transcript: string) => string} restore
 */

/**
 * @param {URL} folder of the Pyodide files
 * @returns {Promise<Pyodide>}
 */
export async function bootPython(folder) {
  const { loadPyodide } = /** @type {typeof import("pyodide")} */ (
    await import(new URL("pyodide.mjs", folder).href)
  );
  return await loadPyodide({
    indexURL: folder.href,
    stdout: (line) => console.info(line),
    stderr: (line) => console.warn(line),
  });
}

/**
 * @param {Pyodide} pyodide
 * @param {Uint8Array[]} wheels
 */
export function installWheels(pyodide, wheels) {
  const sysconfig = pyodide.pyimport("sysconfig");
  const extractDir = sysconfig.get_path("purelib");
  sysconfig.destroy();
  for (const wheel of wheels) pyodide.unpackArchive(wheel, "wheel", { extractDir });
}

/** The Python app, spoken to in plain values. */
export class PythonApp {
  /** @param {AppProxy} app */
  constructor(app) {
    this.app = app;
  }

  /**
   * @param {Pyodide} pyodide with the app's wheels installed
   * @param {Host} host
   * @returns {Promise<PythonApp>}
   */
  static async open(pyodide, host) {
    const browser = pyodide.pyimport("offhand.browser");
    try {
      return new PythonApp(await browser.open_app(host));
    } finally {
      browser.destroy();
    }
  }

  /** @returns {CatalogInfo[]} */
  catalogs() {
    return /** @type {CatalogInfo[]} */ (read(this.app.catalogs()));
  }

  /**
   * Start a conversation over these tools; runs their declarations through the model.
   *
   * @param {string} name
   * @param {import("./protocol.js").Saved} [saved]
   * @param {boolean} [fresh]
   * @returns {Promise<Opened>}
   */
  async select(name, saved, fresh) {
    const kept = saved ? JSON.stringify(saved) : "";
    return /** @type {Opened} */ (read(await this.app.select(name, kept, fresh ?? false)));
  }

  /**
   * @param {string} text
   * @returns {Promise<Answer>}
   */
  async talk(text) {
    return /** @type {Answer} */ (read(await this.app.talk(text)));
  }

  /**
   * @param {string} choice
   * @returns {Answer}
   */
  choose(choice) {
    return /** @type {Answer} */ (read(this.app.choose(choice)));
  }

  renewWorld() {
    return /** @type {Standing} */ (read(this.app.reset_world()));
  }

  /**
   * @param {string} text
   * @returns {Promise<Turn>}
   */
  async say(text) {
    return /** @type {Turn} */ (read(await this.app.say(text)));
  }

  /**
   * Make these messages the conversation; nothing is run until the next turn.
   *
   * @param {import("./protocol.js").TranscriptMessage[]} messages
   */
  restore(messages) {
    read(this.app.restore(JSON.stringify(messages)));
  }

  /** @returns {Uint8Array<ArrayBuffer>} */
  exportWorld() {
    const file = this.app.export_world();
    return typeof file === "string" ? /** @type {never} */ (read(file)) : file;
  }

  /** @param {Uint8Array} bytes */
  importWorld(bytes) {
    return /** @type {Standing} */ (read(this.app.import_world(bytes)));
  }

  reset() {
    return /** @type {Standing} */ (read(this.app.reset()));
  }
}

/**
 * @param {string} json
 * @returns {unknown}
 * @throws {PageError} when the app answered with an error
 */
function read(json) {
  const value = JSON.parse(json);
  if (value?.error) throw new PageError(value.error.kind, value.error.message, value.error.fix);
  return value;
}
