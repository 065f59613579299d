/** Small bars beside words: every one has its number in the text. */

import { bdi, el } from "./dom.js";
import { badge, writer } from "./explanation.js";
import { day, effect, percent, signed, tenths } from "./words.js";

const LEAST_PUSH = 0.005;

const track = (share, kind = "") =>
  el("span", { class: `track ${kind}`.trim(), "aria-hidden": "true", css: { share } });

/** What moves a forecast, as far as each moves it. */
export function drivers(list) {
  const widest = Math.max(...list.map((one) => Math.abs(one.effect)), 0.01);
  return el(
    "ul",
    { class: "bars" },
    list.map((one) =>
      el(
        "li",
        {},
        el("span", {}, one.label),
        track(Math.abs(one.effect) / widest, one.effect < 0 ? "down" : "up"),
        el("span", { class: "number" }, effect(one.effect)),
      ),
    ),
  );
}

/** What an item is known for, or why a user takes things. */
export function traits(list) {
  return el(
    "ul",
    { class: "traits" },
    list.map((one) =>
      el(
        "li",
        {},
        el(
          "div",
          { class: "bar" },
          el("strong", {}, bdi(one.name)),
          one.strength === null ? null : [track(one.strength), el("span", { class: "number" }, percent(one.strength))],
        ),
        one.text ? el("p", { dir: "auto" }, one.text) : null,
      ),
    ),
  );
}

/** Where something stands on readable scales from 1 to 10. */
export function levels(list, of) {
  return el(
    "ul",
    { class: "levels" },
    list
      .filter((one) => (one[of] ?? null) !== null)
      .map((one) =>
        el(
          "li",
          {},
          el("strong", {}, bdi(one.name)),
          el("span", { class: "number" }, `${tenths(one[of])} of 10`),
          el(
            "span",
            { class: "scale" },
            el("span", { class: "pole" }, bdi(one.low)),
            el("span", {
              class: one.mean_level === null ? "rail" : "rail with-mean",
              "aria-hidden": "true",
              css: { at: (one[of] - 1) / 9, mean: ((one.mean_level ?? 1) - 1) / 9 },
            }),
            el("span", { class: "pole" }, bdi(one.high)),
          ),
        ),
      ),
  );
}

/** How far each aspect moves an item up or down for a user; what moves it by nothing to speak of is left out. */
export function pushes(explanation) {
  const list = explanation.aspects
    .filter((one) => Math.abs(one.push ?? 0) >= LEAST_PUSH)
    .sort((a, b) => Math.abs(b.push) - Math.abs(a.push));
  if (!list.length) return null;
  const widest = Math.abs(list[0].push);
  const rest = explanation.base_push ?? null;
  const rows = list.map((one) =>
    el(
      "li",
      {},
      el("span", {}, bdi(one.name)),
      track(Math.abs(one.push) / widest, one.push < 0 ? "down" : "up"),
      el("span", { class: "number" }, signed(one.push)),
    ),
  );
  return el(
    "div",
    {},
    el("h3", {}, "What each aspect does to the score"),
    el("ul", { class: "bars" }, rows),
    rest === null ? null : el("p", { class: "hint" }, `What was learnt from who took what adds ${signed(rest)}.`),
  );
}

/** Reasons of others that the ranking looked at, with their share of its attention. */
export function attention(explanation) {
  const { reasons, unattended } = explanation;
  if (!reasons.length) return null;
  const hasShares = reasons.some((one) => one.attention !== null);
  const sorted = [...reasons].sort((a, b) => (b.attention ?? 0) - (a.attention ?? 0));
  const share = (part) =>
    part === null ? null : el("span", { class: "share" }, el("span", { class: "number" }, percent(part)), track(part));
  const items = sorted.map((one) =>
    el(
      "li",
      {},
      share(one.attention),
      el(
        "div",
        {},
        el("small", {}, `Another user, ${day(one.timestamp)}`),
        el("p", { dir: "auto" }, one.text),
        el("p", { class: "badges" }, checked(one), writer(one.writer)),
      ),
    ),
  );
  if (hasShares && (unattended ?? null) !== null) {
    items.push(el("li", {}, share(unattended), el("div", {}, el("p", {}, "none of them"))));
  }
  return el(
    "div",
    {},
    el("h3", {}, "Reasons of others"),
    el(
      "p",
      { class: "hint" },
      hasShares
        ? "The ranking read these; the bar is its attention to each. Whose they are, is not told."
        : "Of the same item; they have no part in this ranking. Whose they are, is not told.",
    ),
    el("ul", { class: hasShares ? "others weighed" : "others" }, items),
  );
}

const checked = (one) =>
  one.verified ? el("span", { class: "badge" }, "verified") : badge({ verified: false, n_claims: 0, n_supported: 0 });
