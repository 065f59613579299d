/** What went wrong, in words, where it went wrong. */

import { el } from "./dom.js";
import { cut, visible } from "./text.js";

/**
 * @param {Error & {status?: number}} error
 * @param {(() => void) | null} again what to do when somebody wants to try again
 */
export const failed = (error, again = null) =>
  el(
    "div",
    { class: "failure", role: "alert" },
    el("p", {}, cut(visible(error.message), 400)),
    again ? el("button", { type: "button", on: { click: again } }, "Try again") : null,
  );
