/**
 * Fetches the files the manifest names and believes none of them before size and SHA-256 agree.
 *
 * A file comes from the store if it is there, else from the network, and is asked for once more
 * when it arrives damaged. Where the browser offers no SHA-256 (plain http that is not localhost)
 * the size alone is compared. What the bytes mean is not known here.
 */

import { PageError } from "./errors.js";

/** @typedef {import("./protocol.js").FileEntry} FileEntry */
/** @typedef {import("./protocol.js").Manifest} Manifest */
/** @typedef {import("./store.js").FileStore} FileStore */

const ATTEMPTS = 2;
const FORMAT = 1;

/**
 * @param {URL} base
 * @returns {Promise<{text: string, manifest: Manifest}>} as sent, and parsed
 * @throws {PageError} kind "network" or "manifest"
 */
export async function loadManifest(base) {
  const text = await fetchManifest(new URL("manifest.json", base));
  const manifest = parse(text);
  if (manifest?.format !== FORMAT) {
    throw new PageError(
      "manifest",
      `manifest.json has format ${JSON.stringify(manifest?.format)}; this page reads format ${FORMAT}.`,
      "Reload without the browser's cache; if that does not help, build the bundle again.",
    );
  }
  return { text, manifest };
}

/** @param {URL} url */
async function fetchManifest(url) {
  try {
    const response = await fetch(url, { cache: "no-cache" });
    if (response.ok) return await response.text();
    throw new Error(`the server answered ${response.status}`);
  } catch (cause) {
    throw networkError("manifest.json", cause);
  }
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Reads verified files; counts bytes as they arrive. */
export class Loader {
  /**
   * @param {URL} base
   * @param {FileEntry[]} files every file that may be asked for
   * @param {FileStore} store
   * @param {(bytes: number, stored: number) => void} count told of bytes that arrived, and how many
   *   of them came from the store; negative when a damaged file is dropped
   */
  constructor(base, files, store, count = () => {}) {
    this.base = base;
    this.files = new Map(files.map((file) => [file.path, file]));
    this.store = store;
    this.count = count;
    this.kept = true;
  }

  /**
   * @param {string} path
   * @returns {FileEntry}
   * @throws {PageError} kind "manifest" when the manifest does not list it
   */
  entry(path) {
    const entry = this.files.get(path);
    if (entry) return entry;
    throw new PageError(
      "manifest",
      `manifest.json does not list ${path}.`,
      "Build the bundle again.",
    );
  }

  /**
   * @param {FileEntry} entry
   * @returns {Promise<Uint8Array<ArrayBuffer>>} verified
   * @throws {PageError} kind "network" or "integrity"
   */
  async read(entry) {
    const stored = await this.store.get(entry);
    if (stored && !(await findFault(entry, stored))) {
      this.count(stored.length, stored.length);
      return stored;
    }
    const bytes = await this.#download(entry);
    this.kept = (await this.store.put(entry, bytes)) && this.kept;
    return bytes;
  }

  /**
   * Read several files in order, a few ahead of the one that is yielded.
   *
   * @param {FileEntry[]} entries
   * @param {number} [ahead] how many are in flight
   * @returns {AsyncGenerator<Uint8Array<ArrayBuffer>, void, void>}
   */
  async *readAll(entries, ahead = 3) {
    /** @type {Promise<Uint8Array<ArrayBuffer>>[]} */
    const flight = [];
    let next = 0;
    while (flight.length > 0 || next < entries.length) {
      while (flight.length < ahead && next < entries.length) {
        const reading = this.read(/** @type {FileEntry} */ (entries[next]));
        reading.catch(() => {}); // Reported when its turn comes.
        flight.push(reading);
        next += 1;
      }
      yield await /** @type {Promise<Uint8Array<ArrayBuffer>>} */ (flight.shift());
    }
  }

  /**
   * @param {FileEntry} entry
   * @returns {Promise<Uint8Array<ArrayBuffer>>}
   */
  async #download(entry) {
    for (let attempt = 1; ; attempt += 1) {
      let received = 0;
      const onBytes = (/** @type {number} */ bytes) => {
        received += bytes;
        this.count(bytes, 0);
      };
      try {
        const bytes = await this.#fetch(entry, attempt > 1, onBytes);
        const fault = await findFault(entry, bytes);
        if (!fault) return bytes;
        throw new PageError(
          "integrity",
          fault,
          "Retry; if it happens again, the file on the server is damaged.",
        );
      } catch (error) {
        this.count(-received, 0);
        if (attempt === ATTEMPTS) throw error;
      }
    }
  }

  /**
   * @param {FileEntry} entry
   * @param {boolean} again bypass the browser's own cache
   * @param {(bytes: number) => void} onBytes
   * @returns {Promise<Uint8Array<ArrayBuffer>>} at most one byte longer than it should be
   */
  async #fetch(entry, again, onBytes) {
    const kept = this.store.cache ? "no-store" : "default";
    try {
      const response = await fetch(new URL(entry.path, this.base), {
        cache: again ? "reload" : kept,
      });
      if (!response.ok || !response.body) throw new Error(`the server answered ${response.status}`);
      return await collect(response.body.getReader(), entry.size, onBytes);
    } catch (cause) {
      throw networkError(entry.path, cause);
    }
  }
}

/**
 * @param {ReadableStreamDefaultReader<Uint8Array>} reader
 * @param {number} size expected; reading stops at the first byte beyond it
 * @param {(bytes: number) => void} onBytes
 */
async function collect(reader, size, onBytes) {
  const bytes = new Uint8Array(size + 1);
  let length = 0;
  while (length <= size) {
    const { done, value } = await reader.read();
    if (done) break;
    const piece = value.subarray(0, bytes.length - length);
    bytes.set(piece, length);
    length += piece.length;
    onBytes(piece.length);
  }
  if (length > size) await reader.cancel();
  return bytes.subarray(0, length);
}

/**
 * @param {FileEntry} entry
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Promise<string | null>} what is wrong with them
 */
async function findFault(entry, bytes) {
  if (bytes.length !== entry.size) {
    const found = bytes.length > entry.size ? "more" : `${bytes.length} bytes`;
    return `${entry.path} is damaged: expected ${entry.size} bytes, found ${found}.`;
  }
  if (!globalThis.crypto?.subtle) return null;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found === entry.sha256) return null;
  return `${entry.path} is damaged: expected SHA-256 ${brief(entry.sha256)}, found ${brief(found)}.`;
}

/** @param {string} digest */
function brief(digest) {
  return `${digest.slice(0, 12)}…`;
}

/**
 * @param {string} path
 * @param {unknown} cause
 */
function networkError(path, cause) {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new PageError(
    "network",
    `${path} could not be loaded: ${why}.`,
    "Check the connection and retry; files that arrived are kept.",
    { cause },
  );
}
