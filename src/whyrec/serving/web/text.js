/** Text as it may be shown: nothing unseen in it, and no longer than its place. */

const BREAKS = /\r\n?|[\u0085\u2028\u2029\v\f]/gu;
// The same characters as `whyrec.data.visible_text` drops: controls, fillers, zero width, direction, halves, tags.
const UNSEEN = new RegExp(
  "[\\x00-\\x08\\x0e-\\x1f\\x7f-\\x9f" +
    "\\u00ad\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u3164\\uffa0" +
    "\\u061c\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb" +
    "\\p{Cs}\\u{e0000}-\\u{e0fff}]" +
    "|(?<![^\\x00-\\x7f\\u200c\\u200d])[\\u200c\\u200d]",
  "gu",
);

/**
 * Drop characters that nobody sees; line breaks of all kinds become "\n".
 * @param {unknown} text
 * @returns {string}
 */
export const visible = (text) => String(text).replace(BREAKS, "\n").replace(UNSEEN, "");

/**
 * Cut a text that is too long, between characters.
 * @param {string} text
 * @param {number} longest in characters
 */
export function cut(text, longest) {
  if (text.length <= longest) return text;
  const characters = Array.from(text.slice(0, 2 * longest + 2));
  return characters.length <= longest ? text : `${characters.slice(0, longest).join("").trimEnd()}…`;
}

/** A title as it may stand in a line. */
export const title = (text) => cut(visible(text).replace(/\s+/gu, " ").trim(), 200) || "(no title)";
