import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { makeHttpClient, type HttpClient } from '../../../app/databricks/http-client.ts';
import { makeTokenSource, type TokenSource } from '../../../app/databricks/token-source.ts';
import { makeZerobusClient, zerobusEndpoint, type ZerobusClient } from '../../../app/databricks/zerobus-client.ts';
import { systemClock, type Clock } from '../../../app/lib/clock.ts';
import { startDatabricksLab, type DatabricksLab } from '../../lab/databricks/lab.ts';
import { applySetup } from '../../lab/databricks/setup.ts';

const TABLE = 'main.fhir.patients';
const SECRET = 'dose-canary-secret';
const { signal } = new AbortController();

let lab: DatabricksLab;
let http: HttpClient;
let shiftMs = 0;
const clock: Clock = { ...systemClock, now: () => Date.now() + shiftMs };

beforeEach(async () => {
  shiftMs = 0;
  lab = await startDatabricksLab();
  await applySetup(lab, {
    principals: [{ clientId: 'sp-1', secret: SECRET }],
    catalogs: [{ name: 'main', storageRoot: 's3://managed-storage/main' }],
    schemas: [{ name: 'main.fhir' }],
    tables: [
      {
        name: TABLE,
        columns: [
          ['id', 'STRING'],
          ['size', 'INT'],
        ],
      },
      { name: 'main.fhir.others', columns: [['id', 'STRING']] },
    ],
    zerobusGrants: [{ principal: 'sp-1', table: TABLE }],
  });
  http = makeHttpClient({ timeoutMs: 2_000 });
});
afterEach(async () => {
  await http.close();
  await lab.close();
});

function tokens(over: { secret?: string; table?: string; workspaceId?: string; isPlain?: boolean } = {}): TokenSource {
  const [catalog = '', schema = '', table = ''] = (over.table ?? TABLE).split('.');
  return makeTokenSource({
    http,
    workspaceUrl: lab.workspaceUrl,
    credentials: { kind: 'principal', clientId: 'sp-1', clientSecret: over.secret ?? SECRET },
    ...(over.isPlain === true
      ? {}
      : { zerobus: { workspaceId: over.workspaceId ?? lab.workspaceId, table: [catalog, schema, table] } }),
    clock,
  });
}

function zerobus(source = tokens()): ZerobusClient {
  return makeZerobusClient({ http, endpoint: lab.zerobusUrl, table: ['main', 'fhir', 'patients'], tokens: source });
}

const callsOf = (service: 'token' | 'zerobus'): number =>
  lab.journal.entries().filter((entry) => entry.service === service).length;

describe('tokens', () => {
  it('are asked for once however many ask, and kept until five minutes before their end (S0.29, S0.30)', async () => {
    const source = tokens();
    const got = await Promise.all(Array.from({ length: 10 }, () => source.get()));
    expect(new Set(got).size).toBe(1);
    expect(callsOf('token')).toBe(1);
    shiftMs = 54 * 60_000;
    await source.get();
    expect(callsOf('token')).toBe(1);
    shiftMs = 56 * 60_000;
    await source.get();
    await source.get();
    expect(callsOf('token')).toBe(2);
  });

  it('are asked for anew when one was refused, but not when an older one was', async () => {
    const source = tokens();
    const first = await source.get();
    source.drop(first);
    const second = await source.get();
    expect(second).not.toBe(first);
    source.drop(first);
    expect(await source.get()).toBe(second);
  });

  it('stay in use while the workspace gives no new one, as long as they live', async () => {
    const source = tokens();
    const first = await source.get();
    shiftMs = 56 * 60_000;
    lab.faults.add({ service: 'token', error: '503', count: null });
    expect(await source.get()).toBe(first);
    shiftMs = 61 * 60_000;
    await expect(source.get()).rejects.toMatchObject({ code: 'DATABRICKS_TOKEN_UNAVAILABLE' });
  });

  it('are refused with the reason and the cure, and never with the secret', async () => {
    await expect(tokens({ secret: 'wrong-canary' }).get()).rejects.toMatchObject({
      code: 'DATABRICKS_CREDENTIALS_REFUSED',
      message: expect.not.stringContaining('canary'),
    });
    await expect(tokens({ table: 'main.fhir.others' }).get()).rejects.toMatchObject({
      code: 'DATABRICKS_GRANTS_MISSING',
      message: expect.stringContaining('SELECT and MODIFY on main.fhir.others'),
    });
    await expect(tokens({ table: 'main.fhir.absent' }).get()).rejects.toMatchObject({ code: 'DATABRICKS_GRANTS_MISSING' });
    lab.principals.get('sp-1')!.scopes = ['sql'];
    await expect(tokens().get()).rejects.toMatchObject({ code: 'DATABRICKS_SCOPE_MISSING' });
  });
});

describe('a request to Zerobus', () => {
  it('puts its rows into the table', async () => {
    await zerobus().insert(['{"id":"a","size":1}', '{"id":"b"}'], signal);
    await lab.writeAheadLog.settle();
    expect(lab.journal.entries().at(-1)).toMatchObject({ service: 'zerobus', status: 200, rows: 2 });
  });

  it('goes through once more with a new token when the old one is no longer good', async () => {
    const source = tokens();
    const client = zerobus(source);
    await client.insert(['{"id":"a"}'], signal);
    lab.tokens.expireAll();
    await client.insert(['{"id":"b"}'], signal);
    expect(callsOf('token')).toBe(2);
    // The table was dropped and made again: 403 with the old token (contract §10.7).
    lab.registry.dropTable(TABLE);
    lab.registry.createTable(TABLE, { columns: [['id', 'STRING']] });
    await applySetup(lab, { zerobusGrants: [{ principal: 'sp-1', table: TABLE }] });
    await client.insert(['{"id":"c"}'], signal);
  });

  it.each([
    ['a plain token', () => zerobus(tokens({ isPlain: true })), ['DATABRICKS_TOKEN_REFUSED', 'DATABRICKS_FORBIDDEN']],
    [
      'a token for another workspace',
      () => zerobus(tokens({ workspaceId: '42' })),
      ['DATABRICKS_TOKEN_REFUSED', 'DATABRICKS_FORBIDDEN'],
    ],
  ] as const)('with %s is refused for good after a second try', async (_what, client, codes) => {
    const error = await client()
      .insert(['{"id":"a"}'], signal)
      .catch((refusal: unknown) => refusal);
    expect(codes).toContain((error as { code: string }).code);
    expect(error).toMatchObject({ retry: 'never' });
  });

  it.each([
    ['an unknown column', '{"id":"a","extra":1}', 'DATABRICKS_SCHEMA_DIFFERS'],
    ['a value of another type', '{"id":"a","size":"canary"}', 'DATABRICKS_ROW_REFUSED'],
  ])('with %s is refused without its values in the message', async (_what, row, code) => {
    await expect(zerobus().insert([row], signal)).rejects.toMatchObject({ code, message: expect.not.stringContaining('canary') });
  });

  it('whose answer is lost may have been carried out', async () => {
    lab.faults.add({ service: 'zerobus', cut: 'after' });
    await expect(zerobus().insert(['{"id":"a"}'], signal)).rejects.toMatchObject({ code: 'DATABRICKS_ANSWER_LOST' });
    await lab.writeAheadLog.settle();
    expect(lab.journal.entries().filter((entry) => entry.service === 'zerobus')).toMatchObject([{ rows: 1 }]);
  });

  it.each([
    [429, {}, 'DATABRICKS_THROTTLED'],
    [500, { error_code: 'INTERNAL_ERROR' }, 'DATABRICKS_UNAVAILABLE'],
    [503, '<html>busy</html>', 'DATABRICKS_UNAVAILABLE'],
    [504, { error_code: 'DEADLINE_EXCEEDED' }, 'DATABRICKS_UNAVAILABLE'],
    [408, '', 'DATABRICKS_UNAVAILABLE'],
    [409, { error_code: 'ABORTED' }, 'DATABRICKS_ANSWER_LOST'],
    [499, { error_code: 'CANCELLED' }, 'DATABRICKS_ANSWER_LOST'],
    [413, '', 'DATABRICKS_REQUEST_TOO_LARGE'],
    [400, '', 'DATABRICKS_WRONG_ADDRESS'],
    [302, '', 'DATABRICKS_WRONG_ADDRESS'],
    [404, { error_code: 'NOT_FOUND', message: 'Table "main.fhir.patients" cannot be found.' }, 'DATABRICKS_TABLE_NOT_FOUND'],
    [501, { error_code: 'NOT_IMPLEMENTED' }, 'DATABRICKS_TABLE_UNSUPPORTED'],
    [
      400,
      { error_code: 'INVALID_PARAMETER_VALUE', message: 'Unsupported table kind. Error Code: 4024' },
      'DATABRICKS_TABLE_UNSUPPORTED',
    ],
    [403, { message: 'Tables created in default storage are not supported. Error Code: 4024' }, 'DATABRICKS_TABLE_UNSUPPORTED'],
    [
      400,
      {
        error_code: 'INVALID_PARAMETER_VALUE',
        message: "unrecognized field name 'ip' at line 1 column 285. Error Code: 4044, Error State: 3.",
      },
      'DATABRICKS_SCHEMA_DIFFERS',
    ],
    [
      400,
      { error_code: 'INVALID_PARAMETER_VALUE', message: 'invalid digit found in string. Error Code: 4044, Error State: 3.' },
      'DATABRICKS_ROW_REFUSED',
    ],
    [400, { error_code: 'BAD_REQUEST', message: 'Record decoder/encoder error. Error Code: 4044' }, 'DATABRICKS_ROW_REFUSED'],
    [422, { error_code: 'SCHEMA_VALIDATION_FAILED' }, 'DATABRICKS_ROW_REFUSED'],
    [400, { message: 'invalid digit found in string at line 1 column 4024. Error Code: 4044' }, 'DATABRICKS_ROW_REFUSED'],
    [400, { message: 'invalid value patient-4024' }, 'DATABRICKS_ROW_REFUSED'],
    [418, { error_code: 'TEAPOT' }, 'DATABRICKS_REQUEST_REFUSED'],
  ])('that is answered with %i %j is a case of %s', async (status, body, code) => {
    lab.faults.add({ service: 'zerobus', answer: { status, body, headers: { 'retry-after': '7' } } });
    const error = await zerobus()
      .insert(['{"id":"a"}'], signal)
      .catch((refusal: unknown) => refusal);
    expect(error).toMatchObject({ code });
    if (status === 429) expect(error).toMatchObject({ retryAfterMs: 7_000 });
  });
});

describe('an answer that calls itself text/html', () => {
  const headers = { 'content-type': 'text/html; charset=utf-8' };

  it.each(['', '{}'])('and says %j has taken the rows, as frameworks name everything so', async (body) => {
    lab.faults.add({ service: 'zerobus', answer: { status: 200, body, headers } });
    await zerobus().insert(['{"id":"a"}'], signal);
  });

  it('is read by its text when it refuses', async () => {
    lab.faults.add({
      service: 'zerobus',
      answer: { status: 403, body: '{"error_code":"PERMISSION_DENIED"}', headers },
      count: 2,
    });
    await expect(zerobus().insert(['{"id":"a"}'], signal)).rejects.toMatchObject({ code: 'DATABRICKS_FORBIDDEN' });
  });

  it('is a login page or a proxy when its text is one', async () => {
    lab.faults.add({ service: 'zerobus', answer: { status: 200, body: '<!doctype html><html>Sign in</html>', headers } });
    await expect(zerobus().insert(['{"id":"a"}'], signal)).rejects.toMatchObject({ code: 'DATABRICKS_WRONG_ADDRESS' });
  });
});

describe('the host of Zerobus', () => {
  it.each([
    ['https://dbc-1.cloud.databricks.com', 'https://42.zerobus.us-east-1.cloud.databricks.com'],
    ['https://adb-42.7.azuredatabricks.net', 'https://42.zerobus.us-east-1.azuredatabricks.net'],
    ['https://1.7.gcp.databricks.com', 'https://42.zerobus.us-east-1.gcp.databricks.com'],
  ])('of the workspace %s is %s', (workspace, host) => {
    expect(zerobusEndpoint(workspace, '42', 'us-east-1')).toBe(host);
  });
});
