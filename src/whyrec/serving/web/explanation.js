/** An explanation on the page: its words, what they rest on, and how well that was checked. */

import { bdi, el, nodes } from "./dom.js";
import { Linked } from "./linking.js";
import { sectionsOf } from "./passages.js";
import { cut, visible } from "./text.js";
import { label, value } from "./words.js";

const LONGEST_VALUE = 140;
const MOST_FACTS = 24;

/** How well a reason or explanation was checked, in a word. */
export function badge({ verified, n_claims: n, n_supported: held }) {
  const claims = `claim${n === 1 ? "" : "s"}`;
  if (!n) return el("span", { class: "badge unchecked" }, "not verified: no claim to check");
  if (held < n)
    return el("span", { class: "badge failed" }, `NOT verified: ${n - held} of ${n} ${claims} not borne out`);
  const said = verified
    ? `verified: ${held} of ${n} ${claims} checked`
    : `NOT verified: ${held} of ${n} ${claims} hold`;
  return el("span", { class: verified ? "badge" : "badge failed" }, said);
}

/** Who wrote it. */
export const writer = (name) =>
  name === "offline"
    ? el("span", { class: "writer", title: "written by rules, without a language model" }, "offline")
    : el("span", { class: "writer" }, "written by ", bdi(cut(visible(name), 80)));

/** A reason of a list, with what was checked of it. */
export function reasonOf(reason, { trending = false } = {}) {
  if (!reason) return el("p", { class: "muted" }, "No reason is published at this place.");
  const everybody = !trending && reason.basis === "trending" ? el("span", {}, "for everybody, not only you") : null;
  return el(
    "div",
    { class: "reason" },
    el("p", { dir: "auto" }, reason.text),
    el("p", { class: "badges" }, badge(reason), writer(reason.writer), everybody),
  );
}

/** How often claims were made and held, of a whole explanation. */
export const tally = (explanation) => ({
  verified: explanation.verified,
  n_claims: explanation.claims.length,
  n_supported: explanation.claims.filter((claim) => claim.supported).length,
});

/**
 * The text with its claims underlined, and the list of facts that they rest on.
 * @param {object} explanation an ExplanationDocument
 * @param {Linked} linked the group that they belong to
 * @param {Set<string>} charted ids of evidence that a chart shows already, so that the list can do without
 */
export function explained(explanation, linked = new Linked(), charted = new Set()) {
  const evidence = new Map(explanation.evidence.map((one) => [one.id, one]));
  const sections = sectionsOf(explanation).map(({ name, passages }) => [
    name ? el("h3", {}, name) : null,
    el(
      "p",
      { class: "words", dir: "auto" },
      passages.map((one) => passage(one, { linked, evidence })),
    ),
  ]);
  linked.hint = charted.size
    ? "Point at underlined words, at a fact or at a bar."
    : "Point at underlined words or at a fact.";
  linked.readout = el("p", { class: "readout", "aria-hidden": "true" }, linked.hint);
  const facts = factsOf(explanation, { linked, evidence, charted });
  return el(
    "div",
    { class: "explained" },
    sections,
    el("p", { class: "badges" }, badge(tally(explanation)), writer(explanation.writer)),
    facts,
    explanation.claims.length ? linked.readout : null,
  );
}

const says = (one) => `${label(one)}: ${cut(visible(value(one)), LONGEST_VALUE)}`;

function passage({ text, claims }, { linked, evidence }) {
  if (!claims.length) return text;
  const ids = [...new Set(claims.flatMap((claim) => claim.evidence_ids))];
  const holds = claims.every((claim) => claim.supported);
  const problem = [...new Set(claims.map((claim) => claim.problem).filter(Boolean))].join("; ");
  const known = ids.filter((id) => evidence.has(id)).map((id) => says(evidence.get(id)));
  const rests = known.length ? `rests on ${known.join("; ")}` : "checked against the data";
  const said = visible(holds ? rests : `not borne out: ${problem || "the evidence does not say so"}`);
  const made = el(
    "span",
    {
      class: holds ? "claim" : "claim unsupported",
      role: "button",
      tabindex: "0",
      "aria-pressed": "false",
      "aria-description": said,
      title: said,
    },
    text,
  );
  linked.add(made, ids, said);
  return holds ? made : [made, el("small", { class: "problem" }, ` [${said}]`)];
}

function factsOf(explanation, { linked, evidence, charted }) {
  const cited = [...new Set(explanation.claims.flatMap((claim) => claim.evidence_ids))];
  const shown = cited.filter((id) => evidence.has(id));
  if (!shown.length) return null;
  const items = shown.map((id) => {
    const one = evidence.get(id);
    const fact = el(
      "button",
      { type: "button", class: "fact", "aria-pressed": "false", "data-evidence": id },
      el("span", { class: "label" }, label(one)),
      " ",
      el("strong", {}, bdi(cut(visible(value(one)), LONGEST_VALUE))),
    );
    linked.add(fact, [id], visible(`${says(one)}${charted.has(id) ? ", in the chart" : ""}`));
    return el("li", {}, fact);
  });
  if (items.length <= MOST_FACTS) {
    return el("div", { class: "facts" }, el("h3", {}, "What it rests on"), el("ul", {}, nodes(items)));
  }
  const summary = el("summary", {}, `What it rests on: ${items.length} facts`);
  return el("details", { class: "facts" }, summary, el("ul", {}, nodes(items)));
}
