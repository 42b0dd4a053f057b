/**
 * The page as a whole: hands the state to its parts after every change, and keeps the clocks ticking
 * while something is under way.
 */

import { byId, el, setText } from "./dom.js";
import { listenForKeys } from "./keys.js";
import { NewReplies, sentence } from "./replies.js";
import { current } from "./state.js";
import { saveTranscript } from "./transcript.js";
import { CatalogView } from "./view-catalogs.js";
import { ComposerView } from "./view-composer.js";
import { EngineView } from "./view-engine.js";
import { LogView } from "./view-log.js";
import { LostNotice } from "./view-notice.js";
import { VoiceView } from "./view-voice.js";
import { WorldPanel } from "./view-world-panel.js";
import { WorldControl } from "./world-control.js";

/** @typedef {import("./controller.js").Controller} Controller */
/** @typedef {import("./state.js").State} State */

const PHASES = { loading: "Loading", ready: "Ready", busy: "Working", error: "Stopped" };
const TICK = 100;

/** Everything that is seen. */
export class View {
  /** @param {() => Controller} controller */
  constructor(controller) {
    const say = (/** @type {string} */ text) => {
      this.voice.hush();
      controller().send(text);
    };
    this.composer = new ComposerView({
      say,
      renew: () => controller().renew(),
      save: () => saveCurrent(controller().state),
      pickByKey,
    });
    this.voice = new VoiceView(this.composer);
    /** A button that goes with its click leaves the focus to the composer. */
    const leaving = (/** @type {() => unknown} */ action) => {
      void action();
      this.composer.rest();
    };
    const restart = () => leaving(() => controller().start());
    this.engine = new EngineView({ restart });
    this.catalogs = new CatalogView({
      say: (text) => leaving(() => say(text)),
      choose: (name) => {
        putInAddress(name);
        controller().choose(name);
      },
    });
    this.log = new LogView(byId("log"), {
      restart,
      pick: (choice) => {
        this.voice.hush();
        leaving(() => controller().send(choice.label, choice.id));
      },
      save: saveTranscript,
      stop: () => leaving(() => controller().stop()),
      edit: ({ id }) => this.composer.put(controller().takeBack(id)),
    });
    const worlds = () => new WorldControl(controller());
    this.world = new WorldPanel(byId("world"), {
      renew: () => void worlds().renew(),
      save: () => worlds().save(),
      bring: (bytes) => void worlds().bring(bytes),
    });
    this.lost = new LostNotice();
    this.replies = new NewReplies();
    listenForKeys({
      escape: () => {
        if (!this.voice.cancel() && isAnswering(controller().state))
          leaving(() => controller().stop());
      },
      compose: () => this.composer.field.focus(),
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
    this.world.update(state);
    this.lost.update(state);
    this.#tell(this.replies.take(state));
    this.#tick(state);
  }

  /**
   * Say new replies to those who do not see them: the log itself is silent, since a reply there
   * comes with its whole call.
   *
   * @param {import("./protocol.js").Reply[]} replies
   */
  #tell(replies) {
    if (replies.length === 0) return;
    byId("announcer").replaceChildren(...replies.map((reply) => el("p", {}, sentence(reply))));
    this.voice.read(replies);
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

/** @param {State} state */
function saveCurrent(state) {
  const { catalog } = current(state);
  saveTranscript(catalog, state.standing[catalog]?.saved.messages ?? []);
}

/**
 * Let the address name the catalog, so that the page comes back to it when it is loaded again.
 *
 * @param {string} catalog
 */
function putInAddress(catalog) {
  const address = new URL(location.href);
  address.searchParams.set("catalog", catalog);
  history.replaceState(history.state, "", address);
}

/** @param {State} state */
function isAnswering({ conversations }) {
  return conversations.some(({ messages }) => messages.some(({ status }) => status === "running"));
}

/**
 * Take the choice that a digit stands for; only the newest reply has any.
 *
 * @param {string} key
 */
function pickByKey(key) {
  const node = byId("log").querySelector(`.choice[aria-keyshortcuts="${key}"]`);
  if (!(node instanceof HTMLButtonElement)) return false;
  node.click();
  return true;
}
