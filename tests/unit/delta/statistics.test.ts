import { describe, expect, it } from '@jest/globals';
import type { Action } from '../../../app/delta/actions.ts';
import { encodeDataFile } from '../../../app/delta/data-file.ts';
import { tableColumns } from '../../../app/delta/schema.ts';
import { selectIndexedFields } from '../../../app/delta/statistics.ts';
import type { TableValue } from '../../../app/rows/table-type.ts';
import { aSnapshot, type FieldSpec, type TableSpec } from '../../helpers/delta-table.ts';

/** The `stats` text of a file with one column `c`. */
function statsOf(type: unknown, values: readonly TableValue[]): string {
  const table = aSnapshot({ fields: [{ name: 'c', type }] });
  return encodeDataFile(table, tableColumns(table), values.map((value) => [value])).stats; // prettier-ignore
}

const text = (min: string, max: string, nulls = 0, records = 2): string =>
  `{"numRecords":${records},"minValues":{${min && `"c":${min}`}},"maxValues":{${max && `"c":${max}`}},"nullCount":{"c":${nulls}}}`;

const A32 = 'a'.repeat(32);

describe('bounds', () => {
  it.each<[string, unknown, TableValue[], string, string]>([
    ['keep every digit of a long', 'long', [-(2n ** 63n), 2n ** 63n - 1n], '-9223372036854775808', '9223372036854775807'],
    [
      'keep every digit of a decimal',
      'decimal(38,4)',
      [-(10n ** 38n) + 1n, 5n],
      '-9999999999999999999999999999999999.9999',
      '0.0005',
    ],
    ['write a decimal without fraction as a whole number', 'decimal(5,0)', [-12n, 0n], '-12', '0'],
    ['state a float as it is stored', 'float', [0.1, 2], '0.10000000149011612', '2'],
    ['write minus zero as zero', 'double', [-0, -0], '0', '0'],
    ['leave out infinities', 'double', [-Infinity, 3], '', '3'],
    ['leave out both when NaN is there', 'double', [NaN, 3], '', ''],
    ['write dates', 'date', [-719_162, 19_849], '"0001-01-01"', '"2024-05-06"'],
    [
      'round times outwards to milliseconds',
      'timestamp',
      [-1n, 1_714_979_289_123_001n],
      '"1969-12-31T23:59:59.999Z"',
      '"2024-05-06T07:08:09.124Z"',
    ],
    [
      'keep whole milliseconds',
      'timestamp',
      [0n, 1_714_979_289_123_000n],
      '"1970-01-01T00:00:00.000Z"',
      '"2024-05-06T07:08:09.123Z"',
    ],
    ['write times without zone without one', 'timestamp_ntz', [0n, 1n], '"1970-01-01T00:00:00.000"', '"1970-01-01T00:00:00.001"'],
    [
      'leave out an upper bound that would be in year 10000',
      'timestamp',
      [0n, 253_402_300_799_999_999n],
      '"1970-01-01T00:00:00.000Z"',
      '',
    ],
    ['are not made for booleans', 'boolean', [true, false], '', ''],
    ['are not made for bytes', 'binary', [Uint8Array.of(1), Uint8Array.of(2)], '', ''],
    ['order text by UTF-8', 'string', ['\u{1F600}', '\uFFFD'], '"\uFFFD"', '"\u{1F600}"'],
    ['keep text of 32 characters', 'string', [A32, 'b'], `"${A32}"`, '"b"'],
    ['cut longer text, with a low tie-breaker for plain letters', 'string', [`${A32}z`, `${A32}y`], `"${A32}"`, `"${A32}\u007f"`],
    [
      'cut longer text, with the highest tie-breaker otherwise',
      'string',
      [`${A32}é`, `${A32}é`],
      `"${A32}"`,
      `"${A32}\u{10FFFF}"`,
    ],
    ['keep what no character is greater than', 'string', [`${A32}\u{10FFFF}`, A32], `"${A32}"`, `"${A32}\u{10FFFF}"`],
    ['never cut inside a pair', 'string', [`${'a'.repeat(31)}\u{1F600}b`, 'b'], `"${'a'.repeat(31)}"`, '"b"'],
    ['escape text', 'string', ['"\\\n', '"\\\n'], '"\\"\\\\\\n"', '"\\"\\\\\\n"'],
  ])('%s', (_what, type, values, min, max) => {
    expect(statsOf(type, values)).toBe(text(min, max));
  });

  it('are left out of a column of nulls, which are counted', () => {
    expect(statsOf('long', [null, null])).toBe(text('', '', 2));
  });

  it('are left out of arrays, whose nulls are counted', () => {
    expect(statsOf({ type: 'array', elementType: 'string', containsNull: true }, [[null], null])).toBe(text('', '', 1));
  });
});

describe('columns with statistics', () => {
  const struct = { type: 'struct', fields: ['a', 'b'].map((name) => ({ name, type: 'long', nullable: true, metadata: {} })) };
  const many: FieldSpec[] = Array.from({ length: 40 }, (_, index) => ({ name: `c${index}` }));
  const names = (spec: TableSpec): string[] => [...selectIndexedFields(aSnapshot(spec))].map((field) => field.name);

  it('are the first 32', () => {
    expect(names({ fields: many })).toEqual(many.slice(0, 32).map((field) => field.name));
  });

  it.each([
    ['0', 0],
    ['5', 5],
    ['-1', 40],
    ['nonsense', 32],
  ])('follow delta.dataSkippingNumIndexedCols = %s', (value, count) => {
    expect(names({ fields: many, configuration: { 'delta.dataSkippingNumIndexedCols': value } })).toHaveLength(count);
  });

  it('count the fields of a struct', () => {
    expect(
      names({
        fields: [{ name: 's', type: struct }, { name: 'x' }, { name: 'y' }],
        configuration: { 'delta.dataSkippingNumIndexedCols': '3' },
      }),
    ).toEqual(['s', 'x']);
  });

  it('are those that the table names, which may be far behind', () => {
    expect(
      names({ fields: [...many, { name: 'a,b' }], configuration: { 'delta.dataSkippingStatsColumns': ' C39 , c1,`a,b`' } }),
    ).toEqual(['c1', 'c39', 'a,b']);
  });

  it('always include those that the table is clustered by', () => {
    const more: Action[] = [
      {
        domainMetadata: {
          domain: 'delta.clustering',
          configuration: '{"clusteringColumns":[["c38"],["s","a"]]}',
          removed: false,
        },
      },
    ];
    expect(names({ fields: many, more })).toEqual([...many.slice(0, 32).map((field) => field.name), 'c38']);
  });
});
