/**
 * The panel that shows how the model comes to be there: each stage with its own progress, then what
 * runs where. Open while loading, folded once ready.
 */

import { byId, button, el, icon, setText } from "./dom.js";
import { explainOneThread } from "./checks.js";
import { megabytes, megabytesOf, plural, seconds } from "./format.js";
import { STAGES } from "./protocol.js";
import { failureCard } from "./view-failure.js";

/** @typedef {import("./protocol.js").Stage} Stage */
/** @typedef {import("./protocol.js").LoadInfo} LoadInfo */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").StageState} StageState */

const LABELS = { model: "Model files", python: "Python", session: "Runtime", warm: "Warm-up" };
const STEPS = {
  model: [],
  python: ["starting the interpreter", "installing the app", "opening the app"],
  session: ["opening the model"],
  warm: ["reading the tools"],
};
const TITLES = { loading: "Getting ready", ready: "Ready", busy: "Ready", error: "Not running" };
const RATE_AFTER = 1500;

/** Shows the loading stages and the facts about this device. */
export class EngineView {
  /** @param {{restart: () => void}} actions */
  constructor({ restart }) {
    this.restart = restart;
    this.panel = /** @type {HTMLDetailsElement} */ (byId("engine"));
    /** @type {string} */
    this.phase = "";
    /** @type {unknown} */
    this.failure = null;
    /** @type {LoadInfo | null} */
    this.info = null;
    this.rows = new Map(STAGES.map((stage) => [stage, stageRow(stage)]));
    byId("stages").append(...Array.from(this.rows.values(), ({ node }) => node));
  }

  /**
   * @param {State} state
   * @param {number} now milliseconds
   */
  update(state, now) {
    for (const stage of STAGES) this.#updateStage(stage, state.stages[stage], now);
    setText(byId("engine-title"), TITLES[state.phase]);
    setText(byId("engine-time"), elapsed(state, now));
    if (state.phase !== this.phase) this.#enter(state.phase);
    if (state.failure !== this.failure) this.#showFailure(state);
    if (state.info !== this.info) this.#showFacts(state);
  }

  /** @param {State["phase"]} phase */
  #enter(phase) {
    if (phase === "loading" || phase === "error") this.panel.open = true;
    else if (this.phase === "loading") this.panel.open = false;
    this.phase = phase;
  }

  /**
   * @param {Stage} stage
   * @param {StageState} state
   * @param {number} now
   */
  #updateStage(stage, state, now) {
    const row = /** @type {ReturnType<typeof stageRow>} */ (this.rows.get(stage));
    row.node.dataset["state"] = state.state;
    row.progress.hidden = state.state !== "running";
    if (state.total > 1) {
      row.progress.max = state.total;
      row.progress.value = state.loaded;
    } else row.progress.removeAttribute("value");
    setText(row.detail, detail(stage, state, now));
    setText(
      row.time,
      state.state === "waiting" ? "" : seconds((state.ended || now) - state.started),
    );
  }

  /** @param {State} state */
  #showFailure({ failure }) {
    this.failure = failure;
    const place = byId("engine-failure");
    place.replaceChildren();
    if (!failure) return;
    place.append(failureCard(failure, ...this.#remedies(failure.kind)));
  }

  /**
   * @param {string} kind of the failure
   * @returns {Node[]}
   */
  #remedies(kind) {
    if (kind === "browser") return [];
    if (kind === "address") return [plainLink()];
    const retry = button("Retry", "retry", this.restart, "plain strong");
    const smaller =
      new URLSearchParams(location.search).get("memory") === "int8" ? [] : [smallerLink()];
    return kind === "memory" ? [...smaller, retry] : [retry];
  }

  /** @param {State} state */
  #showFacts({ info, model }) {
    this.info = info;
    const list = info ? facts(info, model?.name ?? "") : [];
    byId("facts").replaceChildren(
      ...list.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
    );
  }
}

/** @param {Stage} stage */
function stageRow(stage) {
  const progress = el("progress", { "aria-label": LABELS[stage] });
  const detailText = el("span", { class: "quiet" });
  const time = el("span", { class: "stage-time quiet" });
  const node = el(
    "li",
    { "data-stage": stage },
    el("span", { class: "stage-icon" }, icon("check"), icon("alert")),
    el("span", { class: "stage-name" }, LABELS[stage]),
    time,
    detailText,
    progress,
  );
  return { node, progress, detail: detailText, time };
}

/**
 * @param {Stage} stage
 * @param {StageState} state
 * @param {number} now
 */
function detail(stage, state, now) {
  if (state.state === "waiting") return "";
  if (state.unit === "bytes") return bytesDetail(state, now);
  return state.state === "done" ? "" : (STEPS[stage][state.loaded] ?? "");
}

/**
 * @param {StageState} state
 * @param {number} now
 */
function bytesDetail({ state, loaded, total, stored, started }, now) {
  if (state === "done")
    return stored === total ? `${megabytes(total)}, from this browser` : megabytes(total);
  const fetched = loaded - stored;
  const spent = now - started;
  if (state === "failed" || spent < RATE_AFTER || fetched <= 0) return megabytesOf(loaded, total);
  const left = Math.ceil(((total - loaded) * spent) / fetched / 1000);
  const wait = left < 90 ? `${left} s` : plural(Math.round(left / 60), "minute");
  return `${megabytesOf(loaded, total)}, about ${wait} left`;
}

/**
 * @param {State} state
 * @param {number} now
 */
function elapsed({ phase, started, ended, info }, now) {
  if (phase === "error" || !started) return "";
  if (phase === "loading" || !info) return seconds(now - started);
  return `in ${seconds(ended - started)}, ${plural(info.threads, "thread")}, ${info.memory}`;
}

/**
 * @param {LoadInfo} info
 * @param {string} model
 * @returns {[string, string][]}
 */
function facts({ threads, memory, memoryBytes, modelBytes, stored }, model) {
  const one = explainOneThread();
  return [
    ["Model", model],
    ["Threads", threads === 1 && one ? `1. ${one}` : String(threads)],
    ["Memory", `${memory} layers, ${megabytes(memoryBytes)} of weights`],
    [
      "Download",
      stored
        ? `${megabytes(modelBytes)}, kept in this browser`
        : `${megabytes(modelBytes)}, not kept: this browser refused`,
    ],
  ];
}

/** A page whose address is wrong cannot be retried, only opened without it. */
function plainLink() {
  return el("a", { class: "plain strong", href: location.pathname }, "Open without options");
}

function smallerLink() {
  const url = new URL(location.href);
  url.searchParams.set("memory", "int8");
  return el("a", { class: "plain strong", href: url.href }, "Use less memory");
}
