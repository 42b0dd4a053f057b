/** The house: its floor plan, its thermostat, and the same in words. */

import { el, setText } from "./dom.js";
import { plural } from "./format.js";
import { glyph, isGlyph, Parts, setGlyph, svg, words } from "./world-parts.js";
import { Plan } from "./world-plan.js";

/** @typedef {import("./world-types.js").HomeWorld} HomeWorld */
/** @typedef {import("./world-types.js").Room} Room */
/** @typedef {import("./world-types.js").Door} Door */
/** @typedef {import("./world-parts.js").Glyph} Glyph */

const COOLEST = 60;
const WARMEST = 80;
const SWEEP = 270;
const ARC = "M27.5 92.5A46 46 0 1 1 92.5 92.5";

/** Shows a smart home. */
export class HomeView {
  constructor() {
    this.title = "House";
    this.plan = new Plan();
    this.climate = new ClimateView();
    const lights = el("ul", { class: "states" });
    const doors = el("ul", { class: "states" });
    this.lights = new Parts(lights, nameOf, lightItem);
    this.doors = new Parts(doors, nameOf, doorItem);
    this.node = el(
      "div",
      { class: "home" },
      el("figure", { class: "plan-frame" }, this.plan.node),
      this.climate.node,
      el("div", { class: "states-of" }, el("h3", {}, "Lights"), lights),
      el("div", { class: "states-of" }, el("h3", {}, "Doors"), doors),
    );
  }

  /** @param {HomeWorld} world */
  summary({ rooms, doors, thermostat }) {
    const lit = rooms.filter(({ light }) => light).length;
    const unlocked = doors.filter(({ locked }) => !locked).length;
    return [
      lit === 0 ? "all lights off" : `${plural(lit, "light")} on`,
      unlocked === 0 ? "all doors locked" : `${plural(unlocked, "door")} unlocked`,
      `${thermostat.target}°F`,
    ].join(", ");
  }

  /** @param {HomeWorld} world */
  update(world) {
    this.plan.update(world, this.summary(world));
    this.climate.update(world);
    this.lights.update(world.rooms);
    this.doors.update(world.doors);
  }
}

/** @param {{name: string}} item */
function nameOf({ name }) {
  return name;
}

/** @param {Room} room */
function lightItem({ name }) {
  const { node, update } = stateItem(`light.${name}`);
  return {
    node,
    /** @param {Room} room */
    update: ({ label, light }) => update(label, light ? "On" : "Off", "lamp"),
  };
}

/** @param {Door} door */
function doorItem({ name }) {
  const { node, update } = stateItem(`door.${name}`);
  return {
    node,
    /** @param {Door} door */
    update: ({ label, locked }) =>
      update(label, locked ? "Locked" : "Unlocked", locked ? "locked" : "unlocked"),
  };
}

/**
 * A line of the legend.
 *
 * @param {string} part
 */
function stateItem(part) {
  const symbol = glyph("lamp");
  const name = el("span", { class: "state-label" });
  const value = el("span", { class: "state-value" });
  const node = el("li", { "data-part": part }, symbol, name, " ", value);
  return {
    node,
    /**
     * @param {string} label
     * @param {string} state
     * @param {Glyph} drawing
     */
    update: (label, state, drawing) => {
      setGlyph(symbol, drawing);
      setText(name, label);
      setText(value, state);
      node.dataset["state"] = state.toLowerCase();
    },
  };
}

/** The thermostat's dial, what it says in words, and the scene. */
class ClimateView {
  constructor() {
    this.arc = svg("path", { class: "dial-set", d: ARC, pathLength: WARMEST - COOLEST });
    this.now = svg("path", { class: "dial-now", d: "M60 7V21" });
    this.number = svg("text", { x: 60, y: 66, class: "dial-number" });
    this.symbol = glyph("auto");
    this.target = el("dd");
    this.inside = el("dd");
    this.mode = el("dd");
    this.scene = el("dd");
    this.dial = this.#dial();
    this.node = el(
      "div",
      { class: "climate" },
      this.dial,
      el(
        "dl",
        { class: "climate-facts" },
        el("div", { "data-part": "thermostat" }, el("dt", {}, "Set to"), this.target),
        el("div", {}, el("dt", {}, "Now"), this.inside),
        el("div", { "data-part": "thermostat" }, el("dt", {}, "Mode"), this.mode),
        el("div", { "data-part": "scene" }, el("dt", {}, "Scene"), this.scene),
      ),
    );
  }

  #dial() {
    for (const [name, value] of Object.entries({ x: 49, y: 78, width: 22, height: 22 }))
      this.symbol.setAttribute(name, String(value));
    return svg(
      "svg",
      { viewBox: "0 0 120 112", class: "dial", "aria-hidden": "true", "data-part": "thermostat" },
      svg("circle", { class: "edge", cx: 60, cy: 60, r: 57 }),
      svg("path", { class: "dial-track", d: ARC }),
      this.arc,
      this.now,
      this.number,
      this.symbol,
    );
  }

  /** @param {HomeWorld} world */
  update({ thermostat: { target, mode, now }, scene }) {
    this.dial.dataset["mode"] = mode;
    this.arc.style.strokeDasharray = `${within(target) - COOLEST} ${WARMEST}`;
    this.now.style.transform = `rotate(${angle(now)}deg)`;
    setText(this.number, `${target}°`);
    setGlyph(this.symbol, mode);
    setText(this.target, `${target} °F`);
    setText(this.inside, `${now} °F`);
    setText(this.mode, words(mode));
    this.scene.replaceChildren(...sceneOf(scene));
  }
}

/** @param {string | null} scene */
function sceneOf(scene) {
  if (scene === null) return ["None"];
  return [glyph(isGlyph(scene) ? scene : "scene"), words(scene)];
}

/** @param {number} degrees Fahrenheit */
function within(degrees) {
  return Math.min(WARMEST, Math.max(COOLEST, degrees));
}

/** @param {number} degrees Fahrenheit, on the dial: those of a circle, 0 straight up */
function angle(degrees) {
  return SWEEP * ((within(degrees) - COOLEST) / (WARMEST - COOLEST) - 0.5);
}
