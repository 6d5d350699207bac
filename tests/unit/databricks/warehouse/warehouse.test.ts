import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openWarehouse, type Warehouse, type WarehouseOptions } from '../../../../app/databricks/warehouse/warehouse.ts';
import { systemClock, type Clock } from '../../../../app/lib/clock.ts';
import type { LogFields } from '../../../../app/log.ts';
import {
  refusal,
  rowsAnswer,
  startScriptedWarehouse,
  STATE,
  stateAnswer,
  statusAnswer,
  type ScriptedWarehouse,
} from '../../../helpers/scripted-warehouse.ts';

/** Real time for waiting, but pauses between attempts, which are the shorter ones, take none. */
const impatient: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms < 5_000 ? 0 : ms, signal) };
const TABLE = ['main', 'fhir', 'patient'];
const CONTEXT = { what: 'insert into', table: TABLE, privileges: ['SELECT', 'MODIFY'] } as const;
const SECRET = 'Eve Adams 1970-01-01';

let server: ScriptedWarehouse;
let warehouse: Warehouse;
let logged: LogFields[];
let dropped: string[];

function open(options: Partial<WarehouseOptions> = {}): Warehouse {
  const log = (fields: LogFields): void => void logged.push(fields);
  return openWarehouse({
    workspaceUrl: server.url,
    warehouseId: 'abc123',
    getToken: async () => `token-${dropped.length}`,
    dropToken: (token) => void dropped.push(token),
    caPem: server.caPem,
    userAgentEntry: 'the-product/1',
    clock: impatient,
    log: { debug: log, info: log, warn: log, error: log },
    statementTimeoutMs: 30_000,
    ...options,
  });
}

beforeEach(async () => {
  [logged, dropped] = [[], []];
  server = await startScriptedWarehouse();
  warehouse = open();
});
afterEach(async () => {
  await warehouse.close();
  await server.stop();
});

const insert = (repeatable = false, signal?: AbortSignal): Promise<void> =>
  warehouse.execute('INSERT INTO t SELECT :rows', {
    context: CONTEXT,
    parameters: { rows: `["${SECRET}"]` },
    repeatable,
    ...(signal === undefined ? {} : { signal }),
  });
const select = (): Promise<unknown> => warehouse.query('SELECT a', { context: { what: 'read the columns of', table: TABLE } });
const sent = (): number => server.methods().filter((method) => method === 'ExecuteStatement').length;

describe('a warehouse', () => {
  it('is asked over one session, with the token, the product and the parameters as texts', async () => {
    server.script(
      'ExecuteStatement',
      rowsAnswer(
        ['a', 'b'],
        [
          ['1', null],
          ['ü', ''],
        ],
      ),
    );
    await expect(select()).resolves.toEqual([
      { a: '1', b: null },
      { a: 'ü', b: '' },
    ]);
    await insert();
    expect(server.methods()).toEqual(['OpenSession', 'ExecuteStatement', 'ExecuteStatement']);
    expect(server.calls[0]).toMatchObject({ configuration: { ANSI_MODE: 'true', STATEMENT_TIMEOUT: '30' }, token: 'token-0' });
    expect(server.calls[0]?.userAgent).toContain('the-product/1');
    const last = server.calls.findLast(({ method }) => method === 'ExecuteStatement');
    expect(last?.parameters).toEqual([
      expect.objectContaining({ name: 'rows', type: 'STRING', value: expect.objectContaining({ stringValue: `["${SECRET}"]` }) }),
    ]);
  });

  it('takes no result that is not text', async () => {
    server.script('ExecuteStatement', rowsAnswer(['at'], [['2024-01-01']], 8));
    await expect(select()).rejects.toMatchObject({ code: 'SQL_ANSWER_UNEXPECTED', message: expect.stringContaining('"at"') });
  });

  it('opens one session for calls that come at once', async () => {
    await Promise.all([insert(), insert(), insert()]);
    expect(server.methods().filter((method) => method === 'OpenSession')).toHaveLength(1);
  });

  it('waits while it starts: 503 and 429 at the session, 503 at the statement, PENDING at the end', async () => {
    server.script(
      'OpenSession',
      { http: 503, headers: { 'retry-after': '3' } },
      { http: 429 },
      { http: 503, body: 'TEMPORARILY_UNAVAILABLE' },
    );
    server.script('ExecuteStatement', { http: 503 }, stateAnswer(STATE.pending));
    server.script('GetOperationStatus', statusAnswer(STATE.pending), statusAnswer(STATE.running), statusAnswer(STATE.finished));
    await insert();
    expect(server.methods().filter((method) => method === 'OpenSession')).toHaveLength(4);
    expect(sent()).toBe(2);
    expect(logged.filter(({ event }) => event === 'warehouse.waiting')).toHaveLength(1);
  });

  it('that does not start in time is WAREHOUSE_STARTING, with the time that it named', async () => {
    await warehouse.close();
    warehouse = open({ statementTimeoutMs: 6_000 });
    server.script('OpenSession', { http: 503, headers: { 'retry-after': '7' } });
    await expect(insert()).rejects.toMatchObject({ code: 'WAREHOUSE_STARTING', retry: 'later', retryAfterMs: 7_000 });
    expect(sent()).toBe(0);
  });

  it('that answers nothing is given up when the caller says so', async () => {
    server.script('OpenSession', { hang: true });
    const giveUp = new AbortController();
    const waiting = insert(false, giveUp.signal);
    giveUp.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'WAREHOUSE_STARTING' });
  });

  it('that is stopped for good is WAREHOUSE_STOPPED', async () => {
    server.script('OpenSession', { http: 400, body: 'Warehouse abc123 is stopped and auto-start is disabled' });
    await expect(insert()).rejects.toMatchObject({ code: 'WAREHOUSE_STOPPED', retry: 'never' });
  });

  it.each<[number, string, string]>([
    [404, '', 'WAREHOUSE_NOT_FOUND'],
    [400, 'ENDPOINT_NOT_FOUND', 'WAREHOUSE_NOT_FOUND'],
    [
      400,
      'BAD_REQUEST: Parameterized query has too many parameters: 257 parameters were given but the limit is 256.',
      'SQL_STATEMENT_REFUSED',
    ],
    [413, '', 'SQL_TOO_LARGE'],
  ])('answers %i %s as %s, once', async (http, body, code) => {
    server.script('ExecuteStatement', { http, body, headers: { 'x-request-id': 'r-1' } });
    await expect(insert(true)).rejects.toMatchObject({ code, facts: { status: http, requestId: 'r-1' } });
    expect(sent()).toBe(1);
  });

  it('answers a login page: WAREHOUSE_ADDRESS_WRONG, at once', async () => {
    server.script('OpenSession', { text: '<!DOCTYPE html><html>login</html>' });
    await expect(insert()).rejects.toMatchObject({ code: 'WAREHOUSE_ADDRESS_WRONG' });
  });

  it('nobody can reach is WAREHOUSE_UNREACHABLE; a certificate that nobody knows is WAREHOUSE_TLS_FAILED', async () => {
    const stranger = open();
    const untrusting = openWarehouse(optionsWithoutCa());
    await expect(untrusting.query('SELECT 1', { context: { what: 'probe' } })).rejects.toMatchObject({
      code: 'WAREHOUSE_TLS_FAILED',
      retry: 'never',
    });
    await untrusting.close();
    await server.stop();
    await expect(stranger.query('SELECT 1', { context: { what: 'probe' } })).rejects.toMatchObject({
      code: 'WAREHOUSE_UNREACHABLE',
      retry: 'later',
    });
    await stranger.close();
  });
});

function optionsWithoutCa(): WarehouseOptions {
  const nothing = (): void => undefined;
  return {
    workspaceUrl: server.url,
    warehouseId: 'abc123',
    getToken: async () => 'token',
    dropToken: nothing,
    userAgentEntry: 'p/1',
    clock: impatient,
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
  };
}

describe('the token', () => {
  it.each([401, 403])('is made anew once when %i refuses it', async (http) => {
    server.script('OpenSession', { http });
    server.script('ExecuteStatement', { http });
    await expect(insert()).rejects.toMatchObject({ code: http === 401 ? 'WAREHOUSE_TOKEN_REFUSED' : 'WAREHOUSE_FORBIDDEN' });
    expect(dropped).toHaveLength(1);
    server.script('ExecuteStatement', { http });
    await insert();
    expect(dropped).toHaveLength(2);
  });

  it('that is refused while a statement runs is made anew, and the statement is not sent again', async () => {
    server.script('ExecuteStatement', stateAnswer(STATE.running));
    server.script('GetOperationStatus', { http: 401 }, statusAnswer(STATE.finished));
    await insert();
    expect([sent(), dropped.length]).toEqual([1, 1]);
  });
});

describe('a session that the server has forgotten', () => {
  it.each([
    ['by its number', refusal('Invalid SessionHandle: SessionHandle [11111111-1111-4111-8111-111111111111]', 4)],
    ['by its words', refusal('The session has expired')],
    ['without a word', refusal('', 4)],
    ['by the name of the status', refusal('INVALID_HANDLE_STATUS', 4)],
    ['by other words', refusal('unknown session 01ab', 4)],
    ['by words that say nothing', refusal('Something else', 4)],
  ])('(%s) is opened again and the statement is sent', async (_, answer) => {
    await insert();
    server.script('ExecuteStatement', answer);
    await insert();
    expect(server.methods()).toEqual(['OpenSession', 'ExecuteStatement', 'ExecuteStatement', 'OpenSession', 'ExecuteStatement']);
  });

  it('is opened again only once in a call', async () => {
    server.script('ExecuteStatement', refusal('Invalid SessionHandle', 4), refusal('Invalid SessionHandle', 4));
    await expect(insert(true)).rejects.toMatchObject({ code: 'WAREHOUSE_ANSWER_LOST' });
    await insert();
  });
});

describe('a session that cannot be opened', () => {
  const broken = [
    { drop: true },
    { http: 500 },
    { http: 504 },
    refusal('[INTERNAL_ERROR] x. SQLSTATE: XX000'),
    refusal('INVALID_HANDLE', 4),
  ] as const;
  it.each(broken)('(%j) is tried again, as nothing was sent', async (answer) => {
    server.script('OpenSession', answer, answer);
    await insert(false);
    expect(sent()).toBe(1);
  });

  it.each(broken)('(%j) for long is WAREHOUSE_UNREACHABLE', async (answer) => {
    server.script('OpenSession', ...Array.from({ length: 10 }, () => answer));
    await expect(insert(false)).rejects.toMatchObject({ code: 'WAREHOUSE_UNREACHABLE', retry: 'later' });
    expect(sent()).toBe(0);
  });
});

describe('a statement whose end is not known', () => {
  const lost = [
    ['the connection broke', () => server.script('ExecuteStatement', { drop: true })],
    ['the gateway gave up', () => server.script('ExecuteStatement', { http: 504 })],
    ['somebody cancelled it', () => server.script('ExecuteStatement', stateAnswer(STATE.canceled))],
    [
      'the server failed inside',
      () =>
        server.script(
          'ExecuteStatement',
          stateAnswer(STATE.error, { displayMessage: '[INTERNAL_ERROR] oops', sqlState: 'XX000' }),
        ),
    ],
    [
      'the server forgot it',
      () => {
        server.script('ExecuteStatement', stateAnswer(STATE.running));
        server.script('GetOperationStatus', refusal('Invalid OperationHandle: x', 4));
      },
    ],
  ] as const;

  it.each(lost)('(%s) is left to the caller: WAREHOUSE_ANSWER_LOST', async (_, script) => {
    script();
    await expect(insert(false)).rejects.toMatchObject({ code: 'WAREHOUSE_ANSWER_LOST', retry: 'later' });
    expect(sent()).toBe(1);
  });

  it.each(lost)('(%s) is sent again when that does no harm', async (_, script) => {
    script();
    await insert(true);
    expect(sent()).toBe(2);
  });

  it('is sent again once, not more', async () => {
    server.script('ExecuteStatement', { drop: true }, { drop: true });
    await expect(insert(true)).rejects.toMatchObject({ code: 'WAREHOUSE_ANSWER_LOST' });
    expect(sent()).toBe(2);
  });

  it('because the time was up is cancelled', async () => {
    server.script('ExecuteStatement', stateAnswer(STATE.running));
    server.script(
      'GetOperationStatus',
      ...Array.from({ length: 20 }, () => statusAnswer(STATE.running)),
      statusAnswer(STATE.canceled),
    );
    const giveUp = new AbortController();
    const running = insert(true, giveUp.signal);
    while (!server.methods().includes('GetOperationStatus')) await systemClock.sleep(5);
    giveUp.abort();
    await expect(running).rejects.toMatchObject({
      code: 'WAREHOUSE_ANSWER_LOST',
      message: expect.stringContaining('did not end in time'),
    });
    await warehouse.close();
    expect(server.calls.map(({ method }) => method)).toContain('CancelOperation');
  });
});

describe('a statement that the warehouse refuses', () => {
  it('says class, SQLSTATE and the GRANTs, never the words of the server', async () => {
    const displayMessage = `[INSUFFICIENT_PERMISSIONS] Insufficient privileges: User ${SECRET} does not have MODIFY. SQLSTATE: 42501`;
    server.script('ExecuteStatement', stateAnswer(STATE.error, { displayMessage, sqlState: '42501' }));
    const error: unknown = await insert(true).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'SQL_PERMISSION_MISSING',
      facts: { errorClass: 'INSUFFICIENT_PERMISSIONS', sqlState: '42501' },
    });
    const { message, facts } = error as { message: string; facts: object };
    expect(message).toContain(
      'insert into main.fhir.patient: the service principal lacks a privilege (INSUFFICIENT_PERMISSIONS, SQLSTATE 42501',
    );
    expect(message).toContain('GRANT SELECT, MODIFY ON TABLE `main`.`fhir`.`patient`');
    expect(JSON.stringify([message, facts, logged])).not.toContain('Eve');
    expect(sent()).toBe(1);
  });

  it('at once, as a whole, or at its end is the same', async () => {
    const displayMessage = '[DELTA_CONCURRENT_APPEND] x';
    server.script(
      'ExecuteStatement',
      refusal(displayMessage),
      stateAnswer(STATE.error, { displayMessage }),
      stateAnswer(STATE.running),
    );
    server.script('GetOperationStatus', statusAnswer(STATE.error, { displayMessage }));
    for (let time = 0; time < 3; time++) await expect(insert(true)).rejects.toMatchObject({ code: 'SQL_CONFLICT' });
    expect(sent()).toBe(3);
  });
});

describe('a refusal', () => {
  it('that is told while the statement is asked for keeps its class', async () => {
    server.script('ExecuteStatement', stateAnswer(STATE.running));
    server.script('GetOperationStatus', refusal('[DELTA_INSERT_COLUMN_ARITY_MISMATCH] x'));
    await expect(insert()).rejects.toMatchObject({ code: 'SQL_SCHEMA_DIFFERS' });
    expect(sent()).toBe(1);
  });

  it('that says nothing while the statement is asked for leaves its end open', async () => {
    server.script('ExecuteStatement', stateAnswer(STATE.running));
    server.script('GetOperationStatus', refusal('Something else'));
    await expect(insert()).rejects.toMatchObject({ code: 'WAREHOUSE_ANSWER_LOST' });
    expect(sent()).toBe(1);
  });

  it('without a reason has a new session opened, whether it comes at once or at the end', async () => {
    const sessions = (): number => server.methods().filter((method) => method === 'OpenSession').length;
    server.script('ExecuteStatement', refusal('Something else'), refusal('Something else'));
    await expect(insert()).rejects.toMatchObject({ code: 'SQL_STATEMENT_REFUSED' });
    expect([sent(), sessions()]).toEqual([2, 2]);
    server.script('ExecuteStatement', stateAnswer(STATE.error, { displayMessage: 'Something else' }));
    await expect(insert()).rejects.toMatchObject({ code: 'SQL_STATEMENT_REFUSED' });
    await insert();
    expect([sent(), sessions()]).toEqual([4, 4]);
  });
});

describe('the client of a warehouse', () => {
  it.each([
    ['http://w.example.com', 'abc'],
    ['https://w.example.com/sql', 'abc'],
    ['https://user:secret@w.example.com', 'abc'],
    ['w.example.com', 'abc'],
    ['https://w.example.com', '../x'],
    ['https://w.example.com', ''],
  ])('takes no address %s %s', (workspaceUrl, warehouseId) => {
    expect(() => open({ workspaceUrl, warehouseId })).toThrow(expect.objectContaining({ code: 'WAREHOUSE_ADDRESS_WRONG' }));
  });

  it('ends its session, and after that takes no call', async () => {
    await insert();
    await warehouse.close();
    expect(server.calls.at(-1)?.method).toBe('CloseSession');
    await expect(insert()).rejects.toMatchObject({ code: 'WAREHOUSE_UNREACHABLE' });
  });
});
