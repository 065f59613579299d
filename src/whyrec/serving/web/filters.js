/** Filters of a list by attribute: those that are set, and a choice of more. */

import { bdi, el } from "./dom.js";
import { hrefOf } from "./router.js";
import { cut, visible } from "./text.js";

const MOST_VALUES = 60;
const SHORTEST = 2;

const spelled = (filter) => {
  const at = filter.indexOf(":");
  return [filter.slice(0, at).replaceAll("_", " "), filter.slice(at + 1)];
};

/** Add a filter to an address, once; a list starts at its beginning again. */
export const filtered = (route, filter) => {
  const set = route.query.getAll("attribute");
  return hrefOf(route, { attribute: set.includes(filter) ? set : [...set, filter], offset: null });
};

/**
 * @param {import("./router.js").Route} route
 * @param {Promise<object[]>} entries of which values are offered, once they are there
 */
export function filterBar(route, entries) {
  const set = route.query.getAll("attribute");
  const chosen = set.map((filter) => {
    const [name, value] = spelled(filter);
    const href = hrefOf(route, { attribute: set.filter((one) => one !== filter), offset: null });
    return el(
      "li",
      {},
      el(
        "a",
        { class: "button small", href },
        el("span", { class: "unseen" }, "Remove "),
        `${name}: `,
        bdi(cut(visible(value), 40)),
        " ✕",
      ),
    );
  });
  const select = el("select", { id: "filter" }, el("option", { value: "" }, "any"));
  const form = el(
    "form",
    {
      class: "filters",
      hidden: true,
      on: {
        submit: (event) => {
          event.preventDefault();
          if (select.value) location.hash = filtered(route, select.value);
        },
      },
    },
    el("label", { for: "filter" }, "Only with"),
    select,
    el("button", { id: "filter-set" }, "Filter"),
  );
  entries.then((found) => {
    const groups = choices(found, new Set(set));
    select.append(...groups);
    form.hidden = !groups.length;
  });
  return el(
    "div",
    { class: "filter-bar" },
    chosen.length ? el("ul", { class: "set", "aria-label": "Filters" }, chosen) : null,
    form,
  );
}

/** Values that at least two entries have, by attribute, the most frequent first. */
function choices(entries, set) {
  const counts = new Map();
  for (const { attributes } of entries) {
    for (const [name, values] of Object.entries(attributes)) {
      if (name.includes(":")) continue;
      const group = counts.get(name) ?? counts.set(name, new Map()).get(name);
      for (const value of new Set(values)) group.set(value, (group.get(value) ?? 0) + 1);
    }
  }
  const groups = [];
  for (const [name, group] of counts) {
    const options = [...group]
      .filter(([value, n]) => n >= SHORTEST && value && value.length < 80 && !set.has(`${name}:${value}`))
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      .slice(0, MOST_VALUES)
      .map(([value, n]) => option(`${name}:${value}`, `${value} (${n})`));
    if (options.length) groups.push(el("optgroup", { label: name.replaceAll("_", " ") }, options));
  }
  return groups;
}

function option(value, words) {
  const made = el("option", {}, words);
  made.value = value; // as it is: it is asked for, not read
  return made;
}
