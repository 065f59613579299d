/** Light or dark: as the system says, until somebody chooses. */

const CHOSEN = "whyrec.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set();

/** Whether the page is dark now. */
export const isDark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";

/** Be told when colours change. */
export const onTheme = (react) => listeners.add(react);

const told = () => listeners.forEach((react) => react());

/**
 * Make a button the switch.
 * @param {HTMLButtonElement} button
 */
export function switchTheme(button) {
  const show = () => button.setAttribute("aria-pressed", String(isDark()));
  button.addEventListener("click", () => {
    const next = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem(CHOSEN, next);
    } catch {
      // Storage may be forbidden; then the choice lasts as long as the page.
    }
    told();
  });
  system.addEventListener("change", told);
  onTheme(show);
  show();
}
