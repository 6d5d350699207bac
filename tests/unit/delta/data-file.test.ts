import { describe, expect, it } from '@jest/globals';
import { parquetMetadata, parquetReadObjects, parquetSchema } from 'hyparquet';
import { encodeDataFile, makeDataFilePath, type DataFile } from '../../../app/delta/data-file.ts';
import { makeRowCheck } from '../../../app/delta/row-check.ts';
import { tableColumns } from '../../../app/delta/schema.ts';
import type { TableType, TableValue } from '../../../app/rows/table-type.ts';
import { aSnapshot, column, featureProtocol, type FieldSpec } from '../../helpers/delta-table.ts';

const decimal = (precision: number, scale: number): TableType => ({ kind: 'decimal', precision, scale });
const file = ({ bytes }: DataFile): ArrayBuffer => new Uint8Array(bytes).buffer;

/** Encodes one column of a type as the protocol spells it. */
function encode(type: unknown, values: readonly TableValue[], field: Partial<FieldSpec> = {}): DataFile {
  const table = aSnapshot({ fields: [{ name: 'c', type, ...field }] });
  return encodeDataFile(table, tableColumns(table), values.map((value) => [value])); // prettier-ignore
}

const strings = { type: 'array', elementType: 'string', containsNull: false };

describe('values that do not fit', () => {
  it.each<[string, unknown, TableValue]>([
    ['a byte beyond 127', 'byte', 128],
    ['a short below -32768', 'short', -32769],
    ['an integer beyond 31 bits', 'integer', 2 ** 31],
    ['a fraction for an integer', 'integer', 1.5],
    ['a long beyond 63 bits', 'long', 2n ** 63n],
    ['one digit too many', 'decimal(9,2)', 10n ** 9n],
    ['one digit too many below zero', 'decimal(38,0)', -(10n ** 38n)],
    ['a float that would be infinite', 'float', 3.5e38],
    ['a day before year 1', 'date', -719_163],
    ['a day after year 9999', 'date', 2_932_897],
    ['a time after year 9999', 'timestamp', 253_402_300_800_000_000n],
  ])('refuses %s', (_what, type, value) => {
    expect(() => encode(type, [null, value])).toThrow(
      expect.objectContaining({ code: 'DELTA_VALUE_OUT_OF_RANGE', facts: { column: 'c', row: 1 } }),
    );
  });

  it.each<[string, unknown, TableValue]>([
    ['a number for text', 'string', 1],
    ['half of a surrogate pair', 'string', 'a\ud800b'],
    ['half of a surrogate pair in an array', strings, ['ok', '\udc00']],
    ['text for a boolean', 'boolean', 'true'],
    ['a number for a long', 'long', 1],
    ['a number for a decimal', 'decimal(9,2)', 1],
    ['NaN for an integer', 'integer', NaN],
    ['text for a date', 'date', '2024-01-01'],
    ['a Date for a timestamp', 'timestamp', new Date(0) as unknown as TableValue],
    ['text for bytes', 'binary', 'AA=='],
    ['one value for an array', strings, 'a'],
    ['text for a double', 'double', '1'],
  ])('refuses %s', (_what, type, value) => {
    expect(() => encode(type, [value])).toThrow(expect.objectContaining({ code: 'DELTA_VALUE_INVALID' }));
  });

  it.each<[string, unknown, TableValue, boolean]>([
    ['nothing for a NOT NULL column', 'string', null, false],
    ['nothing for an element of a NOT NULL array', strings, ['a', null], true],
  ])('refuses %s', (_what, type, value, nullable) => {
    expect(() => encode(type, [value], { nullable })).toThrow(expect.objectContaining({ code: 'DELTA_VALUE_NULL' }));
  });

  it('never quotes the value', () => {
    expect(() => encode('integer', [123456789012])).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('123456789012') }),
    );
  });

  it('are found row by row beforehand', () => {
    const check = makeRowCheck([column('a', { kind: 'integer' }), column('b', { kind: 'string' }, false)]);
    expect(check([1, 'x'])).toBeUndefined();
    expect(check([1, null])).toMatchObject({ code: 'DELTA_VALUE_NULL', facts: { column: 'b' } });
    expect(check([1])).toMatchObject({ code: 'INTERNAL' });
  });
});

describe('the schema of a data file', () => {
  it.each<[string, unknown, object]>([
    ['string', 'string', { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } }],
    ['binary', 'binary', { type: 'BYTE_ARRAY', converted_type: undefined }],
    ['byte', 'byte', { type: 'INT32', converted_type: 'INT_8' }],
    ['date', 'date', { type: 'INT32', logical_type: { type: 'DATE' } }],
    ['timestamp', 'timestamp', { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' } }],
    [
      'timestamp_ntz',
      'timestamp_ntz',
      { type: 'INT64', converted_type: undefined, logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' } },
    ],
    ['decimal(9,2)', 'decimal(9,2)', { type: 'INT32', precision: 9, scale: 2 }],
    ['decimal(18,2)', 'decimal(18,2)', { type: 'INT64', precision: 18, scale: 2 }],
    ['decimal(19,2)', 'decimal(19,2)', { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 9 }],
    ['decimal(38,2)', 'decimal(38,2)', { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16 }],
  ])('stores %s as the protocol says', (_what, type, expected) => {
    const [element] = parquetSchema(parquetMetadata(file(encode(type, [null])))).children;
    expect(element?.element).toMatchObject({ name: 'c', repetition_type: 'OPTIONAL', ...expected });
  });

  it('stores arrays as lists of three levels and NOT NULL as REQUIRED', () => {
    const { schema } = parquetMetadata(file(encode(strings, [['a']], { nullable: false })));
    expect(schema.slice(1).map(({ name, repetition_type }) => [name, repetition_type])).toEqual([
      ['c', 'REQUIRED'],
      ['list', 'REPEATED'],
      ['element', 'REQUIRED'],
    ]);
  });

  it('uses physical names and field ids when the table maps columns, in the file and in the statistics', async () => {
    const metadata = { 'delta.columnMapping.id': 7, 'delta.columnMapping.physicalName': 'col-7' };
    const table = aSnapshot({
      protocol: featureProtocol('columnMapping'),
      configuration: { 'delta.columnMapping.mode': 'id' },
      fields: [{ name: 'Full name', metadata }],
    });
    const encoded = encodeDataFile(table, tableColumns(table), [['x']]);
    expect(parquetMetadata(file(encoded)).schema[1]).toMatchObject({ name: 'col-7', field_id: 7 });
    expect(await parquetReadObjects({ file: file(encoded) })).toEqual([{ 'col-7': 'x' }]);
    expect(JSON.parse(encoded.stats)).toEqual({
      numRecords: 1,
      minValues: { 'col-7': 'x' },
      maxValues: { 'col-7': 'x' },
      nullCount: { 'col-7': 0 },
    });
  });

  it('leaves out columns that no row brings', () => {
    const table = aSnapshot({ fields: [{ name: 'a' }, { name: 'v', type: 'void' }, { name: 'b' }] });
    const encoded = encodeDataFile(table, [column('b')], [['x']]);
    expect(parquetMetadata(file(encoded)).schema.map((element) => element.name)).toEqual(['root', 'b']);
    expect(Object.keys((JSON.parse(encoded.stats) as { nullCount: object }).nullCount)).toEqual(['b']);
  });

  it.each([
    ['a column that the table lacks', [column('id'), column('x')]],
    ['a column twice', [column('id'), column('id')]],
    ['a column of another type', [column('id', decimal(5, 2))]],
    ['a nullable column where the table is NOT NULL', [column('id'), column('must')]],
    ['no value for a NOT NULL column', [column('id')]],
    ['no columns', []],
  ])('refuses rows that bring %s', (_what, columns) => {
    const table = aSnapshot({ fields: [{ name: 'id' }, { name: 'must', nullable: false }] });
    expect(() => encodeDataFile(table, columns, [])).toThrow(expect.objectContaining({ code: 'DELTA_SCHEMA_MISMATCH' }));
  });
});

describe('the name of a data file', () => {
  it('is fresh each time and needs no escaping', () => {
    expect(makeDataFilePath()).toMatch(/^part-00000-[0-9a-f-]{36}-c000\.snappy\.parquet$/);
    expect(makeDataFilePath()).not.toBe(makeDataFilePath());
  });
});
