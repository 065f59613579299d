/** What if a user wanted more or less of an aspect: the list changes while a slider moves. */

import { get } from "./api.js";
import { isStill } from "./charts.js";
import { bdi, el, itemLink, part } from "./dom.js";
import { failed } from "./failures.js";
import { title } from "./text.js";
import { count, tenths } from "./words.js";

const WIDEST = 1;
const STEP = 0.1;
const MUCH = 0.65;
const LITTLE = 0.25;
const WAIT_MS = 150;
const K = 10;

/**
 * @param {string} userId
 * @param {{scales: object[], signal: AbortSignal, say: (words: string) => void}} given
 */
export function sliders(userId, { scales, signal, say }) {
  const result = el("div", { class: "shifted", role: "region", "aria-label": "The list with that" });
  const reset = el("button", { type: "button", id: "reset-aspects" }, "Put back");
  const all = scales.map((scale, n) => slider(scale, n));
  let waiting = 0;
  let asked = 0;

  const show = async (one) => {
    const turn = (asked += 1);
    const amount = Number(one.input.value);
    try {
      const path = ["users", userId, "what-if"];
      const found = await get(path, { aspect: one.scale.key, amount, k: K }, signal);
      if (turn !== asked) return;
      draw(result, found, one.scale);
      say(summary(found, one.scale));
    } catch (error) {
      if (error.name !== "AbortError" && turn === asked) result.replaceChildren(failed(error, () => show(one)));
    }
  };
  const later = (one) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => show(one), WAIT_MS);
  };
  const putBack = (except = null) => all.filter((one) => one !== except).forEach((one) => one.set(0));
  for (const one of all) {
    one.input.addEventListener("input", () => {
      putBack(one);
      one.set(Number(one.input.value));
      later(one);
    });
  }
  reset.addEventListener("click", () => {
    putBack();
    clearTimeout(waiting);
    show(all[0]);
  });
  show(all[0]);
  return part(
    "What if they wanted something else?",
    { class: "what-if" },
    el(
      "p",
      { class: "hint" },
      "Move an aspect and see the list change; nothing is learnt from it. Moving another puts the first back.",
    ),
    el(
      "div",
      { class: "pair" },
      el(
        "div",
        {},
        el(
          "div",
          { class: "sliders" },
          all.map((one) => one.element),
        ),
        reset,
      ),
      result,
    ),
  );
}

function slider(scale, n) {
  const id = `aspect-${n}`;
  const input = el("input", {
    type: "range",
    id,
    min: -WIDEST,
    max: WIDEST,
    step: STEP,
    value: 0,
    "data-aspect": scale.key,
  });
  const said = el("output", { for: id });
  const set = (amount) => {
    input.value = amount;
    said.textContent = amountInWords(amount);
    input.setAttribute("aria-valuetext", `${amountInWords(amount)} ${scale.name}`);
    element.classList.toggle("is-moved", amount !== 0);
  };
  const element = el(
    "div",
    { class: "slider" },
    el("label", { for: id }, bdi(scale.name)),
    said,
    el(
      "span",
      { class: "ends" },
      el("span", { class: "pole" }, bdi(scale.low)),
      input,
      el("span", { class: "pole" }, bdi(scale.high)),
    ),
  );
  set(0);
  return { scale, input, element, set };
}

function amountInWords(amount) {
  if (amount === 0) return "as it is";
  const size = Math.abs(amount);
  const much = size > MUCH ? "much " : size < LITTLE ? "a little " : "";
  return `${much}${amount < 0 ? "less" : "more"}`;
}

/** How far an entry came, in words and as an arrow. */
function moved({ rank, rank_before: before }) {
  if (before === null) return ["new", "new", "new"];
  if (before === rank) return ["same", "", "at the same place"];
  const by = Math.abs(before - rank);
  const places = `${count(by)} place${by === 1 ? "" : "s"}`;
  return before > rank ? ["up", `▲ ${by}`, `up ${places}`] : ["down", `▼ ${by}`, `down ${places}`];
}

function draw(result, found, scale) {
  const before = new Map(
    [...result.querySelectorAll("[data-item]")].map((one) => [one.dataset.item, one.getBoundingClientRect().top]),
  );
  const rows = found.entries.map((entry) => {
    const [kind, arrow, words] = moved(entry);
    return el(
      "li",
      { class: kind },
      el("span", { class: "rank number" }, count(entry.rank)),
      itemLink(entry),
      el(
        "span",
        { class: "moved number" },
        el("span", { "aria-hidden": "true" }, arrow),
        el("span", { class: "unseen" }, words),
      ),
    );
  });
  rows.forEach((row, n) => (row.dataset.item = found.entries[n].item_id));
  const gone = found.left.length
    ? el(
        "p",
        { class: "left" },
        el("strong", {}, "Left: "),
        found.left.map((one, n) => [n ? ", " : "", bdi(title(one.title))]),
      )
    : null;
  result.replaceChildren(
    el("h3", {}, "The list with that"),
    levelLine(found, scale),
    el("ol", { class: "moves" }, rows),
    gone ?? "",
  );
  if (!isStill()) rows.forEach((row) => glide(row, before.get(row.dataset.item)));
}

/** From where it stood to where it stands. */
function glide(row, from) {
  if (from === undefined) {
    row.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 300 });
    return;
  }
  const by = from - row.getBoundingClientRect().top;
  if (by)
    row.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], { duration: 300, easing: "ease-out" });
}

const known = (level) => (Number.isFinite(level) ? tenths(level) : "unknown");

const levelLine = (found, scale) =>
  el(
    "p",
    { class: "mean-level" },
    "Mean ",
    bdi(scale.name),
    " of the list: ",
    el("strong", { class: "number" }, known(found.mean_level_before)),
    found.amount ? [" → ", el("strong", { class: "number" }, known(found.mean_level_after))] : null,
    " of 10",
  );

function summary(found, scale) {
  if (!found.amount) return "";
  const came = found.entries.filter((entry) => entry.rank_before === null).length;
  return `${scale.name}: ${came} came in, ${found.left.length} left, mean level ${known(found.mean_level_after)}`;
}
