import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '../helpers/services/free-port.ts';
import { describeWith } from '../helpers/services/availability.ts';
import { findMinio, type Minio } from '../helpers/services/minio.ts';
import { codeOf, readIssues } from './bad-input/catalogued.ts';
import { startForbiddingProxy } from './bad-input/forbidding-proxy.ts';
import { VIEW } from './bad-input/patients.ts';
import { BAD_REQUESTS, BAD_VIEWS, type Json } from './bad-input/creates.ts';
import { BAD_TABLES, listFiles, writeFiles } from './bad-input/tables.ts';
import { startWatchedService, type WatchedService } from './bad-input/watched-service.ts';

const APP_SECRET = 'the-secret-of-the-app';
const MiB = 1024 * 1024;

let service: WatchedService;

beforeAll(async () => {
  service = await startWatchedService({ env: { APP_SECRET }, lab: { switches: { validation: false } } });
}, 60_000);
afterAll(async () => {
  await service.close();
}, 30_000);

describe('I10: a call of the App endpoint', () => {
  const basic = (user: string, password: string): string => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

  async function call(body: string | object, authorization: string | undefined = basic('data-lakehouse', APP_SECRET)) {
    const response = await fetch(`${service.webhookOf('healthy').origin}/aidbox`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization === '' ? {} : { authorization }) },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  }
  const operation = (id: unknown, request: unknown = {}): object => ({ type: 'operation', operation: { id }, request });

  it.each([
    ['without credentials', ''],
    ['with a wrong secret', basic('data-lakehouse', 'wrong')],
    ['with the id of another App', basic('other', APP_SECRET)],
    ['with a bearer token', `Bearer ${APP_SECRET}`],
    ['with half a header', 'Basic'],
    ['with credentials that are no base64', 'Basic ???'],
  ])('%s is refused', async (_what, authorization) => {
    const { status, body } = await call(operation('lakehouse-search'), authorization);
    expect([status, ...readIssues(body).map(codeOf)]).toEqual([401, 'OPERATION_UNAUTHORIZED']);
  });

  it.each<[string, string | object]>([
    ['no JSON', 'hello'],
    ['JSON that ends too early', '{"operation":'],
    ['nothing', ''],
    ['null', 'null'],
    ['a number', '5'],
    ['a list', '[]'],
    ['an object without an operation', {}],
    ['an operation that is a text', { operation: 'lakehouse-search' }],
    ['an operation id that is a number', operation(5)],
    ['an operation id of 10,000 characters', operation('x'.repeat(10_000))],
    ['a deprecated subscription call', { ...operation('lakehouse-search'), type: 'subscription' }],
    ['a request that is a text', operation('lakehouse-search', 'text')],
    ['query parameters that are a text', operation('lakehouse-search', { params: 'a=b' })],
    ['headers that are a list', operation('lakehouse-search', { headers: [] })],
    ['a create without a resource', operation('lakehouse-create')],
    ['a create with a list', operation('lakehouse-create', { resource: [] })],
    ['a create with a number', operation('lakehouse-create', { resource: 5 })],
    ['a create with a body that is no JSON', operation('lakehouse-create', { body: '{' })],
    ['a read without an id', operation('lakehouse-read')],
    ['more than 25 MB', operation('lakehouse-create', { resource: { x: 'x'.repeat(26 * MiB) } })],
    ['JSON nested a million levels deep', '['.repeat(1_000_000) + ']'.repeat(1_000_000)],
  ])('with %s says what is wrong with it', async (_what, body) => {
    const answer = await call(body);
    expect([answer.status, ...readIssues(answer.body).map(codeOf)]).toEqual([400, 'OPERATION_INVALID']);
  });

  it.each(['nonsense', 'constructor', '__proto__', 'toString'])('with the operation %s says that there is none', async (id) => {
    const { status, body } = await call(operation(id));
    expect([status, ...readIssues(body).map(codeOf)]).toEqual([404, 'OPERATION_UNKNOWN']);
  });

  const BAD_IDS: readonly unknown[] = [
    '..',
    '.',
    '%2e%2e',
    '..%2f..%2fApp',
    'a/b',
    'a%2Fb',
    'a?b',
    'a#b',
    '%zz',
    '%',
    '%00',
    'a\u0000',
    '',
    ' ',
    'ä',
    'a\ud800',
    'x'.repeat(129),
    5,
    {},
    [],
  ];
  it.each(['lakehouse-read', 'lakehouse-status', 'lakehouse-delete'])('of %s refuses ids that are none', async (id) => {
    for (const badId of BAD_IDS) {
      const { status, body } = await call(operation(id, { 'route-params': { id: badId } }));
      expect([badId, status, ...readIssues(body).map(codeOf)]).toEqual([badId, 400, 'OPERATION_INVALID']);
    }
  });

  it('takes an id in percent-encoding, as some Aidbox may send it', async () => {
    const { status, body } = await call(operation('lakehouse-read', { 'route-params': { id: 'he%61lth%79' }, headers: {} }));
    expect([status, (body as { id: string }).id]).toEqual([200, 'healthy']);
  });

  it('left the healthy destination alone', async () => {
    await service.expectHealthy();
  });
});

/** A request for a destination `id`; parameters that are undefined are left out. */
function aRequest(id: string, parameters: Record<string, Json | undefined> = {}, elements: Json = {}): Json {
  const all: Record<string, Json | undefined> = {
    writeMode: { valueString: 'external-direct' },
    tablePath: { valueString: service.localTable(id).tablePath },
    createTable: { valueBoolean: true },
    viewDefinition: { valueString: VIEW.name },
    batchSize: { valueUnsignedInt: 100 },
    sendIntervalMs: { valueUnsignedInt: 100 },
    skipInitialExport: { valueBoolean: true },
    ...parameters,
  };
  return {
    resourceType: 'AidboxTopicDestination',
    id,
    topic: 'http://example.org/subscriptions/healthy',
    kind: 'data-lakehouse-at-least-once',
    meta: {
      profile: ['http://health-samurai.io/fhir/core/StructureDefinition/aidboxtopicdestination-dataLakehouseAtLeastOnceProfile'],
    },
    parameter: Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [{ name, ...value }])),
    ...elements,
  };
}

/** Creates, expects a refusal, and that nothing of it stays. Returns the issues. */
async function expectRefusal(request: Json, status = 422) {
  const configurations = service.lab.history('Basic').length;
  const answer = await service.api.call('POST', '/fhir/AidboxTopicDestination', { body: request, expected: [status] });
  const issues = readIssues(answer.body);
  expect(service.lab.resource('AidboxTopicDestination', String(request['id']))).toBeUndefined();
  expect(service.lab.history('Basic').length).toBe(configurations);
  await service.expectHealthy();
  return issues;
}

describe('I10: a create', () => {
  it.each(BAD_REQUESTS)('with %s is refused where it is wrong', async (_what, parameters, elements, code, expression) => {
    const issues = await expectRefusal(aRequest('refused', parameters, elements));
    expect(issues.map((issue) => [codeOf(issue), issue.expression?.[0]])).toContainEqual([code, expression]);
  });

  it('with a view by its id is told the name', async () => {
    await service.lab.call('PUT', '/fhir/ViewDefinition/view-7', {
      body: { resourceType: 'ViewDefinition', status: 'active', ...VIEW, id: 'view-7', name: 'view_seven' },
    });
    const [issue] = await expectRefusal(aRequest('refused', { viewDefinition: { valueString: 'view-7' } }));
    expect([codeOf(issue!), issue!.diagnostics]).toEqual(['VIEW_NOT_FOUND', expect.stringContaining('view_seven')]);
  });

  it.each(BAD_VIEWS)('with a view with %s is refused with the place', async (_what, view, code, says) => {
    const body = {
      resourceType: 'ViewDefinition',
      id: 'bad-view',
      name: 'bad_view',
      resource: 'Patient',
      status: 'active',
      ...view,
    };
    await service.lab.call('PUT', '/fhir/ViewDefinition/bad-view', { body: body as never });
    const [issue] = await expectRefusal(aRequest('refused', { viewDefinition: { valueString: 'bad_view' } }));
    expect(codeOf(issue!)).toBe(code);
    expect(issue!.diagnostics).toMatch(says);
  });

  it.each(BAD_TABLES)('on $what is refused with the reason, and nothing is written', async ({ files, code, says }) => {
    const directory = fileURLToPath(service.localTable('bad-table').tablePath) + Math.random().toString(36).slice(2);
    await writeFiles(directory, files);
    const before = await listFiles(directory);
    const request = aRequest('refused', {
      tablePath: { valueString: `file://${directory}` },
      createTable: { valueBoolean: false },
    });
    const [issue] = await expectRefusal(request);
    expect(codeOf(issue!)).toBe(code);
    expect(issue!.diagnostics).toMatch(says);
    expect(await listFiles(directory)).toEqual(before);
  });

  it('on a link out of the directory for tables is refused', async () => {
    const tables = join(service.dir, 'tables');
    await mkdir(join(service.dir, 'elsewhere'));
    await symlink(join(service.dir, 'elsewhere'), join(tables, 'link'));
    const [issue] = await expectRefusal(aRequest('refused', { tablePath: { valueString: `file://${join(tables, 'link')}` } }));
    expect(codeOf(issue!)).toBe('STORAGE_PATH_NOT_ALLOWED');
    expect(await listFiles(join(service.dir, 'elsewhere'))).toEqual([]);
  });

  it('on an object store that refuses connections asks to try again', async () => {
    const s3Endpoint = `http://127.0.0.1:${await findFreePort()}`;
    const [issue] = await expectRefusal(
      aRequest('refused', {
        tablePath: { valueString: 's3://bucket/table' },
        s3Endpoint: { valueString: s3Endpoint },
        awsAccessKeyId: { valueString: 'key' },
        awsSecretAccessKey: { valueString: 'secret' },
      }),
      503,
    );
    expect(codeOf(issue!)).toBe('STORAGE_UNAVAILABLE');
  });
});

describeWith(await findMinio(), 'I10: a create on MinIO', (startMinio) => {
  let minio: Minio;
  beforeAll(async () => {
    minio = await startMinio();
  }, 60_000);
  afterAll(() => minio.stop());

  const s3 = (tablePath: string, endpoint: string, secret = minio.secretAccessKey): Record<string, Json> => ({
    tablePath: { valueString: tablePath },
    s3Endpoint: { valueString: endpoint },
    awsAccessKeyId: { valueString: minio.accessKeyId },
    awsSecretAccessKey: { valueString: secret },
  });

  it('in a bucket that is not there says so', async () => {
    const [issue] = await expectRefusal(aRequest('refused', s3('s3://no-such-bucket/t', minio.endpoint)));
    expect([codeOf(issue!), issue!.diagnostics]).toEqual(['STORAGE_BUCKET_NOT_FOUND', expect.stringContaining('no-such-bucket')]);
  });

  it('with a wrong secret says so', async () => {
    const bucket = await minio.createBucket();
    const [issue] = await expectRefusal(aRequest('refused', s3(`s3://${bucket}/t`, minio.endpoint, 'wrong-secret')));
    expect(codeOf(issue!)).toBe('STORAGE_FORBIDDEN');
    expect(issue!.diagnostics).not.toContain('wrong-secret');
  });

  it.each([
    ['GET', 's3:ListBucket'],
    ['PUT', 's3:PutObject'],
  ])('without the right to %s names the right', async (method, right) => {
    const bucket = await minio.createBucket();
    const proxy = await startForbiddingProxy(minio.endpoint);
    try {
      proxy.forbid(method);
      const [issue] = await expectRefusal(aRequest('refused', s3(`s3://${bucket}/t`, proxy.endpoint)));
      expect([codeOf(issue!), issue!.diagnostics]).toEqual(['STORAGE_FORBIDDEN', expect.stringContaining(right)]);
    } finally {
      await proxy.close();
    }
  });
});
