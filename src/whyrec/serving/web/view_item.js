/** Everything published about an item. */

import { get } from "./api.js";
import { drivers, levels, traits } from "./bars.js";
import { history } from "./chart_history.js";
import { bdi, el, part } from "./dom.js";
import { chips, empty, viewTitle } from "./entries.js";
import { explained } from "./explanation.js";
import { Linked } from "./linking.js";
import { title as shownTitle, visible } from "./text.js";
import { count, counted, day, lastDay, methodName } from "./words.js";

const LONG = 400;

/** @param {{route: object, signal: AbortSignal}} asked */
export async function item({ route, signal }) {
  const found = await get(["items", route.path[1]], {}, signal);
  const linked = new Linked();
  const hasPast = found.history.length > 0 || (found.forecast?.expected ?? null) !== null;
  const past = hasPast ? history(found, linked) : { figure: empty("Nobody has taken it yet."), ids: new Set() };
  const why = found.explanation;
  const title = shownTitle(found.title);
  return {
    title,
    said: "Item page loaded",
    nodes: [
      viewTitle(bdi(title)),
      chips(found.attributes, { filter: (one) => `#/?${new URLSearchParams({ attribute: one })}`, isNamed: true }),
      el("p", { class: "lead" }, outlook(found)),
      el(
        "p",
        { class: "hint" },
        counted(found.total_users),
        " so far",
        found.first_seen ? `, first seen on ${day(found.first_seen)}.` : ".",
      ),
      description(found.description),
      el(
        "div",
        { class: "pair" },
        part("History and forecast", { class: "sticky" }, past.figure),
        part(
          "Why",
          {},
          why ? explained(why, linked, past.ids) : empty("No explanation of its forecast is published."),
          why?.drivers.length
            ? el(
                "div",
                {},
                el("h3", {}, "What moves the forecast"),
                el(
                  "p",
                  { class: "hint" },
                  "How many more or fewer users than the items around it, from the model itself.",
                ),
                drivers(why.drivers),
              )
            : null,
        ),
      ),
      found.traits.length ? part("Known for", {}, traits(found.traits)) : null,
      found.aspects.length
        ? part(
            "On readable scales",
            {},
            el("p", { class: "hint" }, "The dot is this item, the stroke the mean of the catalogue."),
            levels(found.aspects, "item_level"),
          )
        : null,
    ],
  };
}

function outlook({ forecast }) {
  if (!forecast) return "No forecast is published for it.";
  const when = `from ${day(forecast.start)} to ${lastDay(forecast.end)}`;
  const by = `, by ${methodName(forecast.method)}`;
  if (forecast.expected === null) return `Place ${count(forecast.rank)} ${when}${by}.`;
  const range = forecast.low === null ? "" : ` (80% interval ${count(forecast.low)} to ${count(forecast.high)})`;
  return [
    el("strong", {}, counted(forecast.expected)),
    ` expected${range} ${when}: place ${count(forecast.rank)}${by}.`,
  ];
}

function description(text) {
  const shown = visible(text).trim();
  if (!shown) return null;
  if (shown.length <= LONG) return el("div", { class: "description", dir: "auto" }, shown);
  const scrolled = { class: "description", dir: "auto", tabindex: "0", role: "region", "aria-label": "Description" };
  const summary = el("summary", {}, `Description (${count(shown.length)} characters)`);
  return el("details", {}, summary, el("div", scrolled, shown));
}
