/** Lights up what belongs together: claims, the facts they rest on, and points of a chart. */

/** One group, such as an explanation with its chart. */
export class Linked {
  constructor() {
    /** @type {{element: HTMLElement, ids: Set<string>, says: string}[]} */
    this.parts = [];
    this.readout = null;
    this.hint = "";
    this.pinned = null;
    /** @type {(ids: Set<string>) => void} */
    this.lightChart = () => {};
  }

  /**
   * Add a claim or a fact; it lights up others by pointer and focus, and stays lit when pressed.
   * @param {HTMLElement} element
   * @param {string[]} ids of evidence
   * @param {string} says what stands in the readout
   */
  add(element, ids, says) {
    const part = { element, ids: new Set(ids), says };
    this.parts.push(part);
    const show = () => this.show(part);
    const back = () => this.show(this.pinned);
    element.addEventListener("pointerenter", (event) => event.pointerType !== "touch" && show());
    element.addEventListener("pointerleave", back);
    element.addEventListener("focus", show);
    element.addEventListener("blur", back);
    element.addEventListener("click", () => this.pin(part));
    element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.pin(null);
      if (element.tagName === "BUTTON" || (event.key !== "Enter" && event.key !== " ")) return;
      event.preventDefault();
      this.pin(part);
    });
  }

  /** Light up what rests on some evidence, as the chart asks for it. */
  showIds(ids, says) {
    this.show(ids.length ? { element: null, ids: new Set(ids), says } : this.pinned);
  }

  /** Keep one lit; the same once more, or null, lets go. */
  pin(part) {
    this.pinned = part === this.pinned ? null : part;
    for (const { element } of this.parts)
      element.setAttribute("aria-pressed", String(this.pinned?.element === element));
    this.show(this.pinned);
  }

  show(lit) {
    const ids = lit?.ids ?? new Set();
    for (const part of this.parts) {
      const belongs = part === lit || [...part.ids].some((id) => ids.has(id));
      part.element.classList.toggle("is-lit", belongs);
    }
    this.lightChart(ids);
    if (!this.readout) return;
    this.readout.textContent = lit?.says ?? this.hint;
    this.readout.classList.toggle("is-lit", Boolean(lit));
  }
}
