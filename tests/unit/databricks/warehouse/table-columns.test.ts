import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { addColumns, findUnsupportedProblems, readTableColumns } from '../../../../app/databricks/warehouse/table-columns.ts';
import { openWarehouse, type Warehouse } from '../../../../app/databricks/warehouse/warehouse.ts';
import { systemClock } from '../../../../app/lib/clock.ts';
import {
  rowsAnswer,
  startScriptedWarehouse,
  STATE,
  stateAnswer,
  type ScriptedWarehouse,
} from '../../../helpers/scripted-warehouse.ts';

const NAMES = ['column_name', 'data_type', 'full_data_type', 'is_nullable'];
let server: ScriptedWarehouse;
let warehouse: Warehouse;

beforeEach(async () => {
  const nothing = (): void => undefined;
  server = await startScriptedWarehouse();
  warehouse = openWarehouse({
    workspaceUrl: server.url,
    warehouseId: 'abc',
    getToken: async () => 'token',
    dropToken: nothing,
    caPem: server.caPem,
    userAgentEntry: 'p/1',
    clock: systemClock,
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
  });
});
afterEach(async () => {
  await warehouse.close();
  await server.stop();
});
const statements = (): string[] => server.calls.flatMap(({ statement }) => (statement === undefined ? [] : [statement]));

describe('the columns of a table', () => {
  it('are read by one statement, the full type first', async () => {
    server.script(
      'ExecuteStatement',
      rowsAnswer(NAMES, [
        ['id', 'STRING', 'string', 'NO'],
        ['n', 'LONG', null, 'YES'],
        ['price', 'DECIMAL', 'decimal(18,2)', 'YES'],
        ['tags', 'ARRAY', 'array<string>', 'YES'],
        ['extra', 'MAP', 'map<string,string>', 'YES'],
        ['shape', 'STRUCT', 'struct<a:int>', 'NO'],
      ]),
    );
    const found = await readTableColumns(warehouse, ['ma`in', "Fh'ir\\", 'Patient']);
    expect(found.columns).toEqual([
      { name: 'id', type: { kind: 'string' }, nullable: false },
      { name: 'n', type: { kind: 'long' }, nullable: true },
      { name: 'price', type: { kind: 'decimal', precision: 18, scale: 2 }, nullable: true },
      { name: 'tags', type: { kind: 'array', element: { kind: 'string' }, containsNull: true }, nullable: true },
    ]);
    expect(findUnsupportedProblems(found, ['id'])).toEqual([
      'column "shape" of type struct<a:int> is NOT NULL, but rows cannot be written to it',
    ]);
    expect(findUnsupportedProblems(found, ['EXTRA', 'shape'])).toEqual([
      'column "extra" is of type map<string,string>, which rows cannot be written to',
      'column "shape" is of type struct<a:int>, which rows cannot be written to',
    ]);
    expect(statements()).toEqual([
      'SELECT column_name, data_type, full_data_type, is_nullable FROM `ma``in`.information_schema.columns ' +
        "WHERE table_schema = 'fh\\'ir\\\\' AND table_name = 'patient' ORDER BY ordinal_position",
    ]);
  });

  it('are read whatever the case of the labels; NOT NULL is only what says so', async () => {
    const rows = ['NO', 'false', 'YES', '', null].map((nullable, index) => [`c${index}`, 'STRING', null, nullable]);
    server.script(
      'ExecuteStatement',
      rowsAnswer(
        NAMES.map((name) => name.toUpperCase()),
        rows,
      ),
      rowsAnswer(NAMES.slice(0, 2), [['a', 'INT']]),
    );
    const { columns } = await readTableColumns(warehouse, ['main', 'fhir', 'patient']);
    expect(columns.map(({ nullable }) => nullable)).toEqual([false, false, true, true, true]);
    expect((await readTableColumns(warehouse, ['main', 'fhir', 'patient'])).columns).toEqual([
      { name: 'a', type: { kind: 'integer' }, nullable: true },
    ]);
  });

  it('are asked for once more by the name as it is given, when that has capitals', async () => {
    server.script('ExecuteStatement', rowsAnswer(NAMES, []), rowsAnswer(NAMES, [['id', 'STRING', 'string', 'NO']]));
    expect((await readTableColumns(warehouse, ['main', 'Fhir', 'patient'])).columns).toHaveLength(1);
    expect(statements().map((text) => /WHERE (.*) ORDER/.exec(text)?.[1])).toEqual([
      "table_schema = 'fhir' AND table_name = 'patient'",
      "table_schema = 'Fhir' AND table_name = 'patient'",
    ]);
  });

  it('that nobody sees have two possible reasons, each with its cure', async () => {
    server.script('ExecuteStatement', rowsAnswer(NAMES, []));
    await expect(readTableColumns(warehouse, ['main', 'fhir', 'patient'])).rejects.toMatchObject({
      code: 'SQL_TABLE_NOT_FOUND',
      message: expect.stringMatching(
        /then create it; or .* may not see it, then run: GRANT USE CATALOG .*GRANT USE SCHEMA .*GRANT SELECT, MODIFY ON TABLE/,
      ),
    });
  });
});

describe('adding columns', () => {
  it('is one statement, with everything quoted', async () => {
    await addColumns(
      warehouse,
      ['main', 'fhir', 'patient'],
      [
        { name: 'a`b', type: { kind: 'timestamp' } },
        { name: 'c', type: { kind: 'array', element: { kind: 'decimal', precision: 4, scale: 1 }, containsNull: true } },
      ],
    );
    await addColumns(warehouse, ['main', 'fhir', 'patient'], []);
    expect(statements()).toEqual(['ALTER TABLE `main`.`fhir`.`patient` ADD COLUMNS (`a``b` TIMESTAMP, `c` ARRAY<DECIMAL(4,1)>)']);
  });

  it('that are there already is SQL_COLUMN_EXISTS', async () => {
    server.script('ExecuteStatement', stateAnswer(STATE.error, { displayMessage: '[FIELDS_ALREADY_EXISTS] Cannot add column' }));
    await expect(
      addColumns(warehouse, ['main', 'fhir', 'patient'], [{ name: 'a', type: { kind: 'string' } }]),
    ).rejects.toMatchObject({
      code: 'SQL_COLUMN_EXISTS',
      retry: 'later',
    });
  });
});
