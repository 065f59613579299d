// Runs before the page is drawn, so that a chosen light or dark does not flash.
(() => {
  try {
    const chosen = localStorage.getItem("whyrec.theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage may be forbidden; then the system's choice holds.
  }
})();
