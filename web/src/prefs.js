/**
 * Switches that this browser remembers. Each is off until it was switched on; where nothing can be
 * kept, a switch holds for this visit.
 */

/** @param {string} name */
function key(name) {
  return `offhand:${location.pathname}:switch:${name}`;
}

/**
 * @param {string} name
 * @returns {boolean}
 */
export function isOn(name) {
  try {
    return localStorage.getItem(key(name)) === "on";
  } catch {
    return false;
  }
}

/**
 * @param {string} name
 * @param {boolean} on
 */
export function setOn(name, on) {
  try {
    if (on) localStorage.setItem(key(name), "on");
    else localStorage.removeItem(key(name));
  } catch {
    // Nothing can be kept: the switch holds for this visit.
  }
}
