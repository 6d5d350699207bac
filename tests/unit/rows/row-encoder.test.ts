import { describe, expect, it } from '@jest/globals';
import { findTableProblems, findWarnings, makeRowEncoder, type RowContext } from '../../../app/rows/row-encoder.ts';
import { describeColumns, tableColumnsForView } from '../../../app/rows/table-schema.ts';
import type { TableColumn } from '../../../app/rows/table-type.ts';
import { compileView } from '../../../app/view/compile-view.ts';
import { aView, errorOf, PATIENT_FLAT } from '../../helpers/views.ts';

const CONTEXT: RowContext = {
  eventKey: 'k123456789012345',
  versionId: '7',
  action: 'update',
  receivedAtMs: 1_500,
  correlationId: 'corr',
};
const string = (name: string, nullable = true): TableColumn => ({ name, type: { kind: 'string' }, nullable });
const view = compileView(PATIENT_FLAT);
const TABLE = tableColumnsForView(view);

describe('the table made for a view', () => {
  it("has S0's types and is_deleted", () => {
    expect(describeColumns(TABLE)).toBe(
      'id STRING, gender STRING, birth_date DATE, family_name STRING, given_name STRING, is_deleted INT',
    );
  });

  it.each([
    ['id', 'STRING'],
    ['string', 'STRING'],
    ['code', 'STRING'],
    ['uri', 'STRING'],
    ['time', 'STRING'],
    ['markdown', 'STRING'],
    ['date', 'DATE'],
    ['dateTime', 'TIMESTAMP'],
    ['instant', 'TIMESTAMP'],
    ['integer', 'INT'],
    ['positiveInt', 'INT'],
    ['unsignedInt', 'INT'],
    ['integer64', 'BIGINT'],
    ['decimal', 'DOUBLE'],
    ['boolean', 'BOOLEAN'],
    ['base64Binary', 'BINARY'],
  ])('holds %s as %s, and a collection of it as an array', (fhirType, sql) => {
    const columns = [
      { name: 'a', fhirType, collection: false },
      { name: 'b', fhirType, collection: true },
    ];
    expect(describeColumns(tableColumnsForView({ columns }))).toBe(`a ${sql}, b ARRAY<${sql}>, is_deleted INT`);
  });

  it('is described with quotes and NOT NULL where needed', () => {
    const columns: TableColumn[] = [
      string('a`b', false),
      { name: 'd', type: { kind: 'decimal', precision: 10, scale: 2 }, nullable: true },
    ];
    expect(describeColumns(columns)).toBe('`a``b` STRING NOT NULL, d DECIMAL(10,2)');
  });
});

describe('encoding rows', () => {
  it('puts values into the order of the table, by name without case, and fills is_deleted', () => {
    const table = [
      TABLE[5],
      string('GIVEN_NAME'),
      TABLE[2],
      string('extra'),
      string('ID'),
      string('gender'),
      string('family_name'),
    ] as TableColumn[];
    const encoder = makeRowEncoder(view, table);
    expect(encoder.columns.map(({ name }) => name)).toEqual([
      'is_deleted',
      'GIVEN_NAME',
      'birth_date',
      'ID',
      'gender',
      'family_name',
    ]);
    const rows = [['p1', 'male', '1970-01-02', 'Smith', 'Ann']];
    expect(encoder.encode(rows, CONTEXT)).toEqual([[0, 'Ann', 1, 'p1', 'male', 'Smith']]);
    expect(encoder.encode(rows, { ...CONTEXT, action: 'delete' })[0]?.[0]).toBe(1);
    expect(encoder.encode([], CONTEXT)).toEqual([]);
  });

  it('fills the system columns that the table has, rows counted from 1', () => {
    const system: TableColumn[] = [
      string('_event_id'),
      string('_version_id'),
      string('_action'),
      { name: '_row_no', type: { kind: 'integer' }, nullable: true },
      { name: '_row_count', type: { kind: 'long' }, nullable: true },
      { name: '_received_at', type: { kind: 'timestamp' }, nullable: true },
      string('_correlation_id'),
    ];
    const encoder = makeRowEncoder(view, [...TABLE, ...system]);
    const row = ['p1', null, null, null, null];
    expect(encoder.encode([row, row], CONTEXT).map((values) => values.slice(6))).toEqual([
      ['k123456789012345', '7', 'update', 1, 2n, 1_500_000n, 'corr'],
      ['k123456789012345', '7', 'update', 2, 2n, 1_500_000n, 'corr'],
    ]);
    const bare = { ...CONTEXT, versionId: undefined, correlationId: undefined };
    expect(encoder.encode([row], bare)[0]?.slice(6)).toEqual(['k123456789012345', null, 'update', 1, 1n, 1_500_000n, null]);
  });

  it('refuses a row with a bad value by naming its column', () => {
    const { code, message } = errorOf(() => makeRowEncoder(view, TABLE).encode([['p1', 'male', 'CANARY', null, null]], CONTEXT));
    expect(code).toBe('VALUE_NOT_CONVERTIBLE');
    expect(message).toContain('"birth_date"');
    expect(message).not.toContain('CANARY');
  });

  it('says when decimals must be read exactly', () => {
    const decimals = compileView(
      aView({
        column: [
          { name: 'id', path: 'id' },
          { name: 'd', path: "extension('u').value.ofType(decimal)" },
        ],
      }),
    );
    const inTable = (type: TableColumn['type']): TableColumn[] => [
      string('id'),
      { name: 'd', type, nullable: true },
      TABLE[5] as TableColumn,
    ];
    expect(makeRowEncoder(decimals, inTable({ kind: 'double' })).needsExactDecimals).toBe(false);
    expect(makeRowEncoder(decimals, inTable({ kind: 'string' })).needsExactDecimals).toBe(true);
    expect(makeRowEncoder(decimals, inTable({ kind: 'decimal', precision: 38, scale: 9 })).needsExactDecimals).toBe(true);
  });
});

describe('a table that does not match', () => {
  it('is refused with all missing columns and their types', () => {
    const { code, message } = errorOf(() => makeRowEncoder(view, [string('id'), string('gender')]));
    expect(code).toBe('TABLE_COLUMNS_MISSING');
    for (const missing of ['birth_date DATE', 'family_name STRING', 'given_name STRING', 'is_deleted INT']) {
      expect(message).toContain(`the table has no column ${missing}`);
    }
    expect(message).toContain('(the table has id STRING, gender STRING)');
  });

  it('is refused when a NOT NULL column gets no value, or a type can never fit', () => {
    const table: TableColumn[] = [
      ...TABLE.filter(({ name }) => name !== 'birth_date'),
      string('site', false),
      { name: 'birth_date', type: { kind: 'boolean' }, nullable: true },
    ];
    expect(findTableProblems(view, table).map(({ code, column }) => [code, column])).toEqual([
      ['TABLE_COLUMNS_UNFIT', 'site'],
      ['TABLE_COLUMNS_UNFIT', 'birth_date'],
    ]);
    expect(errorOf(() => makeRowEncoder(view, table)).code).toBe('TABLE_COLUMNS_UNFIT');
  });

  it('is refused when is_deleted is a boolean', () => {
    const table: TableColumn[] = [...TABLE.slice(0, 5), { name: 'is_deleted', type: { kind: 'boolean' }, nullable: true }];
    expect(findTableProblems(view, table)).toHaveLength(1);
  });
});

describe('a view', () => {
  const withColumn = (name: string, path: string): object =>
    aView({
      column: [
        { name: 'a', path: 'gender' },
        { name, path },
      ],
    });

  it.each([
    ['other', 'id'],
    ['id', 'identifier.value.first()'],
    ['id', "'x'"],
  ])('without an id column is refused (%s: %s)', (name, path) => {
    const compiled = compileView(withColumn(name, path));
    expect(errorOf(() => makeRowEncoder(compiled, tableColumnsForView(compiled))).code).toBe('VIEW_WITHOUT_ID');
  });

  it.each(['id', 'getResourceKey()', 'Patient.id', ' id ', '%resource.id'])('may take its id from %j', (path) => {
    const compiled = compileView(withColumn('id', path));
    expect(findTableProblems(compiled, tableColumnsForView(compiled))).toEqual([]);
  });

  it('that yields is_deleted itself is refused', () => {
    const compiled = compileView(
      aView({
        column: [
          { name: 'id', path: 'id' },
          { name: 'Is_Deleted', path: 'active' },
        ],
      }),
    );
    expect(findTableProblems(compiled, [string('id'), TABLE[5] as TableColumn]).map(({ column }) => column)).toEqual([
      'Is_Deleted',
    ]);
  });

  it('without time or version is warned of, unless the table has one', () => {
    expect(findWarnings(view, TABLE)).toHaveLength(1);
    expect(findWarnings(view, [...TABLE, string('_version_id')])).toEqual([]);
    for (const path of ['meta.lastUpdated', 'getAidboxTs()', 'Patient.meta.versionId']) {
      expect(findWarnings(compileView(withColumn('ts', path)), TABLE)).toEqual([]);
    }
  });
});
