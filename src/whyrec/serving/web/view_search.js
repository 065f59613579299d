/** Titles that were searched for. */

import { get } from "./api.js";
import { bdi, el, itemLink } from "./dom.js";
import { empty, viewTitle } from "./entries.js";
import { hrefOf, placeIn } from "./router.js";
import { cut, visible } from "./text.js";
import { counted } from "./words.js";

const SIZE = 20;

/** @param {{route: object, signal: AbortSignal}} asked */
export async function search({ route, signal }) {
  const words = (route.query.get("q") ?? "").trim();
  const offset = placeIn(route.query, "offset");
  // One more than is shown tells whether there are more.
  const found = words ? (await get(["search"], { q: words, k: SIZE + 1, offset }, signal)).items : [];
  const shown = found.slice(0, SIZE);
  return {
    title: "Search",
    said: shown.length ? `${counted(shown.length, "title")} found` : "No title found",
    nodes: [
      viewTitle("Search"),
      words
        ? el("p", { class: "lead" }, "Titles with ", el("em", {}, bdi(cut(visible(words), 80))))
        : empty("Write some words of a title above."),
      shown.length
        ? el(
            "ul",
            { class: "matches" },
            shown.map((one) => el("li", {}, itemLink(one))),
          )
        : null,
      words && !shown.length ? empty("No title has words that begin so.") : null,
      el(
        "nav",
        { class: "pager", "aria-label": "Pages" },
        offset
          ? el(
              "a",
              {
                id: "page-before",
                class: "button",
                href: hrefOf(route, { offset: Math.max(0, offset - SIZE) || null }),
              },
              "← Before",
            )
          : null,
        found.length > SIZE
          ? el("a", { id: "page-after", class: "button", href: hrefOf(route, { offset: offset + SIZE }) }, "After →")
          : null,
      ),
    ],
  };
}
