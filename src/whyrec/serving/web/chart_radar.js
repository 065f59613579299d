/** Where a user and an item stand on readable scales, side by side. */

import { chart, colour, thin } from "./charts.js";
import { bdi, el, numbers } from "./dom.js";
import { cut, title, visible } from "./text.js";
import { signed, tenths } from "./words.js";

const MOST_NAMES = 8;
const NARROW_PX = 420;

/**
 * @param {object[]} bars AspectBars of a user
 * @param {{title: string, aspects: object[]} | null} item to compare with
 */
export function radar(bars, item) {
  const other = new Map((item?.aspects ?? []).map((bar) => [bar.key, bar]));
  const rows = bars.map((bar) => ({ ...bar, item: other.get(bar.key) ?? null }));
  const name = item ? title(item.title) : null;
  const whose = name ? `the user and ${name}` : "the user";
  const label = `Levels from 1 to 10 on ${rows.length} aspects: ${whose}. The table beside it has them in numbers.`;
  const made = chart(label, configOf(rows, name), "radar");
  const keys = el(
    "p",
    { class: "keys" },
    el("span", { class: "key" }, el("span", { class: "swatch user" }), "the user"),
    name ? el("span", { class: "key" }, el("span", { class: "swatch item" }), bdi(cut(name, 60))) : null,
  );
  const inNumbers = table(rows, name);
  inNumbers.open = true;
  return el("figure", { class: "compared" }, el("div", {}, keys, made.frame), inNumbers);
}

const level = (one) => (one === null || one === undefined ? "unknown" : tenths(one));

function table(rows, name) {
  const hasPush = rows.some((row) => (row.item?.push ?? null) !== null);
  const columns = [
    "Aspect",
    "1 is",
    "10 is",
    "User",
    ...(name ? ["Item"] : []),
    "Catalogue",
    ...(hasPush ? ["Moves the item"] : []),
  ];
  const cells = rows.map((row, n) => [
    rows.length > MOST_NAMES ? `${n + 1}. ${row.name}` : row.name,
    row.low,
    row.high,
    level(row.user_level),
    ...(name ? [level(row.item?.item_level)] : []),
    level(row.mean_level ?? row.item?.mean_level),
    ...(hasPush ? [(row.item?.push ?? null) === null ? "–" : signed(row.item.push)] : []),
  ]);
  return numbers("The aspects in numbers", columns, cells);
}

/** A name in lines of about two words. */
function lines(text) {
  const out = [""];
  for (const word of cut(visible(text), 40).split(/\s+/u)) {
    if (`${out.at(-1)} ${word}`.length > 13 && out.at(-1)) out.push(word);
    else out[out.length - 1] = `${out.at(-1)} ${word}`.trim();
  }
  return out;
}

function configOf(rows, name) {
  const dataset = (label, data, tone, dash) => ({
    label,
    data,
    borderColor: () => colour(tone),
    backgroundColor: () => thin(tone, 0.16),
    pointBackgroundColor: () => colour(tone),
    borderDash: dash,
    borderWidth: 2,
    pointRadius: 2.5,
    spanGaps: true,
  });
  const sets = [
    dataset(
      "the user",
      rows.map((row) => row.user_level),
      "accent",
      [],
    ),
  ];
  if (name)
    sets.push(
      dataset(
        cut(name, 40),
        rows.map((row) => row.item?.item_level ?? null),
        "ink",
        [5, 4],
      ),
    );
  // Where names would lie on each other, the numbers of the table's rows stand for them.
  function named(words, n) {
    return rows.length > MOST_NAMES && this.chart.width < NARROW_PX ? String(n + 1) : words;
  }
  return {
    type: "radar",
    data: { labels: rows.map((row) => lines(row.name)), datasets: sets },
    options: {
      scales: {
        r: {
          min: 1,
          max: 10,
          ticks: { stepSize: 3, showLabelBackdrop: false, color: () => colour("muted") },
          grid: { color: () => colour("line") },
          angleLines: { color: () => colour("line") },
          pointLabels: { color: () => colour("ink"), font: { size: 11.5 }, callback: named },
        },
      },
      plugins: {
        tooltip: {
          callbacks: {
            title: ([item]) => rows[item.dataIndex].name,
            label: (item) => `${item.dataset.label}: ${tenths(item.raw)}`,
          },
        },
      },
    },
  };
}
