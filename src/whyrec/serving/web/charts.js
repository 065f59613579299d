/** Charts, drawn by Chart.js in the page's own colours; they follow when those change and go when the view goes. */

import { visible } from "./text.js";
import { onTheme } from "./theme.js";

/** @type {typeof import("chart.js").Chart} */
const { Chart } = window;
const drawn = new Set();
const colours = new Map();
const still = matchMedia("(prefers-reduced-motion: reduce)");

/** A colour of the palette, as the canvas reads it. */
export function colour(name) {
  if (!colours.has(name)) {
    const probe = document.createElement("i");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    colours.set(name, getComputedStyle(probe).color);
    probe.remove();
  }
  return colours.get(name);
}

/** The same colour, seen through. */
export const thin = (name, alpha) => colour(name).replace(/^rgb\((.*)\)$/u, `rgba($1, ${alpha})`);

Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
Chart.defaults.font.size = 12;
Chart.defaults.color = () => colour("muted");
Chart.defaults.borderColor = () => colour("line");
Chart.defaults.animation = false;
Chart.defaults.maintainAspectRatio = false;
Chart.defaults.plugins.legend.display = false;
Object.assign(Chart.defaults.plugins.tooltip, {
  backgroundColor: () => colour("ink"),
  titleColor: () => colour("paper"),
  bodyColor: () => colour("paper"),
  displayColors: false,
  padding: 10,
  cornerRadius: 6,
});

onTheme(() => {
  colours.clear();
  for (const chart of drawn) chart.update("none");
});

/**
 * Draw a chart once its canvas stands in the page.
 * @param {string} label what it shows, in words
 * @param {object} config of Chart.js
 * @param {string} [kind] class of the frame, which gives it its size
 * @returns {{frame: HTMLElement, chart: Promise<object>}}
 */
export function chart(label, config, kind = "") {
  const frame = document.createElement("div");
  frame.className = `chart ${kind}`.trim();
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", visible(label));
  frame.append(canvas);
  const made = new Promise((resolve) => {
    requestAnimationFrame(() => {
      if (!canvas.isConnected) return;
      const one = new Chart(canvas, config);
      drawn.add(one);
      resolve(one);
    });
  });
  return { frame, chart: made };
}

/** Forget the charts whose canvas is gone. */
export function clearCharts() {
  for (const one of drawn) {
    if (one.canvas?.isConnected) continue;
    one.destroy();
    drawn.delete(one);
  }
}

/** Whether nothing should move. */
export const isStill = () => still.matches;
