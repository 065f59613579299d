/** The page: shows the view that the address names, and what stands around every view. */

import { Failure, get, onKeyNeeded } from "./api.js";
import { clearCharts } from "./charts.js";
import { combobox } from "./combobox.js";
import { bdi, el, userHref } from "./dom.js";
import { viewTitle } from "./entries.js";
import { failed } from "./failures.js";
import { askForKey } from "./key_dialog.js";
import { routeOf } from "./router.js";
import { switchTheme } from "./theme.js";
import { visible } from "./text.js";
import { item } from "./view_item.js";
import { search } from "./view_search.js";
import { trending } from "./view_trending.js";
import { user } from "./view_user.js";
import { wish } from "./view_wish.js";
import { count, day, methodName } from "./words.js";

const WISHES = "mllm3rec";
const main = document.getElementById("main");
const status = document.getElementById("status");
const around = { version: document.getElementById("version"), wish: document.getElementById("to-wish") };
/** Where one had scrolled to at each visit: going back leads there. */
const scrolled = new Map();
let shown = { visit: null, path: null };
/** @type {AbortController} */
let showing = new AbortController();

const say = (words) => (status.textContent = visible(words));

const nowhere = async () => ({
  title: "Not found",
  said: "There is no such page",
  nodes: [viewTitle("There is no such page"), el("p", {}, el("a", { href: "#/" }, "See what is trending"))],
});

function viewOf({ path }) {
  const [first, id, ...rest] = path;
  if (rest.length) return nowhere;
  if (first === "items" && id) return item;
  if (first === "users" && id) return user;
  if (id) return nowhere;
  return { trending, search, wish }[first ?? "trending"] ?? nowhere;
}

/** Which visit this is; one that was made before, when somebody goes back, is the same. */
function visitNow() {
  const visit = history.state?.visit ?? performance.timeOrigin + performance.now();
  history.replaceState({ visit }, "");
  return visit;
}

async function show() {
  const hash = location.hash || "#/";
  const route = routeOf(hash);
  const path = hash.split("?")[0];
  const isFirst = shown.visit === null;
  const isSamePath = path === shown.path;
  const focused = document.activeElement?.id;
  if (!isFirst) scrolled.set(shown.visit, scrollY);
  const visit = visitNow();
  shown = { visit, path };
  showing.abort();
  showing = new AbortController();
  const { signal } = showing;
  main.setAttribute("aria-busy", "true");
  const slow = setTimeout(() => say("Loading"), 300);
  let view;
  try {
    const version = await get(["version"], {}, signal);
    showVersion(version);
    view = await viewOf(route)({ route, signal, version, say });
  } catch (error) {
    if (signal.aborted) return;
    view = failure(error);
  } finally {
    clearTimeout(slow);
  }
  if (signal.aborted) return;
  main.replaceChildren(...view.nodes.flat(Infinity).filter(Boolean));
  main.removeAttribute("aria-busy");
  clearCharts();
  document.title = visible(`${view.title} – whyrec`);
  mark(path);
  say(view.said);
  scrollTo({ top: scrolled.get(visit) ?? 0, behavior: "instant" });
  if (isFirst) return;
  const again = isSamePath && focused ? document.getElementById(focused) : null;
  (again ?? document.getElementById("view-title"))?.focus({ preventScroll: true });
}

function failure(error) {
  if (!(error instanceof Failure)) console.error(error);
  const isMissing = error.status === 404;
  return {
    title: isMissing ? "Not found" : "Failed",
    said: "",
    nodes: [
      viewTitle(isMissing ? "That is not here" : "That did not work"),
      failed(
        error instanceof Failure ? error : new Error("Something in this page went wrong."),
        isMissing ? null : show,
      ),
      el("p", {}, el("a", { href: "#/" }, "See what is trending")),
    ],
  };
}

/** Mark the link to the view that is shown. */
function mark(path) {
  for (const link of document.querySelectorAll("header nav a")) {
    const isHere = link.hash === path || (link.hash === "#/" && path === "#/trending");
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function showVersion(version) {
  around.wish.hidden = !version.runs.some((run) => run.method === WISHES);
  const methods = [...new Set(version.runs.map((run) => methodName(run.method)))].join(", ");
  around.version.replaceChildren(
    bdi(version.dataset),
    `: ${count(version.n_users)} users, ${count(version.n_items)} items, `,
    `from what was known before ${day(version.at)}. `,
    methods ? `Made by ${methods}. ` : "",
    `${count(version.n_explanations)} explanations published, `,
    version.n_unverified
      ? `${count(version.n_unverified)} of them not verified and marked so. `
      : "all of them verified. ",
    `Version ${version.id}.`,
  );
}

document.addEventListener("click", (event) => {
  if (!event.target.closest?.(".skip")) return;
  event.preventDefault(); // the part behind # is the view's address
  main.focus();
});
document.getElementById("who").addEventListener("submit", (event) => {
  event.preventDefault();
  const id = document.getElementById("who-id").value.trim();
  if (id) location.hash = userHref(id);
});
history.scrollRestoration = "manual";
onKeyNeeded(askForKey);
switchTheme(document.getElementById("theme"));
combobox(document.getElementById("search"), say);
addEventListener("hashchange", show);
show();
