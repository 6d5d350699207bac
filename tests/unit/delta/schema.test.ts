import { describe, expect, it } from '@jest/globals';
import { columnsToSchemaString, compareSchema, tableColumns, unsupportedColumns } from '../../../app/delta/schema.ts';
import { aSnapshot, column, featureProtocol } from '../../helpers/delta-table.ts';

function throwsCode(code: string, text = '') {
  return expect.objectContaining({ code, message: expect.stringContaining(text) });
}

describe('the schema of a table', () => {
  it('tells columns that can be written from those that cannot', () => {
    const snapshot = aSnapshot({
      fields: [
        { name: 'd', type: 'decimal(10,2)', nullable: false },
        { name: 'bare', type: 'decimal' },
        { name: 'a', type: { type: 'array', elementType: 'date', containsNull: false } },
        { name: 'm', type: { type: 'map', keyType: 'string', valueType: 'string', valueContainsNull: true } },
        {
          name: 'aa',
          type: { type: 'array', containsNull: true, elementType: { type: 'array', elementType: 'date', containsNull: true } },
        },
        { name: 'v', type: 'void' },
      ],
    });
    expect(tableColumns(snapshot)).toEqual([
      { name: 'd', type: { kind: 'decimal', precision: 10, scale: 2 }, nullable: false },
      { name: 'bare', type: { kind: 'decimal', precision: 10, scale: 0 }, nullable: true },
      { name: 'a', type: { kind: 'array', element: { kind: 'date' }, containsNull: false }, nullable: true },
    ]);
    expect(unsupportedColumns(snapshot).map((field) => [field.name, field.typeName])).toEqual([
      ['m', 'map'],
      ['aa', 'array'],
      ['v', 'void'],
    ]);
  });

  it.each([
    ['is not JSON', '{'],
    ['is no struct', '{"type":"array"}'],
    ['lacks a name', '{"type":"struct","fields":[{"type":"long","nullable":true,"metadata":{}}]}'],
    [
      'repeats a name in other letters',
      JSON.stringify({
        type: 'struct',
        fields: ['a', 'A'].map((name) => ({ name, type: 'long', nullable: true, metadata: {} })),
      }),
    ],
  ])('is refused when it %s', (_what, schemaString) => {
    expect(() => aSnapshot({ metaData: { schemaString } })).toThrow(throwsCode('DELTA_SCHEMA_INVALID'));
  });

  it('is refused when the table maps columns but one has no physical name', () => {
    const spec = { protocol: featureProtocol('columnMapping'), configuration: { 'delta.columnMapping.mode': 'id' } };
    expect(() => aSnapshot(spec)).toThrow(throwsCode('DELTA_SCHEMA_INVALID', '"id"'));
  });
});

describe('the schema of a new table', () => {
  it('names every name that Delta refuses', () => {
    expect(() => columnsToSchemaString([column('a b'), column('ok'), column('x=y'), column('')])).toThrow(
      throwsCode('DELTA_SCHEMA_INVALID', '"a b", "x=y", ""'),
    );
    expect(() => columnsToSchemaString([column('a'), column('A')])).toThrow(throwsCode('DELTA_SCHEMA_INVALID', '"A"'));
    expect(() => columnsToSchemaString([])).toThrow(throwsCode('DELTA_SCHEMA_INVALID'));
  });

  it.each([
    [0, 0],
    [39, 2],
    [5, 6],
    [5, -1],
  ])('refuses decimal(%i,%i)', (precision, scale) => {
    expect(() => columnsToSchemaString([column('d', { kind: 'decimal', precision, scale })])).toThrow(
      throwsCode('DELTA_SCHEMA_INVALID'),
    );
  });
});

describe('comparing schemas', () => {
  it('tells missing columns, other types and other spellings apart', () => {
    const snapshot = aSnapshot({
      fields: [{ name: 'Id' }, { name: 'born', type: 'date' }, { name: 's', type: { type: 'struct', fields: [] } }],
    });
    const wanted = [column('id'), column('born', { kind: 'timestamp' }), column('s'), column('gone')];
    expect(compareSchema(wanted, snapshot)).toEqual({
      missing: ['gone'],
      mismatched: [
        { name: 'born', wanted: 'timestamp', found: 'date' },
        { name: 's', wanted: 'string', found: 'struct' },
      ],
      spelledDifferently: [{ wanted: 'id', found: 'Id' }],
    });
  });
});
