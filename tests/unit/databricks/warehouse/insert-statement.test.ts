import { describe, expect, it } from '@jest/globals';
import { makeInsertStatement } from '../../../../app/databricks/warehouse/insert-statement.ts';
import type { TableColumn } from '../../../../app/rows/table-type.ts';

const TABLE = ['main', 'fhir', 'pa`tient'];
const column = (name: string, type: TableColumn['type']): TableColumn => ({ name, type, nullable: true });
const FROM = (fields: string): string =>
  `FROM (SELECT inline(from_json(:rows, 'ARRAY<STRUCT<${fields}>>', map('mode', 'FAILFAST'))))`;

describe('the statement for a batch', () => {
  it('is an INSERT that names its columns and casts each', () => {
    const columns = [
      column('id', { kind: 'string' }),
      column('born`); DROP TABLE x', { kind: 'date' }),
      column('photo', { kind: 'binary' }),
      column('sums', { kind: 'array', element: { kind: 'decimal', precision: 10, scale: 2 }, containsNull: true }),
      column('photos', { kind: 'array', element: { kind: 'binary' }, containsNull: true }),
    ];
    expect(makeInsertStatement(TABLE, columns)).toEqual({
      sql:
        'INSERT INTO `main`.`fhir`.`pa``tient` (`id`, `born``); DROP TABLE x`, `photo`, `sums`, `photos`) ' +
        'SELECT c0 AS c0, CAST(c1 AS DATE) AS c1, unbase64(c2) AS c2, CAST(c3 AS ARRAY<DECIMAL(10,2)>) AS c3, ' +
        'c4 AS c4 ' +
        FROM('c0: STRING, c1: STRING, c2: STRING, c3: ARRAY<STRING>, c4: ARRAY<BINARY>'),
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
    expect(makeInsertStatement(TABLE, columns)).toEqual({
      sql:
        `MERGE INTO \`main\`.\`fhir\`.\`pa\`\`tient\` AS t USING (${source}) AS s ON t.\`_Event_ID\` = s.c1 AND t.\`_row_no\` = s.c2 ` +
        'WHEN NOT MATCHED THEN INSERT (`id`, `_Event_ID`, `_row_no`) VALUES (s.c0, s.c1, s.c2)',
      repeatable: true,
    });
    expect(makeInsertStatement(TABLE, columns.slice(0, 2)).sql).toContain('ON t.`_Event_ID` = s.c1 WHEN');
    expect(makeInsertStatement(TABLE, [columns[0] as TableColumn, columns[2] as TableColumn])).toMatchObject({
      repeatable: false,
    });
  });

  it('is none without columns', () => {
    expect(() => makeInsertStatement(TABLE, [])).toThrow(expect.objectContaining({ code: 'SQL_SCHEMA_DIFFERS' }));
  });
});
