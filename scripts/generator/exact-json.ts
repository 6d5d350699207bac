/** A JSON value. Numbers whose text matters are held as marked strings, see `decimal`. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json | undefined;
}

/** FHIR strings hold no control characters, so no text of a resource can begin like this. */
const MARK = '\u0000num:';
const NUMBER = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?`;
const STRING_OR_NUMBER = new RegExp(`"(?:[^"\\\\]|\\\\.)*"|${NUMBER}`, 'g');
const MARKED = new RegExp(`"\\\\u0000num:(${NUMBER})"`, 'g');
const MAY_NOT_SURVIVE = /\d[.eE]|\d{16}/;

/** A number that keeps its digits as written (`decimal('7.40')`) through `writeExactJson`; JSON.stringify would not. */
export function decimal(lexeme: string): string {
  return MARK + lexeme;
}

/**
 * Parse JSON and keep each number whose text a double would change (`7.40`, `1e3`, 20 digits) as `decimal(text)`.
 *
 * @throws SyntaxError as JSON.parse does
 */
export function readExactJson(text: string): Json {
  if (!MAY_NOT_SURVIVE.test(text)) return JSON.parse(text) as Json;
  const marked = text.replace(STRING_OR_NUMBER, (token) =>
    token.startsWith('"') || String(Number(token)) === token ? token : `"\\u0000num:${token}"`,
  );
  return JSON.parse(marked) as Json;
}

/** The opposite of `readExactJson`: marked numbers are written with their own digits. */
export function writeExactJson(value: Json): string {
  const text = JSON.stringify(value);
  return text.includes('\\u0000num:') ? text.replace(MARKED, '$1') : text;
}

/** True for a value made by `decimal`. */
export function isDecimal(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith(MARK);
}

/** A deep copy with plain numbers in the place of marked ones. */
export function toPlainJson<T extends Json>(value: T): T;
export function toPlainJson(value: Json): Json {
  if (isDecimal(value)) return Number(value.slice(MARK.length));
  if (Array.isArray(value)) return value.map((item) => toPlainJson(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, item === undefined ? item : toPlainJson(item)]));
}
