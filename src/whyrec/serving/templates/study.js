// Shows one pair at a time, keeps answers in this browser, and saves them as a file. Asks nothing of any network.
(() => {
  "use strict";
  const study = document.body.dataset.study;
  const place = `whyrec study ${study}`;
  const pairs = [...document.querySelectorAll(".pair")];
  const byId = (id) => document.getElementById(id);
  const choices = ["first", "second", "same"];

  const newRater = () => [...crypto.getRandomValues(new Uint8Array(8))].map((it) => it.toString(16).padStart(2, "0")).join("");

  // What a browser kept may be from elsewhere or broken: only what has the right form is taken.
  const remembered = () => {
    const fresh = { rater: newRater(), name: "", answers: {}, shown: 0, keys: true };
    try {
      const found = JSON.parse(localStorage.getItem(place)) ?? {};
      const answers = Object.entries(found.answers ?? {}).filter(([pair, choice]) => choices.includes(choice) && pairs.some((it) => it.dataset.pair === pair));
      return {
        rater: /^[0-9a-f]{16}$/.test(found.rater) ? found.rater : fresh.rater,
        name: typeof found.name === "string" ? found.name.slice(0, 100) : "",
        answers: Object.fromEntries(answers),
        keys: found.keys !== false,
        shown: Number.isInteger(found.shown) && found.shown >= 0 && found.shown < pairs.length ? found.shown : 0,
      };
    } catch {
      return fresh;
    }
  };

  let state = remembered();

  const keep = () => {
    try {
      localStorage.setItem(place, JSON.stringify(state));
    } catch {
      byId("unkept").hidden = false;
    }
  };

  const answered = () => Object.keys(state.answers).length;

  const render = () => {
    pairs.forEach((pair, index) => {
      pair.hidden = index !== state.shown;
      const choice = state.answers[pair.dataset.pair];
      for (const input of pair.querySelectorAll("input")) input.checked = input.value === choice;
      for (const text of pair.querySelectorAll("article")) text.classList.toggle("is-chosen", text.dataset.choice === choice);
    });
    byId("back").disabled = state.shown === 0;
    byId("next").disabled = state.shown === pairs.length - 1;
    byId("next").classList.toggle("main", Boolean(state.answers[pairs[state.shown].dataset.pair]) && state.shown < pairs.length - 1);
    byId("progress").textContent = `${answered()} of ${pairs.length} answered`;
    byId("save").disabled = byId("clear").disabled = answered() === 0;
  };

  const turnTo = (index) => {
    if (index < 0 || index >= pairs.length || index === state.shown) return;
    state.shown = index;
    keep();
    render();
    const heading = pairs[index].querySelector("h2");
    heading.focus({ preventScroll: true });
    pairs[index].scrollIntoView({ block: "start" });
  };

  const choose = (choice) => {
    state.answers[pairs[state.shown].dataset.pair] = choice;
    byId("said").textContent = "";
    keep();
    render();
  };

  const save = () => {
    const votes = pairs
      .map((pair) => ({ pair: pair.dataset.pair, choice: state.answers[pair.dataset.pair] }))
      .filter((vote) => vote.choice);
    const file = { format: "whyrec study votes", version: 1, study, rater: state.rater, name: state.name.trim(), votes };
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(file, null, 1)], { type: "application/json" }));
    link.download = `votes-${study.slice(0, 6)}-${state.rater.slice(0, 6)}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    byId("said").textContent = `Saved ${votes.length} ${votes.length === 1 ? "answer" : "answers"} as ${link.download}. Please send that file back.`;
  };

  document.addEventListener("change", (event) => {
    if (event.target.type === "radio") choose(event.target.value);
    if (event.target.id === "keys") state.keys = event.target.checked;
    keep();
  });
  document.addEventListener("keydown", (event) => {
    if (!byId("keys").checked || event.ctrlKey || event.metaKey || event.altKey || event.target.id === "name") return;
    const choice = { 1: "first", 2: "second", 0: "same" }[event.key];
    if (choice) choose(choice);
    // On a radio button the arrows belong to the browser: they move between its group's answers.
    const step = event.target.type === "radio" ? 0 : { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) turnTo(state.shown + step);
  });
  byId("back").addEventListener("click", () => turnTo(state.shown - 1));
  byId("next").addEventListener("click", () => turnTo(state.shown + 1));
  byId("save").addEventListener("click", save);
  byId("clear").addEventListener("click", () => {
    if (!confirm("Forget all your answers on this page?")) return;
    state = { ...state, answers: {}, shown: 0 };
    byId("said").textContent = "";
    keep();
    render();
  });
  byId("keys").checked = state.keys;
  byId("name").value = state.name;
  byId("name").addEventListener("input", (event) => {
    state.name = event.target.value;
    keep();
  });

  document.querySelector("nav").hidden = document.querySelector("footer").hidden = false;
  keep();
  render();
})();
