/**
 * The page as a whole: hands the state to its parts after every change, and keeps the clock of the
 * stages ticking while something loads.
 */

import { byId, setText } from "./dom.js";
import { CatalogView } from "./view-catalogs.js";
import { ComposerView } from "./view-composer.js";
import { EngineView } from "./view-engine.js";
import { LogView } from "./view-log.js";

/** @typedef {import("./controller.js").Controller} Controller */
/** @typedef {import("./state.js").State} State */

const PHASES = { loading: "Loading", ready: "Ready", busy: "Working", error: "Stopped" };
const TICK = 100;

/** Everything that is seen. */
export class View {
  /** @param {() => Controller} controller */
  constructor(controller) {
    const restart = () => void controller().start();
    const say = (/** @type {string} */ text) => controller().send(text);
    this.engine = new EngineView({ restart });
    this.catalogs = new CatalogView({ say, choose: (name) => controller().choose(name) });
    this.composer = new ComposerView({ say, renew: () => controller().renew() });
    this.log = new LogView(byId("log"), {
      restart,
      edit: ({ id }) => this.composer.put(controller().takeBack(id)),
    });
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
    this.#tick(state);
  }

  /** @param {State} state */
  #tick(state) {
    if (state.phase === "loading") {
      this.timer ??= window.setInterval(() => this.engine.update(state, performance.now()), TICK);
    } else {
      window.clearInterval(this.timer);
      this.timer = undefined;
    }
  }
}
