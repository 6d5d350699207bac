/** Longest text that a regular expression of a view is run on; with the rule below this bounds the time to some milliseconds. */
export const MAX_REGEX_INPUT = 10_000;

/** The same for the linear-time engine where others wait: replacing may need a pass over the text for each match. */
export const QUICK_REGEX_INPUT = 1_000;

const ATOM = String.raw`(?:\\[dDwWsStnrfv.\\/()[\]{}|*+?^$-]|\[\^?(?:\\[dDwWsS\\\]^-]|[^\\\]])+\]|[^\\()[\]{}|*+?^$])`;
const TOKEN = new RegExp(String.raw`(${ATOM})(\{\d{1,3}\}|\{\d{1,3},\d{0,3}\}|[*+?])?`, 'y');

/**
 * True for a regular expression whose matching time is provably at most quadratic in the text: characters and classes only, no groups
 * and no alternatives, anchors at its ends, and one repetition of variable length at most. JavaScript's engine backtracks, so
 * anything richer can block the process for hours on a short text.
 */
export function isSimpleRegex(pattern: string): boolean {
  const body = pattern.replace(/^\^/, '').replace(/(?<!\\)\$$/, '');
  let variable = 0;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < body.length) {
    const token = TOKEN.exec(body);
    if (token === null) return false;
    const quantifier = token[2];
    if (quantifier !== undefined && !/^\{\d+\}$/.test(quantifier)) variable++;
  }
  return variable <= 1 && compiles(pattern);
}

function compiles(pattern: string): boolean {
  try {
    new RegExp(pattern, 'u');
    return true;
  } catch {
    return false;
  }
}
