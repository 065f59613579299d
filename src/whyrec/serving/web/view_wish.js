/** A list for what somebody says they want. */

import { post } from "./api.js";
import { el } from "./dom.js";
import { empty, place, viewTitle } from "./entries.js";
import { failed } from "./failures.js";

const LONGEST = 2000;

/** @param {{signal: AbortSignal, say: (words: string) => void}} asked */
export async function wish({ signal, say }) {
  const words = el("textarea", {
    id: "wish-words",
    rows: "3",
    maxlength: LONGEST,
    dir: "auto",
    required: true,
    "aria-describedby": "wish-hint",
  });
  const result = el("div", { id: "wish-result" });
  const button = el("button", { class: "main" }, "Look for it");
  const look = async (event) => {
    event.preventDefault();
    if (!words.value.trim()) return words.focus();
    result.setAttribute("aria-busy", "true");
    button.disabled = true;
    say("Looking");
    try {
      const found = await post(["what-if", "motivations"], { words: words.value, k: 10 }, signal);
      const entries = found.entries.map((entry) => place(entry));
      result.replaceChildren(
        el("h2", {}, "What fits"),
        entries.length ? el("ol", { class: "places" }, entries) : empty("Nothing fits these words."),
      );
      say(entries.length ? `${entries.length} places` : "Nothing fits");
    } catch (error) {
      if (error.name === "AbortError") return undefined;
      result.replaceChildren(
        failed(error.status === 404 ? new Error("No model that reads wishes is open on this server.") : error),
      );
    } finally {
      result.removeAttribute("aria-busy");
      button.disabled = false;
    }
    return undefined;
  };
  return {
    title: "What do you want?",
    said: "",
    nodes: [
      viewTitle("What do you want?"),
      el("p", { class: "lead" }, "No history is needed: say it in your own words."),
      el(
        "form",
        { class: "wish", on: { submit: look } },
        el("label", { for: "wish-words" }, "I want"),
        words,
        el(
          "p",
          { class: "hint", id: "wish-hint" },
          "For whom, for what moment, in what mood; what it should be and what not.",
        ),
        button,
      ),
      result,
    ],
  };
}
