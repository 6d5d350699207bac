import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAidboxLab, type AidboxLab } from '../../lab/aidbox/lab.ts';
import type { Json, JsonObject } from '../../lab/aidbox/resource.ts';

/** The REST API of the stand-in against the contract page; `§` are its sections. */

let lab: AidboxLab;
beforeEach(async () => {
  lab = await startAidboxLab();
});
afterEach(() => lab.close());

const PATIENT: JsonObject = { resourceType: 'Patient', id: 'p1', active: true, name: [{ family: 'Söze' }] };

function send(method: string, path: string, body?: Json, headers?: Record<string, string>) {
  return lab.call(method, path, { body, headers });
}

function basic(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

/** Over the network; `as` is `id:secret`. */
function fetchAs(as: string | undefined, path: string, init: RequestInit = {}): Promise<Response> {
  const authorization: Record<string, string> = as === undefined ? {} : { authorization: basic(as) };
  return fetch(lab.url + path, {
    redirect: 'manual',
    ...init,
    headers: { 'content-type': 'application/json', ...authorization },
  });
}

describe('answers of the REST API (§1.11)', () => {
  const rows: [
    what: string,
    method: string,
    path: string,
    body: Json | undefined,
    status: number,
    headers?: Record<string, string>,
  ][] = [
    ['a create', 'POST', '/fhir/Patient', { resourceType: 'Patient', id: 'p2' }, 201],
    ['a create with an id that exists', 'POST', '/fhir/Patient', PATIENT, 409],
    [
      'a create that exists by condition',
      'POST',
      '/fhir/Patient',
      { resourceType: 'Patient' },
      200,
      { 'if-none-exist': '_id=p1' },
    ],
    ['a create of an unknown type', 'POST', '/fhir/Spaceship', { resourceType: 'Spaceship' }, 404],
    ['a create with another resourceType', 'POST', '/fhir/Patient', { resourceType: 'Group' }, 422],
    ['an element that R4 does not have', 'POST', '/fhir/Patient', { resourceType: 'Patient', nmae: [] }, 422],
    ['a single value in the place of an array', 'POST', '/fhir/Patient', { resourceType: 'Patient', name: {} }, 422],
    ['a date that is none', 'POST', '/fhir/Patient', { resourceType: 'Patient', birthDate: '2020-13' }, 422],
    ['malformed JSON', 'POST', '/fhir/Patient', '{"resourceType":', 400],
    ['an update', 'PUT', '/fhir/Patient/p1', PATIENT, 200],
    ['an update that creates', 'PUT', '/fhir/Patient/p3', { resourceType: 'Patient', id: 'p3' }, 201],
    ['an update of another id', 'PUT', '/fhir/Patient/p3', PATIENT, 422],
    ['an update of an old version', 'PUT', '/fhir/Patient/p1', PATIENT, 412, { 'if-match': 'W/"999"' }],
    ['a merge patch', 'PATCH', '/fhir/Patient/p1', { active: false }, 200],
    ['a JSON Patch', 'PATCH', '/fhir/Patient/p1', [{ op: 'replace', path: '/active', value: false }], 200],
    [
      'a JSON Patch that is no array',
      'PATCH',
      '/fhir/Patient/p1',
      { op: 'add' },
      400,
      { 'content-type': 'application/json-patch+json' },
    ],
    ['a read', 'GET', '/fhir/Patient/p1', undefined, 200],
    ['a read of the known version', 'GET', '/fhir/Patient/p1', undefined, 304, { 'if-none-match': 'W/"1"' }],
    ['a read of nothing', 'GET', '/fhir/Patient/nobody', undefined, 404],
    ['a version', 'GET', '/fhir/Patient/p1/_history/1', undefined, 200],
    ['a delete', 'DELETE', '/fhir/Patient/p1', undefined, 200],
    ['a delete without content', 'DELETE', '/fhir/Patient/p1?_no-content=true', undefined, 204],
    ['a delete of nothing', 'DELETE', '/fhir/Patient/nobody', undefined, 204],
    ['a search', 'GET', '/fhir/Patient?_id=p1', undefined, 200],
    ['an unknown search parameter', 'GET', '/fhir/Patient?shoe-size=9', undefined, 400],
    ['$dump under /fhir', 'GET', '/fhir/Patient/$dump', undefined, 404],
    ['a path that is no operation', 'POST', '/fhir/Patient/p1/$fly', {}, 404],
  ];
  it.each(rows)('%s: %s %s', async (_what, method, path, body, status, headers = {}) => {
    await send('POST', '/fhir/Patient', PATIENT);
    const answer = await send(method, path, body, headers);
    expect(answer.status).toBe(status);
    if (status >= 400) expect(answer.body).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ severity: 'fatal' }] });
  });

  it('answers a create with location, bare etag and last-modified, and the stored resource', async () => {
    const response = await fetchAs('root:secret', '/fhir/Patient', { method: 'POST', body: JSON.stringify(PATIENT) });
    const headers = Object.fromEntries(response.headers);
    expect(headers).toMatchObject({
      location: '/Patient/p1/_history/1',
      etag: '1',
      'cache-control': 'no-cache',
      'license-mode': 'normal',
    });
    expect(headers['last-modified']).toMatch(/^\w{3}, \d\d \w{3} \d{4} .* GMT$/);
    expect(headers).toHaveProperty('x-request-id');
    expect(await response.json()).toEqual({
      ...PATIENT,
      meta: {
        versionId: '1',
        lastUpdated: expect.stringMatching(/T\d\d:\d\d:\d\d\.\d{6}Z$/),
        extension: [{ url: 'ex:createdAt', valueInstant: expect.stringMatching(/\.\d{6}Z$/) }],
      },
    });
  });

  it('answers 410 after a delete, and 404 for what never was', async () => {
    await send('POST', '/fhir/Patient', PATIENT);
    expect((await send('DELETE', '/fhir/Patient/p1')).body).toMatchObject({ id: 'p1', active: true });
    expect((await send('GET', '/fhir/Patient/p1')).status).toBe(410);
    expect((await send('DELETE', '/fhir/Patient/p1')).status).toBe(204);
  });

  it('numbers versions over all resources and keeps the creation time', async () => {
    await send('POST', '/fhir/Patient', PATIENT);
    await send('POST', '/fhir/Patient', { resourceType: 'Patient', id: 'other' });
    await send('PATCH', '/fhir/Patient/p1', { active: false });
    await send('DELETE', '/fhir/Patient/p1');
    const history = lab.history('Patient', 'p1');
    expect(history.map(({ versionId, action }) => [versionId, action])).toEqual([
      ['1', 'create'],
      ['3', 'update'],
      ['4', 'delete'],
    ]);
    expect(new Set(history.map(({ createdAt }) => createdAt)).size).toBe(1);
    const times = history.map(({ lastUpdated }) => lastUpdated);
    expect(times).toEqual([...new Set(times)].sort());
  });

  it('lists the history newest first, deletes with their last content and a request of the type alone (§3.5)', async () => {
    await send('POST', '/fhir/Patient', PATIENT);
    await send('DELETE', '/fhir/Patient/p1');
    const entries = ((await send('GET', '/fhir/Patient/_history')).body as { entry: JsonObject[] }).entry;
    expect(entries[0]).toMatchObject({
      request: { method: 'DELETE', url: 'Patient' },
      resource: { active: true, meta: { versionId: '2' } },
    });
    expect(entries[1]).toMatchObject({ request: { method: 'POST', url: 'Patient' } });
  });

  it('keeps the digits of decimals, or not, by switch', async () => {
    const body = '{"resourceType":"Observation","id":"o1","status":"final","code":{},"valueQuantity":{"value":7.40}}';
    await send('PUT', '/fhir/Observation/o1', body);
    expect(lab.history('Observation', 'o1')[0]?.text).toContain('"value":7.40');
    expect(lab.resource('Observation', 'o1')).toMatchObject({ valueQuantity: { value: 7.4 } });
    lab.setSwitches({ keepDecimalDigits: false });
    await send('PUT', '/fhir/Observation/o1', body);
    expect(lab.history('Observation', 'o1')[1]?.text).toContain('"value":7.4}');
  });

  it('pages a search with links', async () => {
    for (let index = 0; index < 5; index++) await send('POST', '/fhir/Patient', { resourceType: 'Patient', id: `p${index}` });
    const { body } = await send('GET', '/fhir/Patient?_count=2&_page=2&_sort=-_id');
    const bundle = body as unknown as {
      total: number;
      link: { relation: string; url: string }[];
      entry: { resource: { id: string } }[];
    };
    expect(bundle.entry.map((entry) => entry.resource.id)).toEqual(['p2', 'p1']);
    expect(bundle.total).toBe(5);
    expect(bundle.link.map((link) => link.relation)).toEqual(['first', 'self', 'next', 'previous', 'last']);
  });

  it('refuses the search parameters that the switch names (§12.9)', async () => {
    const view = {
      resourceType: 'ViewDefinition',
      id: 'v',
      name: 'flat',
      status: 'active',
      resource: 'Patient',
      select: [{ column: [] }],
    };
    expect((await send('POST', '/fhir/ViewDefinition', view)).status).toBe(201);
    expect((await send('GET', '/fhir/ViewDefinition?name=flat')).body).toMatchObject({ total: 1 });
    lab.setSwitches({ refusedSearchParameters: ['ViewDefinition.name'] });
    expect((await send('GET', '/fhir/ViewDefinition?name=flat')).status).toBe(400);
  });

  it('dumps current resources as NDJSON in either format (§6)', async () => {
    await send('POST', '/fhir/Observation', {
      resourceType: 'Observation',
      id: 'a',
      status: 'final',
      code: {},
      valueString: 'x',
    });
    await send('POST', '/fhir/Observation', { resourceType: 'Observation', id: 'b', status: 'final', code: {} });
    await send('DELETE', '/fhir/Observation/b');
    const dump = await fetchAs('root:secret', '/Observation/$dump');
    expect(dump.headers.get('content-type')).toBe('application/ndjson');
    expect(JSON.parse(await dump.text())).toMatchObject({ id: 'a', value: { string: 'x' } });
    const fhir = await fetchAs('root:secret', '/Observation/$dump?fhir=true');
    expect(JSON.parse(await fhir.text())).toMatchObject({ id: 'a', valueString: 'x' });
  });

  it('materializes a view (§5.2)', async () => {
    const view = {
      resourceType: 'ViewDefinition',
      id: 'v',
      name: 'flat',
      status: 'active',
      resource: 'Patient',
      select: [{ column: [] }],
    };
    await send('POST', '/fhir/ViewDefinition', view);
    const as = (valueCode: string) => ({ resourceType: 'Parameters', parameter: [{ name: 'type', valueCode }] });
    expect((await send('POST', '/fhir/ViewDefinition/v/$materialize', as('view'))).status).toBe(201);
    expect([...lab.materializedViews()]).toEqual([['flat', 'view']]);
    expect((await send('POST', '/fhir/ViewDefinition/v/$materialize', as('index'))).status).toBe(422);
    expect((await send('POST', '/fhir/ViewDefinition/w/$materialize', as('view'))).status).toBe(404);
  });
});

describe('the Aidbox format (§1.10)', () => {
  const fhir = {
    resourceType: 'Observation',
    id: 'o1',
    status: 'final',
    code: { text: 'x' },
    subject: { reference: 'Patient/p1', display: 'P' },
    hasMember: [{ reference: 'https://h/fhir/Observation/x' }, { reference: '#c1' }],
    valueQuantity: { value: 1, extension: [{ url: 'urn:e', valueString: 'kept' }] },
  };

  it('shows choices, references and the creation time in its own way and takes them back', async () => {
    await send('PUT', '/fhir/Observation/o1', fhir);
    const { body } = await send('GET', '/Observation/o1');
    expect(body).toMatchObject({
      subject: { resourceType: 'Patient', id: 'p1', display: 'P' },
      hasMember: [{ uri: 'https://h/fhir/Observation/x' }, { localRef: 'c1' }],
      value: { Quantity: { value: 1, extension: [{ url: 'urn:e', valueString: 'kept' }] } },
      meta: { versionId: '1', createdAt: expect.any(String) },
    });
    await send('PUT', '/Observation/o1', body);
    expect(lab.history('Observation', 'o1')[1]?.resource).toMatchObject(fhir);
  });

  it.each([
    ['inside', { value: { _string: { extension: [] } } }],
    ['sibling', { _value: { string: { extension: [] } } }],
    ['verbatim', { _valueString: { extension: [] } }],
  ] as const)(
    'writes a primitive extension %s (contract unknown 6), which $to-format converts both ways',
    async (form, shown) => {
      lab.setSwitches({ aidboxPrimitiveExtension: form });
      const given = { resourceType: 'Parameters', parameter: [{ name: 'header', _valueString: { extension: [] } }] };
      const aidbox = await send('POST', '/$to-format/aidbox?include-transform=false', given);
      expect(aidbox.body).toEqual({ resource: { ...given, parameter: [{ name: 'header', ...shown }] } });
      const back = await send(
        'POST',
        '/$to-format/fhir?include-transform=false',
        (aidbox.body as { resource: JsonObject }).resource,
      );
      expect(back.body).toEqual({ resource: given });
    },
  );
});

describe('bundles (§1.10)', () => {
  const entry = (method: string, url: string, resource?: JsonObject) => ({
    request: { method, url },
    ...(resource && { resource }),
  });
  const transaction = (...entries: Json[]): JsonObject => ({ resourceType: 'Bundle', type: 'transaction', entry: entries });

  it('writes a transaction whole, with one version for all of it by default (§12.3)', async () => {
    const answer = await send(
      'POST',
      '/fhir',
      transaction(
        { ...entry('POST', 'Patient', { resourceType: 'Patient' }), fullUrl: 'urn:uuid:6f1' },
        entry('PUT', 'Observation/o1', {
          resourceType: 'Observation',
          status: 'final',
          code: {},
          subject: { reference: 'urn:uuid:6f1' },
        }),
      ),
    );
    expect(answer.body).toMatchObject({
      type: 'transaction-response',
      entry: [{ response: { status: '201' } }, { response: { status: '201' } }],
    });
    expect(lab.resource('Observation', 'o1')).toMatchObject({ subject: { reference: 'Patient/6f1' }, meta: { versionId: '1' } });
    expect(lab.resource('Patient', '6f1')).toMatchObject({ meta: { versionId: '1' } });
  });

  it('writes nothing of a transaction that fails', async () => {
    const answer = await send(
      'POST',
      '/fhir',
      transaction(entry('POST', 'Patient', PATIENT), entry('PUT', 'Patient/bad', { resourceType: 'Group' })),
    );
    expect(answer.status).toBe(422);
    expect(lab.history('Patient')).toEqual([]);
  });

  it('answers each entry of a batch on its own', async () => {
    const batch = { ...transaction(entry('POST', 'Patient', PATIENT), entry('GET', 'Patient/nobody')), type: 'batch' };
    expect((await send('POST', '/fhir', batch)).body).toMatchObject({
      entry: [{ response: { status: '201' } }, { response: { status: '404' } }],
    });
  });

  it('runs the init bundle at each start before HTTP opens, and does not start when it fails (§8.1)', async () => {
    const started = await startAidboxLab({ initBundle: transaction(entry('PUT', 'Patient/p1', PATIENT)) });
    await started.restart();
    expect(started.history('Patient', 'p1')).toHaveLength(2);
    await started.close();
    await expect(startAidboxLab({ initBundle: transaction(entry('PUT', 'Patient/p1', {})) })).rejects.toThrow('resourceType');
  });
});

describe('clients and policies (§7)', () => {
  const client = { resourceType: 'Client', id: 'reader', secret: 'quiet', grant_types: ['basic'] };
  const policy = (more: JsonObject): JsonObject => ({ resourceType: 'AccessPolicy', id: 'only', ...more });
  const readPatients = { 'request-method': 'get', uri: '#^/fhir/Patient(/[^/]+)?$' };

  const matcho = (pattern: Json, more: JsonObject = {}) => policy({ engine: 'matcho', matcho: pattern, ...more });
  const linkedTo = (reference: string) => ({ link: [{ reference }] });
  const rows: [what: string, policy: JsonObject | undefined, status: number][] = [
    ['no policy', undefined, 403],
    ['engine allow', policy({ engine: 'allow' }), 200],
    ['an unknown engine', policy({ engine: 'sql' }), 403],
    ['method and uri', matcho(readPatients), 200],
    ['another method', matcho({ ...readPatients, 'request-method': { $enum: ['post', 'put'] } }), 403],
    ['another uri', matcho({ uri: '#^/fhir/Observation' }), 403],
    ['one of several', matcho({ '$one-of': [{ uri: '/x' }, readPatients] }), 200],
    ['none of several', matcho({ '$one-of': [{ uri: '/x' }, { uri: '/y' }] }), 403],
    ['a link to the client', matcho(readPatients, linkedTo('Client/reader')), 200],
    ['a link to another client', matcho(readPatients, linkedTo('Client/writer')), 403],
    ['a link to the operation', policy({ engine: 'allow', ...linkedTo('Operation/FhirRead') }), 200],
    ['a link to another operation', policy({ engine: 'allow', ...linkedTo('Operation/FhirSearch') }), 403],
    ['a parameter of the route', matcho({ params: { 'resource/type': 'Patient', 'resource/id': 'p1' } }), 200],
    ['a parameter of the query', matcho({ params: { _pretty: 'true' } }), 403],
    ['the client', matcho({ client: { id: 'reader', grant_types: { $contains: 'basic' } }, user: { $not: 'present?' } }), 200],
  ];
  it.each(rows)('a client with %s', async (_what, given, status) => {
    await send('POST', '/fhir/Patient', PATIENT);
    await send('PUT', '/fhir/Client/reader', client);
    if (given) await send('PUT', '/fhir/AccessPolicy/only', given);
    expect((await fetchAs('reader:quiet', '/fhir/Patient/p1')).status).toBe(status);
    expect((await fetchAs('root:secret', '/fhir/Patient/p1')).status).toBe(200);
  });

  it('compares the body with a policy', async () => {
    await send('PUT', '/fhir/Client/reader', client);
    await send('PUT', '/fhir/AccessPolicy/only', matcho({ body: { active: true, name: [{ family: '#^S' }] } }));
    const create = (body: JsonObject) => fetchAs('reader:quiet', '/fhir/Patient', { method: 'POST', body: JSON.stringify(body) });
    expect((await create(PATIENT)).status).toBe(201);
    expect((await create({ ...PATIENT, id: 'p2', name: [{ family: 'Abe' }] })).status).toBe(403);
  });

  it('anchors the regexes of policies only by switch (contract unknown 10)', async () => {
    await send('PUT', '/fhir/Client/reader', client);
    await send('PUT', '/fhir/AccessPolicy/only', matcho({ uri: '#/fhir/Patient' }));
    expect((await fetchAs('reader:quiet', '/fhir/Patient/p1')).status).toBe(404);
    lab.setSwitches({ policyRegexAnchored: true, deniedStatus: 401 });
    expect((await fetchAs('reader:quiet', '/fhir/Patient/p1')).status).toBe(401);
  });

  it.each([
    ['a wrong secret', 'reader:loud', ['basic']],
    ['a client that may not use Basic', 'reader:quiet', ['code']],
    ['an unknown client', 'nobody:quiet', ['basic']],
  ])('refuses %s with 401', async (_what, as, grants) => {
    await send('PUT', '/fhir/Client/reader', { ...client, grant_types: grants });
    await send('PUT', '/fhir/AccessPolicy/only', policy({ engine: 'allow' }));
    expect((await fetchAs(as, '/fhir/Patient')).status).toBe(401);
  });

  it('does not give a client secret back', async () => {
    await send('PUT', '/fhir/Client/reader', client);
    expect(JSON.stringify((await send('GET', '/fhir/Client/reader')).body)).not.toContain('quiet');
  });
});

describe('the server (§8)', () => {
  it('is healthy without credentials and tells its version', async () => {
    const health = await fetchAs(undefined, '/health');
    expect(await health.json()).toMatchObject({ status: 'pass', about: { version: '2605.1' } });
    expect(await (await fetchAs(undefined, '/$version')).json()).toEqual({ version: '2605.1' });
  });

  it('redirects API calls before it has a licence', async () => {
    lab.setSwitches({ activated: false });
    expect((await fetchAs('root:secret', '/fhir/Patient')).status).toBe(302);
    expect((await fetchAs(undefined, '/health')).status).toBe(200);
  });

  it('refuses bodies above the limit', async () => {
    const small = await startAidboxLab({ maxBodyBytes: 1000 });
    const response = await fetch(`${small.url}/fhir/Patient`, { method: 'POST', body: 'x'.repeat(1001) });
    expect(response.status).toBe(413);
    await small.close();
  });

  it.each(['memory', 'folder'])('keeps everything over a restart, with its state in %s', async (place) => {
    const stateDir = place === 'folder' ? mkdtempSync(join(tmpdir(), 'aidbox-lab-')) : undefined;
    const kept = await startAidboxLab({ stateDir });
    await kept.call('POST', '/fhir/Patient', { body: '{"resourceType":"Patient","id":"p1","multipleBirthInteger":2}' });
    await kept.call('DELETE', '/fhir/Patient/p1');
    const before = kept.history('Patient');
    const url = kept.url;
    await kept.stop();
    await expect(fetch(`${url}/health`)).rejects.toThrow();
    await kept.start();
    expect(kept.url).toBe(url);
    expect(kept.history('Patient')).toEqual(before);
    await kept.call('POST', '/fhir/Patient', { body: PATIENT });
    expect(kept.history('Patient').at(-1)?.versionId).toBe('3');
    await kept.close();
    if (stateDir) rmSync(stateDir, { recursive: true });
  });
});
