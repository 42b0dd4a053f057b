/**
 * Turns the weights as they travel into the weights as the graph reads them, while they arrive.
 *
 * The wire holds int8 matrices and float32 vectors in ascending order of offset, vectors first. In
 * memory a matrix is either copied or multiplied by its per-column scale into float32. Bytes may
 * arrive cut anywhere. No second copy of the wire is kept: only the scales, which are small.
 *
 * Pure: no I/O, runs in a browser and in Node. Little-endian, like WebAssembly.
 */

import { PageError } from "./errors.js";

/** @typedef {import("./protocol.js").WireTensor} WireTensor */
/** @typedef {import("./protocol.js").MemoryTensor} MemoryTensor */

const FIX = "The model files do not belong together: build the bundle again.";

/** Writes wire bytes, in order, into one buffer laid out for the graph. */
export class Expander {
  /**
   * @param {WireTensor[]} wire ascending by offset
   * @param {MemoryTensor[]} memory where each tensor goes; one that is absent is not kept
   * @param {number} bytes size of the buffer
   * @throws {PageError} kind "manifest" when the two tables contradict each other
   * @throws {RangeError} when the buffer cannot be allocated
   */
  constructor(wire, memory, bytes) {
    this.wire = wire;
    this.targets = byName(memory);
    this.buffer = new Uint8Array(bytes);
    /** @type {Map<string, Float32Array>} */
    this.scales = new Map();
    this.offset = 0;
    this.current = 0;
    check(wire, this.targets, bytes);
    for (const { scale } of wire) if (scale !== null) this.scales.set(scale, new Float32Array(0));
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
      if (this.offset === end) this.current += 1;
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
    this.scales.clear();
    return buffer;
  }

  /**
   * @param {WireTensor} tensor
   * @param {Uint8Array} bytes a piece of it
   * @param {number} position of the piece in the tensor, bytes
   */
  #place(tensor, bytes, position) {
    if (this.scales.has(tensor.name)) this.#keepScale(tensor, bytes, position);
    for (const target of this.targets.get(tensor.name) ?? []) {
      if (target.dtype === tensor.dtype) this.buffer.set(bytes, target.offset + position);
      else this.#scale(tensor, target, bytes, position);
    }
  }

  /**
   * @param {WireTensor} tensor
   * @param {Uint8Array} bytes
   * @param {number} position
   */
  #keepScale(tensor, bytes, position) {
    let values = /** @type {Float32Array} */ (this.scales.get(tensor.name));
    if (values.byteLength !== tensor.bytes) values = new Float32Array(tensor.bytes / 4);
    new Uint8Array(values.buffer).set(bytes, position);
    this.scales.set(tensor.name, values);
  }

  /**
   * @param {WireTensor} tensor int8 [rows, columns]
   * @param {MemoryTensor} target float32 of the same shape
   * @param {Uint8Array} bytes
   * @param {number} position
   */
  #scale(tensor, target, bytes, position) {
    const scales = /** @type {Float32Array} */ (
      this.scales.get(/** @type {string} */ (tensor.scale))
    );
    const values = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    const out = new Float32Array(this.buffer.buffer, target.offset + 4 * position, values.length);
    const columns = scales.length;
    let column = position % columns;
    for (let i = 0; i < values.length; i += 1) {
      out[i] = /** @type {number} */ (values[i]) * /** @type {number} */ (scales[column]);
      column += 1;
      if (column === columns) column = 0;
    }
  }
}

/**
 * @param {MemoryTensor[]} memory
 * @returns {Map<string, MemoryTensor[]>} a tensor may have several places
 */
function byName(memory) {
  const targets = new Map();
  for (const target of memory)
    targets.set(target.name, [...(targets.get(target.name) ?? []), target]);
  return targets;
}

/**
 * @param {WireTensor[]} wire
 * @param {Map<string, MemoryTensor[]>} targets
 * @param {number} bytes
 */
function check(wire, targets, bytes) {
  /** @type {Map<string, WireTensor>} */
  const seen = new Map();
  let offset = 0;
  for (const tensor of wire) {
    if (tensor.offset < offset) refuse(`${tensor.name} overlaps the tensor before it`);
    offset = tensor.offset + tensor.bytes;
    for (const target of targets.get(tensor.name) ?? []) {
      checkTarget(tensor, target, bytes);
      if (target.dtype !== tensor.dtype) checkScale(tensor, seen.get(tensor.scale ?? ""));
    }
    seen.set(tensor.name, tensor);
  }
  for (const name of targets.keys()) if (!seen.has(name)) refuse(`${name} is not on the wire`);
}

/**
 * @param {WireTensor} tensor
 * @param {MemoryTensor} target
 * @param {number} bytes
 */
function checkTarget(tensor, target, bytes) {
  const expected = target.dtype === tensor.dtype ? tensor.bytes : 4 * tensor.bytes;
  if (target.bytes !== expected) refuse(`${tensor.name} is ${expected} bytes, not ${target.bytes}`);
  if (target.offset + target.bytes > bytes) refuse(`${tensor.name} does not fit its buffer`);
  if (target.dtype === "float32" && target.offset % 4 !== 0)
    refuse(`${tensor.name} is not aligned`);
  if (target.dtype === "int8" && tensor.dtype === "float32")
    refuse(`${tensor.name} cannot be rounded`);
}

/**
 * @param {WireTensor} tensor
 * @param {WireTensor | undefined} scale
 */
function checkScale(tensor, scale) {
  if (scale?.dtype !== "float32") refuse(`${tensor.name} has no scale before it`);
  else if (scale.bytes !== 4 * (tensor.shape.at(-1) ?? 0))
    refuse(`${tensor.name} has a scale of another width`);
}

/**
 * @param {string} why
 * @returns {never}
 */
function refuse(why) {
  throw new PageError("manifest", `The weights cannot be read: ${why}.`, FIX);
}
