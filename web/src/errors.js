/**
 * Errors of the page. Each says what is wrong and what to do about it, and travels between worker
 * and page as plain data. Where an error is shown is not decided here.
 */

/** @typedef {import("./protocol.js").Failure} Failure */

/** An error raised on purpose, with a remedy. */
export class PageError extends Error {
  /**
   * @param {string} kind short name of the kind of error
   * @param {string} message what is wrong, one sentence
   * @param {string} [fix] what the reader can do about it
   * @param {ErrorOptions} [options]
   */
  constructor(kind, message, fix = "", options = {}) {
    super(message, options);
    this.name = "PageError";
    this.kind = kind;
    this.fix = fix;
  }
}

/**
 * @param {Failure} failure
 * @returns {PageError}
 */
export function fromFailure({ kind, message, fix }) {
  return new PageError(kind, message, fix);
}

/**
 * Turn anything thrown into plain data. A Python traceback is cut to its last line, which names the
 * exception; the whole of it stays in the console.
 *
 * @param {unknown} error
 * @param {string} [kind] kind of an error that names none itself
 * @param {string} [fix] remedy of an error that names none itself
 * @returns {Failure}
 */
export function toFailure(
  error,
  kind = "unexpected",
  fix = "Try again; if that does not help, reload the page.",
) {
  if (error instanceof PageError)
    return { kind: error.kind, message: error.message, fix: error.fix };
  console.error(error);
  const text = error instanceof Error ? error.message : String(error);
  const lines = text.trim().split("\n");
  return { kind, message: lines[lines.length - 1] || "Something failed without saying why.", fix };
}

const OUT_OF_MEMORY =
  /bad_?alloc|out of memory|\boom\b|allocation failed|(failed to|can't|could not) allocate/i;

/**
 * Whether an error means that the device ran out of memory.
 *
 * @param {unknown} error
 */
export function isOutOfMemory(error) {
  if (error instanceof RangeError) return true;
  return OUT_OF_MEMORY.test(error instanceof Error ? error.message : String(error));
}

/**
 * @param {import("./protocol.js").Memory} memory precision that did not fit
 * @param {unknown} cause
 * @returns {PageError}
 */
export function memoryError(memory, cause) {
  const fix =
    memory === "fp32"
      ? "Open the page with ?memory=int8, which needs less than half as much, or close other tabs."
      : "Close other tabs and programs, then try again.";
  return new PageError("memory", "There is not enough memory for the model.", fix, { cause });
}
