import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PRINCIPAL, startBench, TABLE, type Bench } from './warehouse-bench.ts';

/** What the driver throws is not always an Error (3.5). */
async function catchThrown(work: Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await work;
  } catch (error) {
    return error as Record<string, unknown>;
  }
  throw new Error('nothing was thrown');
}

describe('SQL warehouse: protocol', () => {
  let bench: Bench;

  beforeAll(async () => {
    bench = await startBench();
  });
  afterAll(() => bench.close());

  it('3.3 names of one and two parts are looked up in the namespace of the session', async () => {
    const client = await bench.connect();
    const session = await client.openSession({ initialCatalog: 'main', initialSchema: 'fhir' });
    for (const name of ['patient', 'fhir.patient', TABLE]) {
      const operation = await session.executeStatement(`SELECT count(*) AS c FROM ${name}`);
      expect(await operation.fetchAll()).toEqual([{ c: 0 }]);
    }
  });

  it('3.8 values of every type come back as column sets carry them, NULL among them', async () => {
    const rows = await bench.run(`SELECT * FROM (VALUES
      (true, 1Y, 2S, 3, 4L, 1.5D, 12.50, DATE'2024-01-02', TIMESTAMP'2024-01-02 03:04:05.123456', X'0aff', array('a', NULL), named_struct('x', 1), 's'),
      (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) ORDER BY col4`);
    expect(Object.values(rows[0] ?? {})).toEqual(Array.from({ length: 13 }, () => null));
    expect(Object.values(rows[1] ?? {})).toEqual([
      ...[true, 1, 2, 3, 4, 1.5, 12.5],
      ...['2024-01-02', '2024-01-02 03:04:05.123456', Buffer.from([10, 255]), ['a', null], { x: 1 }, 's'],
    ]);
  });

  it('3.8 more rows than the direct results may hold are fetched in pages', async () => {
    const values = Array.from({ length: 25 }, (_, index) => `(${index})`).join(', ');
    const rows = await bench.run(`SELECT col1 AS n FROM (VALUES ${values})`, { maxRows: 10 });
    expect(rows.map((row) => row['n'])).toEqual(Array.from({ length: 25 }, (_, index) => index));
  });

  it('3.8 a client that wants no direct results polls, fetches and closes', async () => {
    const mark = bench.lab.journal.mark;
    expect(await bench.run('SELECT 1 AS one', { maxRows: null })).toEqual([{ one: 1 }]);
    const calls = bench.lab.journal.entries({ after: mark }).map((entry) => entry.path);
    expect(calls.slice(0, 5)).toEqual([
      'OpenSession',
      'ExecuteStatement SELECT',
      'GetOperationStatus',
      'GetResultSetMetadata',
      'FetchResults',
    ]);
  });

  it('3.6 named and ordinal parameters of every type of the driver', async () => {
    const named = await bench.run('SELECT :s AS s, :i AS i, :b AS b, :d AS d, :t AS t, :n AS n, :f AS f', {
      namedParameters: {
        s: "o'k\\",
        i: 5,
        b: 9007199254740991n,
        d: 1.5,
        t: new Date('2024-01-02T03:04:05.678Z'),
        n: null,
        f: true,
      },
    });
    expect(named).toEqual([{ s: "o'k\\", i: 5, b: 9007199254740991, d: 1.5, t: '2024-01-02 03:04:05.678', n: null, f: true }]);
    expect(await bench.run('SELECT ? AS a, ? AS b', { ordinalParameters: ['x', 2] })).toEqual([{ a: 'x', b: 2 }]);
  });

  it('3.6 257 parameters are refused with HTTP 400, 256 are not', async () => {
    const ask = (count: number): Promise<unknown> => {
      const markers = Array.from({ length: count }, () => '?').join(', ');
      return bench.run(`SELECT ${markers}`, { ordinalParameters: Array.from({ length: count }, () => 1) });
    };
    await expect(ask(256)).resolves.toHaveLength(1);
    const refused = await catchThrown(ask(257));
    expect(refused).toMatchObject({ statusCode: 400 });
    const response = refused['response'] as { headers: { get(name: string): string } };
    expect(response.headers.get('x-thriftserver-error-message')).toBe(
      'BAD_REQUEST: Parameterized query has too many parameters: 257 parameters were given but the limit is 256.',
    );
  });

  it('3.6 a statement above the limit of its length is refused', async () => {
    const { switches } = bench.lab.warehouse;
    const before = switches.maxStatementLength;
    switches.maxStatementLength = 100;
    expect(await catchThrown(bench.run(`SELECT '${'x'.repeat(100)}'`))).toMatchObject({ statusCode: 400 });
    switches.maxStatementLength = before;
  });

  it('3.5 an error of SQL is told as ERROR_STATE in the direct results: executeStatement resolves, finished() does not', async () => {
    const session = await (await bench.connect()).openSession({});
    const operation = await session.executeStatement('SELECT * FROM main.fhir.nope');
    const thrown = await catchThrown(operation.finished());
    expect(thrown['errorCode']).toBe('ERROR');
    expect(thrown['message']).toMatch(/^\[TABLE_OR_VIEW_NOT_FOUND\] /);
    const response = thrown['response'] as Record<string, unknown>;
    expect(response['sqlState']).toBe('42P01');
    expect(response['errorMessage']).toMatch(/^\S*: Error running query: \[TABLE_OR_VIEW_NOT_FOUND\] /);
    expect(response['displayMessage']).toBe(thrown['message']);
  });

  it('3.5 an error of SQL as the status of ExecuteStatement is a StatusError without SQLSTATE; polled it is an OperationStateError', async () => {
    const { switches } = bench.lab.warehouse;
    switches.errorForm = 'status';
    const status = await catchThrown(bench.run('SELECT * FROM main.fhir.nope'));
    expect(status).not.toBeInstanceOf(Error);
    expect(status).toMatchObject({ name: 'Status Error', code: -1 });
    expect(status['message']).toMatch(/\[TABLE_OR_VIEW_NOT_FOUND\]/);
    switches.errorForm = 'polled';
    expect(await catchThrown(bench.run('SELECT * FROM main.fhir.nope'))).toMatchObject({ errorCode: 'ERROR' });
    switches.errorForm = 'direct';
  });

  it('3.3 a session that was idle for too long is an invalid handle, and so are its operations', async () => {
    const client = await bench.connect();
    const session = await client.openSession({});
    bench.lab.warehouse.expireSessions();
    const thrown = await catchThrown(session.executeStatement('SELECT 1'));
    expect(thrown).toMatchObject({ name: 'Status Error' });
    expect(thrown['message']).toMatch(/^Invalid SessionHandle/);
    const again = await client.openSession({});
    const operation = await again.executeStatement('SELECT 1', { maxRows: null });
    bench.lab.warehouse.switches.sessionIdleMs = -1;
    expect((await catchThrown(operation.finished()))['message']).toMatch(/^Invalid OperationHandle/);
    bench.lab.warehouse.switches.sessionIdleMs = 900_000;
  });

  it('3.3 closing the client closes its sessions', async () => {
    const client = await bench.connect();
    const before = bench.lab.warehouse.sessionCount;
    await client.openSession({});
    expect(bench.lab.warehouse.sessionCount).toBe(before + 1);
    await client.close();
    expect(bench.lab.warehouse.sessionCount).toBe(before);
  });

  it('3.5 a statement that is cancelled ends as CANCELED', async () => {
    Object.assign(bench.lab.warehouse.switches, { latencyMs: 500, directResultsWaitMs: 0 });
    const session = await (await bench.connect()).openSession({});
    const operation = await session.executeStatement('SELECT 1');
    await operation.cancel();
    expect((await catchThrown(operation.finished()))['message']).toMatch(/cancel/i);
    Object.assign(bench.lab.warehouse.switches, { latencyMs: 0, directResultsWaitMs: 5_000 });
  });

  it('3.6 STATEMENT_TIMEOUT of the session ends a statement that takes longer', async () => {
    bench.lab.warehouse.switches.latencyMs = 3_000;
    const session = await (await bench.connect()).openSession({ configuration: { STATEMENT_TIMEOUT: '1' } });
    const operation = await session.executeStatement('SELECT 1');
    expect((await catchThrown(operation.finished()))['errorCode']).toBe('TIMEOUT');
    bench.lab.warehouse.switches.latencyMs = 0;
  });

  describe('who may', () => {
    it('7.3 a bad, an expired and a missing token are 401', async () => {
      expect(await catchThrown((await bench.connect({ token: () => 'nonsense' })).openSession({}))).toMatchObject({
        statusCode: 401,
      });
      const old = bench.lab.tokens.mint({ kind: 'plain', principal: PRINCIPAL, scope: 'all-apis' });
      old.token.expiresAtMs = 0;
      expect(await catchThrown((await bench.connect({ token: () => old.text })).openSession({}))).toMatchObject({
        statusCode: 401,
      });
    });

    it('7.3 a token that ends during a session is 401 at the next statement, and a new one serves the same session', async () => {
      let text = bench.lab.tokens.mint({ kind: 'plain', principal: PRINCIPAL, scope: 'all-apis' }).text;
      const session = await (await bench.connect({ token: () => text })).openSession({});
      bench.lab.tokens.expireAll();
      expect(await catchThrown(session.executeStatement('SELECT 1'))).toMatchObject({ statusCode: 401 });
      text = bench.lab.tokens.mint({ kind: 'plain', principal: PRINCIPAL, scope: 'all-apis' }).text;
      const rows = await bench.run('SELECT 1 AS one');
      expect(rows).toEqual([{ one: 1 }]);
    });

    it('10.8 a Zerobus token is refused, unless the switch says otherwise', async () => {
      const token = (): string => bench.lab.tokens.mint({ kind: 'zerobus', principal: PRINCIPAL, scope: 'all-apis' }).text;
      expect(await catchThrown((await bench.connect({ token })).openSession({}))).toMatchObject({ statusCode: 401 });
      bench.lab.switches.scopedTokenServesWorkspace = true;
      await expect((await bench.connect({ token })).openSession({})).resolves.toBeDefined();
      bench.lab.switches.scopedTokenServesWorkspace = false;
    });

    it('3.2 the http path of a cluster serves too', async () => {
      bench.lab.warehouses.add('0123-456789-abcdefgh');
      bench.lab.registry.grants.grant(PRINCIPAL, 'WAREHOUSE', '0123-456789-abcdefgh', 'CAN USE');
      const client = await bench.connect({ path: '/sql/protocolv1/o/1234567890123456/0123-456789-abcdefgh' });
      await expect(client.openSession({})).resolves.toBeDefined();
    });

    it('7.3 an unknown http path is 404', async () => {
      expect(await catchThrown((await bench.connect({ path: '/sql/1.0/warehouses/other' })).openSession({}))).toMatchObject({
        statusCode: 404,
      });
    });

    it('7.3 without CAN USE on the warehouse it is 403', async () => {
      bench.lab.registry.grants.revoke(PRINCIPAL, 'WAREHOUSE', 'w1');
      expect(await catchThrown((await bench.connect()).openSession({}))).toMatchObject({ statusCode: 403 });
      bench.lab.registry.grants.grant(PRINCIPAL, 'WAREHOUSE', 'w1', 'CAN USE');
    });
  });

  describe('cold start (3.7)', () => {
    it.each(['503', '429'] as const)('%s with Retry-After until it runs', async (status) => {
      const { warehouses, warehouse: sql } = bench.lab;
      sql.switches.coldStart = status;
      bench.warehouse.startMs = 60_000;
      warehouses.stop(bench.warehouse);
      const client = await bench.connect();
      const thrown = await catchThrown(client.openSession({}));
      expect(thrown).toMatchObject({ statusCode: Number(status) });
      expect((thrown['response'] as { headers: { get(name: string): string } }).headers.get('retry-after')).toBe('1');
      expect(bench.warehouse.state).toBe('STARTING');
      expect(await catchThrown(client.openSession({}))).toMatchObject({ statusCode: Number(status) });
      bench.warehouse.state = 'RUNNING';
      await expect(client.openSession({})).resolves.toBeDefined();
      sql.switches.coldStart = 'blocks';
    });

    it('OpenSession waits for the start', async () => {
      bench.warehouse.startMs = 100;
      bench.lab.warehouses.stop(bench.warehouse);
      await (await bench.connect()).openSession({});
      expect(bench.warehouse.state).toBe('RUNNING');
    });

    it('the session opens and the statement is PENDING until it runs', async () => {
      bench.lab.warehouse.switches.coldStart = 'pending';
      bench.warehouse.startMs = 60_000;
      bench.lab.warehouses.stop(bench.warehouse);
      const session = await (await bench.connect()).openSession({});
      const operation = await session.executeStatement('SELECT 1 AS one');
      expect((await operation.status()).operationState).toBe(7);
      bench.warehouse.state = 'RUNNING';
      expect(await operation.fetchAll()).toEqual([{ one: 1 }]);
      bench.lab.warehouse.switches.coldStart = 'blocks';
    });

    it('a stopped warehouse that does not start by itself answers an error', async () => {
      bench.warehouse.startsByItself = false;
      bench.lab.warehouses.stop(bench.warehouse);
      expect((await catchThrown((await bench.connect()).openSession({})))['message']).toMatch(/auto-start is disabled/);
      Object.assign(bench.warehouse, { state: 'RUNNING', startsByItself: true });
    });
  });
});
