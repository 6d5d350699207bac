import { describe, expect, it } from '@jest/globals';
import { makeInsertStatement, type InsertStatement } from '../../../../app/databricks/warehouse/insert-statement.ts';
import { makeSqlRowEncoder } from '../../../../app/databricks/warehouse/sql-row.ts';
import type { Row, TableColumn, TableType, TableValue } from '../../../../app/rows/table-type.ts';

const TABLE = ['main', 'fhir', 'pa`tient'];
const column = (name: string, type: TableColumn['type']): TableColumn => ({ name, type, nullable: true });
const FROM = (fields: string): string =>
  `FROM (SELECT inline(from_json(:rows, 'ARRAY<STRUCT<${fields}>>', map('mode', 'FAILFAST'))))`;

describe('the statement for a large batch', () => {
  it('is an INSERT that names its columns and casts each', () => {
    const columns = [
      column('id', { kind: 'string' }),
      column('born`); DROP TABLE x', { kind: 'date' }),
      column('photo', { kind: 'binary' }),
      column('sums', { kind: 'array', element: { kind: 'decimal', precision: 10, scale: 2 }, containsNull: true }),
      column('photos', { kind: 'array', element: { kind: 'binary' }, containsNull: true }),
    ];
    expect(makeInsertStatement(TABLE, columns, ['{}', '{}'], 'json')).toEqual({
      sql:
        'INSERT INTO `main`.`fhir`.`pa``tient` (`id`, `born``); DROP TABLE x`, `photo`, `sums`, `photos`) ' +
        'SELECT c0 AS c0, CAST(c1 AS DATE) AS c1, unbase64(c2) AS c2, CAST(c3 AS ARRAY<DECIMAL(10,2)>) AS c3, ' +
        'c4 AS c4 ' +
        FROM('c0: STRING, c1: STRING, c2: STRING, c3: ARRAY<STRING>, c4: ARRAY<BINARY>'),
      parameters: { rows: '[{},{}]' },
      repeatable: false,
    });
  });

  it('is a MERGE that adds events only once when the table has their ids, whatever the case of the names', () => {
    const columns = [
      column('id', { kind: 'string' }),
      column('_Event_ID', { kind: 'string' }),
      column('_row_no', { kind: 'integer' }),
    ];
    const source = `SELECT c0 AS c0, c1 AS c1, CAST(c2 AS INT) AS c2 ${FROM('c0: STRING, c1: STRING, c2: STRING')}`;
    expect(makeInsertStatement(TABLE, columns, ['{}', '{}'], 'json')).toEqual({
      sql:
        `MERGE INTO \`main\`.\`fhir\`.\`pa\`\`tient\` AS t USING (${source}) AS s ON t.\`_Event_ID\` = s.c1 AND t.\`_row_no\` = s.c2 ` +
        'WHEN NOT MATCHED THEN INSERT (`id`, `_Event_ID`, `_row_no`) VALUES (s.c0, s.c1, s.c2)',
      parameters: { rows: '[{},{}]' },
      repeatable: true,
    });
    expect(makeInsertStatement(TABLE, columns.slice(0, 2), ['{}']).sql).toContain('ON t.`_Event_ID` = s.col2 WHEN');
    expect(makeInsertStatement(TABLE, [columns[0] as TableColumn, columns[2] as TableColumn], ['{}'])).toMatchObject({
      repeatable: false,
    });
  });

  it('is none without columns', () => {
    expect(() => makeInsertStatement(TABLE, [], ['{}'])).toThrow(expect.objectContaining({ code: 'SQL_SCHEMA_DIFFERS' }));
  });
});

describe('the statement for a batch', () => {
  const make = (columns: readonly TableColumn[], ...rows: Row[]): InsertStatement =>
    makeInsertStatement(TABLE, columns, rows.map(makeSqlRowEncoder(columns)));
  const valueOf = (type: TableType, value: TableValue): string | undefined =>
    /^INSERT INTO `main`\.`fhir`\.`pa``tient` \(`x`\) VALUES \((.*)\)$/s.exec(make([column('x', type)], [value]).sql)?.[1];

  it('is an INSERT of VALUES', () => {
    const columns = [column('id', { kind: 'string' }), column('born`); DROP TABLE x', { kind: 'date' })];
    expect(make(columns, ['a', -1], [null, null])).toEqual({
      sql: "INSERT INTO `main`.`fhir`.`pa``tient` (`id`, `born``); DROP TABLE x`) VALUES ('a', DATE'1969-12-31'), (NULL, NULL)",
      parameters: {},
      repeatable: false,
    });
  });

  it('is a MERGE from VALUES when the table has the ids of events', () => {
    const columns = [
      column('id', { kind: 'string' }),
      column('_event_id', { kind: 'string' }),
      column('_row_no', { kind: 'integer' }),
    ];
    expect(make(columns, ['a', 'e', 1], ['b', 'e', 2])).toEqual({
      sql:
        "MERGE INTO `main`.`fhir`.`pa``tient` AS t USING (VALUES ('a', 'e', 1), ('b', 'e', 2)) AS s " +
        'ON t.`_event_id` = s.col2 AND t.`_row_no` = s.col3 ' +
        'WHEN NOT MATCHED THEN INSERT (`id`, `_event_id`, `_row_no`) VALUES (s.col1, s.col2, s.col3)',
      parameters: {},
      repeatable: true,
    });
  });

  const list = (kind: 'string' | 'byte' | 'long'): TableType => ({ kind: 'array', element: { kind }, containsNull: true });
  it.each<[TableType, TableValue, string]>([
    [{ kind: 'string' }, "\\'); DROP TABLE x -- ${a}", "'\\\\\\'); DROP TABLE x -- \\u0024{a}'"],
    [{ kind: 'boolean' }, true, 'true'],
    [{ kind: 'byte' }, -128, '-128'],
    [{ kind: 'long' }, -(2n ** 63n), '-9223372036854775808'],
    [{ kind: 'double' }, 1.5e-7, "CAST('1.5e-7' AS DOUBLE)"],
    [{ kind: 'float' }, NaN, "CAST('NaN' AS FLOAT)"],
    [{ kind: 'decimal', precision: 10, scale: 2 }, 1250n, "CAST('12.50' AS DECIMAL(10,2))"],
    [{ kind: 'timestamp' }, -1n, "TIMESTAMP'1969-12-31T23:59:59.999999Z'"],
    [{ kind: 'timestamp_ntz' }, 1n, "TIMESTAMP_NTZ'1970-01-01T00:00:00.000001'"],
    [{ kind: 'binary' }, new Uint8Array([0, 255]), "X'00FF'"],
    [{ kind: 'binary' }, new Uint8Array(), "X''"],
    [list('string'), ["it's", null], "array('it\\'s', NULL)"],
    [list('string'), [], 'CAST(array() AS ARRAY<STRING>)'],
    [list('string'), [null], 'CAST(array(NULL) AS ARRAY<STRING>)'],
    [list('byte'), [1], 'CAST(array(1) AS ARRAY<TINYINT>)'],
    [list('long'), [1n, 2n ** 62n], 'array(1L, 4611686018427387904L)'],
    [{ kind: 'string' }, null, 'NULL'],
  ])('holds %j %p as %s', (type, value, literal) => expect(valueOf(type, value)).toBe(literal));

  it('has a parameter when it has more than 1,000 rows or 1 MiB of text', () => {
    const text = column('id', { kind: 'string' });
    const rows = (count: number): Row[] => Array.from({ length: count }, () => ['a']);
    expect(make([text], ...rows(1_000)).parameters).toEqual({});
    expect(make([text], ...rows(1_001)).parameters).toHaveProperty('rows');
    expect(make([text], ['a'.repeat(1_048_000)]).parameters).toEqual({});
    expect(make([text], ['a'.repeat(1_048_577)]).parameters).toHaveProperty('rows');
    // Small as base64, but not as hexadecimal digits.
    expect(make([column('photo', { kind: 'binary' })], [new Uint8Array(600_000)]).parameters).toHaveProperty('rows');
  });
});
