/**
 * What the page's address may ask for: ?memory=fp32|int8, ?threads=N, ?catalog=NAME. Anything else
 * it says about these is refused by name, so that a measurement never runs on a typing error.
 */

import { PageError } from "./errors.js";

/** @typedef {import("./protocol.js").Memory} Memory */
/** @typedef {{memory: Memory, threads?: number, catalog: string | null}} Options */

const ENOUGH_GB = 4;
const MOST_THREADS = 16;

/**
 * @param {string} search the address from "?" on
 * @param {number | undefined} deviceMemory gigabytes, where the browser tells
 * @returns {Options}
 * @throws {PageError} kind "address"
 */
export function readOptions(search, deviceMemory) {
  const query = new URLSearchParams(search);
  const threads = query.get("threads");
  return {
    memory: readMemory(query.get("memory"), deviceMemory),
    ...(threads === null ? {} : { threads: readThreads(threads) }),
    catalog: query.get("catalog"),
  };
}

/**
 * @param {string | null} value
 * @param {number | undefined} deviceMemory
 * @returns {Memory}
 */
function readMemory(value, deviceMemory) {
  if (value === "fp32" || value === "int8") return value;
  if (value === null)
    return deviceMemory === undefined || deviceMemory >= ENOUGH_GB ? "fp32" : "int8";
  throw new PageError(
    "address",
    `There is no memory=${value}.`,
    "Use memory=fp32 or memory=int8 in the address.",
  );
}

/**
 * @param {string} value
 * @returns {number}
 */
function readThreads(value) {
  const threads = Number(value);
  if (Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS) return threads;
  throw new PageError(
    "address",
    `There is no threads=${value}.`,
    `Use a number from 1 to ${MOST_THREADS} in the address.`,
  );
}

/**
 * The catalog that the page opens with: the one asked for in the address, else the one used last,
 * else the first.
 *
 * @param {import("./protocol.js").CatalogInfo[]} catalogs
 * @param {string | null} wanted
 * @param {string | null} last
 * @returns {string} its name
 * @throws {PageError} the one asked for does not exist
 */
export function firstCatalog(catalogs, wanted, last) {
  const names = catalogs.map(({ name }) => name);
  if (wanted !== null && !names.includes(wanted)) {
    const fix = `Use one of ${names.join(", ")} in the address.`;
    throw new PageError("address", `There is no catalog=${wanted}.`, fix);
  }
  const kept = names.find((name) => name === last);
  return wanted ?? kept ?? names[0] ?? "";
}
