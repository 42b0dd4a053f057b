/** Small helpers to build the document. Text is always text, never markup. */

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | boolean | null | undefined>} [attributes] true is present, false
 *   and nothing are absent
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (typeof value === "string") node.setAttribute(name, value);
  }
  node.append(
    ...children.filter((child) => child !== null && child !== undefined && child !== false),
  );
  return node;
}

/**
 * @param {string} name of a symbol in index.html, without "icon-"
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`index.html has no #${id}`);
  return node;
}

/**
 * A bar for a share of one. Decorative: the number stands beside it.
 *
 * @param {number} share 0 to 1
 * @param {string} [kind] class of the bar
 */
export function bar(share, kind = "") {
  const fill = el("span");
  fill.style.inlineSize = `${100 * Math.min(1, Math.max(0, share))}%`;
  return el("span", { class: `bar ${kind}`.trim(), "aria-hidden": "true" }, fill);
}

/**
 * Write text only when it changes, so that assistive technology is not told twice.
 *
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * @param {string} label
 * @param {string} symbol
 * @param {() => void} onClick
 * @param {string} [kind] class
 */
export function button(label, symbol, onClick, kind = "plain") {
  const node = el("button", { type: "button", class: kind }, icon(symbol), el("span", {}, label));
  node.addEventListener("click", onClick);
  return node;
}
