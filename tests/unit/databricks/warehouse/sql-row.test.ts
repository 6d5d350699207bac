import { describe, expect, it } from '@jest/globals';
import { joinSqlRows, makeSqlRowEncoder } from '../../../../app/databricks/warehouse/sql-row.ts';
import type { TableType, TableValue } from '../../../../app/rows/table-type.ts';

/** What one value of a column is as JSON. */
function encode(type: TableType, value: TableValue, nullable = true): unknown {
  return (JSON.parse(makeSqlRowEncoder([{ name: 'secret name', type, nullable }])([value])) as { c0?: unknown }).c0;
}
const micros = (text: string, extra = 0n): bigint => BigInt(Date.parse(text)) * 1_000n + extra;

describe('a row for a statement', () => {
  it.each<[TableType, TableValue, unknown]>([
    [{ kind: 'string' }, 'ü😀\u2028"\\\n\0', 'ü😀\u2028"\\\n\0'],
    [{ kind: 'boolean' }, false, 'false'],
    [{ kind: 'byte' }, -128, '-128'],
    [{ kind: 'integer' }, -0, '0'],
    [{ kind: 'long' }, -(2n ** 63n), '-9223372036854775808'],
    [{ kind: 'double' }, -0, '-0.0'],
    [{ kind: 'double' }, 1e21, '1e+21'],
    [{ kind: 'double' }, 5e-324, '5e-324'],
    [{ kind: 'float' }, Math.fround(0.1), '0.10000000149011612'],
    [{ kind: 'date' }, -719_162, '0001-01-01'],
    [{ kind: 'date' }, 2_932_896, '9999-12-31'],
    [{ kind: 'date' }, -1, '1969-12-31'],
    [{ kind: 'timestamp' }, -1n, '1969-12-31T23:59:59.999999Z'],
    [{ kind: 'timestamp' }, -62_135_596_800_000_000n, '0001-01-01T00:00:00.000000Z'],
    [{ kind: 'timestamp' }, 253_402_300_799_999_999n, '9999-12-31T23:59:59.999999Z'],
    [{ kind: 'timestamp' }, micros('2024-02-29T12:00:00.123Z', 456n), '2024-02-29T12:00:00.123456Z'],
    [{ kind: 'timestamp_ntz' }, micros('1900-03-01T00:00:00Z', 1n), '1900-03-01T00:00:00.000001'],
    [{ kind: 'binary' }, new Uint8Array([0, 255, 1]), 'AP8B'],
    [{ kind: 'binary' }, new Uint8Array([9, 0, 255, 1, 9]).subarray(1, 4), 'AP8B'],
    [{ kind: 'decimal', precision: 38, scale: 10 }, 10n ** 38n - 1n, `${'9'.repeat(28)}.${'9'.repeat(10)}`],
    [{ kind: 'decimal', precision: 38, scale: 38 }, -1n, `-0.${'0'.repeat(37)}1`],
    [{ kind: 'decimal', precision: 5, scale: 0 }, -99_999n, '-99999'],
    [{ kind: 'decimal', precision: 2, scale: 2 }, 0n, '0.00'],
    [{ kind: 'array', element: { kind: 'long' }, containsNull: true }, [1n, null], ['1', null]],
    [{ kind: 'array', element: { kind: 'string' }, containsNull: false }, [], []],
    [{ kind: 'string' }, null, undefined],
  ])('holds %j %p as %j', (type, value, text) => expect(encode(type, value)).toEqual(text));

  it.each<[TableType, TableValue]>([
    [{ kind: 'string' }, 'half \ud800'],
    [{ kind: 'string' }, 1],
    [{ kind: 'boolean' }, 'true'],
    [{ kind: 'byte' }, 128],
    [{ kind: 'integer' }, 1.5],
    [{ kind: 'long' }, 2n ** 63n],
    [{ kind: 'long' }, 1],
    [{ kind: 'float' }, 1e39],
    [{ kind: 'double' }, '1'],
    [{ kind: 'date' }, 2_932_897],
    [{ kind: 'timestamp' }, 253_402_300_800_000_000n],
    [{ kind: 'binary' }, 'AP8B'],
    [{ kind: 'decimal', precision: 2, scale: 2 }, 100n],
    [{ kind: 'array', element: { kind: 'string' }, containsNull: true }, 'text'],
    [{ kind: 'array', element: { kind: 'string' }, containsNull: false }, ['text', null]],
  ])('refuses for %j the value %p, by the name of the column', (type, value) => {
    expect(() => encode(type, value)).toThrow(
      expect.objectContaining({ code: 'SQL_ROW_REFUSED', message: expect.stringContaining('"secret name"') }),
    );
  });

  it('says nothing of the value that it refuses', () => {
    expect(() => encode({ kind: 'boolean' }, 'Eve Adams')).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('Eve') }),
    );
  });

  it('refuses null where the column is NOT NULL, and a row of another length', () => {
    expect(() => encode({ kind: 'string' }, null, false)).toThrow('null does not fit STRING NOT NULL');
    expect(() => makeSqlRowEncoder([])(['a'])).toThrow('1 values');
  });

  it('leaves out nulls, in any place', () => {
    const column = { name: 'x', type: { kind: 'string' }, nullable: true } as const;
    const encodeRow = makeSqlRowEncoder([column, column, column]);
    const rows = [encodeRow([null, 'b', null]), encodeRow(['a', null, 'c']), encodeRow([null, null, null])];
    expect(joinSqlRows(rows)).toBe('[{"c1":"b"},{"c0":"a","c2":"c"},{}]');
    expect(joinSqlRows([])).toBe('[]');
  });
});
