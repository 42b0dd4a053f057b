/**
 * Text to token ids and back, as the model's tokenizer.json defines it, equal to the `tokenizers`
 * library that trains and tests use. Control tokens are not text: the file does not know them, so
 * nothing a user types can become one.
 */

import { PageError } from "./errors.js";

/** @typedef {import("@huggingface/tokenizers").Tokenizer} HfTokenizer */

const BYTES = 256;
const REPLACEMENT = "\ufffd";

/** Encodes and decodes text only. */
export class TextTokenizer {
  /** @param {HfTokenizer} tokenizer */
  constructor(tokenizer) {
    this.tokenizer = tokenizer;
    this.utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    /** @type {Map<number, number>} byte of each id that stands for one */
    this.bytes = new Map();
    for (let byte = 0; byte < BYTES; byte += 1) {
      const name = byte.toString(16).toUpperCase().padStart(2, "0");
      const id = tokenizer.token_to_id(`<0x${name}>`);
      if (id !== undefined) this.bytes.set(id, byte);
    }
  }

  /**
   * @param {URL} library address of the tokenizers module
   * @param {Uint8Array} file tokenizer.json
   * @returns {Promise<TextTokenizer>}
   * @throws {PageError} kind "model" when the file is not a tokenizer
   */
  static async open(library, file) {
    const { Tokenizer } = /** @type {typeof import("@huggingface/tokenizers")} */ (
      await import(library.href)
    );
    try {
      return new TextTokenizer(new Tokenizer(JSON.parse(new TextDecoder().decode(file)), {}));
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new PageError(
        "model",
        `tokenizer.json cannot be used: ${why}.`,
        "Build the bundle again.",
        { cause },
      );
    }
  }

  /**
   * @param {string} text
   * @returns {Int32Array}
   */
  encode(text) {
    return Int32Array.from(this.tokenizer.encode(text, { add_special_tokens: false }).ids);
  }

  /**
   * @param {Iterable<number>} ids
   * @returns {string}
   */
  decode(ids) {
    let text = "";
    /** @type {number[]} */
    let run = [];
    let isBytes = false;
    for (const id of ids) {
      if (this.bytes.has(id) !== isBytes) {
        text += this.#decodeRun(run, isBytes);
        run = [];
        isBytes = !isBytes;
      }
      run.push(id);
    }
    return text + this.#decodeRun(run, isBytes);
  }

  /**
   * A run of byte tokens that is not UTF-8 has one U+FFFD per byte in the `tokenizers` library, where
   * its JavaScript sibling rescues what it can.
   *
   * @param {number[]} ids
   * @param {boolean} isBytes whether all of them stand for bytes, or none
   */
  #decodeRun(ids, isBytes) {
    if (ids.length === 0) return "";
    if (!isBytes) {
      return this.tokenizer.decode(ids, {
        skip_special_tokens: false,
        clean_up_tokenization_spaces: false,
      });
    }
    try {
      return this.utf8.decode(Uint8Array.from(ids, (id) => this.bytes.get(id) ?? 0));
    } catch {
      return REPLACEMENT.repeat(ids.length);
    }
  }
}
