/** An item's users by months, with the forecast and its interval, linked with the claims that rest on them. */

import { chart, colour, thin } from "./charts.js";
import { el, numbers } from "./dom.js";
import { count, counted, day, lastDay, methodName } from "./words.js";

const SHORT = new Intl.DateTimeFormat("en", { month: "short", year: "2-digit", timeZone: "UTC" });
const TICK_PX = 62;
const AHEAD = ["forecast", "forecast:low", "forecast:high"];
const plain = { grouped: false, barPercentage: 0.86, categoryPercentage: 0.94, maxBarThickness: 48 };

/**
 * @param {object} item an ItemPage
 * @param {import("./linking.js").Linked} linked
 * @returns {{figure: HTMLElement, ids: Set<string>}} ids of the evidence that it shows
 */
export function history(item, linked) {
  const points = [
    ...item.history.map(pastPoint),
    ...((item.forecast?.expected ?? null) === null ? [] : [ahead(item.forecast)]),
  ];
  const state = { lit: new Set(), isOver: false };
  const made = chart(labelOf(item, points), configOf(points, state, linked), "tall");
  made.chart.then((drawn) => {
    linked.lightChart = (ids) => {
      state.lit = new Set(points.flatMap((point, n) => (point.ids.some((id) => ids.has(id)) ? [n] : [])));
      drawn.update("none");
    };
    drawn.canvas.addEventListener("pointerenter", () => (state.isOver = true));
    drawn.canvas.addEventListener("pointerleave", () => {
      state.isOver = false;
      linked.showIds([], "");
    });
  });
  const figure = el(
    "figure",
    { class: "history" },
    el("figcaption", {}, el("span", {}, "Users per month"), key(points)),
    made.frame,
    numbers(
      "The same in numbers",
      ["Month", "Users"],
      points.map((point) => [point.label, point.says]),
    ),
  );
  return { figure, ids: new Set(points.flatMap((point) => point.ids)) };
}

const pastPoint = (point) => ({
  ids: [point.id],
  label: point.complete ? point.label : `${point.label} (in part)`,
  tick: SHORT.format(new Date(point.start)),
  users: point.users,
  complete: point.complete,
  says: counted(point.users),
});

const ahead = (forecast) => ({
  ids: AHEAD,
  label: `Forecast, ${day(forecast.start)} to ${lastDay(forecast.end)}`,
  tick: "forecast",
  expected: forecast.expected,
  range: forecast.low === null ? null : [forecast.low, forecast.high],
  says:
    counted(forecast.expected) +
    (forecast.low === null ? "" : `, 80% interval ${count(forecast.low)} to ${count(forecast.high)}`),
});

function labelOf(item, points) {
  const past = points.filter((point) => point.users !== undefined);
  const most = past.reduce((best, point) => (point.users > (best?.users ?? -1) ? point : best), null);
  const told = past.length
    ? `Users per month over ${past.length} months, most in ${most.label} with ${most.says}.`
    : "No history.";
  const next = points.find((point) => point.expected !== undefined);
  return next ? `${told} ${next.label} by ${methodName(item.forecast.method)}: ${next.says}.` : told;
}

const swatch = (kind, text) => el("span", { class: "key" }, el("span", { class: `swatch ${kind}` }), text);

const key = (points) =>
  el(
    "span",
    { class: "keys" },
    points.some((point) => point.complete === false) ? swatch("part", "seen in part") : null,
    points.some((point) => point.expected !== undefined) ? swatch("ahead", "expected, with its 80% interval") : null,
  );

function configOf(points, state, linked) {
  const isLit = (context) => state.lit.has(context.dataIndex);
  const isPart = (context) => points[context.dataIndex]?.complete === false;
  const bar = (context) => (isLit(context) ? colour("accent") : isPart(context) ? thin("bar", 0.25) : colour("bar"));
  const over = (elements) => linked.showIds(points[elements[0]?.index]?.ids ?? [], saysOf(points[elements[0]?.index]));
  // As many months as there is room for, and the forecast in any case.
  function ticks(_, place) {
    const step = Math.ceil((points.length * TICK_PX) / this.chart.width);
    return (points.length - 1 - place) % step ? "" : points[place].tick;
  }
  return {
    data: {
      labels: points.map((point) => point.tick),
      datasets: [
        {
          type: "line",
          data: points.map((point) => point.expected ?? null),
          showLine: false,
          pointStyle: "line",
          pointRadius: (context) => (isLit(context) ? 16 : 13),
          pointHoverRadius: 16,
          pointHitRadius: 20,
          pointBorderWidth: 3.5,
          pointHoverBorderWidth: 3.5,
          pointBorderColor: () => colour("accent"),
          pointHoverBorderColor: () => colour("accent"),
        },
        {
          type: "bar",
          ...plain,
          data: points.map((point) => point.users ?? null),
          backgroundColor: bar,
          hoverBackgroundColor: () => colour("accent"),
          borderColor: () => colour("muted"),
          borderWidth: (context) => (isPart(context) ? 1 : 0),
          borderRadius: 2,
        },
        {
          type: "bar",
          ...plain,
          data: points.map((point) => point.range ?? null),
          backgroundColor: (context) => (isLit(context) ? colour("band") : thin("band", 0.65)),
          hoverBackgroundColor: () => colour("band"),
          borderColor: () => colour("accent"),
          borderWidth: (context) => (isLit(context) ? 1.5 : 0),
          borderSkipped: false,
          borderRadius: 2,
        },
      ],
    },
    options: {
      interaction: { mode: "index", intersect: false },
      // Told a frame later, when the pointer may have left.
      onHover: (_, elements) => state.isOver && over(elements),
      scales: {
        x: { grid: { display: false }, ticks: { autoSkip: false, maxRotation: 0, callback: ticks } },
        y: {
          beginAtZero: true,
          suggestedMax: 4,
          ticks: { precision: 0, maxTicksLimit: 6 },
          border: { display: false },
        },
      },
      plugins: {
        tooltip: {
          filter: (item, n) => n === 0,
          callbacks: { title: ([item]) => points[item.dataIndex].label, label: (item) => points[item.dataIndex].says },
        },
      },
    },
  };
}

const saysOf = (point) => (point ? `${point.label}: ${point.says}` : "");
