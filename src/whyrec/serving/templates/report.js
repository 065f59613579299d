// Links claims and what they rest on, both ways. Without this script the claims are still plain links to their evidence.
(() => {
  "use strict";
  const hint = "Point at a bar or at underlined words.";
  const claimsOf = new Map();
  for (const claim of document.querySelectorAll(".claim[data-targets]")) {
    for (const id of claim.dataset.targets.split(" ")) {
      claimsOf.set(id, [...(claimsOf.get(id) ?? []), claim]);
    }
  }

  const related = (source) =>
    source.dataset.targets
      ? source.dataset.targets.split(" ").map((id) => document.getElementById(id))
      : claimsOf.get(source.id) ?? [];

  const readoutOf = (source) => source.closest("article")?.querySelector(".readout");
  let pinned = null;

  const clear = () => {
    for (const lit of document.querySelectorAll(".is-lit")) lit.classList.remove("is-lit");
    for (const readout of document.querySelectorAll(".readout")) readout.textContent = readout.dataset.hint ?? hint;
  };

  const show = (source) => {
    clear();
    if (!source) return;
    for (const element of [source, ...related(source)]) element.classList.add("is-lit");
    const readout = readoutOf(source);
    if (readout) readout.textContent = source.dataset.says;
  };

  const sourceOf = (event) => event.target.closest?.("[data-says]") ?? null;

  document.addEventListener("pointerover", (event) => {
    const source = sourceOf(event);
    if (source && event.pointerType !== "touch") show(source);
  });
  document.addEventListener("pointerout", (event) => {
    if (sourceOf(event)) show(pinned);
  });
  document.addEventListener("focusin", (event) => {
    const source = sourceOf(event);
    if (source) show(source);
  });
  document.addEventListener("focusout", (event) => {
    if (sourceOf(event)) show(pinned);
  });

  document.addEventListener("click", (event) => {
    const source = sourceOf(event);
    pinned = source === pinned ? null : source;
    show(pinned);
    if (!source?.dataset.targets) return;
    event.preventDefault();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    related(source)[0].scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
  });

  // A chart or list of evidence is one stop for the Tab key; the arrows move inside it.
  for (const group of document.querySelectorAll("[data-roving]")) {
    const points = [...group.querySelectorAll(".point")];
    points.forEach((point, place) => point.setAttribute("tabindex", place ? "-1" : "0"));
    group.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const next = points[points.indexOf(event.target.closest(".point")) + step];
      if (!next) return;
      event.preventDefault();
      event.target.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") show((pinned = null));
  });
  clear();
})();
