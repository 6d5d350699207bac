import type { Cell } from '../../registry/cells.ts';
import type { DataType } from '../../registry/data-type.ts';
import type { SqlType } from '../sql/sql-type.ts';
import { castCell, toExact } from './cast.ts';
import { rescale } from './numbers.ts';

const NUMBERS: ReadonlySet<string> = new Set(['byte', 'short', 'integer', 'long', 'float', 'double', 'decimal']);

/** Reads both sides of a comparison as the same type. */
export interface Comparison {
  /** Negative, 0 or positive; NaN is larger than every number and equal to itself. Neither side may be NULL. */
  readonly compare: (left: Cell, right: Cell) => number;
}

/** How values of two types are compared. A text beside another type is cast to that type (ANSI). */
export function makeComparison(left: SqlType, right: SqlType): Comparison {
  const type = commonType(left, right);
  if (type === undefined) {
    return { compare: (a, b) => compareNumbers(a, left, b, right) };
  }
  return { compare: (a, b) => compareSame(castCell(a, left, type), castCell(b, right, type)) };
}

/** Undefined: numbers of different types, which are compared by value. */
function commonType(left: SqlType, right: SqlType): DataType | undefined {
  if (NUMBERS.has(left.kind) && NUMBERS.has(right.kind)) return undefined;
  if (left.kind === 'void') return right.kind === 'void' ? { kind: 'string' } : right;
  if (right.kind === 'void' || left.kind === right.kind) return left;
  if (left.kind === 'string') return widen(right);
  if (right.kind === 'string') return widen(left);
  if (left.kind === 'date') return right;
  return left;
}

/** A text beside a whole number is read as BIGINT, beside another number as DOUBLE. */
function widen(type: DataType): DataType {
  if (['byte', 'short', 'integer', 'long'].includes(type.kind)) return { kind: 'long' };
  return type.kind === 'float' || type.kind === 'decimal' ? { kind: 'double' } : type;
}

function compareNumbers(a: Cell, left: SqlType, b: Cell, right: SqlType): number {
  if (typeof a === 'number' && typeof b === 'number') return compareDoubles(a, b);
  if (typeof a === 'number' && !Number.isFinite(a)) return a > 0 || Number.isNaN(a) ? 1 : -1;
  if (typeof b === 'number' && !Number.isFinite(b)) return b > 0 || Number.isNaN(b) ? -1 : 1;
  const [exactA, exactB] = [toExact(a, left), toExact(b, right)];
  const scale = Math.max(exactA.scale, exactB.scale);
  return order(rescale(exactA, scale), rescale(exactB, scale));
}

function compareSame(a: Cell, b: Cell): number {
  if (typeof a === 'number' && typeof b === 'number') return compareDoubles(a, b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  if (typeof a === 'object' || typeof b === 'object') return order(JSON.stringify(a, bigText), JSON.stringify(b, bigText));
  return order(a, b);
}

function bigText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}

function compareDoubles(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return order(a, b);
}

function order<T extends string | number | bigint | boolean>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
