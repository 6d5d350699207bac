/** A 64-bit integer of the log: a number where it is exact, else a bigint. */
export type Long = number | bigint;

/** `value` as a number where that is exact. */
export function toLong(value: Long): Long {
  if (typeof value === 'number') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const MARK = '\u0000long:';

/**
 * `JSON.parse` that keeps the digits of integers beyond 2^53: those become bigint.
 *
 * @throws SyntaxError as `JSON.parse` does
 */
export function parseExactJson(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  const marked = markLongs(text);
  if (marked === text) return JSON.parse(text);
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === 'string' && value.startsWith(MARK) ? BigInt(value.slice(MARK.length)) : value,
  );
}

/** Turns each inexact integer outside of a string into a marked string. */
function markLongs(text: string): string {
  let result = '';
  let copied = 0;
  for (let at = 0; at < text.length;) {
    const char = text[at];
    if (char === '"') {
      at = endOfString(text, at);
      continue;
    }
    NUMBER.lastIndex = at;
    const token = NUMBER.exec(text)?.[0];
    if (token === undefined) {
      at++;
      continue;
    }
    if (/^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token))) {
      result += `${text.slice(copied, at)}${JSON.stringify(MARK + token)}`;
      copied = at + token.length;
    }
    at += token.length;
  }
  return copied === 0 ? text : result + text.slice(copied);
}

/** Index after the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}
