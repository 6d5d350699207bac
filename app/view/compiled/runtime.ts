import fhirpath from 'fhirpath';
import { readDecimal } from '../expression.ts';

/** Thrown by compiled code when a resource breaks an assumption: the interpreter then decides. Made once, as its stack says nothing. */
export const DEOPT = new Error('the resource needs the interpreter');

/** Thrown by compiled code when one resource gives more rows than are allowed. */
export const TOO_MANY_ROWS = new Error('too many rows');

/**
 * The value of a primitive for a column; -0 becomes 0 in fhirpath.js.
 * @throws DEOPT for anything else than a primitive
 */
export function readValue(value: unknown): string | number | boolean {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && !Object.is(value, -0)) return value;
  if (value instanceof fhirpath.FP_Decimal) return readDecimal(value, true);
  throw DEOPT;
}

/**
 * The value of a choice element of an object, when it is held by one of the wanted properties (mapped to true); undefined when there is none.
 * @throws DEOPT when two properties of the choice are there, or one beside its `_property`, or one that says it is a resource
 */
export function readChoice(object: Readonly<Record<string, unknown>>, properties: ReadonlyMap<string, boolean>): unknown {
  let found: string | undefined;
  for (const name in object) {
    if (!properties.has(name)) continue;
    if (found !== undefined || name.startsWith('_')) throw DEOPT;
    found = name;
  }
  if (found === undefined) return undefined;
  if (properties.get(found) === true) return object[found];
  // fhirpath.js would take the type of such an element from there.
  if ((object[found] as { readonly resourceType?: unknown } | null)?.resourceType !== undefined) throw DEOPT;
  return undefined;
}

/** 1 for each character of an id, by its code. */
export const ID_CHARACTERS = Uint8Array.from({ length: 128 }, (_, code) =>
  /[A-Za-z0-9\-.]/.test(String.fromCharCode(code)) ? 1 : 0,
);

/** Whether two numbers are equal or apart by more than the rounding of fhirpath.js (8 decimals). @throws DEOPT when that is not clear */
export function compareNumbers(left: unknown, right: unknown): number {
  if (typeof left !== 'number' || typeof right !== 'number') throw DEOPT;
  if (left === right) return 0;
  const difference = left - right;
  if (difference < 1e-6 && difference > -1e-6) throw DEOPT;
  return difference;
}
