import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startAidboxLab, type AidboxLab } from '../../lab/aidbox/lab.ts';
import { startRecorder, type Recorder, type RecorderAnswer } from '../../lab/aidbox/recorder.ts';
import type { JsonObject } from '../../lab/aidbox/resource.ts';

/** How the stand-in hands requests to an App; `§` are sections of the contract page. */

let lab: AidboxLab;
let app: Recorder;
let answer: RecorderAnswer | 'hang';
const ROOT = { authorization: `Basic ${Buffer.from('root:secret').toString('base64')}` };

beforeEach(async () => {
  answer = { status: 200, headers: { 'content-type': 'application/json', 'x-app': 'yes' }, body: '{"from":"app"}' };
  app = await startRecorder(() => answer);
  lab = await startAidboxLab({ appTimeoutMs: 100, baseUrl: 'http://aidbox.test:8080' });
});
afterEach(async () => {
  await lab.close();
  await app.close();
});

async function putApp(operations: JsonObject = {}, path = '/App/acme.lake') {
  const endpoint = { type: 'http-rpc', url: `${app.url}/aidbox`, secret: 's3cr3t' };
  return lab.call('PUT', path, {
    body: { resourceType: 'App', id: 'acme.lake', apiVersion: 1, type: 'app', endpoint, operations },
  });
}

async function putOperation(id: string, ...request: (string | { name: string })[]) {
  const operation = {
    resourceType: 'Operation',
    app: { reference: 'App/acme.lake' },
    module: 'm',
    action: 'proto.app/endpoint',
    request,
  };
  return lab.call('PUT', `/fhir/Operation/${id}`, { body: operation });
}

const HELLO = { method: 'POST', path: ['fhir', 'Patient', { name: 'who' }, '$hello'] };
const sayHello = (path = '/fhir/Patient/p%201/$hello?a=1&b=2&b=3') =>
  lab.call('POST', path, { body: { resourceType: 'Parameters' } });

describe('the call of the App (§1.3, §1.6, §1.7)', () => {
  it('is a POST with Basic authentication and the documented body', async () => {
    await putApp({ hello: HELLO });
    const reply = await sayHello();
    expect(reply).toMatchObject({ status: 200, body: { from: 'app' }, headers: { 'x-app': 'yes' } });
    const [call] = app.received;
    expect(call).toMatchObject({ method: 'POST', path: '/aidbox' });
    expect(call?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from('acme.lake:s3cr3t').toString('base64')}`,
      'content-type': 'application/json',
    });
    expect(call?.body).toEqual({
      type: 'operation',
      request: {
        resource: { resourceType: 'Parameters' },
        params: { a: '1', b: ['2', '3'] },
        'route-params': { who: 'p 1' },
        headers: ROOT,
        'oauth/client': { resourceType: 'Client', id: 'root' },
      },
      box: { 'base-url': 'http://aidbox.test:8080' },
      operation: { id: 'hello', app: { id: 'acme.lake', resourceType: 'App' } },
    });
  });

  it('carries more of an explicit Operation (form B)', async () => {
    await putApp();
    await putOperation('hi', 'post', 'fhir', 'Patient', { name: 'who' }, '$hello');
    await sayHello();
    expect(app.received[0]?.body['operation']).toEqual({
      id: 'hi',
      app: { id: 'acme.lake', resourceType: 'App' },
      action: 'proto.app/endpoint',
      module: 'm',
      request: ['post', 'fhir', 'Patient', { name: 'who' }, '$hello'],
    });
  });

  it('takes other forms by switch (contract unknown 3)', async () => {
    await putApp({ hello: HELLO });
    lab.setSwitches({ appBodyForm: 'C', oauthInAppBody: false, decodeRouteParams: false, appRequestHeaders: 'no-authorization' });
    await sayHello();
    expect(app.received[0]?.body).not.toHaveProperty('box');
    expect(app.received[0]?.body['request']).toMatchObject({
      'route-params': { who: 'p%201' },
      headers: {},
      body: expect.any(String),
    });
    expect(app.received[0]?.body['request']).not.toHaveProperty('oauth/client');
  });

  it('passes status and body through, headers by switch', async () => {
    await putApp({ hello: HELLO });
    answer = {
      status: 422,
      headers: { 'content-type': 'application/fhir+json', 'x-app': 'yes' },
      body: '{"resourceType":"OperationOutcome"}',
    };
    lab.setSwitches({ appResponseHeaders: 'content-type' });
    const reply = await sayHello();
    expect(reply).toMatchObject({ status: 422, body: { resourceType: 'OperationOutcome' } });
    expect(reply.headers).toEqual({ 'content-type': 'application/fhir+json' });
  });

  it('answers for an App that does not come back in time, or is down (contract unknown 3)', async () => {
    await putApp({ hello: HELLO });
    answer = 'hang';
    expect((await sayHello()).status).toBe(504);
    lab.setSwitches({ appTimeoutStatus: 'cut' });
    await expect(fetch(`${lab.url}/fhir/Patient/p1/$hello`, { method: 'POST', headers: ROOT })).rejects.toThrow();
    await app.close();
    expect((await sayHello()).status).toBe(502);
    lab.setSwitches({ appDownStatus: 500 });
    expect((await sayHello()).status).toBe(500);
    expect(lab.stats()).toMatchObject({ appCalls: 4, appFailures: 4 });
  });

  it('tells of a time-out although the App did its work, when its answers are slow', async () => {
    await putApp({ hello: HELLO });
    lab.setFaults({ slowAppMs: 150 });
    expect((await sayHello()).status).toBe(504);
    expect(app.received).toHaveLength(1);
  });

  it('waits as long as the operation says, in milliseconds', async () => {
    await putApp({ hello: { ...HELLO, timeout: 60_000 } });
    lab.setFaults({ slowAppMs: 150 });
    expect((await sayHello()).status).toBe(200);
  });
});

describe('routes (§1.4, §1.5)', () => {
  const CREATE = ['post', 'fhir', 'AidboxTopicDestination'] as const;
  const post = (path: string) => lab.call('POST', path, { body: { resourceType: 'AidboxTopicDestination' } });

  it('an Operation overrides a built-in route, for its method and its prefix alone', async () => {
    await putApp();
    await putOperation('td-create', ...CREATE);
    expect((await post('/fhir/AidboxTopicDestination')).body).toEqual({ from: 'app' });
    expect((await post('/AidboxTopicDestination')).status).toBe(422);
    expect((await lab.call('GET', '/fhir/AidboxTopicDestination')).body).toMatchObject({ resourceType: 'Bundle' });
    expect((await post('/Organization/o1/fhir/AidboxTopicDestination')).status).toBe(422);
  });

  it('the operations of an App override built-in routes only by switch (contract unknown 4)', async () => {
    await putApp({ 'td-create': { method: 'POST', path: CREATE.slice(1) } });
    expect((await post('/fhir/AidboxTopicDestination')).body).toEqual({ from: 'app' });
    lab.setSwitches({ appOperationsOverrideBuiltIns: false });
    expect((await post('/fhir/AidboxTopicDestination')).status).toBe(422);
  });

  it('a literal part goes before a placeholder, and placeholders take no specials unless switched', async () => {
    await putApp();
    await putOperation('any', 'get', 'fhir', 'AidboxTopicDestination', { name: 'id' });
    await putOperation('one', 'get', 'fhir', 'AidboxTopicDestination', 'special');
    const operationAt = async (path: string) => {
      const before = app.received.length;
      await lab.call('GET', `/fhir/AidboxTopicDestination/${path}`);
      const call = app.received[before];
      return call && (call.body['operation'] as JsonObject)['id'];
    };
    expect(await operationAt('special')).toBe('one');
    expect(await operationAt('other')).toBe('any');
    expect(await operationAt('_history')).toBeUndefined();
    lab.setSwitches({ placeholdersTakeSpecials: true });
    expect(await operationAt('$export')).toBe('any');
    expect(await operationAt('_history')).toBe('any');
  });

  it('bundles go past overrides unless switched', async () => {
    await putApp();
    await putOperation('td-create', ...CREATE);
    const request = { method: 'POST', url: 'AidboxTopicDestination' };
    const bundle = {
      resourceType: 'Bundle',
      type: 'batch',
      entry: [{ request, resource: { resourceType: 'AidboxTopicDestination' } }],
    };
    expect((await lab.call('POST', '/fhir', { body: bundle })).body).toMatchObject({ entry: [{ response: { status: '422' } }] });
    lab.setSwitches({ bundlesBypassOverrides: false });
    for (const type of ['batch', 'transaction']) {
      const reply = await lab.call('POST', '/fhir', { body: { ...bundle, type } });
      expect(reply.body).toMatchObject({ entry: [{ resource: { from: 'app' }, response: { status: '200' } }] });
    }
  });

  it('policies see the id of the operation before the App is called', async () => {
    await putApp({ hello: { ...HELLO, policies: { all: { engine: 'allow' } } } });
    await putOperation('bye', 'post', 'fhir', 'Patient', { name: 'who' }, '$bye');
    await lab.call('PUT', '/Client/c', { body: { resourceType: 'Client', secret: 'x', grant_types: ['basic'] } });
    const headers = { authorization: `Basic ${Buffer.from('c:x').toString('base64')}` };
    const statusOf = async (name: string) =>
      (await fetch(`${lab.url}/fhir/Patient/p/${name}`, { method: 'POST', headers })).status;
    expect([await statusOf('$hello'), await statusOf('$bye')]).toEqual([200, 403]);
    expect(app.received).toHaveLength(1);
  });

  it('takes a registration on /App, by switch on /fhir/App, and in a bundle always (§1.2)', async () => {
    lab.setSwitches({ fhirAppRoute: false });
    expect((await putApp({}, '/fhir/App/acme.lake')).status).toBe(404);
    expect((await putApp({ hello: HELLO })).status).toBe(201);
    expect(lab.resource('Operation', 'hello')).toMatchObject({ app: { reference: 'App/acme.lake' } });
    expect((await putApp({})).status).toBe(200);
    expect(lab.resource('Operation', 'hello')).toBeUndefined();
    const entry = [
      { request: { method: 'PUT', url: '/App/two' }, resource: { resourceType: 'App', id: 'two', apiVersion: 1, type: 'app' } },
    ];
    const bundle = await lab.call('POST', '/fhir', { body: { resourceType: 'Bundle', type: 'transaction', entry } });
    expect(bundle.body).toMatchObject({ entry: [{ response: { status: '201' } }] });
  });

  it('a removed App or Operation gives the route back', async () => {
    await putApp({ hello: HELLO });
    await putOperation('td-create', ...CREATE);
    await lab.call('DELETE', '/Operation/td-create');
    expect((await post('/fhir/AidboxTopicDestination')).status).toBe(422);
    await lab.call('DELETE', '/App/acme.lake');
    expect((await sayHello()).status).toBe(404);
  });
});
