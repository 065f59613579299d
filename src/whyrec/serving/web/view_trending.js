/** What is trending in a window, with reasons. */

import { get } from "./api.js";
import { sparkline } from "./chart_lines.js";
import { el } from "./dom.js";
import { empty, pager, place, viewTitle } from "./entries.js";
import { filterBar, filtered } from "./filters.js";
import { hrefOf, placeIn } from "./router.js";
import { count, counted, methodName, windowName } from "./words.js";

const SIZE = 20;
const OFFERED = 100;

/** @param {{route: object, signal: AbortSignal, version: object}} asked */
export async function trending({ route, signal, version }) {
  const window = route.query.get("window") ?? version.windows[0] ?? "next";
  const attribute = route.query.getAll("attribute");
  const offset = placeIn(route.query, "offset");
  const board = await get(["trending"], { window, attribute, k: SIZE, offset }, signal);
  const offered = get(["trending"], { window, k: OFFERED }, signal).then(
    (all) => all.entries,
    () => [],
  );
  const widest = Math.max(...board.entries.map((entry) => entry.high ?? entry.expected ?? 0), 1);
  const isForecast = window === "next";
  const rows = board.entries.map((entry) => {
    const row = place(entry, { trending: true, filter: (one) => filtered(route, one) });
    row.append(entry.recent.length > 1 ? sparkline(entry.recent) : el("span"), figures(entry, { widest, isForecast }));
    return row;
  });
  return {
    title: "Trending",
    said: `${counted(rows.length, "place")} of ${count(board.total)}`,
    nodes: [
      viewTitle("Trending"),
      el(
        "p",
        { class: "lead" },
        isForecast ? "What is expected to be taken in " : "What was taken in ",
        board.label,
        ", and why.",
      ),
      el(
        "p",
        { class: "hint" },
        isForecast
          ? `Expected users, with the range that should hold eight times out of ten, by ${methodName(board.method)}. `
          : "Different users who took it. ",
        `The line is the last ${recentDays(board)} days.`,
      ),
      el("div", { class: "tools" }, chooser(route, { version, window }), filterBar(route, offered)),
      rows.length
        ? el("ol", { class: "places board", start: offset + 1 }, rows)
        : empty(
            attribute.length
              ? "Nothing on this board has all that. Remove a filter."
              : offset
                ? "There are no places so far down."
                : "Nothing is trending yet.",
          ),
      pager(route, { offset, size: SIZE, shown: rows.length, total: board.total }),
    ],
  };
}

const recentDays = (board) => board.entries[0]?.recent.length ?? 0;

const chooser = (route, { version, window }) =>
  el(
    "nav",
    { class: "switch", "aria-label": "Window" },
    version.windows.map((key) =>
      el(
        "a",
        {
          id: `window-${key}`,
          href: hrefOf(route, { window: key, offset: null }),
          "aria-current": key === window ? "true" : null,
        },
        windowName(key),
      ),
    ),
  );

function figures(entry, { widest, isForecast }) {
  if (entry.expected === null) return el("p", { class: "figures" }, el("span", { class: "muted" }, "no forecast"));
  const hasRange = entry.low !== null && entry.high !== null;
  return el(
    "p",
    { class: "figures" },
    el("strong", { class: "number" }, counted(entry.expected)),
    " ",
    hasRange
      ? el(
          "small",
          { class: "number" },
          el("span", { class: "unseen" }, "expected, 80% interval "),
          `[${count(entry.low)}–${count(entry.high)}]`,
        )
      : el("small", {}, isForecast ? "expected" : "counted"),
    el("span", {
      class: hasRange ? "range" : "range exact",
      "aria-hidden": "true",
      css: {
        low: (entry.low ?? 0) / widest,
        high: (entry.high ?? entry.expected) / widest,
        expected: entry.expected / widest,
      },
    }),
  );
}
