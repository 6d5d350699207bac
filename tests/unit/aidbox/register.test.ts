import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { makeAidboxClient } from '../../../app/aidbox/aidbox-client.ts';
import { parseRelease } from '../../../app/aidbox/aidbox-version.ts';
import { MANIFEST_DIRECTORY } from '../../../app/aidbox/manifests.ts';
import { registerApp, unregisterApp, type RegistrationDeps } from '../../../app/aidbox/register.ts';
import { makeOperationHandler } from '../../../app/http/operations.ts';
import { makeLogger } from '../../../app/log.ts';
import { OWN, SteppingClock } from '../../helpers/destination-fixture.ts';
import { ScriptedAidbox, type Script, type SeenCall } from '../../helpers/scripted-aidbox.ts';

type Json = Record<string, unknown>;
let aidbox: ScriptedAidbox;
let deps: RegistrationDeps & { signal?: AbortSignal };
let logLines: string[];
const values = {
  LAKEHOUSE_APP_ID: 'lakehouse',
  LAKEHOUSE_APP_URL: 'http://lakehouse:7070/aidbox',
  LAKEHOUSE_APP_SECRET: 'app-secret-canary',
};

beforeEach(async () => {
  aidbox = new ScriptedAidbox();
  aidbox.admitted.add(OWN);
  const baseUrl = await aidbox.start();
  logLines = [];
  deps = {
    client: makeAidboxClient({ baseUrl, clientId: 'lakehouse-client', clientSecret: 'client-secret', timeoutMs: 2_000 }),
    manifestDirectory: MANIFEST_DIRECTORY,
    values,
    clock: new SteppingClock(),
    randomBytes,
    log: makeLogger('debug', (line) => void logLines.push(line)),
  };
});
afterEach(() => aidbox.stop());

/** Calls on these prefixes go through the real handler of the app, as Aidbox would forward them. */
const routing = (...prefixes: string[]): void => {
  const handler = makeOperationHandler({
    appId: 'lakehouse',
    appSecret: 'app-secret-canary',
    baseUrl: 'http://aidbox',
    destinations: {} as never,
    log: deps.log,
  });
  const answers = new Map<string, unknown>();
  const script: Script = ({ method, path }: SeenCall) => {
    const prefix = prefixes.find((each) => path.startsWith(`${each}/AidboxTopicDestination/`));
    if (prefix === undefined || method !== 'GET') return undefined;
    return { status: 200, body: answers.get(path.split('/').pop()!) };
  };
  // The scripted server answers at once, so the answers are asked for beforehand, when the id is made.
  deps = {
    ...deps,
    randomBytes: (sizeBytes) => {
      const bytes = randomBytes(sizeBytes);
      const id = `lakehouse-probe-${bytes.toString('hex')}`;
      const authorization = `Basic ${Buffer.from('lakehouse:app-secret-canary').toString('base64')}`;
      void handler({ operation: { id: 'lakehouse-fhir-read' }, request: { 'route-params': { id } } }, authorization).then(
        (answer) => answers.set(id, answer.body),
      );
      return bytes;
    },
  };
  aidbox.script = script;
};

describe('registration', () => {
  it('puts the App and its Operations, filled in, and finds both families of routes', async () => {
    routing('/fhir', '/lakehouse');
    expect(await registerApp(deps)).toEqual({ fhir: true, lakehouse: true });
    const [app] = aidbox.all('App') as (Json & { endpoint: Json; operations: Json })[];
    expect(app).toMatchObject({
      id: 'lakehouse',
      apiVersion: 1,
      endpoint: { url: 'http://lakehouse:7070/aidbox', secret: 'app-secret-canary' },
    });
    expect(
      aidbox
        .all('Operation')
        .map((operation) => operation['id'])
        .sort(),
    ).toEqual(
      ['create', 'delete', 'history', 'history-type', 'history-version', 'read', 'search', 'search-post', 'status'].map(
        (name) => `lakehouse-fhir-${name}`,
      ),
    );
    for (const operation of aidbox.all('Operation')) expect(operation['app']).toEqual({ resourceType: 'App', id: 'lakehouse' });
    expect(logLines.join('')).not.toContain('canary');
  });

  it('is the same at every start', async () => {
    routing('/fhir', '/lakehouse');
    await registerApp(deps);
    const first = JSON.stringify(aidbox.calls.filter((call) => call.method === 'PUT'));
    aidbox.calls.length = 0;
    await registerApp(deps);
    expect(JSON.stringify(aidbox.calls.filter((call) => call.method === 'PUT'))).toBe(first);
  });

  it('says that only /lakehouse works when Aidbox keeps its own /fhir route', async () => {
    routing('/lakehouse');
    expect(await registerApp(deps)).toEqual({ fhir: false, lakehouse: true });
    expect(logLines.join('')).toContain('/lakehouse/AidboxTopicDestination');
  });

  it('says that Aidbox does not reach the app', async () => {
    expect(await registerApp(deps)).toEqual({ fhir: false, lakehouse: false });
    expect(logLines.join('')).toContain('aidbox.app-not-reached');
  });

  it('waits for Aidbox, saying what for, and through its activation', async () => {
    routing('/fhir', '/lakehouse');
    const routed = aidbox.script;
    let calls = 0;
    aidbox.script = (call) => {
      if (call.path === '/health' && ++calls <= 3) return calls === 1 ? 'cut' : { status: 503 };
      if (call.method === 'PUT' && ++calls <= 6) return { status: 302, headers: { location: '/login' } };
      return routed(call);
    };
    expect(await registerApp(deps)).toEqual({ fhir: true, lakehouse: true });
    const waiting = logLines.map((line) => JSON.parse(line) as Json).filter((line) => line['event'] === 'aidbox.waiting');
    expect(waiting.length).toBeGreaterThanOrEqual(4);
    expect(waiting.map((line) => line['message']).join()).toMatch(/connection failed.*503.*not|redirect/s);
  });

  it('ends its waiting when it is told to', async () => {
    aidbox.script = () => ({ status: 503 });
    const stop = new AbortController();
    deps = { ...deps, signal: stop.signal, log: { ...deps.log, warn: () => stop.abort() } };
    await expect(registerApp(deps)).rejects.toMatchObject({ code: 'AIDBOX_UNAVAILABLE' });
  });

  it.each([
    ['2604', 2604],
    ['2512.3', 2512],
    ['edge:2503', 2503],
  ])('refuses Aidbox %s by name (S0.1)', async (version, found) => {
    aidbox.script = ({ path }) => (path === '/health' ? { status: 200, body: { about: { version } } } : undefined);
    await expect(registerApp(deps)).rejects.toMatchObject({
      code: 'AIDBOX_VERSION_UNSUPPORTED',
      message: `found Aidbox ${found}, expected 2605 or newer`,
    });
    expect(aidbox.all('App')).toEqual([]);
  });

  it('goes on with a warning when the version cannot be told', async () => {
    aidbox.script = ({ path }) => (path === '/health' ? { status: 200, body: { about: { version: 'edge' } } } : undefined);
    await registerApp(deps);
    expect(logLines.join('')).toContain('aidbox.version-unknown');
    expect(aidbox.all('App')).toHaveLength(1);
  });

  it('names the grant that is missing', async () => {
    aidbox.script = ({ method }) => (method === 'PUT' ? { status: 403 } : undefined);
    await expect(registerApp(deps)).rejects.toMatchObject({
      code: 'AIDBOX_REFUSED',
      message: expect.stringContaining('PUT /App/{id}') as unknown,
    });
  });

  it('can be taken back, twice', async () => {
    await registerApp(deps);
    await unregisterApp(deps);
    expect([...aidbox.all('App'), ...aidbox.all('Operation')]).toEqual([]);
    await unregisterApp(deps);
  });

  it('names a missing manifest or value', async () => {
    await expect(registerApp({ ...deps, manifestDirectory: '/nowhere' })).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
    await expect(registerApp({ ...deps, values: { LAKEHOUSE_APP_ID: 'x' } as never })).rejects.toMatchObject({
      message: expect.stringContaining('LAKEHOUSE_APP_URL') as unknown,
    });
  });
});

it('reads a release out of the known forms of a version', () => {
  expect(['2605', '2605.12', 'edge:2608', 'v:2607-rc', 'edge', 'a2605b', '26051', '2613', undefined].map(parseRelease)).toEqual([
    2605,
    2605,
    2608,
    2607,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
