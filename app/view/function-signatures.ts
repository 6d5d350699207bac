import type { RegexUse } from './regex-functions.ts';
import { isPrimitiveType, type Types } from './fhir-model.ts';

/**
 * How an argument is read. `criteria`, `projection`: evaluated on each item; `value`: evaluated once on `$this`; `type`: a type name
 * without quotes; a RegexUse: a string literal that is a regular expression for that function.
 */
export type ArgumentKind = 'criteria' | 'projection' | 'value' | 'type' | RegexUse;

export interface Signature {
  readonly args: readonly ArgumentKind[];
  /** How many of `args` must be given. */
  readonly required: number;
  /** What the call yields, from the types of its input and of its arguments (of a `type` argument: that type). */
  readonly result: (input: Types, args: readonly Types[]) => Types;
}

const fixed =
  (...types: string[]) =>
  (): Types =>
    types;
const sameAsInput = (input: Types): Types => input;
const lastArgument = (_input: Types, args: readonly Types[]): Types => args.at(-1) ?? [];

function signature(result: Signature['result'], args: readonly ArgumentKind[] = [], required = args.length): Signature {
  return { args, required, result };
}

/** The same signature for several functions. */
function each(names: string, entry: Signature): Record<string, Signature> {
  return Object.fromEntries(names.split(' ').map((name) => [name, entry]));
}

/** The functions that a view may call; everything else is refused. */
const SIGNATURES: Readonly<Record<string, Signature>> = {
  ...each('where', signature(sameAsInput, ['criteria'])),
  ...each('exists', signature(fixed('boolean'), ['criteria'], 0)),
  ...each('all', signature(fixed('boolean'), ['criteria'])),
  ...each('select', signature(lastArgument, ['projection'])),
  ...each(
    'iif',
    signature((_input, [, ...branches]) => branches.flat(), ['criteria', 'projection', 'projection'], 2),
  ),
  ...each('empty not hasValue isDistinct allTrue anyTrue allFalse anyFalse', signature(fixed('boolean'))),
  ...each('subsetOf supersetOf startsWith endsWith contains', signature(fixed('boolean'), ['value'])),
  ...each('first last single tail distinct getValue abs sum min max', signature(sameAsInput)),
  ...each('take skip intersect exclude', signature(sameAsInput, ['value'])),
  ...each(
    'union',
    signature((input, [other]) => [...input, ...(other ?? [])], ['value']),
  ),
  ...each('ofType as', signature(lastArgument, ['type'])),
  ...each('is', signature(fixed('boolean'), ['type'])),
  ...each('extension', signature(fixed('Extension'), ['value'])),
  ...each('getResourceKey', signature(fixed('id'))),
  ...each('getReferenceKey', signature(fixed('id'), ['type'], 0)),
  ...each('getAidboxTs getAidboxCts', signature(fixed('instant'))),
  ...each(
    'lowBoundary highBoundary',
    signature((input) => input.map((type) => (type === 'integer' ? 'decimal' : type)), ['value'], 0),
  ),
  ...each('join', signature(fixed('string'), ['value'], 0)),
  ...each('upper lower trim toChars', signature(fixed('string'))),
  ...each('split', signature(fixed('string'), ['value'])),
  ...each('substring', signature(fixed('string'), ['value', 'value'], 1)),
  ...each('replace', signature(fixed('string'), ['value', 'value'])),
  ...each('matches', signature(fixed('boolean'), ['matches'])),
  ...each('matchesFull', signature(fixed('boolean'), ['matchesFull'])),
  ...each('replaceMatches', signature(fixed('string'), ['replaceMatches', 'value'])),
  ...each('count length', signature(fixed('integer'))),
  ...each('indexOf lastIndexOf', signature(fixed('integer'), ['value'])),
  ...each('ceiling floor truncate', signature(fixed('integer'))),
  ...each('sqrt ln exp avg', signature(fixed('decimal'))),
  ...each('power log', signature(fixed('decimal'), ['value'])),
  ...each('round', signature(fixed('decimal'), ['value'], 0)),
  ...each('toBoolean', signature(fixed('boolean'))),
  ...each('toInteger', signature(fixed('integer'))),
  ...each('toDecimal', signature(fixed('decimal'))),
  ...each('toString', signature(fixed('string'))),
  ...each('toDate', signature(fixed('date'))),
  ...each('toDateTime', signature(fixed('dateTime'))),
  ...each('toTime', signature(fixed('time'))),
  ...each(
    'convertsToBoolean convertsToInteger convertsToDecimal convertsToString convertsToDate convertsToDateTime convertsToTime',
    signature(fixed('boolean')),
  ),
};

const NOT_REPEATABLE = 'its value would change between two deliveries of the same event';
const REACHES_OUT = 'it would call other servers';
const UNBOUNDED = 'its work cannot be bounded';

/** Functions of FHIRPath that are known and refused, with the reason. */
const REFUSED: Readonly<Record<string, string>> = {
  now: NOT_REPEATABLE,
  today: NOT_REPEATABLE,
  timeOfDay: NOT_REPEATABLE,
  resolve: REACHES_OUT,
  memberOf: REACHES_OUT,
  weight: REACHES_OUT,
  ordinal: REACHES_OUT,
  repeat: `${UNBOUNDED}; use the select's own "repeat" instead`,
  aggregate: UNBOUNDED,
  combine: UNBOUNDED,
  defineVariable: UNBOUNDED,
  children: `${UNBOUNDED}; name the elements instead`,
  descendants: `${UNBOUNDED}; name the elements instead`,
  trace: 'it would write data of a resource into a log',
};

/** Signature of an allowed function, or why it may not be called. */
export function findSignature(name: string): Signature | { readonly refused: string } {
  if (Object.hasOwn(SIGNATURES, name)) return SIGNATURES[name] as Signature;
  if (Object.hasOwn(REFUSED, name)) return { refused: `function ${name}() is not allowed in a view: ${REFUSED[name]}` };
  return { refused: `unknown function ${name}()` };
}

/** Type of `+`, `-`, `*`, `div` and `mod` from the types of both sides; `/` and unknown mixtures give a decimal. */
export function arithmeticType(operator: string, left: Types, right: Types): Types {
  if (operator === '&') return ['string'];
  const sides = [...left, ...right];
  if (sides.length === 0) return [];
  if (operator === '/') return ['decimal'];
  if (operator === 'div' || sides.every((type) => type === 'integer' || type === 'positiveInt' || type === 'unsignedInt'))
    return ['integer'];
  const temporal = left.find((type) => ['date', 'dateTime', 'instant', 'time'].includes(type));
  if (temporal !== undefined) return [temporal];
  if (sides.some((type) => !isPrimitiveType(type))) return left;
  return sides.every((type) => type === 'decimal' || type === 'integer' || type.endsWith('Int')) ? ['decimal'] : ['string'];
}
