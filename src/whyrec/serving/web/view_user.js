/** A user: their list with reasons, what they are taken to be interested in, and what if they wanted something else. */

import { get } from "./api.js";
import { attention, pushes, traits } from "./bars.js";
import { radar } from "./chart_radar.js";
import { bdi, el, itemLink, part } from "./dom.js";
import { empty, pager, place, viewTitle } from "./entries.js";
import { badge, explained, writer } from "./explanation.js";
import { failed } from "./failures.js";
import { hrefOf, placeIn } from "./router.js";
import { sliders } from "./sliders.js";
import { cut, title as shownTitle, visible } from "./text.js";
import { count, counted, day, methodName } from "./words.js";

const SIZE = 10;
const SOURCES = {
  personal: "Ranked for this user",
  blended: "Ranked for this user, then what is trending",
  trending: "What is trending, for everybody",
};

/** @param {{route: object, signal: AbortSignal, say: (words: string) => void}} asked */
export async function user({ route, signal, say }) {
  const id = route.path[1];
  const method = route.query.get("method");
  const offset = placeIn(route.query, "offset");
  const unknown = (error) => {
    if (error.status === 404) return null;
    throw error;
  };
  const [list, page, scales] = await Promise.all([
    get(["users", id, "recommendations"], { k: SIZE, offset, method }, signal),
    get(["users", id], {}, signal).catch(unknown),
    get(["aspects"], {}, signal).catch(() => []),
  ]);
  const name = shownTitle(id);
  const entries = list.entries.map((entry) => {
    const more = list.source === "trending" ? null : unfolded(list, { entry, signal });
    return place(entry, { extra: more });
  });
  return {
    title: `User ${name}`,
    said: `${counted(entries.length, "place")} of ${count(list.total)}`,
    nodes: [
      viewTitle("User ", bdi(name)),
      el(
        "p",
        { class: "lead" },
        page ? `${counted(page.n_interactions, "item")} taken so far.` : "No history yet: here is what is trending.",
      ),
      el(
        "div",
        { class: "pair wide-first" },
        part(
          "Their list",
          { id: "list" },
          chooser(route, page?.methods ?? [], list.method),
          el("p", { class: "hint" }, `${SOURCES[list.source]}, by ${methodName(list.method)}; `, bdi(list.note), "."),
          entries.length
            ? el("ol", { class: "places", start: offset + 1 }, entries)
            : empty("There are no places here."),
          pager(route, { offset, size: SIZE, shown: entries.length, total: list.total }),
        ),
        page ? aside(page) : null,
      ),
      page?.aspects.length ? comparison(page, { entries: list.entries, signal }) : null,
      page && scales.length ? sliders(id, { scales, signal, say }) : null,
    ],
  };
}

const chooser = (route, methods, current) =>
  methods.length < 2
    ? null
    : el(
        "nav",
        { class: "switch", "aria-label": "Method" },
        methods.map((key) =>
          el(
            "a",
            {
              id: `method-${key}`,
              href: hrefOf(route, { method: key, offset: null }),
              "aria-current": key === current ? "true" : null,
            },
            methodName(key),
          ),
        ),
      );

function aside(page) {
  const { pattern, motivations, newest } = page;
  return el(
    "div",
    { class: "beside" },
    pattern
      ? part(
          "Interests",
          {},
          el("p", { class: "words", dir: "auto" }, pattern.text),
          el("p", { class: "badges" }, patternBadge(pattern), writer(pattern.writer)),
        )
      : null,
    motivations.length ? part("Motivations", {}, traits(motivations)) : null,
    newest.length
      ? part(
          "Taken last",
          {},
          el(
            "ul",
            { class: "newest" },
            newest.map((one) => el("li", {}, itemLink(one), el("small", {}, day(one.timestamp)))),
          ),
        )
      : null,
  );
}

const patternBadge = (pattern) =>
  pattern.verified
    ? el("span", { class: "badge" }, "verified")
    : badge({ verified: false, n_claims: 0, n_supported: 0 });

/** The whole explanation of an entry, asked for when it is unfolded. */
function unfolded(list, { entry, signal }) {
  const inside = el("div", { class: "inside" });
  let state = "closed";
  const load = async () => {
    if (state !== "closed") return;
    state = "open";
    inside.replaceChildren(el("p", { class: "muted", role: "status" }, "Loading…"));
    try {
      const path = ["users", list.user_id, "items", entry.item_id, "explanation"];
      const found = await get(path, { method: list.method }, signal);
      inside.replaceChildren(el("div", {}, explained(found), attention(found) ?? "", pushes(found) ?? ""));
    } catch (error) {
      if (error.name === "AbortError") return;
      state = "closed";
      inside.replaceChildren(
        failed(error.status === 404 ? new Error("No whole explanation is published for this place.") : error),
      );
    }
  };
  const details = el(
    "details",
    { class: "more" },
    el("summary", {}, "The whole reason", el("span", { class: "unseen" }, ` for ${shownTitle(entry.title)}`)),
    inside,
  );
  details.addEventListener("toggle", () => details.open && load());
  return details;
}

/** The user's levels as a radar, beside those of an entry that can be chosen. */
function comparison(page, { entries, signal }) {
  const place = el("div", {}, radar(page.aspects, null));
  const options = entries.map((entry) => {
    const made = el("option", {}, `${entry.rank}. ${cut(shownTitle(entry.title), 60)}`);
    made.value = entry.item_id;
    return made;
  });
  const select = el("select", { id: "compared" }, el("option", { value: "" }, "nothing"), options);
  const compare = async () => {
    const id = select.value;
    try {
      const other = id ? await get(["items", id], {}, signal) : null;
      if (select.value !== id) return;
      const note =
        other && !other.aspects.length ? el("p", { class: "hint", role: "status" }, "This item has no levels.") : "";
      place.replaceChildren(radar(page.aspects, other), note);
    } catch (error) {
      if (error.name !== "AbortError") place.replaceChildren(failed(error));
    }
  };
  select.addEventListener("change", compare);
  if (options.length) {
    select.value = options[0].value;
    compare();
  }
  return part(
    "On readable scales",
    { class: "comparison" },
    el(
      "p",
      { class: "hint" },
      "Where the user stands from 1 to 10 on each aspect, and where an item of the list does.",
    ),
    el("div", { class: "filters" }, el("label", { for: "compared" }, "Compare with"), select),
    place,
  );
}
