import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { toAidboxFormat, toFhirFormat } from '../../../app/aidbox/aidbox-format.ts';
import { describeCall, expectStatus, makeAidboxClient, type AidboxClient } from '../../../app/aidbox/aidbox-client.ts';
import { ScriptedAidbox } from '../../helpers/scripted-aidbox.ts';

let aidbox: ScriptedAidbox;
let client: AidboxClient;
beforeEach(async () => {
  aidbox = new ScriptedAidbox();
  const baseUrl = await aidbox.start();
  client = makeAidboxClient({ baseUrl: `${baseUrl}/`, clientId: 'app', clientSecret: 'canary', timeoutMs: 300 });
});
afterEach(() => aidbox.stop());

describe('the Aidbox client', () => {
  it('calls as the app, or with the authorization it is given', async () => {
    aidbox.script = () => ({ status: 200, body: { x: 1 } });
    expect(await client.request({ method: 'POST', path: '/fhir/Basic?a=b', body: { y: 2 } })).toMatchObject({
      status: 200,
      body: { x: 1 },
    });
    await client.request({ method: 'GET', path: '/x', authorization: 'Bearer other' });
    expect(aidbox.calls.map((call) => call.headers['authorization'])).toEqual([
      `Basic ${Buffer.from('app:canary').toString('base64')}`,
      'Bearer other',
    ]);
    expect(aidbox.calls[0]).toMatchObject({ path: '/fhir/Basic', body: { y: 2 } });
  });

  it('forwards with the authority and the conditions of the caller and nothing of its own', async () => {
    aidbox.script = () => ({ status: 403, body: 'no' });
    const caller = {
      authorization: 'Bearer u',
      cookie: 'asid=1',
      'if-match': '3',
      host: 'evil',
      'content-length': '9',
      'x-other': 'y',
    };
    expect((await client.forward({ method: 'GET', path: '/x' }, caller)).status).toBe(403);
    await client.forward({ method: 'GET', path: '/x' }, {});
    expect(aidbox.calls[0]!.headers).toMatchObject({ authorization: 'Bearer u', cookie: 'asid=1', 'if-match': '3' });
    expect(aidbox.calls[0]!.headers['x-other']).toBeUndefined();
    expect(aidbox.calls[1]!.headers['authorization']).toBeUndefined();
  });

  it.each([200, 201, 204, 304, 400, 404, 409, 410, 412, 422])('returns %i', async (status) => {
    aidbox.script = () => ({ status });
    expect((await client.request({ method: 'GET', path: '/x' })).status).toBe(status);
  });

  it.each([
    [401, 'AIDBOX_REFUSED'],
    [403, 'AIDBOX_REFUSED'],
    [302, 'AIDBOX_UNAVAILABLE'],
    [408, 'AIDBOX_UNAVAILABLE'],
    [429, 'AIDBOX_UNAVAILABLE'],
    [500, 'AIDBOX_UNAVAILABLE'],
    [503, 'AIDBOX_UNAVAILABLE'],
  ])('takes %i for %s, naming the call without ids', async (status, code) => {
    aidbox.script = () => ({ status, headers: { 'retry-after': '7', location: '/login' }, body: { secret: 'patient-canary' } });
    const error: unknown = await client
      .request({ method: 'GET', path: '/fhir/Patient/secret-id/_history?x=1' })
      .catch((each: unknown) => each);
    expect(error).toMatchObject({ code, message: expect.stringContaining('GET /fhir/Patient/{id}/_history') as unknown });
    expect((error as { retryAfterMs?: number }).retryAfterMs).toBe(status >= 408 ? 7000 : undefined);
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toMatch(/canary|secret-id/);
  });

  it('takes a cut connection, silence, and nobody there for AIDBOX_UNAVAILABLE', async () => {
    aidbox.script = () => 'cut';
    await expect(client.request({ method: 'GET', path: '/x' })).rejects.toMatchObject({
      code: 'AIDBOX_UNAVAILABLE',
      retry: 'later',
    });
    await expect(client.forward({ method: 'GET', path: '/x' }, {})).rejects.toMatchObject({ code: 'AIDBOX_UNAVAILABLE' });
    const silent = makeAidboxClient({ baseUrl: 'http://127.0.0.1:9', clientId: 'a', clientSecret: 'b', timeoutMs: 300 });
    await expect(silent.request({ method: 'GET', path: '/x' })).rejects.toMatchObject({ code: 'AIDBOX_UNAVAILABLE' });
  });

  it('gives up after its time-out', async () => {
    const { createServer } = await import('node:http');
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const slow = makeAidboxClient({
      baseUrl: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
      clientId: 'a',
      clientSecret: 'b',
      timeoutMs: 50,
    });
    await expect(slow.request({ method: 'GET', path: '/x' })).rejects.toMatchObject({
      message: expect.stringContaining('within 50 ms') as unknown,
    });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('gives text that is no JSON as text', async () => {
    aidbox.script = () => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: 'hello' });
    expect((await client.request({ method: 'GET', path: '/x' })).body).toBe('"hello"');
  });

  it('names an unexpected status', () => {
    const response = { status: 418, headers: {}, body: undefined };
    expect(() => expectStatus({ method: 'PUT', path: '/App/lake' }, response, 200, 201)).toThrow(
      'Aidbox answered 418 to PUT /App/{id}; 200 or 201 was expected',
    );
  });

  it('shows paths without ids', () => {
    const shown = [
      '/health',
      '/$version',
      '/AidboxTopicDestination/a/$status',
      '/fhir/Basic?code=x',
      '/lakehouse/AidboxTopicDestination/a',
      '/Patient/Name/_history/3',
    ].map((path) => describeCall({ method: 'GET', path }));
    expect(shown).toEqual([
      'GET /health',
      'GET /$version',
      'GET /AidboxTopicDestination/{id}/$status',
      'GET /fhir/Basic',
      'GET /lakehouse/AidboxTopicDestination/{id}',
      'GET /Patient/{id}/_history/{id}',
    ]);
  });
});

describe('Aidbox format', () => {
  const fhir = {
    resourceType: 'AidboxTopicDestination',
    kind: 'x',
    parameter: [
      { name: 'a', valueString: 's' },
      { name: 'b', valueUnsignedInt: 0 },
      { name: 'c', valueBoolean: false },
      { name: 'd', part: [{ name: 'e', valueUrl: 'http://x' }] },
    ],
  };
  const plain = {
    ...fhir,
    parameter: [
      { name: 'a', value: { string: 's' } },
      { name: 'b', value: { unsignedInt: 0 } },
      { name: 'c', value: { boolean: false } },
      { name: 'd', part: [{ name: 'e', value: { url: 'http://x' } }] },
    ],
  };

  it('is made from FHIR format and back', () => {
    expect(toAidboxFormat(fhir)).toEqual(plain);
    expect(toFhirFormat(plain, 'ex:createdAt')).toEqual(fhir);
  });

  it('keeps what is in FHIR format already, secret references included', () => {
    const masked = { ...fhir, parameter: [{ name: 'a', _valueString: { extension: [{ url: 'x', valueCode: 'masked' }] } }] };
    for (const resource of [fhir, masked]) expect(toFhirFormat(resource)).toEqual(resource);
  });

  it('shows the creation time as an extension beside others', () => {
    expect(toFhirFormat({ meta: { createdAt: '2026-01-01T00:00:00Z', extension: [{ url: 'a', valueCode: 'b' }] } })).toEqual({
      meta: {
        extension: [
          { url: 'a', valueCode: 'b' },
          { url: 'ex:createdAt', valueInstant: '2026-01-01T00:00:00Z' },
        ],
      },
    });
  });

  it('shows the creation time as an extension', () => {
    expect(toFhirFormat({ meta: { versionId: '1', createdAt: '2026-01-01T00:00:00Z' } }, 'ex:createdAt')).toEqual({
      meta: { versionId: '1', extension: [{ url: 'ex:createdAt', valueInstant: '2026-01-01T00:00:00Z' }] },
    });
  });

  it('leaves to Aidbox what is not documented', () => {
    for (const odd of [
      { _valueString: {} },
      { valueReference: { reference: 'A/b' } },
      { valueString: 'a', valueCode: 'b' },
      { name: 'x', extension: [] },
    ]) {
      expect(toAidboxFormat({ parameter: [odd] })).toBeUndefined();
    }
    for (const odd of [
      { value: { string: 'a', extension: {} } },
      { value: { _string: { extension: [] } } },
      { _value: { string: { extension: [] } } },
      { _valueString: { extension: [{ url: 'x', value: { string: 'y' } }] } },
    ]) {
      expect(toFhirFormat({ parameter: [{ name: 'x', ...odd }] })).toBeUndefined();
    }
  });
});
