/** Numbers, days and names as a person would write them. */

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const TENTHS = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

/** A count: `1,204`; with a decimal where an expectation is below one, and `<0.1` where it is next to nothing. */
export function count(n) {
  if (n > 0 && n < 0.05) return "<0.1";
  return n >= 0.05 && n < 0.95 ? n.toFixed(1) : WHOLE.format(n);
}

/** A number with one decimal at most. */
export const tenths = (n) => TENTHS.format(n);

/** `1 user`, `1,204 users`; any noun that takes an s. */
export function counted(n, noun = "user") {
  const said = count(n);
  return `${said} ${noun}${said === "1" ? "" : "s"}`;
}

/** `7 November 2013` of an ISO date or moment, in UTC. */
export function day(moment) {
  const date = new Date(moment);
  return Number.isNaN(date.getTime()) ? String(moment) : DAY.format(date);
}

/** The last day of a half-open window. */
export const lastDay = (end) => day(new Date(new Date(end).getTime() - 1).toISOString());

/** `34%` of a share; a decimal below one per cent. */
export function percent(share) {
  const size = 100 * Math.abs(share);
  return size < 0.95 ? `${size.toFixed(1)}%` : `${WHOLE.format(size)}%`;
}

/** A multiplicative effect: `+34%`, `−12%`, `×2.5` once it doubles. */
export function effect(by) {
  if (by >= 1) return `×${(1 + by).toFixed(1)}`;
  return `${by < 0 ? "−" : "+"}${percent(Math.abs(by))}`;
}

/** With a sign, to two decimals: `+0.31`, `−0.02`. */
export const signed = (n) => `${n < 0 ? "−" : "+"}${Math.abs(n).toFixed(2)}`;

const NAMES = { curec: "CURec", guided: "guided", mllm3rec: "M-LLM3REC", trail: "TRAIL", counts: "counting" };

/** A method's name; what follows the first underscore says how it was made. */
export function methodName(key) {
  const [first, ...rest] = key.split("_");
  return NAMES[first] && rest.length ? `${NAMES[first]} (${rest.join(" ")})` : (NAMES[key] ?? key.replaceAll("_", " "));
}

const WINDOW = /^(\d+)d$/u;

/** A window's name: `next` is the coming one, as forecast. */
export function windowName(key) {
  if (key === "next") return "Forecast";
  const days = WINDOW.exec(key)?.[1];
  return days ? `Last ${days} days` : key;
}

/** The value of a piece of evidence, with its unit. */
export function value(evidence) {
  if (typeof evidence.value === "string") return evidence.id === "first_seen" ? day(evidence.value) : evidence.value;
  if (evidence.id.startsWith("driver:")) return effect(evidence.value);
  if (evidence.unit === "users") return counted(evidence.value);
  if (evidence.unit === "share") return percent(evidence.value);
  if (evidence.unit === "score") return signed(evidence.value);
  if (evidence.id === "rating") return evidence.value.toFixed(1);
  // The catalogue's own numbers, such as a price, stand as in the text that cites them.
  if (evidence.id.startsWith("attribute:")) return String(Number(evidence.value.toPrecision(10)));
  return [plain(evidence.value), evidence.unit].filter(Boolean).join(" ");
}

/** A whole number as it is, such as a year; three digits of others. */
function plain(n) {
  if (Number.isInteger(n)) return String(n);
  return String(Math.abs(n) >= 100 ? Math.round(n) : Number(n.toPrecision(3)));
}

/** What a piece of evidence is. */
export const label = (evidence) => (evidence.id === "forecast" ? "the forecast" : evidence.label);
