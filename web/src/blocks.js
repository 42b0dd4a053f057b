/**
 * The arithmetic of the weights' forms: from how a matrix travels to how the graph reads it.
 *
 * A matrix [in, out] travels as float32, as int8 with a scale a column, or in blocks of 32 rows
 * whose codes have 4 to 6 bits. The layout of a block is described in pyapp/offhand/weights.py,
 * whose results these are bit for bit: products are exact but for one rounding, done in float32.
 *
 * Pure and little-endian, like WebAssembly. A matrix is taken a piece at a time, so that what is
 * unpacked stays in the processor's cache.
 */

const BLOCK = 32;
const STEPS = 127;
/** Between the biases of float16 and float32. */
const BIAS = 2 ** 112;
/** Adding and taking away this number rounds a double to an integer, ties to even. */
const ROUND = 1.5 * 2 ** 52;

/** @type {Readonly<Record<string, number>>} bits of a code in the block formats */
export const BITS = { q4: 4, q5: 5, q6: 6 };

/**
 * @typedef {object} Source a matrix as it travelled
 * @property {string} dtype
 * @property {number} rows
 * @property {number} columns
 * @property {ArrayBuffer} data from its first byte on; may be longer
 * @property {Float32Array | undefined} scale [columns], of int8
 * @property {Uint16Array | undefined} blocks float16 [rows / 32, columns], of a matrix in blocks
 * @property {Int8Array | undefined} rowExponents powers of two to multiply rows by
 * @property {Int8Array | undefined} columnExponents the same for columns
 */

/**
 * @typedef {object} Piece some rows: value = (code - middle) * line[column] * 2^exponent[row]
 * @property {Int8Array | Uint8Array | Float32Array} codes
 * @property {number} middle
 * @property {Float32Array} line
 * @property {number} first row
 * @property {number} count of rows
 */

/**
 * Float16 has the fields of float32, narrower: once they lie in place, only the bias of the
 * exponent differs.
 *
 * @param {Uint16Array} halves float16, finite
 * @param {Float32Array} powers to multiply by
 * @param {Float32Array} out
 */
function fromHalves(halves, powers, out) {
  const fields = new Uint32Array(out.buffer);
  for (let i = 0; i < halves.length; i += 1) {
    const half = /** @type {number} */ (halves[i]);
    fields[i] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
    out[i] = /** @type {number} */ (out[i]) * BIAS * /** @type {number} */ (powers[i]);
  }
}

/**
 * @param {Int8Array | undefined} exponents zeros if undefined
 * @param {number} length
 */
function powersOfTwo(exponents, length) {
  return exponents
    ? Float32Array.from(exponents, (exponent) => 2 ** exponent)
    : new Float32Array(length).fill(1);
}

/**
 * Unpack one block, four codes at a time: all of its planes are whole words, in the order of rows.
 *
 * @param {Uint32Array} words the block's planes
 * @param {number} columns
 * @param {number} bits
 * @param {Uint32Array} out shifted codes, a byte each
 */
function unpack(words, columns, bits, out) {
  // An eighth of the block: four rows. Low halves of the first plane are the first four eighths.
  for (let eighth = 0; eighth < 4; eighth += 1) {
    const low = eighth * columns;
    const high = low + 4 * columns;
    for (let i = 0; i < columns; i += 1) {
      const word = /** @type {number} */ (words[low + i]);
      let [first, second] = [word & 0x0f0f0f0f, (word >>> 4) & 0x0f0f0f0f];
      if (bits > 4) {
        const fifth = /** @type {number} */ (words[4 * columns + i]) >>> eighth;
        first |= (fifth & 0x01010101) << 4;
        second |= ((fifth >>> 4) & 0x01010101) << 4;
      }
      if (bits > 5) {
        const sixth = /** @type {number} */ (words[5 * columns + i]) >>> eighth;
        first |= (sixth & 0x01010101) << 5;
        second |= ((sixth >>> 4) & 0x01010101) << 5;
      }
      out[low + i] = first;
      out[high + i] = second;
    }
  }
}

/**
 * @param {Source} source in blocks
 * @param {number} bits
 * @returns {Generator<Piece>} a block each; the next one overwrites it
 */
function* blockPieces({ data, rows, columns, blocks, columnExponents }, bits) {
  const powers = powersOfTwo(columnExponents, columns);
  const line = new Float32Array(columns);
  const codes = new Uint8Array(BLOCK * columns);
  const out = new Uint32Array(codes.buffer);
  const scales = /** @type {Uint16Array} */ (blocks);
  for (let first = 0, block = 0; first < rows; first += BLOCK, block += 1) {
    unpack(new Uint32Array(data, 4 * block * bits * columns, bits * columns), columns, bits, out);
    fromHalves(scales.subarray(block * columns, (block + 1) * columns), powers, line);
    yield { codes, middle: 1 << (bits - 1), line, first, count: BLOCK };
  }
}

/**
 * @param {Source} source
 * @returns {Generator<Piece>}
 */
function* pieces(source) {
  const { dtype, rows, columns, data } = source;
  const bits = BITS[dtype];
  if (bits) {
    yield* blockPieces(source, bits);
  } else if (dtype === "int8") {
    const line = /** @type {Float32Array} */ (source.scale);
    yield { codes: new Int8Array(data, 0, rows * columns), middle: 0, line, first: 0, count: rows };
  } else {
    const line = powersOfTwo(undefined, columns);
    yield { codes: new Float32Array(data, 0, rows * columns), middle: 0, line, first: 0, count: rows };
  }
}

/**
 * @param {Source} source
 * @param {Float32Array} out [rows, columns]
 */
export function toFloat32(source, out) {
  const { rows, columns } = source;
  const powers = powersOfTwo(source.rowExponents, rows);
  for (const { codes, middle, line, first, count } of pieces(source)) {
    for (let row = 0; row < count; row += 1) {
      scaleRow(
        codes.subarray(row * columns, (row + 1) * columns),
        middle,
        line,
        /** @type {number} */ (powers[first + row]),
        out.subarray((first + row) * columns, (first + row + 1) * columns),
      );
    }
  }
}

/**
 * @param {Piece["codes"]} codes
 * @param {number} middle
 * @param {Float32Array} line
 * @param {number} power
 * @param {Float32Array} out
 */
function scaleRow(codes, middle, line, power, out) {
  for (let i = 0; i < out.length; i += 1) {
    const code = /** @type {number} */ (codes[i]) - middle;
    out[i] = code * /** @type {number} */ (line[i]) * power;
  }
}

/**
 * Round to int8 with one scale a column: value = out * scale.
 *
 * @param {Source} source
 * @param {Int8Array} out [rows, columns]
 * @param {Float32Array} scale [columns]
 */
export function toInt8(source, out, scale) {
  const { rows, columns } = source;
  const powers = powersOfTwo(source.rowExponents, rows);
  const inverse = columnScales(source, powers, scale);
  const factors = new Float64Array(columns);
  for (const { codes, middle, line, first, count } of pieces(source)) {
    for (let i = 0; i < columns; i += 1) {
      factors[i] = /** @type {number} */ (line[i]) * /** @type {number} */ (inverse[i]);
    }
    for (let row = 0; row < count; row += 1) {
      roundRow(
        codes.subarray(row * columns, (row + 1) * columns),
        middle,
        factors,
        /** @type {number} */ (powers[first + row]),
        out.subarray((first + row) * columns, (first + row + 1) * columns),
      );
    }
  }
}

/**
 * @param {Piece["codes"]} codes
 * @param {number} middle
 * @param {Float64Array} factors
 * @param {number} power
 * @param {Int8Array} out
 */
function roundRow(codes, middle, factors, power, out) {
  for (let i = 0; i < out.length; i += 1) {
    const code = /** @type {number} */ (codes[i]) - middle;
    out[i] = Math.fround(code * power * /** @type {number} */ (factors[i])) + ROUND - ROUND;
  }
}

/**
 * @param {Source} source
 * @param {Float32Array} powers of the rows
 * @param {Float32Array} scale [columns], written
 * @returns {Float32Array} what to multiply a column by to get its codes
 */
function columnScales(source, powers, scale) {
  const { columns } = source;
  const most = new Float32Array(columns);
  for (const { codes, middle, line, first, count } of pieces(source)) {
    for (let row = 0; row < count; row += 1) {
      const power = /** @type {number} */ (powers[first + row]);
      growRow(codes.subarray(row * columns, (row + 1) * columns), middle, line, power, most);
    }
  }
  const inverse = new Float32Array(columns);
  for (let i = 0; i < columns; i += 1) {
    const size = /** @type {number} */ (most[i]);
    scale[i] = size > 0 ? size / STEPS : 1;
    inverse[i] = size > 0 ? STEPS / size : 1;
  }
  return inverse;
}

/**
 * @param {Piece["codes"]} codes
 * @param {number} middle
 * @param {Float32Array} line
 * @param {number} power
 * @param {Float32Array} most magnitudes so far, raised
 */
function growRow(codes, middle, line, power, most) {
  for (let i = 0; i < most.length; i += 1) {
    const code = /** @type {number} */ (codes[i]) - middle;
    const size = Math.abs(code * /** @type {number} */ (line[i]) * power);
    if (size > /** @type {number} */ (most[i])) most[i] = size;
  }
}
