import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { listErrorNames } from '../../../lab/databricks/warehouse/named-errors.ts';
import { startBench, TABLE, type Bench } from './warehouse-bench.ts';

const INSERT = `INSERT INTO ${TABLE} (id, n) VALUES ('a', 1)`;
const STATES = ['CANCELED', 'CLOSED', 'TIMEDOUT'];

async function catchThrown(work: Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await work;
  } catch (error) {
    return error as Record<string, unknown>;
  }
  throw new Error('nothing was thrown');
}

describe('SQL warehouse: faults', () => {
  let bench: Bench;
  const countRows = async (): Promise<unknown> => (await bench.run(`SELECT count(*) AS c FROM ${TABLE}`))[0]?.['c'];

  beforeAll(async () => {
    bench = await startBench();
  });
  afterEach(() => bench.lab.faults.clear());
  afterAll(() => bench.close());

  it.each(listErrorNames().filter((name) => !/^\d/.test(name) && !STATES.includes(name) && name !== 'INVALID_HANDLE'))(
    '7.3 %s can be injected into INSERT alone',
    async (name) => {
      bench.strike({ path: '^ExecuteStatement INSERT$', error: name });
      await expect(bench.run('SELECT 1')).resolves.toHaveLength(1);
      const thrown = await catchThrown(bench.run(INSERT));
      expect(thrown['message']).toMatch(new RegExp(`^\\[${name.replace('.', '\\.')}\\] `));
      expect((thrown['response'] as { sqlState: string }).sqlState).toMatch(/^[0-9A-Z]{5}$/);
    },
  );

  it.each(listErrorNames().filter((name) => /^\d/.test(name)))('7.3 HTTP %s can be injected into OpenSession', async (name) => {
    bench.strike({ path: '^OpenSession$', error: name });
    expect(await catchThrown(bench.run('SELECT 1'))).toMatchObject({ statusCode: Number(name.slice(0, 3)) });
  });

  it.each([
    ['CANCELED', 'CANCELED'],
    ['CLOSED', 'CLOSED'],
    ['TIMEDOUT', 'TIMEOUT'],
  ])('7.3 a statement can end as %s', async (name, errorCode) => {
    bench.strike({ path: 'INSERT', error: name });
    expect(await catchThrown(bench.run(INSERT))).toMatchObject({ errorCode });
  });

  it('7.3 INVALID_HANDLE of a session, so many times and after so many good calls', async () => {
    const session = await (await bench.connect()).openSession({});
    bench.strike({ path: '^ExecuteStatement', error: 'INVALID_HANDLE', skip: 1, count: 2 });
    await expect(session.executeStatement('SELECT 1')).resolves.toBeDefined();
    for (let count = 0; count < 2; count++) {
      expect((await catchThrown(session.executeStatement('SELECT 1')))['message']).toMatch(/^Invalid SessionHandle/);
    }
    await expect(session.executeStatement('SELECT 1')).resolves.toBeDefined();
  });

  it('7.3 other answers by status, text and headers', async () => {
    bench.strike({ path: '^OpenSession$', answer: { status: 502, body: '<html>', headers: { 'x-proxy': 'yes' } } });
    expect(await catchThrown((await bench.connect()).openSession({}))).toMatchObject({ statusCode: 502 });
  });

  it('an unknown name of an error is refused loudly', () => {
    expect(() => bench.strike({ error: 'NO_SUCH_ERROR' })).toThrow(/knows no error 'NO_SUCH_ERROR'/);
  });

  describe('what becomes of an INSERT', () => {
    it('7.1 a connection cut before the execution: nothing is written', async () => {
      const before = await countRows();
      bench.strike({ path: 'INSERT', cut: 'before' });
      await expect(bench.run(INSERT)).rejects.toMatchObject({ code: 'ECONNRESET' });
      expect(await countRows()).toBe(before);
    });

    it('7.1 a connection cut after it: applied, answer lost', async () => {
      const before = Number(await countRows());
      bench.strike({ path: 'INSERT', cut: 'after' });
      await expect(bench.run(INSERT)).rejects.toMatchObject({ code: 'ECONNRESET' });
      expect(await countRows()).toBe(before + 1);
    });

    it('7.3 an error that comes after the effect', async () => {
      const before = Number(await countRows());
      bench.strike({ path: 'INSERT', error: 'INTERNAL_ERROR', afterEffect: true });
      expect((await catchThrown(bench.run(INSERT)))['message']).toMatch(/INTERNAL_ERROR/);
      bench.strike({ path: 'INSERT', error: '503', afterEffect: true });
      expect(await catchThrown(bench.run(INSERT))).toMatchObject({ statusCode: 503 });
      expect(await countRows()).toBe(before + 2);
    });

    it('7.3 an error without effect writes nothing', async () => {
      const before = await countRows();
      bench.strike({ path: 'INSERT', error: 'DELTA_CONCURRENT_APPEND' });
      await catchThrown(bench.run(INSERT));
      expect(await countRows()).toBe(before);
      expect(bench.lab.warehouse.statements.at(-2)).toMatchObject({ kind: 'INSERT', wasExecuted: false });
    });
  });

  it('3.4 the driver repeats GetOperationStatus after 503 and never ExecuteStatement', async () => {
    bench.strike({ path: '^GetOperationStatus$', error: '503', count: 2 });
    await expect(bench.run('SELECT 1', { maxRows: null })).resolves.toHaveLength(1);
    const mark = bench.lab.journal.mark;
    bench.strike({ path: '^ExecuteStatement', error: '503', count: null });
    await catchThrown(bench.run('SELECT 1'));
    expect(bench.lab.journal.entries({ after: mark }).filter(({ path }) => path.startsWith('ExecuteStatement'))).toHaveLength(1);
  });

  it('the journal tells calls, principals, rows, faults and errors, and never a text of a statement', async () => {
    const mark = bench.lab.journal.mark;
    await bench.run(`INSERT INTO ${TABLE} (id, n) VALUES ('secret', 1), ('secret2', 2)`);
    bench.strike({ path: 'MERGE', error: 'DELTA_METADATA_CHANGED' });
    await catchThrown(
      bench.run(
        `MERGE INTO ${TABLE} t USING (SELECT 'secret' AS id) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)`,
      ),
    );
    const entries = bench.lab.journal.entries({ after: mark, service: 'warehouse' });
    expect(entries.find(({ path }) => path === 'ExecuteStatement INSERT')).toMatchObject({
      ...{ method: 'POST', status: 200, principal: 'writer', tokenKind: 'personal', rows: 2 },
    });
    expect(entries.find(({ path }) => path === 'ExecuteStatement MERGE')).toMatchObject({
      ...{ fault: 'DELTA_METADATA_CHANGED', error: 'DELTA_METADATA_CHANGED' },
    });
    expect(JSON.stringify(entries)).not.toContain('secret');
  });
});
