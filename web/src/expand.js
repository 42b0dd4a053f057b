/**
 * Turns the weights as they travel into the weights as the graph reads them, while they arrive.
 *
 * Tensors come in ascending order of offset, and what a matrix needs to be expanded comes before
 * it. What the graph reads as it travels is copied straight to its place; any other matrix is kept
 * until its last byte is there, then expanded by `blocks`. Bytes may arrive cut anywhere. No second
 * copy of the wire is kept: only one matrix at a time, and the vectors that belong to it.
 *
 * Pure: no I/O, runs in a browser and in Node. Little-endian, like WebAssembly.
 */

import { BITS, toFloat32, toInt8 } from "./blocks.js";
import { PageError } from "./errors.js";

/** @typedef {import("./protocol.js").WireTensor} WireTensor */
/** @typedef {import("./protocol.js").MemoryTensor} MemoryTensor */

const FIX = "The model files do not belong together: build the bundle again.";
const NEWER =
  "They were made by a newer version. Reload without the browser's cache; if that does not help, " +
  "build the page again with that version.";
/** @type {Readonly<Record<string, number>>} bytes of a number of what travels as it is */
const PLAIN = { float16: 2, float32: 4, int8: 1 };

/** Writes wire bytes, in order, into one buffer laid out for the graph. */
export class Expander {
  /**
   * @param {WireTensor[]} wire ascending by offset
   * @param {MemoryTensor[]} memory where each tensor goes; one that is absent is not kept
   * @param {number} bytes size of the buffer
   * @throws {PageError} kind "manifest" when the two tables contradict each other, or name a form
   *   of weights that is unknown here
   * @throws {RangeError} when the buffer cannot be allocated
   */
  constructor(wire, memory, bytes) {
    this.wire = wire;
    this.targets = new Map(memory.map((target) => [target.name, target]));
    check(wire, this.targets, bytes);
    this.buffer = new Uint8Array(bytes);
    const expanded = wire.filter((tensor) => this.#isExpanded(tensor));
    /** Vectors that a matrix waits for. */
    this.needed = new Set(expanded.flatMap(needs));
    /** @type {Map<string, ArrayBuffer>} */
    this.kept = new Map();
    this.matrix = new ArrayBuffer(Math.max(0, ...expanded.map((tensor) => tensor.bytes)));
    this.offset = 0;
    this.current = 0;
  }

  /**
   * Take the next bytes of the wire.
   *
   * @param {Uint8Array} chunk
   */
  write(chunk) {
    let start = 0;
    while (start < chunk.length && this.current < this.wire.length) {
      const tensor = /** @type {WireTensor} */ (this.wire[this.current]);
      const end = tensor.offset + tensor.bytes;
      if (this.offset < tensor.offset) {
        const gap = Math.min(tensor.offset - this.offset, chunk.length - start);
        start += gap;
        this.offset += gap;
        continue;
      }
      const count = Math.min(end - this.offset, chunk.length - start);
      this.#place(tensor, chunk.subarray(start, start + count), this.offset - tensor.offset);
      start += count;
      this.offset += count;
      if (this.offset === end) {
        if (this.#isExpanded(tensor)) this.#expand(tensor);
        this.current += 1;
      }
    }
    this.offset += chunk.length - start;
  }

  /**
   * @returns {Uint8Array<ArrayBuffer>} the whole buffer; this object holds no reference to it after
   * @throws {PageError} kind "manifest" when bytes are missing
   */
  finish() {
    const missing = this.wire[this.current];
    if (missing) {
      throw new PageError(
        "manifest",
        `The weights end at byte ${this.offset}, inside ${missing.name}.`,
        FIX,
      );
    }
    const { buffer } = this;
    this.buffer = new Uint8Array(0);
    this.kept.clear();
    this.matrix = new ArrayBuffer(0);
    return buffer;
  }

  /** @param {WireTensor} tensor */
  #isExpanded(tensor) {
    const target = this.targets.get(tensor.name);
    return target !== undefined && target.dtype !== tensor.dtype;
  }

  /**
   * @param {WireTensor} tensor
   * @param {Uint8Array} bytes a piece of it
   * @param {number} position of the piece in the tensor, bytes
   */
  #place(tensor, bytes, position) {
    const target = this.targets.get(tensor.name);
    if (target?.dtype === tensor.dtype) this.buffer.set(bytes, target.offset + position);
    else if (target) new Uint8Array(this.matrix).set(bytes, position);
    if (!this.needed.has(tensor.name)) return;
    const vector = this.kept.get(tensor.name) ?? new ArrayBuffer(tensor.bytes);
    new Uint8Array(vector).set(bytes, position);
    this.kept.set(tensor.name, vector);
  }

  /** @param {WireTensor} tensor a matrix, all of whose bytes are there */
  #expand(tensor) {
    const [rows, columns] = /** @type {[number, number]} */ (tensor.shape);
    const target = /** @type {MemoryTensor} */ (this.targets.get(tensor.name));
    const source = {
      dtype: tensor.dtype,
      rows,
      columns,
      data: this.matrix,
      scale: this.#vector(Float32Array, tensor.dtype === "int8" ? tensor.scale : null),
      blocks: this.#vector(Uint16Array, tensor.blocks),
      rowExponents: this.#vector(Int8Array, tensor.rows),
      columnExponents: this.#vector(Int8Array, tensor.columns),
    };
    const { buffer } = this.buffer;
    if (target.dtype === "float32") {
      toFloat32(source, new Float32Array(buffer, target.offset, rows * columns));
    } else {
      const scale = /** @type {MemoryTensor} */ (this.targets.get(tensor.scale ?? ""));
      const scales = new Float32Array(buffer, scale.offset, columns);
      toInt8(source, new Int8Array(buffer, target.offset, rows * columns), scales);
    }
    for (const name of needs(tensor)) this.kept.delete(name);
  }

  /**
   * @template T
   * @param {new (buffer: ArrayBuffer) => T} Kind
   * @param {string | null} name
   * @returns {T | undefined}
   */
  #vector(Kind, name) {
    const kept = this.kept.get(name ?? "");
    return kept && new Kind(kept);
  }
}

/**
 * @param {WireTensor} tensor
 * @returns {string[]} vectors on the wire that expanding it takes
 */
function needs({ dtype, scale, blocks, rows, columns }) {
  const own = dtype === "int8" ? scale : null;
  return [own, blocks, rows, columns].filter((name) => name !== null);
}

/**
 * @param {WireTensor[]} wire
 * @param {Map<string, MemoryTensor>} targets
 * @param {number} bytes
 */
function check(wire, targets, bytes) {
  /** @type {Map<string, WireTensor>} */
  const seen = new Map();
  const made = new Set();
  let offset = 0;
  for (const tensor of wire) {
    checkForm(tensor);
    if (tensor.offset < offset) refuse(`${tensor.name} overlaps the tensor before it`);
    offset = tensor.offset + tensor.bytes;
    const target = targets.get(tensor.name);
    if (target) {
      checkTarget(target, numbers(tensor.shape), bytes);
      if (target.dtype !== tensor.dtype) checkNeeds(tensor, target, seen);
      if (target.dtype === "int8" && tensor.dtype !== "int8") {
        const scale = targets.get(tensor.scale ?? "");
        if (scale?.dtype !== "float32") return refuse(`${tensor.name} has no place for its scale`);
        checkTarget(scale, tensor.shape[1] ?? 0, bytes);
        made.add(scale.name);
      }
    }
    seen.set(tensor.name, tensor);
  }
  for (const name of targets.keys())
    if (!seen.has(name) && !made.has(name)) refuse(`${name} is not on the wire`);
}

/** @param {WireTensor} tensor */
function checkForm({ name, dtype, shape, bytes }) {
  const bits = 8 * (PLAIN[dtype] ?? 0) || BITS[dtype];
  if (!bits) {
    throw new PageError("manifest", `The weights are in a form unknown here, "${dtype}".`, NEWER);
  }
  const expected = (numbers(shape) * bits) / 8;
  if (bytes !== expected) refuse(`${name} is ${expected} bytes, not ${bytes}`);
  if (BITS[dtype] && (shape.length !== 2 || (shape[0] ?? 0) % 32))
    refuse(`${name} cannot be in blocks`);
}

/** @param {number[]} shape */
function numbers(shape) {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * @param {MemoryTensor} target
 * @param {number} count of its numbers
 * @param {number} bytes
 */
function checkTarget({ name, dtype, offset, bytes: size }, count, bytes) {
  const expected = count * (dtype === "float32" ? 4 : 1);
  if (size !== expected) refuse(`${name} is ${expected} bytes, not ${size}`);
  if (offset + size > bytes) refuse(`${name} does not fit its buffer`);
  if (dtype === "float32" && offset % 4 !== 0) refuse(`${name} is not aligned`);
}

/**
 * @param {WireTensor} tensor that has to be expanded
 * @param {MemoryTensor} target
 * @param {Map<string, WireTensor>} seen
 */
function checkNeeds(tensor, target, seen) {
  const [rows, columns] = /** @type {[number, number]} */ (tensor.shape);
  if (tensor.shape.length !== 2) refuse(`${tensor.name} is no matrix`);
  /**
   * @param {string} what
   * @param {string | null} name
   * @param {string} dtype
   * @param {number} length
   */
  const need = (what, name, dtype, length) => {
    const vector = seen.get(name ?? "");
    if (vector?.dtype !== dtype) return refuse(`${tensor.name} has no ${what} before it`);
    if (numbers(vector.shape) !== length)
      refuse(`${tensor.name} has a ${what} of another size`);
  };
  if (tensor.dtype === "int8") need("scale", tensor.scale, "float32", columns);
  if (BITS[tensor.dtype]) need("block scale", tensor.blocks, "float16", (rows / 32) * columns);
  if (tensor.rows !== null) need("row factor", tensor.rows, "int8", rows);
  if (tensor.columns !== null) need("column factor", tensor.columns, "int8", columns);
  if (tensor.dtype === "float16") refuse(`${tensor.name} cannot become ${target.dtype}`);
}

/**
 * @param {string} why
 * @returns {never}
 */
function refuse(why) {
  throw new PageError("manifest", `The weights cannot be read: ${why}.`, FIX);
}
