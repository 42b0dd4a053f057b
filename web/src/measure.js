/** Marks on the browser's own timeline, for whoever profiles the page. */

/**
 * Leave a measure for whoever profiles the page.
 *
 * @param {string} name
 * @param {number} start
 * @param {number} end
 * @param {unknown} detail
 */
export function measure(name, start, end, detail) {
  performance.measure(`offhand:${name}`, { start, end, detail });
}
