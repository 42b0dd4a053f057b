/** The floor plan of the house: rooms that light up, doors that lock. */

import { glyph, setGlyph, svg } from "./world-parts.js";

/** @typedef {import("./world-types.js").HomeWorld} HomeWorld */

/**
 * @typedef {object} RoomShape
 * @property {[number, number, number, number]} box left, top, width, height
 * @property {[number, number]} label where its middle is
 * @property {string} furniture a path
 */

/** @type {Record<string, RoomShape>} */
const ROOMS = {
  kitchen: {
    box: [30, 30, 104, 90],
    label: [86, 96],
    furniture: "M31 52H106V31M40 39a3 3 0 1 0 .1 0M52 39a3 3 0 1 0 .1 0M74 36h14v10H74z",
  },
  living_room: {
    box: [30, 120, 104, 108],
    label: [90, 184],
    furniture:
      "M37 150h10a4 4 0 0 1 4 4v40a4 4 0 0 1-4 4H37zM42 150v48M42 174h9M68 205h36v12H68z",
  },
  hallway: { box: [134, 30, 52, 198], label: [160, 140], furniture: "M150 160h20v40h-20z" },
  bedroom: {
    box: [186, 30, 86, 78],
    label: [222, 94],
    furniture: "M232 36h34v36h-34zM236 39h11v8h-11zM251 39h11v8h-11zM232 52h34",
  },
  bathroom: {
    box: [186, 108, 86, 50],
    label: [226, 147],
    furniture: "M259 114a6 6 0 0 1 6 6v26a6 6 0 0 1-12 0v-26a6 6 0 0 1 6-6z",
  },
  office: {
    box: [186, 158, 86, 70],
    label: [220, 210],
    furniture: "M250 165h16v48h-16zM244 184a6 6 0 1 0 .1 10M256 178v20",
  },
};

/** @typedef {"swing" | "roll"} DoorKind */

/**
 * @typedef {object} DoorShape
 * @property {[number, number]} at the hinge
 * @property {number} turn degrees from lying to the right of the hinge, in the wall
 * @property {number} width
 * @property {DoorKind} kind
 * @property {[number, number]} badge where its lock is drawn
 * @property {[number, number]} text
 * @property {"start" | "middle"} anchor
 */

/** @type {Record<string, DoorShape>} */
const DOORS = {
  back: door([147, 30], 0, 26, "swing", [160, 14], [174, 18], "start"),
  front: door([173, 228], 180, 26, "swing", [160, 245], [174, 249], "start"),
  side: door([30, 101], -90, 26, "swing", [14, 84], [14, 107], "middle"),
  garage: door([282, 228], 0, 46, "roll", [282, 245], [296, 249], "start"),
};

const WALLS =
  "M147 30H30V75M30 101V228H147M173 228H272V30H173M272 140H338V228H328M282 228H272" +
  "M30 120H134M186 108H272M186 158H272" +
  "M134 30V70M134 94V158M134 188V228M186 30V74M186 98V120M186 146V178M186 202V228";
const RAYS =
  "M0-6V-8.5M0 6V8.5M-6 0H-8.5M6 0H8.5M4.2 4.2 6 6M-4.2 4.2-6 6M4.2-4.2 6-6M-4.2-4.2-6-6";
const CAR =
  "M289 160a8 8 0 0 1 8-8h16a8 8 0 0 1 8 8v44a7 7 0 0 1-7 7h-18a7 7 0 0 1-7-7z" +
  "M293 172h24l-3 8h-18zM294 200h22";
const WINDOWS = "M54 30H100M30 152V196M62 228H104M208 30H252M208 228H250M272 52V88";

/**
 * @param {[number, number]} at
 * @param {number} turn
 * @param {number} width
 * @param {DoorKind} kind
 * @param {[number, number]} badge
 * @param {[number, number]} text
 * @param {"start" | "middle"} anchor
 * @returns {DoorShape}
 */
function door(at, turn, width, kind, badge, text, anchor) {
  return { at, turn, width, kind, badge, text, anchor };
}

/** The drawing; all that it says is in the legend beside it as well. */
export class Plan {
  constructor() {
    this.title = svg("title", {}, "Floor plan");
    /** @type {Map<string, SVGGElement>} */
    this.rooms = new Map();
    /** @type {Map<string, {node: SVGGElement, lock: SVGSVGElement}>} */
    this.doors = new Map();
    this.floor = svg("g");
    this.openings = svg("g");
    this.node = svg(
      "svg",
      { viewBox: "0 0 344 262", class: "plan", role: "img" },
      this.title,
      svg("defs", {}, glow()),
      garage(),
      this.floor,
      svg("path", { class: "walls", d: WALLS }),
      svg("path", { class: "windows", d: WINDOWS }),
      this.openings,
    );
  }

  /**
   * @param {HomeWorld} world
   * @param {string} summary
   */
  update({ rooms, doors }, summary) {
    const title = `Floor plan: ${summary}`;
    if (this.title.textContent !== title) this.title.textContent = title;
    for (const { name, label, light } of rooms) {
      const shape = ROOMS[name];
      if (!shape) continue;
      const node = this.rooms.get(name) ?? this.#addRoom(name, label, shape);
      node.dataset["lit"] = String(light);
    }
    for (const { name, locked } of doors) {
      const shape = DOORS[name];
      if (!shape) continue;
      const { node, lock } = this.doors.get(name) ?? this.#addDoor(name, shape);
      node.dataset["locked"] = String(locked);
      setGlyph(lock, locked ? "locked" : "unlocked");
    }
  }

  /**
   * @param {string} name
   * @param {string} label
   * @param {RoomShape} shape
   */
  #addRoom(name, label, { box: [x, y, width, height], label: [middle, base], furniture }) {
    const node = svg(
      "g",
      { class: "room", "data-part": `light.${name}` },
      svg("rect", { class: "floor", x, y, width, height }),
      svg("rect", { class: "glow", x, y, width, height, fill: "url(#plan-glow)" }),
      svg("path", { class: "furniture", d: furniture }),
      svg("rect", { class: "edge", x: x + 4, y: y + 4, width: width - 8, height: height - 8 }),
      lamp(middle, base - 18),
      svg("text", { x: middle, y: base }, label),
    );
    this.floor.append(node);
    this.rooms.set(name, node);
    return node;
  }

  /**
   * @param {string} name
   * @param {DoorShape} shape
   */
  #addDoor(name, { at, turn, width, kind, badge, text, anchor }) {
    const [x, y] = text;
    const lock = glyph("locked");
    const label = name.charAt(0).toUpperCase() + name.slice(1);
    for (const [key, value] of Object.entries({ x: -7, y: -7.5, width: 14, height: 14 }))
      lock.setAttribute(key, String(value));
    const node = svg(
      "g",
      { class: "door", "data-part": `door.${name}`, "data-kind": kind },
      svg(
        "g",
        { transform: `translate(${at.join(" ")}) rotate(${turn})` },
        svg("path", { class: "sweep", d: kind === "swing" ? sweep(width) : "" }),
        svg("path", { class: "leaf", d: `M0 0H${width}` }),
      ),
      svg(
        "g",
        { transform: `translate(${badge.join(" ")})` },
        svg("circle", { class: "edge", r: 13 }),
        svg("circle", { class: "badge", r: 10 }),
        lock,
      ),
      svg("text", { x, y, "text-anchor": anchor }, label),
    );
    this.openings.append(node);
    this.doors.set(name, { node, lock });
    return { node, lock };
  }
}

/** @param {number} width of the door whose way is drawn: half a right angle into the house */
function sweep(width) {
  const [x, y] = [width * Math.cos(Math.PI / 4), width * Math.sin(Math.PI / 4)];
  return `M${width} 0A${width} ${width} 0 0 1 ${x.toFixed(1)} ${y.toFixed(1)}`;
}

/**
 * @param {number} x
 * @param {number} y
 */
function lamp(x, y) {
  return svg(
    "g",
    { class: "lamp", transform: `translate(${x} ${y})` },
    svg("circle", { r: 3.6 }),
    svg("path", { class: "rays", d: RAYS }),
  );
}

function glow() {
  return svg(
    "radialGradient",
    { id: "plan-glow", r: 0.75 },
    svg("stop", { class: "glow-middle", offset: 0 }),
    svg("stop", { class: "glow-rim", offset: 1 }),
  );
}

/** The garage belongs to the house but has no light of its own. */
function garage() {
  return svg(
    "g",
    { class: "garage" },
    svg("rect", { class: "floor", x: 272, y: 140, width: 66, height: 88 }),
    svg("path", { class: "furniture", d: CAR }),
  );
}
