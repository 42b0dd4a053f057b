/**
 * Files kept in this browser between visits, named by content, so that a reload is warm and an
 * interrupted download goes on where it stopped. Built on the Cache API; where that is missing or
 * refused (private windows, plain http, a full disk) every call still works and keeps nothing.
 */

/** @typedef {import("./protocol.js").FileEntry} FileEntry */

/** One store per address of the page, since an origin may host several. */
export class FileStore {
  /**
   * @param {URL} base address of the page's folder
   * @param {Cache | null} cache
   */
  constructor(base, cache) {
    this.base = base;
    this.cache = cache;
  }

  /**
   * @param {URL} base
   * @returns {Promise<FileStore>}
   */
  static async open(base) {
    try {
      return new FileStore(base, await caches.open(`offhand:${base.pathname}`));
    } catch {
      return new FileStore(base, null);
    }
  }

  /**
   * @param {FileEntry} entry
   * @returns {string}
   */
  #key({ path, sha256 }) {
    const url = new URL(path, this.base);
    url.search = `sha256=${sha256}`;
    return url.href;
  }

  /**
   * @param {FileEntry} entry
   * @returns {Promise<Uint8Array<ArrayBuffer> | null>} the bytes as kept, not verified
   */
  async get(entry) {
    try {
      const response = await this.cache?.match(this.#key(entry));
      return response ? new Uint8Array(await response.arrayBuffer()) : null;
    } catch {
      return null;
    }
  }

  /**
   * @param {FileEntry} entry
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @returns {Promise<boolean>} whether they are kept
   */
  async put(entry, bytes) {
    if (!this.cache) return false;
    try {
      await this.cache.put(this.#key(entry), new Response(bytes));
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Forget whatever is not one of these files.
   *
   * @param {FileEntry[]} entries
   */
  async prune(entries) {
    if (!this.cache) return;
    const wanted = new Set(entries.map((entry) => this.#key(entry)));
    for (const request of await this.cache.keys()) {
      if (!wanted.has(request.url)) await this.cache.delete(request);
    }
  }
}
