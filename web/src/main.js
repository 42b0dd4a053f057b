/** Where the page starts: joins the controller, the view and the worker. */

import { findMissing } from "./checks.js";
import { Client, startWorker } from "./client.js";
import { Controller } from "./controller.js";
import { PageError, fromFailure } from "./errors.js";
import { Keeper } from "./keep.js";
import { readOptions } from "./options.js";
import { View } from "./view.js";

const WORKER = new URL("worker.js", import.meta.url);

/**
 * @returns {{options: import("./options.js").Options, failure: unknown}} options, and why the page
 *   cannot run
 */
function prepare() {
  const missing = findMissing();
  const { deviceMemory } = /** @type {Navigator & {deviceMemory?: number}} */ (navigator);
  try {
    const options = readOptions(location.search, deviceMemory);
    return { options, failure: missing && fromFailure(missing) };
  } catch (failure) {
    return { options: { memory: "fp32", catalog: null }, failure };
  }
}

const { options, failure } = prepare();
/** @type {Controller} */
const controller = new Controller({
  options,
  keeper: Keeper.open(),
  connect: (onEvent) => new Client(startWorker(WORKER), onEvent),
  onChange: (state) => view.update(state),
});
const view = new View(() => controller);

if (failure instanceof PageError) controller.fail(failure);
else await controller.start();
