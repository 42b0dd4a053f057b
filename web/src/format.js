/** Numbers as the page writes them. Pure. */

const MEGA = 1e6;

/** @param {number} bytes */
export function megabytes(bytes) {
  const value = bytes / MEGA;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} MB`;
}

/**
 * @param {number} loaded bytes
 * @param {number} total bytes
 */
export function megabytesOf(loaded, total) {
  const digits = total < 10 * MEGA ? 1 : 0;
  return `${(loaded / MEGA).toFixed(digits)} of ${(total / MEGA).toFixed(digits)} MB`;
}

/** @param {number} milliseconds */
export function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** @param {number} milliseconds */
export function duration(milliseconds) {
  return milliseconds < 1000
    ? `${Math.round(milliseconds)} ms`
    : `${(milliseconds / 1000).toFixed(2)} s`;
}

/**
 * A probability as a percentage; only certainty itself is 100%.
 *
 * @param {number} probability 0 to 1
 */
export function percent(probability) {
  const value = 100 * probability;
  if (value >= 99.95 && probability < 1) return ">99.9%";
  if (value > 0 && value < 0.1) return "<0.1%";
  return `${value >= 10 && value < 99 ? Math.round(value) : Number(value.toFixed(1))}%`;
}

/**
 * @param {number} count
 * @param {string} one
 */
export function plural(count, one) {
  return `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;
}

/**
 * A value of a call: text as it is, anything else as JSON.
 *
 * @param {unknown} value
 */
export function show(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}
