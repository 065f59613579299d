/** An explanation's text cut into sections, and sections into plain words and checked claims. Loses no character. */

/**
 * @typedef {{text: string, claims: object[]}} Passage a stretch of text; several claims where they overlap
 * @typedef {{name: string, passages: Passage[]}} Section
 */

/**
 * Lay out an explanation. Claims count characters as Unicode does, not as JavaScript does.
 *
 * The whole text is one section where its sections cannot be found in it in order, or do not hold all its claims: what
 * was checked is never hidden.
 * @param {{text: string, sections: Record<string, string>, claims: object[]}} explanation
 * @returns {Section[]}
 */
export function sectionsOf(explanation) {
  const text = Array.from(explanation.text);
  let spans = spansOf(explanation.text, explanation.sections);
  const isInside = (claim) => spans.some(({ start, end }) => start <= claim.start && claim.end <= end);
  if (!spans.length || !explanation.claims.every(isInside)) spans = [{ name: "", start: 0, end: text.length }];
  return spans.map(({ name, start, end }) => ({
    name,
    passages: passagesOf(text, explanation.claims, { start, end }),
  }));
}

function spansOf(text, sections) {
  const spans = [];
  let position = 0;
  for (const [name, body] of Object.entries(sections)) {
    const found = text.indexOf(body, position);
    if (found < 0 || !body) return [];
    position = found + body.length;
    const start = Array.from(text.slice(0, found)).length;
    spans.push({ name, start, end: start + Array.from(body).length });
  }
  return spans;
}

function passagesOf(text, claims, { start, end }) {
  const passages = [];
  let place = start;
  const add = (until, made) => {
    if (place < until) passages.push({ text: text.slice(place, until).join(""), claims: made });
    place = Math.max(place, until);
  };
  for (const group of overlapping(claims.filter((claim) => start <= claim.start && claim.end <= end))) {
    add(group[0].start, []);
    add(Math.max(...group.map((claim) => claim.end)), group);
  }
  add(end, []);
  return passages;
}

function overlapping(claims) {
  const groups = [];
  let reach = -1;
  for (const claim of [...claims].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (claim.start < reach) groups.at(-1).push(claim);
    else groups.push([claim]);
    reach = Math.max(reach, claim.end);
  }
  return groups;
}
