/** Elements from data. Text goes in as text, never as markup, without characters that nobody sees. */

import { title, visible } from "./text.js";

/**
 * Make an element.
 * @param {string} tag
 * @param {Record<string, unknown>} given `on` maps events to functions, `css` custom properties to values; everything
 *   else is an attribute: true is an empty one, false, null and undefined none.
 * @param {...(Node | string | number | null | undefined | false | Array)} children
 * @returns {HTMLElement}
 */
export function el(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name === "on") for (const [event, react] of Object.entries(value)) made.addEventListener(event, react);
    else if (name === "css") for (const [key, one] of Object.entries(value)) made.style.setProperty(`--${key}`, one);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, visible(value));
  }
  made.append(...nodes(children));
  return made;
}

/** What `append` takes: texts cleaned, nothing where nothing was given. */
export const nodes = (children) =>
  children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : document.createTextNode(visible(child))));

/** A text of unknown writing direction that does not turn its neighbours round. */
export const bdi = (text) => el("bdi", { dir: "auto" }, text);

/** A link to an item, by its title. */
export const itemLink = (item, given = {}) =>
  el("a", { href: itemHref(item.item_id), ...given }, bdi(title(item.title)));

/** Where an item's page is. */
export const itemHref = (id) => `#/items/${encodeURIComponent(id)}`;

/** Where a user's page is. */
export const userHref = (id) => `#/users/${encodeURIComponent(id)}`;

/** A heading that can be given the focus. */
export const heading = (level, given, ...children) => el(`h${level}`, { tabindex: "-1", ...given }, ...children);

let parts = 0;

/** A part of a page under its heading. */
export function part(name, given, ...children) {
  const id = `part-${(parts += 1)}`;
  return el("section", { "aria-labelledby": id, ...given }, el("h2", { id }, name), ...children);
}

/** A table of numbers, folded, that says what a chart shows. */
export function numbers(summary, columns, rows) {
  const cells = (row) => row.map((cell, n) => el(n ? "td" : "th", n ? {} : { scope: "row" }, cell));
  return el(
    "details",
    { class: "numbers" },
    el("summary", {}, summary),
    el(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": summary },
      el(
        "table",
        {},
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            columns.map((name) => el("th", { scope: "col" }, name)),
          ),
        ),
        el(
          "tbody",
          {},
          rows.map((row) => el("tr", {}, cells(row))),
        ),
      ),
    ),
  );
}
