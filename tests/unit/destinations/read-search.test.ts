import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { aCall, aDestination, CALLER, makeFixture, PUBLIC_URL, type Fixture } from '../../helpers/destination-fixture.ts';

type Json = Record<string, unknown>;
let fixture: Fixture;
beforeEach(async () => {
  fixture = await makeFixture();
  await fixture.operations.create(aCall({ resource: aDestination() }));
  fixture.aidbox.put({
    resourceType: 'AidboxTopicDestination',
    id: 'k1',
    kind: 'kafka-at-least-once',
    topic: 'http://t',
    parameter: [{ name: 'kafkaTopic', value: { string: 'x' } }],
  });
  fixture.aidbox.calls.length = 0;
});
afterEach(() => fixture.stop());

const read = (id: string, call = {}) => fixture.operations.read(aCall({ id, ...call }));
const search = async (query = '', call = {}): Promise<{ status: number; ids: unknown[]; bundle: Json }> => {
  const { status, body } = await fixture.operations.search(aCall({ params: new URLSearchParams(query), ...call }));
  const bundle = body as Json;
  return {
    status,
    bundle,
    ids: ((bundle['entry'] as { resource: Json }[] | undefined) ?? []).map((entry) => entry.resource['id']),
  };
};
/** A webhook destination of somebody else, and one that points to this app without a configuration. */
const aWebhook = (id: string, url: string): Json => ({
  resourceType: 'AidboxTopicDestination',
  id,
  kind: 'webhook-at-least-once',
  parameter: [
    { name: 'endpoint', value: { url } },
    { name: 'header', value: { string: 'Authorization: Bearer hook-canary' } },
  ],
});

describe('read', () => {
  it('gives the resource as the user created it, not the webhook destination behind it', async () => {
    const { status, headers, body } = await read('patient-lake');
    expect(status).toBe(200);
    expect(headers).toMatchObject({ etag: expect.any(String) as unknown });
    expect(body).toMatchObject({ kind: 'data-lakehouse-at-least-once', id: 'patient-lake', topic: aDestination()['topic'] });
    expect(JSON.stringify(body)).not.toMatch(/webhook|Bearer|canary/);
  });

  it('passes other kinds through with the authority of the user, in FHIR format', async () => {
    const { status, headers, body } = await read('k1');
    expect(status).toBe(200);
    expect(headers).toEqual({});
    expect(body).toMatchObject({ kind: 'kafka-at-least-once', parameter: [{ name: 'kafkaTopic', valueString: 'x' }] });
    const plain = fixture.aidbox.calls.filter((call) => call.path === '/AidboxTopicDestination/k1');
    expect(plain.map((call) => call.headers['authorization'])).toEqual([CALLER]);
  });

  it('keeps the query of what it passes on', async () => {
    await read('k1', { params: new URLSearchParams('_elements=kind&_format=yaml') });
    await fixture.operations.status(aCall({ id: 'k1', params: new URLSearchParams('a=b') }));
    expect(fixture.aidbox.calls.filter(({ path }) => path.includes('k1')).map(({ params }) => params.toString())).toEqual([
      '_elements=kind',
      'a=b',
    ]);
  });

  it('masks the secrets of a destination of our kind that was stored past this app', async () => {
    fixture.aidbox.put({
      resourceType: 'AidboxTopicDestination',
      id: 'stray',
      kind: 'data-lakehouse-at-least-once',
      parameter: [
        { name: 'awsSecretAccessKey', value: { string: 'canary-1' } },
        { name: 'databricksClientSecret', valueString: 'canary-2' },
        { name: 'batchSize', value: { unsignedInt: 5 } },
      ],
    });
    for (const body of [(await read('stray')).body, (await search('_id=stray')).bundle]) {
      expect(JSON.stringify(body)).toContain('"valueUnsignedInt":5');
      expect(JSON.stringify(body)).not.toContain('canary');
    }
  });

  it('leaves "not found" and "not allowed" to Aidbox', async () => {
    expect((await read('nobody')).status).toBe(404);
    expect((await read('k1', { caller: {} })).status).toBe(401);
  });

  it('hides a webhook destination of this app that has no configuration', async () => {
    fixture.aidbox.put(aWebhook('orphan', `${PUBLIC_URL}/webhooks/orphan/1-2`));
    expect((await read('orphan')).status).toBe(404);
  });

  it('masks the token of this app in a history that another route gives away, and leaves those of others', async () => {
    const bundle = {
      resourceType: 'Bundle',
      entry: [aWebhook('a', `${PUBLIC_URL}/webhooks/a/1-2`), aWebhook('b', 'https://other/hook')].map((resource) => ({
        resource,
      })),
    };
    fixture.aidbox.script = ({ path }) =>
      path === '/AidboxTopicDestination/_history' ? { status: 200, body: bundle } : undefined;
    const { body } = await read('_history');
    const [own, other] = (body as { entry: unknown[] }).entry.map((entry) => JSON.stringify(entry));
    expect(own).not.toContain('hook-canary');
    expect(other).toContain('hook-canary');
  });

  it('masks it in the history of one destination, of all, and in one version', async () => {
    const own = aWebhook('patient-lake', `${PUBLIC_URL}/webhooks/patient-lake/1-2`);
    fixture.aidbox.script = ({ path }) =>
      path.endsWith('/_history/7')
        ? { status: 200, body: own }
        : path.endsWith('/_history')
          ? { status: 200, body: { resourceType: 'Bundle', type: 'history', entry: [{ resource: own }] } }
          : undefined;
    for (const call of [{ id: 'patient-lake' }, {}, { id: 'patient-lake', version: '7' }]) {
      const { status, body } = await fixture.operations.history(aCall({ ...call, params: new URLSearchParams('_count=5') }));
      expect(status).toBe(200);
      expect(JSON.stringify(body)).toContain('masked');
      expect(JSON.stringify(body)).not.toContain('hook-canary');
    }
    expect(fixture.aidbox.calls.map(({ path, params, headers }) => [path, params.toString(), headers['authorization']])).toEqual(
      ['/patient-lake/_history', '/_history', '/patient-lake/_history/7'].map((path) => [
        `/AidboxTopicDestination${path}`,
        '_count=5',
        CALLER,
      ]),
    );
  });

  it.each([
    ['single elements', ({ parameter }: Json): Json => ({ resourceType: 'AidboxTopicDestination', parameter })],
    [
      'an older address of the app',
      (resource: Json): Json => JSON.parse(JSON.stringify(resource).replaceAll(PUBLIC_URL, 'http://old')) as Json,
    ],
  ])('masks secrets in %s too', async (_name, change) => {
    const own = aWebhook('a', `${PUBLIC_URL}/webhooks/a/lx2k-0a1b2c3d`);
    const stray = {
      ...own,
      kind: 'data-lakehouse-at-least-once',
      parameter: [{ name: 'awsSecretAccessKey', valueString: 'canary' }],
    };
    const entry = [own, stray].map((resource) => ({ resource: change(resource) }));
    fixture.aidbox.script = ({ path }) =>
      path.endsWith('/_history') ? { status: 200, body: { resourceType: 'Bundle', entry } } : undefined;
    const { body } = await fixture.operations.history(aCall({ params: new URLSearchParams('_elements=parameter') }));
    expect(JSON.stringify(body)).toContain('masked');
    expect(JSON.stringify(body)).not.toContain('canary');
  });

  it('shows a destination of another installation, which it does not start', async () => {
    const moved = {
      ...fixture.deps.repository,
      get: async (id: string) => ({ ...(await fixture.deps.repository.get(id))!, installation: 'http://other' }),
    };
    await fixture.deps.repository.put(await moved.get('patient-lake'));
    expect((await read('patient-lake')).status).toBe(200);
    expect((await fixture.deps.repository.get('patient-lake'))!.problem).toMatchObject({ code: 'DESTINATION_SUSPENDED' });
  });

  it('names a configuration that a newer release wrote, and does not guess', async () => {
    const [basic] = fixture.aidbox.all('Basic') as { extension: { valueString: string }[] }[];
    const content = JSON.parse(basic!.extension[0]!.valueString) as Json;
    basic!.extension[0]!.valueString = JSON.stringify({ ...content, format: 99 });
    await expect(read('patient-lake')).rejects.toMatchObject({
      code: 'DESTINATION_UNREADABLE',
      message: expect.stringContaining('format 99') as unknown,
    });
    basic!.extension[0]!.valueString = JSON.stringify({ ...content, batchSize: 'many', added: 1 });
    await expect(read('patient-lake')).rejects.toMatchObject({
      message: expect.stringContaining('damaged at: batchSize') as unknown,
    });
    basic!.extension[0]!.valueString = JSON.stringify({ ...content, added: 1 });
    expect((await read('patient-lake')).status).toBe(200);
  });
});

describe('search', () => {
  it('puts ours in the place of the webhook destinations behind them', async () => {
    const { status, ids, bundle } = await search();
    expect(status).toBe(200);
    expect(ids).toEqual(['patient-lake', 'k1']);
    expect(bundle).toMatchObject({ resourceType: 'Bundle', type: 'searchset', total: 2 });
    expect(JSON.stringify(bundle)).not.toMatch(/webhook|Bearer|canary/);
    const forwarded = fixture.aidbox.calls.filter((call) => call.path === '/AidboxTopicDestination');
    expect(forwarded.map((call) => call.headers['authorization'])).toEqual([CALLER]);
  });

  it('filters ours by kind, topic, id and status', async () => {
    expect((await search('kind=data-lakehouse-at-least-once')).ids).toEqual(['patient-lake']);
    expect((await search('kind=webhook-at-least-once')).ids).toEqual([]);
    expect((await search('kind=kafka-at-least-once')).ids).toEqual(['k1']);
    expect((await search('_id=patient-lake')).ids).toEqual(['patient-lake']);
    expect((await search('_id=nobody')).ids).toEqual([]);
    expect((await search(`topic=${encodeURIComponent(String(aDestination()['topic']))}`)).ids).toEqual(['patient-lake']);
    expect((await search('status=off&kind=data-lakehouse-at-least-once')).ids).toEqual([]);
  });

  it('takes the word of Aidbox for filters that it does not know itself', async () => {
    fixture.aidbox.script = ({ path, params }) =>
      path === '/AidboxTopicDestination' && params.has('_lastUpdated')
        ? { status: 200, body: { resourceType: 'Bundle', total: 0 } }
        : undefined;
    expect((await search('_lastUpdated=gt2030-01-01')).ids).toEqual([]);
  });

  it('cuts pages and links them', async () => {
    const first = await search('_count=1');
    expect(first.ids).toEqual(['patient-lake']);
    expect((first.bundle['link'] as Json[]).map((link) => link['relation'])).toEqual(['first', 'self', 'next', 'last']);
    const second = await search('_count=1&_page=2');
    expect(second.ids).toEqual(['k1']);
    expect(second.bundle).toMatchObject({
      total: 2,
      link: expect.arrayContaining([
        { relation: 'previous', url: 'http://aidbox/fhir/AidboxTopicDestination?_count=1&_page=1' },
      ]) as unknown,
    });
    expect(await search('_summary=count')).toMatchObject({ ids: [], bundle: { total: 2 } });
  });

  it('finds them all where Aidbox gives pages of a hundred', async () => {
    for (let index = 0; index < 250; index++)
      fixture.aidbox.put({ resourceType: 'AidboxTopicDestination', id: `kafka-${index}`, kind: 'kafka-at-least-once' });
    expect((await search('_count=1000')).ids).toHaveLength(252);
  });

  it.each([401, 403])('shows ours alone to a user whom Aidbox answers %i on the plain route', async (status) => {
    fixture.aidbox.script = ({ path }) => (path === '/AidboxTopicDestination' ? { status } : undefined);
    expect(await search('', { caller: {} })).toMatchObject({ status: 200, ids: ['patient-lake'], bundle: { total: 1 } });
    expect((await search('kind=kafka-at-least-once')).ids).toEqual([]);
    expect(fixture.logLines.join('')).toContain('search.other-kinds-left-out');
  });

  it('gives another refusal of Aidbox on', async () => {
    fixture.aidbox.script = ({ path }) => (path === '/AidboxTopicDestination' ? { status: 400, body: {} } : undefined);
    expect(await search('gender=x')).toMatchObject({ status: 400, ids: [] });
  });

  it('filters those of every kind itself: Aidbox may refuse the search parameters', async () => {
    fixture.aidbox.script = ({ path, params }) =>
      path === '/AidboxTopicDestination' && ['_id', 'kind', 'topic', 'status'].some((name) => params.has(name))
        ? { status: 400 }
        : undefined;
    expect((await search('_id=k1')).ids).toEqual(['k1']);
    expect((await search('status=active')).ids).toEqual(['patient-lake', 'k1']);
    expect((await search('topic=http://t&kind=kafka-at-least-once,x')).ids).toEqual(['k1']);
    expect((await search('status=off')).ids).toEqual([]);
  });

  it('goes on beside a configuration that cannot be read, and logs it', async () => {
    (fixture.aidbox.all('Basic')[0] as { extension: { valueString: string }[] }).extension[0]!.valueString = 'not json';
    expect((await search()).ids).toEqual(['k1']);
    expect(fixture.logLines.join('')).toContain('destination.unreadable');
  });
});
