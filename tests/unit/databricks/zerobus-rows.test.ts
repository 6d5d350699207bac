import { describe, expect, it } from '@jest/globals';
import { checkZerobusNames, makeZerobusRowEncoder } from '../../../app/databricks/zerobus-rows.ts';
import type { TableColumn, TableType, TableValue } from '../../../app/rows/table-type.ts';

function encode(type: TableType, value: TableValue): string {
  return makeZerobusRowEncoder([{ name: 'v', type, nullable: true }])([value]);
}

const list = (kind: 'string' | 'date' | 'binary'): TableType => ({ kind: 'array', element: { kind }, containsNull: true });

describe('a row for Zerobus', () => {
  // Written by hand from contract §2.5; S0.68 for dates and times.
  it.each<[string, TableType, TableValue, string]>([
    [
      'text with quotes, lines and characters beyond the BMP',
      { kind: 'string' },
      'a"b\\c\nd 😀 é',
      '{"v":"a\\"b\\\\c\\nd 😀 é"}',
    ],
    ['an empty text', { kind: 'string' }, '', '{"v":""}'],
    ['true', { kind: 'boolean' }, true, '{"v":true}'],
    ['the smallest INT', { kind: 'integer' }, -2147483648, '{"v":-2147483648}'],
    ['a BIGINT beyond 2^53, digit by digit', { kind: 'long' }, 9223372036854775807n, '{"v":9223372036854775807}'],
    ['a DOUBLE', { kind: 'double' }, 1e-7, '{"v":1e-7}'],
    ['a negative zero', { kind: 'double' }, -0, '{"v":-0.0}'],
    ['a DECIMAL as text with all digits of its scale', { kind: 'decimal', precision: 10, scale: 2 }, 1250n, '{"v":"12.50"}'],
    ['a small negative DECIMAL', { kind: 'decimal', precision: 10, scale: 4 }, -5n, '{"v":"-0.0005"}'],
    ['a DECIMAL of 38 digits', { kind: 'decimal', precision: 38, scale: 0 }, 10n ** 38n - 1n, `{"v":"${'9'.repeat(38)}"}`],
    ['1970-01-01 as day 0', { kind: 'date' }, 0, '{"v":0}'],
    ['a leap day as days since the epoch', { kind: 'date' }, 19_782, '{"v":19782}'], // 2024-02-29
    ['a day before the epoch', { kind: 'date' }, -1, '{"v":-1}'],
    ['a time as microseconds', { kind: 'timestamp' }, 1_727_600_000_123_456n, '{"v":1727600000123456}'],
    ['a time before the epoch', { kind: 'timestamp' }, -1n, '{"v":-1}'],
    ['bytes in base64', { kind: 'binary' }, new Uint8Array([0, 255, 16]), '{"v":"AP8Q"}'],
    ['a list', list('string'), ['a', 'b'], '{"v":["a","b"]}'],
    ['an empty list', list('date'), [], '{"v":[]}'],
    ['a list of bytes', list('binary'), [new Uint8Array([1])], '{"v":["AQ=="]}'],
    ['null by leaving it out', { kind: 'string' }, null, '{}'],
  ])('has %s', (_what, type, value, expected) => {
    expect(encode(type, value)).toBe(expected);
  });

  it('leaves null values out between others', () => {
    const columns: TableColumn[] = ['a', 'b', 'c'].map((name) => ({ name, type: { kind: 'integer' }, nullable: true }));
    expect(makeZerobusRowEncoder(columns)([null, 2, null])).toBe('{"b":2}');
    expect(makeZerobusRowEncoder(columns)([1, null, 3])).toBe('{"a":1,"c":3}');
  });

  it('refuses a list with null, for which there is no form, without showing the list', () => {
    expect(() => encode(list('string'), ['secret', null])).toThrow(
      expect.objectContaining({ code: 'VALUE_NOT_CONVERTIBLE', message: expect.not.stringContaining('secret') }),
    );
  });
});

describe('names for Zerobus', () => {
  const table = ['main', 'fhir', 'patients'];
  const column = (name: string): TableColumn => ({ name, type: { kind: 'string' }, nullable: true });

  it('are letters, digits and underscores, and every other one is named', () => {
    checkZerobusNames(table, [column('given_name2')]);
    expect(() => checkZerobusNames(['main', 'fhir-x', 'patients'], [column('größe'), column('a b')])).toThrow(
      expect.objectContaining({ code: 'DATABRICKS_TABLE_UNFIT', message: expect.stringMatching(/"fhir-x", "größe", "a b"/) }),
    );
  });

  it('are at most 2,000', () => {
    const columns = Array.from({ length: 2_001 }, (_, index) => column(`c${index}`));
    checkZerobusNames(table, columns.slice(1));
    expect(() => checkZerobusNames(table, columns)).toThrow(expect.objectContaining({ message: expect.stringMatching(/2001/) }));
  });
});
