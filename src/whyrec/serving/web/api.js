/** Asking the server. Whatever goes wrong becomes a Failure that says it in words. */

const KEY = "whyrec.key";

/** What went wrong. */
export class Failure extends Error {
  /** @param {string} message @param {number} status 0 where there was no answer */
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

/** @type {(wasRefused: boolean) => Promise<string | null>} */
let askForKey = async () => null;
/** @type {Promise<string | null> | null} */
let asking = null;

/** Say who asks people for a key; gives null when they have none. */
export function onKeyNeeded(ask) {
  askForKey = ask;
}

/**
 * Read a document.
 * @param {string[]} path each part is encoded
 * @param {Record<string, unknown>} query lists give a parameter several times; null and undefined are left out
 * @param {AbortSignal} [signal]
 */
export const get = (path, query = {}, signal = undefined) => ask(address(path, query), { signal });

/** Send a document. */
export const post = (path, body, signal = undefined) =>
  ask(address(path, {}), {
    method: "POST",
    signal,
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });

function address(path, query) {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) if (one !== null && one !== undefined) asked.append(name, String(one));
  }
  const search = asked.toString();
  return `/v1/${path.map(encodeURIComponent).join("/")}${search ? `?${search}` : ""}`;
}

async function ask(url, options) {
  const key = sessionStorage.getItem(KEY);
  const headers = { accept: "application/json", ...options.headers };
  if (key) headers.authorization = `Bearer ${key}`;
  let answer;
  try {
    answer = await fetch(url, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure("The server cannot be reached. Is it running?");
  }
  if (answer.status === 401 && (await newKey(key))) return ask(url, options);
  let body = null;
  try {
    body = await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
  }
  if (!answer.ok) throw new Failure(wordsOf(answer, body), answer.status);
  if (body === null) throw new Failure("The server's answer cannot be read.", answer.status);
  return body;
}

/** One question for a key at a time, however many requests need it. */
async function newKey(refused) {
  const now = sessionStorage.getItem(KEY);
  if (now && now !== refused) return true;
  asking ??= askForKey(Boolean(refused)).finally(() => (asking = null));
  const key = await asking;
  if (key) sessionStorage.setItem(KEY, key);
  return Boolean(key);
}

function wordsOf(answer, body) {
  const said = body?.error?.message;
  const wait = answer.headers.get("retry-after");
  if (answer.status === 401) return "The server wants a key, and was given none.";
  if (answer.status === 429) return `Too many requests. Try again in ${wait ?? "a few"} seconds.`;
  if (typeof said === "string") return said;
  return `The server answered ${answer.status}, without a word.`;
}
