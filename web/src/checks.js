/**
 * What the browser must be able to do before anything is downloaded, and what it had better be.
 */

/** @typedef {import("./protocol.js").Failure} Failure */

const FIX = "Open this page in a current Chrome, Edge, Firefox or Safari.";

/** The smallest module with a SIMD instruction: i8x16.splat of a constant. */
const SIMD = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15,
  11,
]);

/** @type {[() => boolean, string, string][]} what must hold, else what is missing and its remedy */
const REQUIREMENTS = [
  [
    () => typeof WebAssembly === "object",
    "This browser has no WebAssembly, or it is switched off.",
    FIX,
  ],
  [() => WebAssembly.validate(SIMD), "This browser's WebAssembly has no SIMD instructions.", FIX],
  [hasModuleWorkers, "This browser cannot run JavaScript modules in a worker.", FIX],
];

/**
 * @returns {Failure | null} the first thing that is missing
 */
export function findMissing() {
  for (const [holds, message, fix] of REQUIREMENTS) {
    if (!holds()) return { kind: "browser", message, fix };
  }
  return null;
}

/** Asking for the option is how a browser shows that it knows it. */
function hasModuleWorkers() {
  let asked = false;
  const url = URL.createObjectURL(new Blob([], { type: "text/javascript" }));
  const options = {
    get type() {
      asked = true;
      return /** @type {const} */ ("module");
    },
  };
  new Worker(url, options).terminate();
  URL.revokeObjectURL(url);
  return asked;
}

/**
 * @returns {string | null} why the model will run on one thread, if it will
 */
export function explainOneThread() {
  if (globalThis.crossOriginIsolated) return null;
  return globalThis.isSecureContext
    ? "The server does not isolate this page (COOP and COEP headers), so one thread is used."
    : "The page is not served over https or from localhost, so one thread is used.";
}
