import fhirpath, { type UserInvocationTable } from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import { describeCause } from '../lib/describe-cause.ts';
import { ExpressionFailure } from './functions.ts';

/** Names that an expression sees with a percent sign. */
export type Variables = Readonly<Record<string, unknown>>;

/** A compiled expression: items in, items out, both as fhirpath.js has them (nodes or computed values). */
export type Expression = (items: readonly unknown[], variables: Variables) => readonly unknown[];

/** Bounds on one resource: steps of the interpreter, items of one collection, characters of one computed text. */
const MAX_STEPS = 2_000_000;
const MAX_ITEMS = 100_000;
const MAX_TEXT_LENGTH = 16 * 1024 * 1024;

/** Steps that were taken for the resource at hand; reset before each resource. */
export interface Budget {
  steps: number;
}

/**
 * Compiles an expression that was checked before.
 *
 * Internal types are kept, as resolving them would write hidden properties into the resource. What it throws is an ExpressionFailure:
 * the texts of fhirpath.js may quote data and are dropped.
 */
export function compileExpression(text: string, functions: UserInvocationTable, budget: Budget): Expression {
  const run = fhirpath.compile(text, r4, {
    resolveInternalTypes: false,
    preciseMath: true,
    userInvocationTable: functions,
    debugger: (_context, _focus, result: unknown) => checkBounds(result, budget),
  });
  return (items, variables) => {
    try {
      return run(items, variables) as readonly unknown[];
    } catch (error) {
      throw error instanceof ExpressionFailure ? error : new ExpressionFailure(explain(error));
    }
  };
}

function checkBounds(result: unknown, budget: Budget): void {
  if (++budget.steps > MAX_STEPS) throw new ExpressionFailure(`the view took more than ${MAX_STEPS} steps for one resource`);
  if (!Array.isArray(result)) return;
  if (result.length > MAX_ITEMS) throw new ExpressionFailure(`it gave more than ${MAX_ITEMS} values`);
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
function readDecimal(value: { toString(): string }, isElement: boolean): string | number {
  const text = isElement
    ? value.toString()
    : value
        .toString()
        .replace(/(\.\d*?)0+$/, '$1')
        .replace(/\.$/, '');
  return String(Number(text)) === text ? Number(text) : text;
}
