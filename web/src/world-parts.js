/** What the worlds are drawn with: SVG, glyphs, lists that keep their nodes, marks of change. */

/** @typedef {import("./dom.js").Child} Child */

const SVG = "http://www.w3.org/2000/svg";
const MARKED = 1500; // milliseconds
const MARGIN = 8; // pixels

const GLYPHS = {
  locked: "M5 9.5h10v7H5zM7 9.5V7a3 3 0 0 1 6 0v2.5M10 12.4v1.6",
  unlocked: "M5 9.5h10v7H5zM7 9.5V6a3 3 0 0 1 5.7-1.3M10 12.4v1.6",
  lamp: "M6.8 11.8a4.6 4.6 0 1 1 6.4 0c-.6.6-.9 1.2-.9 2H7.7c0-.8-.3-1.4-.9-2zM8.2 16.6h3.6",
  heat:
    "M10 3c.6 2.8 4.5 4.6 4.5 8.6A4.4 4.4 0 0 1 10 16.2a4.4 4.4 0 0 1-4.5-4.6" +
    "c0-1.7.8-2.9 1.8-3.9.2 1.3.9 2 1.7 2.2C8.7 7.4 8.8 4.8 10 3z",
  cool: "M10 3v14M4 6.5l12 7M16 6.5l-12 7M8.2 4.5 10 6.2l1.8-1.7M8.2 15.5 10 13.8l1.8 1.7",
  auto: "M15.5 8A6 6 0 0 0 4.7 7.2M4.5 12a6 6 0 0 0 10.8.8M4.3 4v3.4h3.4M15.7 16v-3.4h-3.4",
  movie_night: "M3.5 5.5h13v9h-13zM8.5 8v4l3.5-2z",
  bedtime: "M15.8 12.2A6.3 6.3 0 0 1 7.8 4.2a6.3 6.3 0 1 0 8 8z",
  morning: "M3 15h14M5.8 15a4.2 4.2 0 0 1 8.4 0M10 5v2.5M4.3 8.3 6 9.8M15.7 8.3 14 9.8",
  away: "M4 7.5h12v8.5H4zM7.5 7.5V5.2h5v2.3M4 11.2h12",
  party: "M4.5 16 8 7l5 5zM12 4.5v1.8M15.5 8.5h-1.8M14.8 5.2l-1.7 1.7",
  scene: "M4 6h12M4 10h12M4 14h12M7.5 4.5v3M13 8.5v3M9 12.5v3",
  active: "m5 10.5 3.5 3.5 7-7.5",
  waiting: "M10 6.2V10l2.6 1.8M10 3.2a6.8 6.8 0 1 0 0 13.6 6.8 6.8 0 0 0 0-13.6z",
  blocked: "M10 3.2a6.8 6.8 0 1 0 0 13.6 6.8 6.8 0 0 0 0-13.6zM5.3 5.3l9.4 9.4",
  cancelled: "m5.5 5.5 9 9M14.5 5.5l-9 9",
  ordered: "M3.5 5.5h13v9h-13zM3.8 6l6.2 5 6.2-5",
  flag: "M5.5 17V3.8M5.5 4.5h9l-2 3 2 3h-9",
  person:
    "M10 4a2.9 2.9 0 1 0 0 5.8A2.9 2.9 0 0 0 10 4zM4.2 16.5c.5-3 2.8-4.7 5.8-4.7s5.3 1.7 5.8 4.7",
  dir: "M3.2 15.5v-10h4.6l1.7 2h7.3v8z",
  file: "M5.5 3.5h6l3 3v10h-9zM11.3 3.7v3h3",
};

/** @typedef {keyof typeof GLYPHS} Glyph */

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/**
 * @param {string} name
 * @returns {name is Glyph}
 */
export function isGlyph(name) {
  return Object.hasOwn(GLYPHS, name);
}

/** @param {Glyph} name */
export function glyph(name) {
  const path = svg("path", { d: GLYPHS[name] });
  return svg("svg", { viewBox: "0 0 20 20", class: "glyph", "aria-hidden": "true" }, path);
}

/**
 * Exchange the drawing of a glyph.
 *
 * @param {SVGSVGElement} node
 * @param {Glyph} name
 */
export function setGlyph(node, name) {
  node.firstElementChild?.setAttribute("d", GLYPHS[name]);
}

/**
 * Make these the children, leaving in place what is in place.
 *
 * @param {Element} parent
 * @param {readonly Element[]} nodes
 */
export function arrange(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of Array.from(parent.children)) if (!wanted.has(child)) child.remove();
  nodes.forEach((node, index) => {
    const there = parent.children[index];
    if (there !== node) parent.insertBefore(node, there ?? null);
  });
}

/**
 * @template Item
 * @typedef {{node: HTMLElement | SVGElement, update: (item: Item) => void}} Part
 *   a node that shows an item
 */

/**
 * Children that stay the same nodes for as long as their items keep their keys.
 *
 * @template Item
 */
export class Parts {
  /**
   * @param {Element} parent
   * @param {(item: Item) => string} keyOf
   * @param {(item: Item) => Part<Item>} make
   */
  constructor(parent, keyOf, make) {
    this.parent = parent;
    this.keyOf = keyOf;
    this.make = make;
    /** @type {Map<string, Part<Item>>} */
    this.parts = new Map();
  }

  /** @param {readonly Item[]} items */
  update(items) {
    /** @type {Map<string, Part<Item>>} */
    const parts = new Map();
    for (const item of items) {
      const key = unused(this.keyOf(item), parts);
      const part = this.parts.get(key) ?? this.make(item);
      part.update(item);
      parts.set(key, part);
    }
    this.parts = parts;
    arrange(
      this.parent,
      Array.from(parts.values(), ({ node }) => node),
    );
  }
}

/**
 * @param {string} key
 * @param {ReadonlyMap<string, unknown>} taken
 */
function unused(key, taken) {
  let free = key;
  for (let count = 2; taken.has(free); count += 1) free = `${key} (${count})`;
  return free;
}

/** @type {WeakMap<Element, number>} */
const timers = new WeakMap();

/**
 * Show for a moment that something has just changed.
 *
 * @param {HTMLElement | SVGElement} node
 */
export function mark(node) {
  window.clearTimeout(timers.get(node));
  if (node.hasAttribute("data-changed")) {
    node.removeAttribute("data-changed");
    node.getBoundingClientRect(); // so that the animation begins anew
  }
  node.setAttribute("data-changed", "");
  timers.set(
    node,
    window.setTimeout(() => node.removeAttribute("data-changed"), MARKED),
  );
}

/**
 * Scroll a frame, and nothing around it, so far that a part in it is seen.
 *
 * @param {Element} frame
 * @param {Element} part
 */
export function reveal(frame, part) {
  const [outer, inner] = [frame.getBoundingClientRect(), part.getBoundingClientRect()];
  const under = inner.bottom - outer.bottom + MARGIN;
  const over = inner.top - outer.top - MARGIN;
  if (over < 0) frame.scrollBy({ top: over });
  else if (under > 0) frame.scrollBy({ top: Math.min(under, over) });
}

/**
 * @param {string} name "movie_night"
 * @returns {string} "Movie night"
 */
export function words(name) {
  const text = name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
