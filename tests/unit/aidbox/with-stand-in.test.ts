import { afterEach, describe, expect, it } from '@jest/globals';
import { registerApp, unregisterApp } from '../../../app/aidbox/register.ts';
import { readDeletedContent } from '../../../app/aidbox/resource-history.ts';
import { repairDestinations } from '../../../app/destinations/repair.ts';
import { callLab as call, startApp, type AppUnderTest } from '../../helpers/app-with-stand-in.ts';
import { aDestination } from '../../helpers/destination-fixture.ts';
import type { LabSwitches } from '../../lab/aidbox/options.ts';

type Json = Record<string, unknown>;
const FHIR = '/fhir/AidboxTopicDestination';
const OWN = '/lakehouse/AidboxTopicDestination';

let running: AppUnderTest | undefined;
afterEach(async () => {
  await running?.close();
  running = undefined;
});

async function start(switches: Partial<LabSwitches> = {}): Promise<AppUnderTest> {
  return (running = await startApp(switches));
}

const WEBHOOK = {
  resourceType: 'AidboxTopicDestination',
  id: 'other-hook',
  kind: 'webhook-at-least-once',
  status: 'active',
  topic: 'http://example.org/subscriptions/patient-updates',
  meta: { profile: ['http://health-samurai.io/fhir/core/StructureDefinition/aidboxtopicdestination-webhookAtLeastOnceProfile'] },
  parameter: [
    { name: 'endpoint', valueUrl: 'http://127.0.0.1:9/hook' },
    { name: 'timeout', valueUnsignedInt: 5 },
  ],
};

const KEEPS_ROUTES = { appOperationsOverrideBuiltIns: false, operationsOverrideBuiltIns: false };
const REFUSED_PARAMETERS = [
  'Basic.code',
  'ViewDefinition.name',
  'AidboxSubscriptionTopic.url',
  ...['_id', 'topic', 'kind', 'status'].map((name) => `AidboxTopicDestination.${name}`),
];

describe.each<[name: string, switches: Partial<LabSwitches>, route: string]>([
  ['as documented', {}, FHIR],
  ['on our own routes', {}, OWN],
  ['whose App operations take over nothing', { appOperationsOverrideBuiltIns: false }, FHIR],
  ['which keeps its /fhir routes', KEEPS_ROUTES, OWN],
  ['which refuses search parameters', { refusedSearchParameters: REFUSED_PARAMETERS }, FHIR],
  ['with small pages', { maxSearchCount: 1 }, FHIR],
  ['with small pages that tell no total', { maxSearchCount: 1, searchTotal: false }, FHIR],
  ['which converts bodies on custom routes', { plainRouteBody: 'aidbox' }, OWN],
  ['with anchored policies and 401 for denials', { policyRegexAnchored: true, deniedStatus: 401 }, FHIR],
  ['which posts the oldest form of App calls', { appBodyForm: 'C', oauthInAppBody: false }, FHIR],
  [
    'which passes route parameters undecoded and specials as ids',
    { decodeRouteParams: false, placeholdersTakeSpecials: true },
    FHIR,
  ],
  ['which writes primitive extensions its other way', { aidboxPrimitiveExtension: 'sibling', correctAidboxFormat: true }, FHIR],
])('an Aidbox stand-in %s', (_name, switches, route) => {
  it('lets destinations be created, read, searched, watched and deleted through it, with the rights of the policy', async () => {
    const { lab, deps } = await start(switches);
    const routes = await registerApp(deps);
    expect(routes.lakehouse).toBe(true);
    expect(routes.fhir).toBe(switches.operationsOverrideBuiltIns !== false);

    expect(await call(lab, 'POST', route, WEBHOOK)).toMatchObject({
      status: 201,
      body: { id: 'other-hook', parameter: WEBHOOK.parameter },
    });
    const created = await call(lab, 'POST', route, aDestination());
    expect(created).toMatchObject({ status: 201, body: { id: 'patient-lake', kind: 'data-lakehouse-at-least-once' } });
    expect((await call(lab, 'POST', route, aDestination())).status).toBe(409);
    expect((await call(lab, 'POST', route, aDestination({ batchSize: undefined }, { id: 'x' }))).status).toBe(422);

    expect((await call(lab, 'GET', `${route}/patient-lake`)).body).toEqual(created.body);
    expect(await call(lab, 'GET', `${route}/other-hook`)).toMatchObject({
      status: 200,
      body: { kind: 'webhook-at-least-once', parameter: WEBHOOK.parameter },
    });
    expect((await call(lab, 'GET', `${route}/nobody`)).status).toBe(404);
    const { body: bundle } = await call(lab, 'GET', route);
    expect(bundle).toMatchObject({ total: 2 });
    expect((bundle['entry'] as { resource: Json }[]).map(({ resource }) => resource['kind']).sort()).toEqual([
      'data-lakehouse-at-least-once',
      'webhook-at-least-once',
    ]);
    expect((await call(lab, 'GET', `${route}?kind=webhook-at-least-once`)).body).toMatchObject({ total: 1 });
    expect((await call(lab, 'GET', `${route}?_id=patient-lake,nobody&status=active`)).body).toMatchObject({ total: 1 });
    const { body: status } = await call(lab, 'GET', `${route}/patient-lake/$status`);
    expect((status['parameter'] as Json[]).slice(0, 2)).toEqual([
      { name: 'status', valueString: 'active' },
      { name: 'messagesDelivered', valueDecimal: 1 },
    ]);
    expect((await call(lab, 'GET', `${route}/other-hook/$status`)).body['parameter']).toContainEqual({
      name: 'status',
      valueString: 'active',
    });

    expect(await repairDestinations(deps)).toEqual({
      abandoned: 0,
      finished: 0,
      recreated: 0,
      adopted: 0,
      orphans: 0,
      attention: 0,
    });
    expect((await call(lab, 'PUT', `${FHIR}/patient-lake`, aDestination())).status).toBe(405);
    expect((await call(lab, 'DELETE', `${route}/patient-lake`)).status).toBe(200);
    expect((await call(lab, 'DELETE', `${route}/patient-lake`)).status).toBe(204);
    expect((await call(lab, 'GET', `${route}/patient-lake`)).status).toBeGreaterThanOrEqual(404);
    expect((await call(lab, 'POST', route, aDestination())).status).toBe(201);

    await unregisterApp(deps);
    expect((await call(lab, 'GET', `${FHIR}/patient-lake`)).body).toMatchObject({ kind: 'webhook-at-least-once' });
  });
});

describe('an Aidbox stand-in', () => {
  const parameter = (name: string, value: Json): Json => ({ name, ...value });

  it('which hands no authority of users on lets them search ours, and conceals other kinds (contract §1.6)', async () => {
    const { lab, deps } = await start({ appRequestHeaders: 'no-authorization' });
    await registerApp(deps);
    await call(lab, 'POST', '/AidboxTopicDestination', {
      ...WEBHOOK,
      parameter: [parameter('endpoint', { value: { url: 'http://127.0.0.1:9/hook' } })],
    });
    expect((await call(lab, 'POST', FHIR, aDestination())).status).toBe(201);
    const { status, body } = await call(lab, 'GET', FHIR);
    expect({ status, body }).toMatchObject({ status: 200, body: { total: 1, entry: [{ resource: { id: 'patient-lake' } }] } });
    expect((await call(lab, 'GET', `${FHIR}/other-hook`)).status).toBe(403);
  });

  it.each(['form-params', 'params', 'body', 'resource'] as const)(
    'which gives form fields as %s searches by them',
    async (formFields) => {
      const { lab, deps } = await start({ formFields });
      await registerApp(deps);
      await call(lab, 'POST', FHIR, WEBHOOK);
      await call(lab, 'POST', FHIR, aDestination());
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      for (const [fields, id] of [
        ['kind=webhook-at-least-once', 'other-hook'],
        ['kind=data-lakehouse-at-least-once&status=active', 'patient-lake'],
      ] as const) {
        expect((await call(lab, 'POST', `${FHIR}/_search`, fields, form)).body).toMatchObject({
          total: 1,
          entry: [{ resource: { id } }],
        });
      }
    },
  );

  it.each([{}, { placeholdersTakeSpecials: true }])('shows no token of ours in a history, with %p', async (switches) => {
    const { lab, deps } = await start(switches);
    await registerApp(deps);
    const { body } = await call(lab, 'POST', FHIR, aDestination());
    const version = (body['meta'] as Json)['versionId'] as string;
    const plain = JSON.stringify((await call(lab, 'GET', '/AidboxTopicDestination/_history')).body);
    expect(plain).toContain('Bearer ');
    for (const path of ['/patient-lake/_history', '/_history?_count=5', `/patient-lake/_history/${version}`]) {
      const history = await call(lab, 'GET', `${FHIR}${path}`);
      expect(history.status).toBe(200);
      expect(JSON.stringify(history.body)).toContain('masked');
      expect(JSON.stringify(history.body)).not.toContain('Bearer ');
    }
  });

  it('takes a conditional create as idempotent, ids with underscores included', async () => {
    const { lab, deps } = await start();
    await registerApp(deps);
    const condition = { 'if-none-exist': '_id=patient_lake' };
    const destination = aDestination({}, { id: 'patient_lake' });
    expect((await call(lab, 'POST', FHIR, destination, condition)).status).toBe(201);
    expect((await call(lab, 'POST', FHIR, destination, condition)).status).toBe(200);
    expect((await call(lab, 'POST', `${FHIR}?_id=other-hook`, WEBHOOK)).status).toBe(201);
    const { status, headers } = await call(lab, 'POST', FHIR, WEBHOOK, { 'if-none-exist': '_id=other-hook' });
    expect({ status, etag: headers.get('etag') }).toMatchObject({ status: 200, etag: expect.any(String) as unknown });
    expect((await call(lab, 'GET', `${FHIR}/patient_lake`)).body).toMatchObject({ id: 'patient_lake' });
    expect((await call(lab, 'DELETE', `${FHIR}/patient_lake`)).status).toBe(200);
  });

  it.each<[Partial<LabSwitches>]>([
    [{}],
    [{ historyDeleteHasResource: false }],
    [{ historyDeleteHasResource: false, historyEtag: 'quoted' }],
    [{ historyDeleteHasResource: false, historyEtag: 'weak' }],
    [{ historyDeleteHasResource: false, maxSearchCount: 1 }],
  ])('gives the app the last values of any type and id, with %p', async (switches) => {
    const { lab, deps } = await start(switches);
    const path = '/fhir/Organization/o_1';
    await call(lab, 'PUT', path, { resourceType: 'Organization', id: 'o_1', name: 'first' });
    await call(lab, 'DELETE', path);
    const [, deletion] = lab.history('Organization', 'o_1');
    await call(lab, 'PUT', path, { resourceType: 'Organization', id: 'o_1', name: 'second' });
    expect(await readDeletedContent(deps.client, 'Organization', 'o_1', deletion!.versionId)).toMatchObject({
      name: 'first',
      meta: { lastUpdated: deletion!.lastUpdated },
    });
  });

  it('which keeps no history of a type has no last values to give', async () => {
    const { lab, deps } = await start({ typesWithoutHistory: ['Organization'] });
    await call(lab, 'PUT', '/fhir/Organization/o1', { resourceType: 'Organization', id: 'o1', name: 'first' });
    await call(lab, 'DELETE', '/fhir/Organization/o1');
    expect(await readDeletedContent(deps.client, 'Organization', 'o1', undefined)).toBeUndefined();
  });

  it('which stores a bundle past the app has the stray named, its secrets hidden', async () => {
    const { lab, deps } = await start({ lakehouseModule: 'store' });
    await registerApp(deps);
    const request = { method: 'POST', url: '/AidboxTopicDestination' };
    const bundle = { resourceType: 'Bundle', type: 'transaction', entry: [{ request, resource: aDestination() }] };
    expect((await call(lab, 'POST', '/fhir', bundle)).status).toBe(200);
    expect(await repairDestinations(deps)).toMatchObject({ attention: 1 });
    const shown = JSON.stringify((await call(lab, 'GET', `${FHIR}/patient-lake`)).body);
    expect(shown).toContain('patient_flat');
    expect(shown).not.toContain('canary');
  });
});

describe('a client without its policy', () => {
  it('is refused, naming the call', async () => {
    const { lab, deps } = await start();
    await lab.call('DELETE', '/AccessPolicy/lakehouse-app');
    await expect(registerApp(deps)).rejects.toMatchObject({
      code: 'AIDBOX_REFUSED',
      message: expect.stringContaining('PUT /App/{id}') as unknown,
    });
  });
});
