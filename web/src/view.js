/**
 * The page as a whole: hands the state to its parts after every change, and keeps the clocks ticking
 * while something is under way.
 */

import { byId, setText } from "./dom.js";
import { CatalogView } from "./view-catalogs.js";
import { ComposerView } from "./view-composer.js";
import { EngineView } from "./view-engine.js";
import { LogView } from "./view-log.js";
import { WorldPanel } from "./view-world-panel.js";

/** @typedef {import("./controller.js").Controller} Controller */
/** @typedef {import("./state.js").State} State */

const PHASES = { loading: "Loading", ready: "Ready", busy: "Working", error: "Stopped" };
const TICK = 100;

/** Everything that is seen. */
export class View {
  /** @param {() => Controller} controller */
  constructor(controller) {
    const say = (/** @type {string} */ text) => controller().send(text);
    this.composer = new ComposerView({ say, renew: () => controller().renew() });
    /** A button that goes with its click leaves the focus to the composer. */
    const leaving = (/** @type {() => unknown} */ action) => {
      void action();
      this.composer.rest();
    };
    const restart = () => leaving(() => controller().start());
    this.engine = new EngineView({ restart });
    this.catalogs = new CatalogView({
      say: (text) => leaving(() => say(text)),
      choose: (name) => controller().choose(name),
    });
    this.log = new LogView(byId("log"), {
      restart,
      pick: (choice) => leaving(() => controller().pick(choice)),
      stop: () => leaving(() => controller().stop()),
      edit: ({ id }) => this.composer.put(controller().takeBack(id)),
    });
    this.world = new WorldPanel(byId("world"), () => controller().renewWorld());
    /** @type {number | undefined} */
    this.timer = undefined;
  }

  /** @param {State} state */
  update(state) {
    document.documentElement.dataset["state"] = state.phase;
    setText(byId("phase"), PHASES[state.phase]);
    byId("notice").hidden = state.model?.tuned !== false;
    this.engine.update(state, performance.now());
    this.catalogs.update(state);
    this.composer.update(state);
    this.log.update(state);
    this.world.update(state);
    this.#tick(state);
  }

  /** @param {State} state */
  #tick(state) {
    if (state.phase === "loading" || state.phase === "busy") {
      this.timer ??= window.setInterval(() => this.#advance(state), TICK);
    } else {
      window.clearInterval(this.timer);
      this.timer = undefined;
    }
  }
  /** @param {State} state */
  #advance(state) {
    const now = performance.now();
    this.engine.update(state, now);
    this.log.tick(now, state);
  }
}
