/** A field for titles with suggestions: the combobox pattern of ARIA, with all its keys. */

import { get } from "./api.js";
import { bdi, el, itemHref } from "./dom.js";
import { title } from "./text.js";

const WAIT_MS = 120;
const MOST = 8;

/**
 * @param {HTMLFormElement} form with an input of role combobox and the list that it controls
 * @param {(words: string) => void} say to those who listen
 */
export function combobox(form, say) {
  const input = form.querySelector("[role=combobox]");
  const list = form.querySelector("[role=listbox]");
  let found = [];
  let active = -1;
  let waiting = 0;
  /** @type {AbortController | null} */
  let asking = null;

  const activate = (place) => {
    active = place;
    [...list.children].forEach((option, n) => option.setAttribute("aria-selected", String(n === active)));
    if (active < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", list.children[active].id);
      list.children[active].scrollIntoView({ block: "nearest" });
    }
  };
  const open = (isOpen) => {
    list.hidden = !isOpen;
    input.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) activate(-1);
  };
  const close = () => {
    clearTimeout(waiting);
    asking?.abort();
    open(false);
  };
  const go = (address) => {
    close();
    location.hash = address;
  };
  const suggest = async () => {
    asking?.abort();
    asking = new AbortController();
    const q = input.value.trim();
    if (!q) return close();
    try {
      found = (await get(["search"], { q, k: MOST }, asking.signal)).items;
    } catch (error) {
      if (error.name !== "AbortError") close();
      return undefined;
    }
    list.replaceChildren(...found.map(option));
    active = -1;
    open(found.length > 0);
    say(found.length ? `${found.length} suggestions` : "No suggestions");
    return undefined;
  };
  const option = (match, n) =>
    el(
      "li",
      {
        role: "option",
        id: `suggested-${n}`,
        "aria-selected": "false",
        on: { mousedown: (event) => event.preventDefault(), click: () => go(itemHref(match.item_id)) },
      },
      bdi(title(match.title)),
    );

  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(suggest, WAIT_MS);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const n = list.hidden ? 0 : found.length;
    const steps = { ArrowDown: active + 1 >= n ? 0 : active + 1, ArrowUp: active <= 0 ? n - 1 : active - 1 };
    if (event.key in steps) {
      event.preventDefault();
      if (n) activate(steps[event.key]);
      else if (event.key === "ArrowDown") suggest();
    } else if (event.key === "Escape") {
      if (list.hidden) input.value = "";
      close();
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const words = input.value.trim();
    if (active >= 0) go(itemHref(found[active].item_id));
    else if (words) go(`#/search?q=${encodeURIComponent(words)}`);
  });
}
