import { afterEach, describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import type { DatabricksLab } from '../../../lab/databricks/lab.ts';
import type { LabSwitches } from '../../../lab/databricks/options.ts';
import type { NewTable } from '../../../lab/databricks/registry/registry.ts';
import type { ColumnText } from '../../../lab/databricks/registry/table.ts';
import { grantForZerobus } from '../../../lab/databricks/setup.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { CLIENT, insert, type Answered, mintScoped, send, startLab, TABLE } from './client.ts';

/** Sections 2.2 to 2.10: inserts over REST. */

let lab: DatabricksLab;
let token: string;
afterEach(() => lab.close());

async function start(
  switches: Partial<LabSwitches> = {},
  columns: readonly ColumnText[] = [['id', 'STRING']],
  sink: 'delta' | 'count' = 'count',
) {
  lab = await startLab(columns, switches, { sink });
  token = await mintScoped(lab);
}

const accepted = (): number => lab.writeAheadLog.accepted.get(TABLE) ?? 0;

describe('2.2 requests', () => {
  it('an array of records is answered 200 {}, and counted', async () => {
    await start();
    const answer = await insert(lab, token, [{ id: 'a' }, { id: 'b' }]);
    expect([answer.status, answer.text, accepted()]).toEqual([200, '{}', 2]);
  });

  it('the answer may be empty', async () => {
    await start({ successBody: '' });
    const answer = await insert(lab, token, [{ id: 'a' }]);
    expect([answer.status, answer.text]).toEqual([200, '']);
  });

  it.each<[string, number, string | undefined, () => Promise<Answered>]>([
    ['a bare object', 400, 'INVALID_PARAMETER_VALUE', () => insert(lab, token, { id: 'a' })],
    [
      'another content type',
      400,
      'INVALID_PARAMETER_VALUE',
      () => insert(lab, token, [{ id: 'a' }], { headers: { 'content-type': 'text/plain' } }),
    ],
    ['a table of two parts', 400, 'INVALID_PARAMETER_VALUE', () => insert(lab, token, [{ id: 'a' }], { table: 'main.fhir' })],
    [
      'a name with a dash (2.4)',
      400,
      'INVALID_PARAMETER_VALUE',
      () => insert(lab, token, [{ id: 'a' }], { table: 'main.fhir.a-b' }),
    ],
    ['a table that does not exist', 404, 'NOT_FOUND', () => insert(lab, token, [{ id: 'a' }], { table: 'main.fhir.no' })],
    [
      'an older path (2.3)',
      404,
      undefined,
      () => send(`${lab.zerobusUrl}/ingest-record?table_name=${TABLE}`, { method: 'POST', body: '{}' }),
    ],
    ['a GET', 405, undefined, () => send(`${lab.zerobusUrl}/zerobus/v1/tables/${TABLE}/insert`, {})],
  ])('%s: %i %s', async (_, status, code, request) => {
    await start();
    const answer = await request();
    expect([answer.status, answer.json['error_code'], accepted()]).toEqual([status, code, 0]);
  });

  it('gzip is refused, unless switched so', async () => {
    await start();
    const post = () =>
      send(`${lab.zerobusUrl}/zerobus/v1/tables/${TABLE}/insert`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-encoding': 'gzip' },
        body: gzipSync(JSON.stringify([{ id: 'a' }])),
      });
    expect((await post()).status).toBe(400);
    lab.switches.gzip = 'accepted';
    expect((await post()).status).toBe(200);
  });

  it('a token for one table is not one for another', async () => {
    await start();
    lab.registry.createTable('main.fhir.other', { columns: [['id', 'STRING']] });
    grantForZerobus(lab, CLIENT.id, 'main.fhir.other');
    expect((await insert(lab, token, [{ id: 'a' }], { table: 'main.fhir.other' })).status).toBe(403);
    expect(
      (await insert(lab, await mintScoped(lab, 'main.fhir.other'), [{ id: 'a' }], { table: 'main.fhir.other' })).status,
    ).toBe(200);
  });
});

describe('2.4 limits', () => {
  it('413 for too many rows and for too many bytes; nothing is taken', async () => {
    await start({ maxRequestRows: 2, maxRequestBytes: 100 });
    expect((await insert(lab, token, [{ id: '1' }, { id: '2' }, { id: '3' }])).status).toBe(413);
    expect((await insert(lab, token, [{ id: 'x'.repeat(100) }])).status).toBe(413);
    expect(accepted()).toBe(0);
    expect((await insert(lab, token, [{ id: '1' }, { id: '2' }])).status).toBe(200);
  });

  it('more requests in a second than allowed: 429 with Retry-After', async () => {
    await start({ maxRequestsPerSecond: 1 });
    const answers = await Promise.all(Array.from({ length: 6 }, () => insert(lab, token, [{ id: 'a' }])));
    const refused = answers.filter((answer) => answer.status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.map((answer) => answer.headers['retry-after'])).toEqual(refused.map(() => '1'));
    expect(accepted()).toBe(answers.length - refused.length);
  });

  it('a table of more than 2,000 columns', async () => {
    await start(
      {},
      Array.from({ length: 2001 }, (_, at) => [`c${at}`, 'STRING'] as const),
    );
    const answer = await insert(lab, token, [{ c0: 'a' }]);
    expect([answer.status, answer.json['error_code']]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
  });

  it('a column whose name has other signs', async () => {
    await start({}, [['größe', 'INT']]);
    expect((await insert(lab, token, [{}])).status).toBe(400);
  });
});

describe('2.5, 2.7 one bad record refuses the whole request', () => {
  it.each([
    [
      { id: 'c', ip: 'x' },
      /^Record decoder\/encoder error: unrecognized field name 'ip' at line 1 column \d+\. Error Code: 4044, Error State: 3\.$/,
    ],
    [
      { id: 'c', birth_date: '2024-01-01' },
      /^Record decoder\/encoder error: invalid digit found in string at line 1 column \d+\. Error Code: 4044, Error State: 3\.$/,
    ],
    [{ birth_date: 1 }, /missing required field 'id'.*4044/],
  ])('%j', async (bad, message) => {
    await start({}, [
      ['id', 'STRING NOT NULL'],
      ['birth_date', 'DATE'],
    ]);
    const answer = await insert(lab, token, [{ id: 'a' }, { id: 'b' }, bad]);
    expect([answer.status, answer.json['error_code'], accepted()]).toEqual([400, 'INVALID_PARAMETER_VALUE', 0]);
    expect(answer.json['message']).toMatch(message);
  });
});

describe('2.5 new columns', () => {
  it('are known after the pick-up time, to a token that is minted after', async () => {
    await start({ schemaPickupMs: 300 });
    const rows = [{ id: 'a', city: 'Ulm' }];
    await lab.registry.addColumns(TABLE, [['city', 'STRING']]);
    const early = await mintScoped(lab);
    expect((await insert(lab, early, rows)).json['message']).toContain("unrecognized field name 'city'");
    await eventually(async () => expect((await insert(lab, early, rows)).status).toBe(200));
    expect((await insert(lab, token, rows)).status).toBe(400); // minted before
    lab.switches.newColumnsNeedNewToken = false;
    expect((await insert(lab, token, rows)).status).toBe(200);
  });
});

describe('2.8 tables that Zerobus does not write', () => {
  it.each<[string, Omit<NewTable, 'columns'>, string]>([
    ['external', { type: 'EXTERNAL' }, 'Unsupported table kind'],
    ['a view', { type: 'VIEW' }, 'Unsupported table kind'],
    ['a streaming table', { type: 'STREAMING_TABLE' }, 'Unsupported table kind'],
    ['Iceberg', { format: 'ICEBERG' }, 'Unsupported table kind'],
    ['in default storage', { isInDefaultStorage: true }, 'Tables created in default storage are not supported. Error Code: 4024'],
    ['with catalog commits', { isCatalogManaged: true }, 'catalog commits'],
    ['with the property of catalog commits', { properties: { 'delta.feature.catalogManaged': 'supported' } }, 'catalog commits'],
    ['with a CHECK constraint', { checkConstraints: { positive: 'id > 0' } }, 'CHECK constraints'],
  ])('%s: 4024', async (_, options, message) => {
    await start();
    lab.registry.createTable('main.fhir.odd', { columns: [['id', 'STRING']], ...options });
    grantForZerobus(lab, CLIENT.id, 'main.fhir.odd');
    const oddToken = await mintScoped(lab, 'main.fhir.odd');
    const answer = await insert(lab, oddToken, [{ id: 'a' }], { table: 'main.fhir.odd' });
    expect([answer.status, answer.json['error_code']]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    expect(answer.json['message']).toContain(message);
    expect(answer.json['message']).toContain('Error Code: 4024');
    lab.switches.unsupportedKindStatus = 403;
    expect((await insert(lab, oddToken, [{ id: 'a' }], { table: 'main.fhir.odd' })).status).toBe(403);
  });
});

describe('2.6 what 200 means', () => {
  const version = (): number | undefined => lab.registry.table(TABLE).delta?.read().version;

  it('rows are in the table later; sent twice, they are there twice', async () => {
    await start({ visibilityDelayMs: 60_000 }, [['id', 'STRING']], 'delta');
    await insert(lab, token, [{ id: 'a' }]);
    await insert(lab, token, [{ id: 'a' }]);
    expect([version(), accepted()]).toEqual([0, 2]);
    await lab.writeAheadLog.settle();
    expect([version(), lab.writeAheadLog.stuck]).toEqual([1, []]);
  });

  it('rows come by themselves after the delay', async () => {
    await start({ visibilityDelayMs: 20 }, [['id', 'STRING']], 'delta');
    await insert(lab, token, [{ id: 'a' }]);
    await eventually(async () => expect(version()).toBe(1));
  });

  it('rows of a table that is gone stay stuck, and are told', async () => {
    await start({ visibilityDelayMs: 60_000 }, [['id', 'STRING']], 'delta');
    await insert(lab, token, [{ id: 'a' }]);
    lab.registry.dropTable(TABLE);
    await lab.writeAheadLog.settle();
    expect(lab.writeAheadLog.stuck).toEqual([{ table: TABLE, rows: 1, reason: 'the table was dropped' }]);
  });
});

it('2.1 a wrong host: 400 with an empty body', async () => {
  await start();
  const statusFor = async (host: string): Promise<[number | undefined, string]> => {
    const { status, text } = await insert(lab, token, [{ id: 'a' }], { headers: { host } });
    return [status, text];
  };
  expect(await statusFor('77.zerobus.eu-west-1.cloud.databricks.com')).toEqual([400, '']);
  expect(await statusFor(`${lab.workspaceId}.zerobus.eu-west-1.cloud.databricks.com`)).toEqual([200, '{}']);
});
