/** The places of a list: titles, attributes, reasons; and where to go for more places. */

import { bdi, el, heading, itemLink } from "./dom.js";
import { reasonOf } from "./explanation.js";
import { hrefOf } from "./router.js";
import { cut, visible } from "./text.js";
import { count } from "./words.js";

const MOST_CHIPS = 8;
const LONGEST_CHIP = 40;
const LONGEST_FILTER = 200;

/**
 * Attributes as chips, by name; where `filter` is given, each value is a link to what has it.
 * @param {Record<string, string[]>} attributes
 * @param {{filter?: ((one: string) => string) | null, isNamed?: boolean}} given whether names are seen
 */
export function chips(attributes, { filter = null, isNamed = false } = {}) {
  let left = MOST_CHIPS;
  const groups = [];
  for (const [name, values] of Object.entries(attributes)) {
    const shown = values.slice(0, left);
    left -= shown.length;
    if (!shown.length) continue;
    const label = `${name.replaceAll("_", " ")}: `;
    const more = values.length - shown.length;
    groups.push(
      el(
        "li",
        {},
        el("span", { class: isNamed ? "label" : "unseen" }, label),
        shown.map((value, n) => [n ? ", " : "", chip({ name, value, label, filter })]),
        more ? ` and ${more} more` : "",
      ),
    );
  }
  return groups.length ? el("ul", { class: "chips", "aria-label": "Attributes" }, groups) : null;
}

function chip({ name, value, label, filter }) {
  const said = bdi(cut(visible(value), LONGEST_CHIP));
  const can = filter && !name.includes(":") && name.length + value.length < LONGEST_FILTER;
  return can ? el("a", { href: filter(`${name}:${value}`), title: cut(`only ${label}${value}`, 80) }, said) : said;
}

/**
 * One place of a list with its reason.
 * @param {object} entry
 * @param {{trending?: boolean, filter?: Function, extra?: Node}} given
 */
export const place = (entry, { trending = false, filter = null, extra = null } = {}) =>
  el(
    "li",
    { class: "place" },
    el("span", { class: "rank number" }, el("span", { class: "unseen" }, "Place "), count(entry.rank)),
    el(
      "div",
      { class: "what" },
      el("h3", { class: "title" }, itemLink(entry)),
      chips(entry.attributes, { filter }),
      reasonOf(entry.reason, { trending }),
      extra,
    ),
  );

/** Which places these are, and links to those before and after. */
export function pager(route, { offset, size, shown, total }) {
  if (total <= size && !offset) return null;
  const link = (id, to, words) => el("a", { id, class: "button", href: hrefOf(route, { offset: to || null }) }, words);
  return el(
    "nav",
    { class: "pager", "aria-label": "Places" },
    offset > 0 ? link("page-before", Math.max(0, offset - size), "← Before") : el("span"),
    el(
      "span",
      { class: "number" },
      shown ? `${count(offset + 1)}–${count(offset + shown)} of ${count(total)}` : `0 of ${count(total)}`,
    ),
    offset + shown < total ? link("page-after", offset + size, "After →") : el("span"),
  );
}

/** The heading of a view, that takes the focus when the view is opened. */
export const viewTitle = (...words) => heading(1, { id: "view-title" }, ...words);

/** That there is nothing, in words. */
export const empty = (...words) => el("p", { class: "empty" }, ...words);
