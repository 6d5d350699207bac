import type { Cell } from '../../registry/cells.ts';
import type { DataType } from '../../registry/data-type.ts';
import { parseDate, parseTimestamp } from '../sql/instants.ts';
import { SqlError } from '../sql/sql-error.ts';
import { spellType, type SqlType } from '../sql/sql-type.ts';
import { formatCell } from './format.ts';
import { parseExact, rescale, truncate, type Exact } from './numbers.ts';

const DAY_MICROS = 86_400_000_000n;
const BITS = { byte: 8, short: 16, integer: 32, long: 64 } as const;
const TRUE_WORDS: ReadonlySet<string> = new Set(['t', 'true', 'y', 'yes', '1']);
const FALSE_WORDS: ReadonlySet<string> = new Set(['f', 'false', 'n', 'no', '0']);

/**
 * Cast a value as `CAST` does in ANSI mode. The pair of types must have passed `checkCastable`.
 *
 * @throws SqlError CAST_INVALID_INPUT, CAST_OVERFLOW or NUMERIC_VALUE_OUT_OF_RANGE
 */
export function castCell(cell: Cell, from: SqlType, to: DataType): Cell {
  if (cell === null || from.kind === 'void') return null;
  switch (to.kind) {
    case 'string':
      return formatCell(cell, from);
    case 'boolean':
      return castToBoolean(cell, from, to);
    case 'byte':
    case 'short':
    case 'integer':
    case 'long': {
      const whole = castToWhole(cell, from, to, BITS[to.kind]);
      return to.kind === 'long' ? whole : Number(whole);
    }
    case 'float':
    case 'double': {
      const number = castToDouble(cell, from, to);
      return to.kind === 'float' ? Math.fround(number) : number;
    }
    case 'decimal':
      return castToDecimal(cell, from, to);
    case 'date':
      if (from.kind === 'string') return parseDate(cell as string) ?? failMalformed(cell, from, to);
      return from.kind === 'date' ? cell : Number(floorDiv(cell as bigint, DAY_MICROS));
    case 'timestamp':
    case 'timestamp_ntz':
      return castToTimestamp(cell, from, to);
    case 'binary':
      return from.kind === 'string' ? new TextEncoder().encode(cell as string) : cell;
    case 'array':
      return (cell as Cell[]).map((item) => castCell(item, (from as DataType & { kind: 'array' }).element, to.element));
    case 'map': {
      const source = from as DataType & { kind: 'map' };
      return (cell as [Cell, Cell][]).map(([key, value]) => [
        castCell(key, source.key, to.key),
        castCell(value, source.value, to.value),
      ]);
    }
    case 'struct': {
      const { fields } = from as DataType & { kind: 'struct' };
      const values = cell as Readonly<Record<string, Cell>>;
      return Object.fromEntries(
        to.fields.map((field, index) => {
          const source = fields[index] as (typeof fields)[number];
          return [field.name, castCell(values[source.name] ?? null, source.type, field.type)];
        }),
      );
    }
    case 'variant':
      return cell;
  }
}

function castToBoolean(cell: Cell, from: SqlType, to: DataType): boolean {
  if (typeof cell === 'boolean') return cell;
  if (typeof cell !== 'string') return Number(cell) !== 0;
  const word = cell.trim().toLowerCase();
  return TRUE_WORDS.has(word) || (FALSE_WORDS.has(word) ? false : failMalformed(cell, from, to));
}

function castToWhole(cell: Cell, from: SqlType, to: DataType, bits: number): bigint {
  const fits = (value: bigint): boolean => BigInt.asIntN(bits, value) === value;
  if (typeof cell === 'string') {
    const whole = /^\s*[+-]?\d+\s*$/.test(cell) ? BigInt(cell.trim().replace('+', '')) : undefined;
    return whole !== undefined && fits(whole) ? whole : failMalformed(cell, from, to);
  }
  if (typeof cell === 'boolean') return cell ? 1n : 0n;
  if (typeof cell === 'number' && !Number.isFinite(cell)) return failOverflow(cell, from, to);
  const whole = from.kind === 'timestamp' ? floorDiv(cell as bigint, 1_000_000n) : truncate(toExact(cell, from));
  return fits(whole) ? whole : failOverflow(cell, from, to);
}

function castToDouble(cell: Cell, from: SqlType, to: DataType): number {
  if (typeof cell === 'number') return cell;
  if (typeof cell === 'boolean') return cell ? 1 : 0;
  if (typeof cell === 'bigint') {
    if (from.kind === 'timestamp') return Number(cell) / 1e6;
    return from.kind === 'decimal' ? Number(formatCell(cell, from)) : Number(cell);
  }
  const text = (cell as string).trim();
  const special = /^([+-]?)(?:(inf(?:inity)?)|(nan))$/i.exec(text);
  if (special !== null) return special[3] === undefined ? (special[1] === '-' ? -Infinity : Infinity) : NaN;
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[dDfF]?$/.test(text)
    ? Number(text.replace(/[dDfF]$/, ''))
    : failMalformed(cell, from, to);
}

function castToDecimal(cell: Cell, from: SqlType, to: DataType & { kind: 'decimal' }): bigint {
  const exact = typeof cell === 'string' ? (parseExact(cell) ?? failMalformed(cell, from, to)) : readNumber(cell, from, to);
  const unscaled = rescale(exact, to.scale);
  if ((unscaled < 0n ? -unscaled : unscaled) < 10n ** BigInt(to.precision)) return unscaled;
  const text = `${formatCell(cell, from)} cannot be represented as Decimal(${to.precision}, ${to.scale}). SQLSTATE: 22003`;
  throw new SqlError('NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION', '22003', text);
}

function readNumber(cell: Cell, from: SqlType, to: DataType): Exact {
  if (typeof cell === 'number' && !Number.isFinite(cell)) return failOverflow(cell, from, to);
  return toExact(from.kind === 'timestamp' ? castToDouble(cell, from, to) : cell, from);
}

/** A finite number without loss. */
export function toExact(cell: Cell, type: SqlType): Exact {
  if (typeof cell === 'boolean') return { unscaled: cell ? 1n : 0n, scale: 0 };
  if (typeof cell === 'bigint') return { unscaled: cell, scale: type.kind === 'decimal' ? type.scale : 0 };
  const exact = typeof cell === 'number' ? parseExact(String(cell)) : undefined;
  return exact ?? { unscaled: 0n, scale: 0 };
}

function castToTimestamp(cell: Cell, from: SqlType, to: DataType): bigint {
  if (from.kind === 'string') {
    return parseTimestamp(cell as string, to.kind === 'timestamp' ? 'zoned' : 'wall-clock') ?? failMalformed(cell, from, to);
  }
  if (from.kind === 'date') return BigInt(cell as number) * DAY_MICROS;
  if (from.kind === 'timestamp' || from.kind === 'timestamp_ntz') return cell as bigint;
  // A number is seconds.
  const { unscaled, scale } = readNumber(cell, from, to);
  const micros = truncate({ unscaled: unscaled * 1_000_000n, scale });
  return BigInt.asIntN(64, micros) === micros ? micros : failOverflow(cell, from, to);
}

function floorDiv(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}

function failMalformed(cell: Cell, from: SqlType, to: SqlType): never {
  const what = `The value '${formatCell(cell, from)}' of the type "${spellType(from)}" cannot be cast to "${spellType(to)}"`;
  const advice = 'Correct the value as per the syntax, or change its target type.';
  throw new SqlError('CAST_INVALID_INPUT', '22018', `${what} because it is malformed. ${advice} SQLSTATE: 22018`);
}

function failOverflow(cell: Cell, from: SqlType, to: SqlType): never {
  const suffix = { long: 'L', decimal: 'BD', double: 'D' }[from.kind as string] ?? '';
  const what = `The value ${formatCell(cell, from)}${suffix} of the type "${spellType(from)}"`;
  throw new SqlError(
    'CAST_OVERFLOW',
    '22003',
    `${what} cannot be cast to "${spellType(to)}" due to an overflow. SQLSTATE: 22003`,
  );
}
