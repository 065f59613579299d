/** Addresses of views, as the part behind #: `#/items/tt1?x=y`. */

/**
 * @typedef {object} Route
 * @property {string[]} path decoded parts
 * @property {URLSearchParams} query
 */

/**
 * Read an address.
 * @param {string} hash
 * @returns {Route}
 */
export function routeOf(hash) {
  const [path, ...rest] = hash.replace(/^#\/?/u, "").split("?");
  return { path: path.split("/").filter(Boolean).map(decoded), query: new URLSearchParams(rest.join("?")) };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Write the address of the same view with other settings; an empty value takes one away.
 * @param {Route} route
 * @param {Record<string, string | number | string[] | null>} changes
 */
export function hrefOf(route, changes) {
  const query = new URLSearchParams(route.query);
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name);
    for (const one of [value].flat()) if (one !== null && one !== "") query.append(name, String(one));
  }
  const search = query.toString();
  return `#/${route.path.map(encodeURIComponent).join("/")}${search ? `?${search}` : ""}`;
}

/** A whole number of at least 0 in an address; 0 where there is none. */
export function placeIn(query, name) {
  const n = Number(query.get(name) ?? 0);
  return Number.isSafeInteger(n) && n > 0 ? n : 0;
}
