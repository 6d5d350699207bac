import { AppError } from '../errors/app-error.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import type { PrimitiveType, Row, TableColumn, TableType, TableValue } from '../rows/table-type.ts';
import { typeName } from './schema.ts';
import { hasLoneSurrogate } from '../lib/utf8-order.ts';

/** 0001-01-01 and 9999-12-31: what SQL engines and this writer's statistics can express. */
export const MIN_DAY = -719_162;
export const MAX_DAY = 2_932_896;
export const MIN_MICROS = BigInt(MIN_DAY) * 86_400_000_000n;
export const MAX_MICROS = BigInt(MAX_DAY + 1) * 86_400_000_000n - 1n;

const INTEGER_BITS = { byte: 8, short: 16, integer: 32 } as const;

/** Why a value cannot be written. */
interface Problem {
  readonly code: Extract<ErrorCode, 'DELTA_VALUE_NULL' | 'DELTA_VALUE_OUT_OF_RANGE' | 'DELTA_VALUE_INVALID'>;
  readonly expected: string;
}

type Check = (value: TableValue) => Problem | undefined;

/**
 * Makes the check of one row against `columns`: undefined when it can be written, else the error, which names the column and never
 * quotes the value. `encodeDataFile` makes the same check; this one is for finding the bad rows of a batch beforehand.
 */
export function makeRowCheck(columns: readonly TableColumn[]): (row: Row) => AppError | undefined {
  const checks = columns.map((column) => ({ column, check: makeColumnCheck(column) }));
  return (row) => {
    if (row.length !== columns.length)
      return new AppError('INTERNAL', `a row has ${row.length} values for ${columns.length} columns`);
    for (let at = 0; at < checks.length; at++) {
      const { column, check } = checks[at] as (typeof checks)[number];
      const problem = check(row[at] as TableValue);
      if (problem !== undefined) {
        return new AppError(problem.code, `column ${column.name} (${typeName(column.type)}): ${problem.expected}`, {
          facts: { column: column.name },
        });
      }
    }
    return undefined;
  };
}

function makeColumnCheck(column: TableColumn): Check {
  return nullCheck(column.nullable, 'the value is missing, but the column is NOT NULL', makeTypeCheck(column.type));
}

function nullCheck(nullable: boolean, expected: string, check: Check): Check {
  const missing: Problem | undefined = nullable ? undefined : { code: 'DELTA_VALUE_NULL', expected };
  return (value) => (value === null || value === undefined ? missing : check(value));
}

function makeTypeCheck(type: TableType): Check {
  if (type.kind !== 'array') return makePrimitiveCheck(type);
  const element = nullCheck(
    type.containsNull,
    'an element is missing, but the elements are NOT NULL',
    makePrimitiveCheck(type.element),
  );
  return (value) => {
    if (!Array.isArray(value)) return invalid('an array was expected');
    for (const item of value as readonly TableValue[]) {
      const problem = element(item);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
}

function makePrimitiveCheck(type: PrimitiveType): Check {
  switch (type.kind) {
    case 'string':
      return (value) => {
        if (typeof value !== 'string') return invalid('text was expected');
        return hasLoneSurrogate(value)
          ? invalid('the text holds half of a surrogate pair, which UTF-8 cannot express')
          : undefined;
      };
    case 'boolean':
      return (value) => (typeof value === 'boolean' ? undefined : invalid('true or false was expected'));
    case 'binary':
      return (value) => (value instanceof Uint8Array ? undefined : invalid('bytes were expected'));
    case 'byte':
    case 'short':
    case 'integer': {
      const limit = 2 ** (INTEGER_BITS[type.kind] - 1);
      return integerCheck(-limit, limit - 1, `a whole number from ${-limit} to ${limit - 1} was expected`);
    }
    case 'date':
      return integerCheck(MIN_DAY, MAX_DAY, 'a day from 0001-01-01 to 9999-12-31 was expected');
    case 'long':
      return bigintCheck(-(2n ** 63n), 2n ** 63n - 1n, 'a whole number of 64 bits was expected');
    case 'timestamp':
    case 'timestamp_ntz':
      return bigintCheck(MIN_MICROS, MAX_MICROS, 'a time from year 1 to year 9999 in microseconds was expected');
    case 'decimal': {
      const limit = 10n ** BigInt(type.precision) - 1n;
      return bigintCheck(-limit, limit, `at most ${type.precision} digits, ${type.scale} of them after the point, were expected`);
    }
    case 'float':
      return (value) => {
        if (typeof value !== 'number') return invalid('a number was expected');
        return Number.isFinite(value) && !Number.isFinite(Math.fround(value))
          ? outOfRange('a number that fits 32 bits was expected')
          : undefined;
      };
    case 'double':
      return (value) => (typeof value === 'number' ? undefined : invalid('a number was expected'));
  }
}

function integerCheck(min: number, max: number, expected: string): Check {
  return (value) => {
    if (typeof value !== 'number' || Number.isNaN(value)) return invalid(expected);
    return Number.isInteger(value) && value >= min && value <= max ? undefined : outOfRange(expected);
  };
}

function bigintCheck(min: bigint, max: bigint, expected: string): Check {
  return (value) => {
    if (typeof value !== 'bigint') return invalid(expected);
    return value >= min && value <= max ? undefined : outOfRange(expected);
  };
}

function invalid(expected: string): Problem {
  return { code: 'DELTA_VALUE_INVALID', expected };
}

function outOfRange(expected: string): Problem {
  return { code: 'DELTA_VALUE_OUT_OF_RANGE', expected };
}
