import fhirpath, { type UserInvocationTable } from 'fhirpath';
import { describeCause } from '../lib/describe-cause.ts';
import type { FhirModel } from './fhir-model.ts';
import { ExpressionFailure } from './functions.ts';
import { goneTooFar, MAX_TEXT_LENGTH, VIEW_TOO_SLOW, type Bounds } from './limits.ts';

/** Names that an expression sees with a percent sign. */
export type Variables = Readonly<Record<string, unknown>>;

/** A compiled expression: items in, items out, both as fhirpath.js has them (nodes or computed values). */
export type Expression = (items: readonly unknown[], variables: Variables) => readonly unknown[];

/** Steps that were taken for the resource at hand, which are reset before each, and what is allowed. */
export interface Budget {
  steps: number;
  readonly bounds: Bounds;
}

/**
 * Compiles an expression that was checked before, when it is first evaluated: compiled views seldom need it.
 *
 * Internal types are kept, as resolving them would write hidden properties into the resource. What it throws is an ExpressionFailure, as
 * the texts of fhirpath.js may quote data, or VIEW_TOO_SLOW.
 *
 * @param base path in the model of plain elements that it will be evaluated on; not needed for resources and nodes
 */
export function compileExpression(
  text: string,
  { tables }: FhirModel,
  functions: UserInvocationTable,
  budget: Budget,
  base?: string,
): Expression {
  const maxItems = COMPARES_ALL.test(text) ? budget.bounds.comparedItems : budget.bounds.items;
  const compile = (): ReturnType<typeof fhirpath.compile> =>
    fhirpath.compile(base === undefined ? text : { base, expression: text }, tables, {
      resolveInternalTypes: false,
      preciseMath: true,
      userInvocationTable: functions,
      debugger: (_context, _focus, result: unknown) => checkBounds(result, budget, maxItems),
    });
  let run: ReturnType<typeof compile> | undefined;
  return (items, variables) => {
    try {
      run ??= compile();
      return run(items, variables) as readonly unknown[];
    } catch (error) {
      if (error === VIEW_TOO_SLOW) throw VIEW_TOO_SLOW;
      throw error instanceof ExpressionFailure ? error : new ExpressionFailure(explain(error));
    }
  };
}

/** Functions and operators whose time grows with the square of their input; a literal that names one only lowers the bound. */
const COMPARES_ALL = /\||distinct|union|intersect|exclude|subsetOf|supersetOf/i;

function checkBounds(result: unknown, budget: Budget, maxItems: number): void {
  const { bounds } = budget;
  const items = Array.isArray(result) ? result.length : 1;
  budget.steps += 1 + (items >> 4);
  if (budget.steps > bounds.steps)
    throw goneTooFar(bounds, () => new ExpressionFailure(`the view took more than ${bounds.steps} steps for one resource`));
  if (!Array.isArray(result)) return;
  if (items > maxItems) throw goneTooFar(bounds, () => new ExpressionFailure(`it gave more than ${maxItems} values`));
  for (const item of result) {
    if (typeof item === 'string' && item.length > MAX_TEXT_LENGTH)
      throw new ExpressionFailure(`it made a text of more than ${MAX_TEXT_LENGTH} characters`);
  }
}

/** Failures of fhirpath.js that a user can do something about, in our words. */
function explain(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  if (/^(Unexpected collection|Expected singleton|Was expecting no more than one)/i.test(message)) {
    return 'an operand or argument has several values where one is expected';
  }
  if (/^Expected (boolean|string|number|integer)/i.test(message)) return 'an operand or argument has another type than expected';
  if (/^Join requires/.test(message)) return 'join() stands on values that are not strings';
  return `it cannot be evaluated on this resource (${describeCause(error)})`;
}

/** A value that no column can hold. */
export const NOT_PRIMITIVE = Symbol('not primitive');

/**
 * The JSON form of one item, undefined for an element that has no value (only extensions), or NOT_PRIMITIVE.
 * A decimal that a JavaScript number cannot carry digit by digit (`1.0` of the resource, 20 digits) comes as a string.
 */
export function readPrimitive(item: unknown): string | number | boolean | undefined | typeof NOT_PRIMITIVE {
  const value: unknown = fhirpath.util.valData(item);
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (value instanceof fhirpath.FP_Decimal) return readDecimal(value, value !== item);
  // Dates and times of fhirpath.js keep the text they were made from; its quantities and parts of the resource do not.
  const { asStr, constructor } = value as { readonly asStr?: unknown; readonly constructor?: unknown };
  return typeof asStr === 'string' && constructor !== Object ? asStr : NOT_PRIMITIVE;
}

/** Trailing zeros of an element are data (FHIR decimals have a precision); those of a computed value are padding. */
export function readDecimal(value: { toString(): string }, isElement: boolean): string | number {
  const text = isElement
    ? value.toString()
    : value
        .toString()
        .replace(/(\.\d*?)0+$/, '$1')
        .replace(/\.$/, '');
  return String(Number(text)) === text ? Number(text) : text;
}
