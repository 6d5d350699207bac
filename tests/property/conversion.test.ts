import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AppError } from '../../app/errors/app-error.ts';
import { makeConverter } from '../../app/rows/convert.ts';
import { parseUnscaled } from '../../app/rows/numeric.ts';
import type { PrimitiveType } from '../../app/rows/table-type.ts';
import { parseDays, parseMicros } from '../../app/rows/temporal.ts';

const RUNS = { numRuns: 1_000 };

/** Days from the civil date by Howard Hinnant's formula, which uses no date library. */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

const pad = (value: number, width = 2): string => String(value).padStart(width, '0');
const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const daysIn = (year: number, month: number): number =>
  [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] as number;

const anyDate = fc.record({
  year: fc.integer({ min: 1, max: 9999 }),
  month: fc.integer({ min: 1, max: 12 }),
  day: fc.integer({ min: 1, max: 31 }),
});

describe('dates and times', () => {
  it('have the day number of an independent formula, and days that do not exist are refused', () => {
    fc.assert(
      fc.property(anyDate, ({ year, month, day }) => {
        const expected = day <= daysIn(year, month) ? daysFromCivil(year, month, day) : undefined;
        expect(parseDays(`${pad(year, 4)}-${pad(month)}-${pad(day)}`)).toBe(expected);
      }),
      RUNS,
    );
  });

  it('have the microseconds of Date.UTC less their offset, with six digits of a second', () => {
    const time = fc.record({
      date: fc.date({ min: new Date('0002-01-01T00:00:00Z'), max: new Date('9998-12-31T23:59:59Z'), noInvalidDate: true }),
      micros: fc.integer({ min: 0, max: 999_999 }),
      rest: fc.stringMatching(/^\d{0,6}$/),
      offset: fc.integer({ min: -14 * 60, max: 14 * 60 }),
    });
    fc.assert(
      fc.property(time, ({ date, micros, rest, offset }) => {
        const seconds = Math.floor(date.getTime() / 1_000);
        const local = new Date(seconds * 1_000).toISOString().slice(0, 19);
        const zone = `${offset < 0 ? '-' : '+'}${pad(Math.floor(Math.abs(offset) / 60))}:${pad(Math.abs(offset) % 60)}`;
        const expected = BigInt(seconds) * 1_000_000n + BigInt(micros) - BigInt(offset) * 60_000_000n;
        expect(parseMicros(`${local}.${pad(micros, 6)}${rest}${zone}`)).toBe(expected);
      }),
      RUNS,
    );
  });
});

describe('decimals', () => {
  it('come back digit by digit from their unscaled integer', () => {
    const parts = fc.record({
      unscaled: fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
      scale: fc.integer({ min: 0, max: 7 }),
      zeros: fc.integer({ min: 0, max: 5 }),
    });
    fc.assert(
      fc.property(parts, ({ unscaled, scale, zeros }) => {
        const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
        const text =
          `${unscaled < 0n ? '-' : ''}${digits.slice(0, digits.length - scale)}.${digits.slice(digits.length - scale)}${'0'.repeat(zeros)}`.replace(
            /\.$/,
            '',
          );
        expect(parseUnscaled(text, 38, scale)).toBe(unscaled);
        expect(parseUnscaled(text, 38, scale + 1)).toBe(unscaled * 10n);
      }),
      RUNS,
    );
  });

  it('of any JavaScript number keep its shortest digits or are refused', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }), (value) => {
        const unscaled = parseUnscaled(String(value), 38, 20);
        if (unscaled !== undefined) expect(Number(`${unscaled}e-20`)).toBe(value === 0 ? 0 : value);
        else expect(Math.abs(value)).toBeLessThan(1);
      }),
      RUNS,
    );
  });
});

describe('any value into any column', () => {
  const kinds = [
    'string',
    'boolean',
    'byte',
    'short',
    'integer',
    'long',
    'float',
    'double',
    'date',
    'timestamp',
    'timestamp_ntz',
    'binary',
  ] as const;
  const tableType: fc.Arbitrary<PrimitiveType> = fc.oneof(
    fc.constantFrom(...kinds).map((kind) => ({ kind })),
    fc
      .record({ precision: fc.integer({ min: 1, max: 38 }), scale: fc.integer({ min: 0, max: 10 }) })
      .map((size) => ({ kind: 'decimal' as const, ...size })),
  );
  const fhirType = fc.constantFrom(
    'string',
    'boolean',
    'integer',
    'integer64',
    'decimal',
    'date',
    'dateTime',
    'instant',
    'time',
    'base64Binary',
    'code',
  );
  const canary = fc.string({ unit: 'binary', maxLength: 8 }).map((text) => `CANARY${text}`);
  const value = fc.oneof(
    canary,
    fc.double(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(canary, { maxLength: 3 }),
    fc.stringMatching(/^-?\d{1,40}(\.\d{1,20})?(e-?\d{1,6})?$/),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  );

  it('gives a value of the right shape or an AppError which does not hold the value', () => {
    fc.assert(
      fc.property(fhirType, tableType, fc.boolean(), value, (type, target, nullable, input) => {
        try {
          const result = makeConverter(type, false, { name: 'c', type: target, nullable })(input);
          expect([target.kind, result === null || typeof result]).toEqual([
            target.kind,
            result === null ? true : shapeOf(target),
          ]);
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          expect(['VALUE_NOT_CONVERTIBLE', 'TABLE_COLUMNS_UNFIT']).toContain(error.code);
          expect(error.message).not.toContain('CANARY');
          expect(JSON.stringify(error.facts)).not.toContain('CANARY');
        }
      }),
      RUNS,
    );
  });
});

function shapeOf({ kind }: PrimitiveType): string {
  if (kind === 'string' || kind === 'boolean') return kind;
  if (kind === 'binary') return 'object';
  return ['long', 'decimal', 'timestamp', 'timestamp_ntz'].includes(kind) ? 'bigint' : 'number';
}
