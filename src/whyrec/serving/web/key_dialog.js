/** Asks for the API key when the server wants one. */

const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("key"));
const form = dialog.querySelector("form");
const input = document.getElementById("key-value");
const refused = document.getElementById("key-refused");

/**
 * @param {boolean} wasRefused whether a key was given that the server does not take
 * @returns {Promise<string | null>} null when there is none to give
 */
export function askForKey(wasRefused) {
  refused.hidden = !wasRefused;
  input.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    const done = () => resolve(dialog.returnValue === "given" ? input.value.trim() || null : null);
    dialog.addEventListener("close", done, { once: true });
  });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (input.value.trim()) dialog.close("given");
});
dialog.querySelector("[data-cancel]").addEventListener("click", () => dialog.close());
