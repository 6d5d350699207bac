import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AppError } from '../../../app/errors/app-error.ts';
import { hashSecret } from '../../../app/lib/same-secret.ts';
import {
  aCall,
  aDestination,
  CALLER,
  makeFixture,
  OWN,
  PATIENT_VIEW,
  PUBLIC_URL,
  type Fixture,
} from '../../helpers/destination-fixture.ts';
import type { SeenCall, Script } from '../../helpers/scripted-aidbox.ts';

type Json = Record<string, unknown>;
let fixture: Fixture;
beforeEach(async () => {
  fixture = await makeFixture();
});
afterEach(() => fixture.stop());

const create = (resource: unknown = aDestination(), call = {}) => fixture.operations.create(aCall({ resource, ...call }));
const issuesIn = (body: unknown): { code: string; diagnostics: string; expression?: string[] }[] =>
  (body as { issue: never[] }).issue;

describe('create', () => {
  it('answers 201 with the resource, its secrets masked, and the headers of Aidbox', async () => {
    const { status, headers, body } = await create();
    const webhook = fixture.aidbox.all('AidboxTopicDestination')[0]!;
    const version = (webhook['meta'] as Json)['versionId'];
    expect(status).toBe(201);
    expect(headers).toEqual({
      location: `/AidboxTopicDestination/patient-lake/_history/${String(version)}`,
      etag: version,
      'last-modified': 'Mon, 03 Aug 2026 09:15:01 GMT',
    });
    expect(body).toMatchObject({
      ...aDestination(),
      parameter: expect.any(Array) as unknown,
      meta: {
        versionId: version,
        lastUpdated: '2026-08-03T09:15:01.204518Z',
        extension: [{ url: 'ex:createdAt', valueInstant: '2026-08-03T09:15:01.204518Z' }],
      },
    });
    const masked = { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' }] };
    expect((body as { parameter: Json[] }).parameter).toContainEqual({ name: 'awsSecretAccessKey', _valueString: masked });
    expect((body as { parameter: Json[] }).parameter).toContainEqual({ name: 'batchSize', valueUnsignedInt: 50 });
  });

  it('creates the webhook destination in Aidbox format, under the same id, with its own token', async () => {
    await create();
    const [webhook] = fixture.aidbox.all('AidboxTopicDestination');
    const stored = (await fixture.deps.repository.get('patient-lake'))!;
    expect(webhook).toMatchObject({
      id: 'patient-lake',
      kind: 'webhook-at-least-once',
      status: 'active',
      content: 'full-resource',
      includeEntryAction: true,
      includeVersionId: true,
    });
    const [endpoint, header] = webhook!['parameter'] as { name: string; value: Json }[];
    expect(endpoint).toEqual({ name: 'endpoint', value: { url: `${PUBLIC_URL}/webhooks/patient-lake/${stored.incarnation}` } });
    const token = /^Authorization: Bearer (\S{43})$/.exec(String(header!.value['string']))![1]!;
    expect(stored.webhookSecretHash).toBe(hashSecret(token));
    expect(stored.incarnation).toMatch(/^[0-9a-z]+-[0-9a-f]{8}$/);
  });

  it('stores the configuration in Aidbox, from which it is read back whole', async () => {
    await create(
      aDestination({
        createTable: { valueBoolean: true },
        skipInitialExport: { valueBoolean: true },
        s3Endpoint: { valueString: 'http://minio:9000' },
      }),
    );
    expect(await fixture.deps.repository.get('patient-lake')).toMatchObject({
      phase: 'active',
      viewName: 'patient_flat',
      viewDefinition: { id: 'view-1', name: 'patient_flat' },
      writeMode: 'external-direct',
      batchSize: 50,
      sendIntervalMs: 5000,
      createTable: true,
      skipInitialExport: true,
      problem: undefined,
      target: {
        kind: 'path',
        location: {
          tablePath: 's3://my-bucket/patients/',
          awsRegion: 'us-east-1',
          s3Endpoint: 'http://minio:9000',
          accessKeyId: 'AKIACANARY',
          secretAccessKey: 'canary/secret+key',
        },
      },
    });
    const [basic] = fixture.aidbox.all('Basic');
    expect(String(basic!['id'])).toMatch(/^lakehouse-[0-9a-f]{40}$/);
  });

  it('checks the table before anything is stored, and begins it before Aidbox can deliver', async () => {
    const order: string[] = [];
    fixture.aidbox.script = ({ method, path }) =>
      void (method === 'GET' || order.push(`${method} ${path.replace(/lakehouse-.*/, '{id}')}`));
    fixture.deps.tables = {
      check: async () => (order.push('check'), { warnings: [] }),
      begin: async () => void order.push('begin'),
    };
    await create();
    expect(order).toEqual(['check', 'POST /fhir/Basic', 'begin', 'POST /AidboxTopicDestination', 'PUT /fhir/Basic/{id}']);
  });

  it('chooses an id when none is given', async () => {
    const { body } = await create({ ...aDestination(), id: undefined });
    expect((body as Json)['id']).toMatch(/^[0-9a-f]{32}$/);
  });

  it('keeps its warnings: no initial export yet, no time column, a topic without deletes', async () => {
    fixture.aidbox.put({
      ...fixture.aidbox.all('AidboxSubscriptionTopic')[0],
      trigger: [{ resource: 'Patient', supportedInteraction: ['create'] }],
    });
    await create();
    const { warnings } = (await fixture.deps.repository.get('patient-lake'))!;
    expect(warnings).toEqual([
      expect.stringContaining('initial export is not in this build yet'),
      expect.stringContaining('deletions may not reach the table'),
      'neither view nor table has a time column',
    ]);
    expect(fixture.logLines.filter((line) => line.includes('destination.warning'))).toHaveLength(3);
  });

  it('finds topic and view also where Aidbox cannot search by url and name', async () => {
    fixture.aidbox.script = ({ params }) => (params.has('name') || params.has('url') ? { status: 400, body: {} } : undefined);
    expect((await create()).status).toBe(201);
  });
});

describe('refusals', () => {
  it('answers 422 with every problem of topic, view and secrets at once, and stores nothing', async () => {
    const reference = {
      _valueString: {
        extension: [
          { url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' },
          { url: 'http://health-samurai.io/fhir/secret-reference', valueString: 'not-mounted' },
        ],
      },
    };
    const { status, body } = await create(
      aDestination({ viewDefinition: { valueString: 'view-1' }, awsSecretAccessKey: reference }, { topic: 'http://unknown' }),
    );
    expect(status).toBe(422);
    expect(issuesIn(body).map(({ code, expression }) => [code, expression![0]])).toEqual([
      ['not-found', 'AidboxTopicDestination.topic'],
      ['not-found', 'AidboxTopicDestination.parameter[5].valueString'],
      ['processing', 'AidboxTopicDestination.parameter[4].valueString'],
    ]);
    expect(issuesIn(body)[1]!.diagnostics).toContain(
      'no ViewDefinition is found by the name "view-1"; a view with this id exists, its name is "patient_flat"',
    );
    expect(fixture.aidbox.calls.filter((call) => call.method !== 'GET')).toEqual([]);
    expect(fixture.tableCalls).toEqual([]);
  });

  it('refuses a name that two views have', async () => {
    fixture.aidbox.put({ ...fixture.aidbox.all('ViewDefinition')[0], id: 'view-2' });
    const { body } = await create();
    expect(issuesIn(body)[0]!.diagnostics).toContain('2 ViewDefinitions have the name "patient_flat" (ids view-1, view-2)');
  });

  it('refuses a view without an id column, and one with is_deleted', async () => {
    const [id] = PATIENT_VIEW.columns;
    for (const columns of [[], [id!, { name: 'is_deleted', fhirType: 'integer', collection: false }]]) {
      fixture.deps.compileView = () => ({ ...PATIENT_VIEW, columns });
      const { status, body } = await create();
      expect(status).toBe(422);
      expect(issuesIn(body)[0]!.diagnostics).toMatch(columns.length === 0 ? /no column id/ : /column is_deleted/);
    }
  });

  it('shows what is wrong with view or table at the parameter that names it', async () => {
    fixture.deps.compileView = () => {
      throw new AppError('VIEW_UNSUITABLE', 'the path of column x is no FHIRPath');
    };
    expect(issuesIn((await create()).body)[0]).toMatchObject({ expression: ['AidboxTopicDestination.parameter[5].valueString'] });
    fixture.deps.compileView = () => PATIENT_VIEW;
    fixture.deps.tables = {
      check: () => Promise.reject(new AppError('VIEW_UNSUITABLE', 'the table lacks the column gender')),
      begin: async () => undefined,
    };
    const { status, body } = await create();
    expect(status).toBe(422);
    expect(issuesIn(body)[0]).toMatchObject({
      expression: ['AidboxTopicDestination.parameter[1].valueString'],
      diagnostics: expect.stringContaining('the table lacks the column gender') as unknown,
    });
    expect(fixture.aidbox.all('Basic')).toEqual([]);
  });

  it('refuses secrets in clear when there is no key, and takes references', async () => {
    await fixture.stop();
    fixture = await makeFixture({ sealer: undefined });
    expect(issuesIn((await create()).body).map((issue) => issue.diagnostics)).toEqual([
      expect.stringContaining('no key to seal'),
      expect.stringContaining('no key to seal'),
    ]);
  });

  it('answers 409 for an id that a destination of any kind has', async () => {
    fixture.aidbox.put({ resourceType: 'AidboxTopicDestination', id: 'patient-lake', kind: 'kafka-at-least-once' });
    await expect(create()).rejects.toMatchObject({ code: 'DESTINATION_EXISTS' });
    expect(fixture.aidbox.all('Basic')).toEqual([]);
  });

  it('lets one of two creates of the same id win, and the loser harms nothing', async () => {
    const results = await Promise.allSettled([create(), create()]);
    expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find((result) => result.status === 'rejected')).toMatchObject({ reason: { code: 'DESTINATION_EXISTS' } });
    const [webhook] = fixture.aidbox.all('AidboxTopicDestination');
    const stored = await fixture.deps.repository.get('patient-lake');
    expect(stored).toMatchObject({ phase: 'active' });
    expect(JSON.stringify(webhook)).toContain(stored!.incarnation);
  });

  it('refuses a body that is no object', async () => {
    for (const resource of [undefined, null, 'x', []])
      await expect(create(resource ?? null)).rejects.toMatchObject({ code: 'OPERATION_INVALID' });
  });
});

describe('a failure at any step leaves nothing behind', () => {
  const onCall = (method: string, pattern: RegExp, act: Script): Script => {
    let done = false;
    return (call: SeenCall) => {
      if (done || call.method !== method || !pattern.test(call.path)) return undefined;
      done = true;
      return act(call);
    };
  };
  const steps: [name: string, method: string, path: RegExp][] = [
    ['looking for the configuration', 'GET', /Basic/],
    ['looking for the destination', 'GET', /^\/AidboxTopicDestination/],
    ['finding the topic', 'GET', /AidboxSubscriptionTopic/],
    ['finding the view', 'GET', /ViewDefinition/],
    ['storing the configuration', 'POST', /Basic/],
    ['creating the webhook destination', 'POST', /^\/AidboxTopicDestination/],
    ['activating the configuration', 'PUT', /Basic/],
  ];
  const faults: [string, Script][] = [
    ['Aidbox answers 503', () => ({ status: 503 })],
    ['the connection is cut', () => 'cut'],
    ['the answer is lost', () => 'lose'],
  ];

  describe.each(steps)('%s', (_name, method, path) => {
    it.each(faults)('when %s', async (_fault, act) => {
      fixture.aidbox.script = onCall(method, path, act);
      await expect(create()).rejects.toMatchObject({ code: 'AIDBOX_UNAVAILABLE' });
      expect(fixture.aidbox.all('Basic')).toEqual([]);
      expect(fixture.aidbox.all('AidboxTopicDestination')).toEqual([]);
      expect((await create()).status).toBe(201);
    });
  });

  it.each(['check', 'begin'] as const)('the table fails at %s', async (step) => {
    const good = fixture.deps.tables;
    fixture.deps.tables = { ...good, [step]: () => Promise.reject(new AppError('AIDBOX_UNAVAILABLE', 'store down')) };
    await expect(create()).rejects.toMatchObject({ code: 'AIDBOX_UNAVAILABLE' });
    expect(fixture.aidbox.all('Basic')).toEqual([]);
    fixture.deps.tables = good;
    expect((await create()).status).toBe(201);
  });

  it('says so when the undoing fails too, and keeps the configuration for the repair', async () => {
    fixture.aidbox.script = ({ method, path }) =>
      method === 'PUT' || (method === 'DELETE' && path.startsWith('/AidboxTopicDestination')) ? { status: 503 } : undefined;
    await expect(create()).rejects.toMatchObject({ code: 'AIDBOX_UNAVAILABLE' });
    expect(fixture.logLines.join('')).toContain('destination.undo-failed');
    expect(fixture.aidbox.all('Basic')).toHaveLength(1);
  });
});

describe('other kinds', () => {
  const kafka = {
    resourceType: 'AidboxTopicDestination',
    id: 'k1',
    kind: 'kafka-at-least-once',
    topic: 'http://t',
    parameter: [
      { name: 'kafkaTopic', valueString: 'x' },
      { name: 'batchSize', valueUnsignedInt: 5 },
    ],
  };

  it('pass to the plain route in Aidbox format with the authority of the user, and back in FHIR format', async () => {
    const { status, headers, body } = await create(kafka);
    expect(status).toBe(201);
    expect(fixture.aidbox.calls.map(({ method, path, headers: seen }) => [method, path, seen['authorization']])).toEqual([
      ['POST', '/AidboxTopicDestination', CALLER],
    ]);
    expect(fixture.aidbox.calls[0]!.body).toEqual({
      ...kafka,
      parameter: [
        { name: 'kafkaTopic', value: { string: 'x' } },
        { name: 'batchSize', value: { unsignedInt: 5 } },
      ],
    });
    expect(body).toMatchObject({ ...kafka, meta: { extension: [{ url: 'ex:createdAt' }] } });
    expect(headers).toMatchObject({ location: expect.stringContaining('/AidboxTopicDestination/k1/_history/') as unknown });
  });

  it('are refused by Aidbox, not by us, when the user may not', async () => {
    for (const caller of [{}, { authorization: 'Bearer stranger' }]) {
      expect((await create(kafka, { caller })).status).toBe(401);
    }
    expect(fixture.aidbox.calls.some((call) => call.headers['authorization'] === OWN)).toBe(false);
  });

  it('are converted by Aidbox, as the user, when their Aidbox form is not documented', async () => {
    const secret = { ...kafka, parameter: [{ name: 'saslJaasConfig', _valueString: { extension: [] } }] };
    await create(secret);
    expect(fixture.aidbox.calls.map(({ path, headers }) => [path, headers['authorization']])).toEqual([
      ['/$to-format/aidbox', CALLER],
      ['/AidboxTopicDestination', CALLER],
    ]);
    expect(fixture.aidbox.calls[1]!.body).toMatchObject({ converted: 'aidbox' });
  });
});
