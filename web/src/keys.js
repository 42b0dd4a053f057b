/** Keys that work wherever the focus is: Escape, and "/" outside of fields. */

const FIELDS = "input, textarea, select, [contenteditable]";

/**
 * @param {object} actions
 * @param {() => void} actions.escape
 * @param {() => void} actions.compose go to the field
 */
export function listenForKeys({ escape, compose }) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || hasModifier(event)) return;
    if (event.key === "Escape") escape();
    if (event.key !== "/" || isField(event.target)) return;
    event.preventDefault();
    compose();
  });
}

/** @param {KeyboardEvent} event */
export function hasModifier({ ctrlKey, altKey, metaKey }) {
  return ctrlKey || altKey || metaKey;
}

/** @param {EventTarget | null} target */
function isField(target) {
  return target instanceof Element && target.closest(FIELDS) !== null;
}
