import { randomUUID } from 'node:crypto';
import fhirpath from 'fhirpath';

/** A string, or a number, of a JSON text. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * JSON.parse that keeps decimals as they were written: a number whose text a JavaScript number would change (`1.0`, 20 digits) becomes
 * a decimal of fhirpath.js that knows its text. Needed where trailing zeros or more than 15 digits matter (`needsExactDecimals`);
 * about twice as slow as JSON.parse.
 *
 * @throws SyntaxError when the text is not JSON
 */
export function parseExactly(text: string): unknown {
  // The key cannot be foreseen, so no text can forge a decimal.
  const key = `decimal-${randomUUID()}`;
  let changed = false;
  const marked = text.replace(TOKEN, (token) => {
    if (token.startsWith('"') || String(Number(token)) === token) return token;
    changed = true;
    return `{"${key}":"${token}"}`;
  });
  if (!changed) return JSON.parse(text);
  return JSON.parse(marked, (_name, value: unknown) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return value;
    return fhirpath.FP_Decimal.getDecimal((value as Record<string, string>)[key] ?? '');
  });
}
