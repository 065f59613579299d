/** Users a day as a line the size of a word. */

import { chart, colour, thin } from "./charts.js";
import { count } from "./words.js";

/** @param {number[]} recent users a day, the oldest first */
export function sparkline(recent) {
  const [last, low, high] = [recent.at(-1), Math.min(...recent), Math.max(...recent)].map(count);
  const label = `Users a day over ${recent.length} days: between ${low} and ${high}, ${last} on the last day`;
  const dot = (context) => (context.dataIndex === recent.length - 1 ? 3 : 0);
  const config = {
    type: "line",
    data: {
      labels: recent,
      datasets: [
        {
          data: recent,
          borderColor: () => colour("accent"),
          backgroundColor: () => thin("band", 0.35),
          pointBackgroundColor: () => colour("accent"),
          borderWidth: 1.5,
          pointRadius: dot,
          pointBorderWidth: 0,
          fill: "origin",
          cubicInterpolationMode: "monotone",
          clip: 4,
        },
      ],
    },
    options: {
      events: [],
      layout: { padding: { top: 4, right: 5, bottom: 4, left: 2 } },
      scales: { x: { display: false }, y: { display: false, min: 0, suggestedMax: 3 } },
    },
  };
  return chart(label, config, "spark").frame;
}
