import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DEFAULT_SWITCHES } from '../lab/databricks/options.ts';
import { toField } from '../lab/databricks/registry/table.ts';
import { BodyReader } from '../lab/databricks/zerobus/body-reader.ts';
import { DecodeError } from '../lab/databricks/zerobus/json-reader.ts';

/** The body reader of the Databricks stand-in beside JSON.parse: it takes nothing that is no JSON, and changes no value. */

const COLUMNS = (
  [
    ['s', 'STRING'],
    ['b', 'BOOLEAN'],
    ['i', 'INT'],
    ['l', 'BIGINT'],
    ['d', 'DOUBLE'],
    ['a', 'ARRAY<STRING>'],
    ['r', 'STRUCT<x: STRING, y: INT>'],
  ] as const
).map((column) => toField(column));

const text = fc.string({ unit: 'binary' });
const int = fc.integer();
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const double = fc.double({ noNaN: true, noDefaultInfinity: true });
const rowOf = fc.record(
  {
    s: text,
    b: fc.boolean(),
    i: int,
    l: long,
    d: double,
    a: fc.array(text, { maxLength: 4 }),
    r: fc.record({ x: text, y: int }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);
const rowsOf = fc.array(rowOf, { minLength: 1, maxLength: 5 });
const space = fc.constantFrom('', ' ', '\n', '\t\r ');

const MARK = /"bigint:(-?\d+)"/g;
const print = (rows: unknown, indent: string): string =>
  JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? `bigint:${value}` : value), indent).replace(
    MARK,
    '$1',
  );
const read = (body: string): unknown[] => new BodyReader(DEFAULT_SWITCHES).read(Buffer.from(body), COLUMNS, true).rows;
const isJson = (body: string): boolean => {
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
};

describe('bodies of Zerobus inserts', () => {
  it('are read as they were printed, however they are spaced', () => {
    fc.assert(
      fc.property(rowsOf, space, space, (rows, indent, around) => {
        const plain = rows.map((row) => ({
          ...row,
          ...(row.d !== undefined && { d: row.d + 0 }),
        }));
        expect(read(around + print(plain, indent) + around)).toEqual(
          plain.map((row) => JSON.parse(print(row, ''), revive(row.l)) as unknown),
        );
      }),
    );
  });

  it('with one character changed are refused when JSON.parse refuses them, and never break the reader', () => {
    const signs = fc.constantFrom(...'{}[]:,"\\ \n0123456789.eE+-truefalsn\u0000\u001f', '');
    fc.assert(
      fc.property(rowsOf, fc.nat(), fc.boolean(), signs, (rows, place, replaces, sign) => {
        const body = print(rows, '');
        const at = place % body.length;
        const changed = body.slice(0, at) + sign + body.slice(at + (replaces ? 1 : 0));
        try {
          read(changed);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
          return;
        }
        if (changed.isWellFormed()) expect({ changed, isJson: isJson(changed) }).toEqual({ changed, isJson: true });
      }),
      { numRuns: 3_000 },
    );
  });
});

/** JSON.parse would round a BIGINT: the printed one is put in its place. */
function revive(long: bigint | undefined): (key: string, value: unknown) => unknown {
  return (key, value) => (key === 'l' && long !== undefined ? long : value);
}
