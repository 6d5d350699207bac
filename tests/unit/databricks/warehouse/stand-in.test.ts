import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { makeInsertStatement, ROWS_PARAMETER } from '../../../../app/databricks/warehouse/insert-statement.ts';
import { joinSqlRows, makeSqlRowEncoder } from '../../../../app/databricks/warehouse/sql-row.ts';
import { addColumns, readTableColumns } from '../../../../app/databricks/warehouse/table-columns.ts';
import { openWarehouse, type Warehouse } from '../../../../app/databricks/warehouse/warehouse.ts';
import { systemClock, type Clock } from '../../../../app/lib/clock.ts';
import type { Row, TableColumn } from '../../../../app/rows/table-type.ts';
import { startDatabricksLab, type DatabricksLab } from '../../../lab/databricks/lab.ts';
import { applySetup } from '../../../lab/databricks/setup.ts';
import type { WarehouseSwitches } from '../../../lab/databricks/warehouse/options.ts';

const TABLE = ['main', 'fhir', 'patient'] as const;
const NAME = TABLE.join('.');
const impatient: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms < 15_000 ? Math.min(ms, 20) : ms, signal),
};

let lab: DatabricksLab;
let warehouse: Warehouse;

async function start(
  switches: Partial<WarehouseSwitches> = {},
  state: { startsByItself?: boolean; startMs?: number; stopped?: boolean } = {},
): Promise<void> {
  const { stopped = false, ...rest } = state;
  lab = await startDatabricksLab({ tls: true, warehouseSwitches: switches });
  await applySetup(lab, {
    principals: [{ clientId: 'sp', secret: 'secret' }],
    personalTokens: [{ token: 'dapi-good', principal: 'sp' }],
    catalogs: [{ name: 'main' }],
    schemas: [{ name: 'main.fhir' }],
    tables: [
      {
        name: NAME,
        columns: [
          ['id', 'STRING NOT NULL'],
          ['born', 'DATE'],
          ['tags', 'ARRAY<STRING>'],
          ['price', 'DECIMAL(10,2)'],
          ['extra', 'MAP<STRING,STRING>'],
          ['_event_id', 'STRING'],
        ],
      },
    ],
    warehouses: [{ id: 'w1', ...rest, ...(stopped ? { state: 'STOPPED' as const } : {}) }],
    grants: [{ principal: 'sp', kind: 'WAREHOUSE', name: 'w1', privileges: ['CAN USE'] }],
    zerobusGrants: [{ principal: 'sp', table: NAME }],
  });
  const nothing = (): void => undefined;
  warehouse = openWarehouse({
    workspaceUrl: lab.workspaceUrl.replace('127.0.0.1', 'localhost'),
    warehouseId: 'w1',
    getToken: async () => 'dapi-good',
    dropToken: nothing,
    ...(lab.certificate === undefined ? {} : { caPem: lab.certificate.cert }),
    userAgentEntry: 'the-product/1',
    clock: impatient,
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    statementTimeoutMs: 60_000,
  });
}
afterEach(async () => {
  await warehouse.close();
  await lab.close();
});

async function write(columns: readonly TableColumn[], ...rows: Row[]): Promise<void> {
  const { sql, repeatable } = makeInsertStatement(TABLE, columns);
  const context = { what: 'insert into', table: TABLE, privileges: ['SELECT', 'MODIFY'] } as const;
  await warehouse.execute(sql, {
    context,
    parameters: { [ROWS_PARAMETER]: joinSqlRows(rows.map(makeSqlRowEncoder(columns))) },
    repeatable,
  });
}
const read = (): Promise<readonly object[]> =>
  warehouse.query(
    `SELECT id, CAST(born AS STRING) AS born, CAST(price AS STRING) AS price, CAST(tags AS STRING) AS tags FROM ${NAME} ORDER BY id`,
    { context: { what: 'read', table: TABLE } },
  );

describe('a table of a warehouse', () => {
  beforeEach(() => start());

  it('is read, gets a column, and takes a batch once', async () => {
    const before = await readTableColumns(warehouse, TABLE);
    expect(before.columns.map(({ name, type: { kind }, nullable }) => [name, kind, nullable])).toEqual([
      ['id', 'string', false],
      ['born', 'date', true],
      ['tags', 'array', true],
      ['price', 'decimal', true],
      ['_event_id', 'string', true],
    ]);
    expect(before.unsupported).toMatchObject([{ name: 'extra', nullable: true }]);
    await addColumns(warehouse, TABLE, [{ name: 'seen', type: { kind: 'timestamp' } }]);
    await expect(addColumns(warehouse, TABLE, [{ name: 'SEEN', type: { kind: 'timestamp' } }])).rejects.toMatchObject({
      code: 'SQL_COLUMN_EXISTS',
    });

    const { columns } = await readTableColumns(warehouse, TABLE);
    expect(columns.at(-1)).toMatchObject({ name: 'seen', type: { kind: 'timestamp' } });
    const rows: Row[] = [
      ["O'Neil", -1, ['a', null], 123n, 'e1', 1n],
      ['ü', null, null, null, 'e2', null],
    ];
    await write(columns, ...rows);
    await write(columns, ...rows);
    expect(await read()).toEqual([
      { id: "O'Neil", born: '1969-12-31', price: '1.23', tags: '[a, null]' },
      { id: 'ü', born: null, price: null, tags: null },
    ]);
  });

  it('that lost a column says SQL_SCHEMA_DIFFERS; one that is gone SQL_TABLE_NOT_FOUND', async () => {
    const stranger: TableColumn = { name: 'stranger', type: { kind: 'string' }, nullable: true };
    const id: TableColumn = { name: 'id', type: { kind: 'string' }, nullable: false };
    await expect(write([id, stranger], ['a', 'b'])).rejects.toMatchObject({ code: 'SQL_SCHEMA_DIFFERS' });
    lab.registry.dropTable(NAME);
    await expect(write([id], ['a'])).rejects.toMatchObject({ code: 'SQL_TABLE_NOT_FOUND' });
    await expect(readTableColumns(warehouse, TABLE)).rejects.toMatchObject({ code: 'SQL_TABLE_NOT_FOUND' });
  });

  it('that may not be changed says which GRANTs are missing', async () => {
    lab.registry.grants.revoke('sp', 'TABLE', NAME, 'MODIFY');
    await expect(write([{ name: 'id', type: { kind: 'string' }, nullable: false }], ['a'])).rejects.toMatchObject({
      code: 'SQL_PERMISSION_MISSING',
      message: expect.stringContaining('GRANT SELECT, MODIFY ON TABLE `main`.`fhir`.`patient`'),
    });
  });

  it('of a warehouse that may not be used says WAREHOUSE_FORBIDDEN', async () => {
    lab.registry.grants.revoke('sp', 'WAREHOUSE', 'w1', 'CAN USE');
    await expect(readTableColumns(warehouse, TABLE)).rejects.toMatchObject({ code: 'WAREHOUSE_FORBIDDEN' });
  });
});

it.each(['direct', 'status', 'polled'] as const)('a refusal that is told by %s has its code', async (errorForm) => {
  await start({ errorForm });
  lab.registry.dropTable(NAME);
  await expect(write([{ name: 'id', type: { kind: 'string' }, nullable: false }], ['a'])).rejects.toMatchObject({
    code: 'SQL_TABLE_NOT_FOUND',
  });
});

it.each(['blocks', '503', '429', 'pending'] as const)('a cold warehouse (%s) is waited for', async (coldStart) => {
  await start({ coldStart }, { stopped: true, startMs: 300 });
  await write([{ name: 'id', type: { kind: 'string' }, nullable: false }], ['a']);
  expect(await read()).toHaveLength(1);
});

it('a warehouse that does not start by itself is WAREHOUSE_STOPPED', async () => {
  await start({}, { stopped: true, startsByItself: false });
  await expect(readTableColumns(warehouse, TABLE)).rejects.toMatchObject({ code: 'WAREHOUSE_STOPPED', retry: 'never' });
});

it('a session that was idle for too long is opened again', async () => {
  await start();
  await write([{ name: 'id', type: { kind: 'string' }, nullable: false }], ['a']);
  lab.warehouse.expireSessions();
  await write([{ name: 'id', type: { kind: 'string' }, nullable: false }], ['b']);
  expect(await read()).toHaveLength(2);
});
