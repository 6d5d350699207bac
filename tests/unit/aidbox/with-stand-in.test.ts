import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { makeAidboxClient } from '../../../app/aidbox/aidbox-client.ts';
import { MANIFEST_DIRECTORY } from '../../../app/aidbox/manifests.ts';
import { registerApp, unregisterApp } from '../../../app/aidbox/register.ts';
import { makeDestinationOperations } from '../../../app/destinations/destination-operations.ts';
import { makeDestinationRepository } from '../../../app/destinations/destination-repository.ts';
import { normaliseInstallation } from '../../../app/destinations/destination.ts';
import { repairDestinations } from '../../../app/destinations/repair.ts';
import { makeSecretStore } from '../../../app/destinations/secret-store.ts';
import { makeWebhookDestinations } from '../../../app/destinations/webhook-destinations.ts';
import { makeOperationHandler } from '../../../app/http/operations.ts';
import { systemClock } from '../../../app/lib/clock.ts';
import { makeLogger } from '../../../app/log.ts';
import { startAidboxLab, type AidboxLab } from '../../lab/aidbox/lab.ts';
import type { LabSwitches } from '../../lab/aidbox/options.ts';
import { aDestination, PATIENT_VIEW, REVERSING_SEALER } from '../../helpers/destination-fixture.ts';

type Json = Record<string, unknown>;
const FHIR = '/fhir/AidboxTopicDestination';
const OWN = '/lakehouse/AidboxTopicDestination';

interface Running {
  readonly lab: AidboxLab;
  readonly deps: Parameters<typeof registerApp>[0] & Parameters<typeof makeDestinationOperations>[0];
  close(): Promise<void>;
}
let running: Running | undefined;
afterEach(async () => {
  await running?.close();
  running = undefined;
});

/** The stand-in with our init bundle (so with the Client and its policy), and the App endpoint on a port of its own. */
async function start(switches: Partial<LabSwitches> = {}): Promise<Running> {
  const endpoint: { handle?: ReturnType<typeof makeOperationHandler> } = {};
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      void endpoint
        .handle?.(JSON.parse(Buffer.concat(chunks).toString('utf8')), request.headers.authorization)
        .then(({ status, headers, body }) => {
          response.writeHead(status, { 'content-type': 'application/json', ...headers });
          response.end(body === undefined ? '' : JSON.stringify(body));
        });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A failing start must not leave the port open: Jest would wait for it.
  server.unref();
  const publicUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const values = { LAKEHOUSE_APP_ID: 'lakehouse', LAKEHOUSE_APP_URL: `${publicUrl}/aidbox`, LAKEHOUSE_APP_SECRET: 'app-secret' };
  const filled = Object.entries({
    ...values,
    LAKEHOUSE_CLIENT_ID: 'lake-client',
    LAKEHOUSE_CLIENT_SECRET: 'client-secret',
  }).reduce(
    (text, [name, value]) => text.replaceAll(`\${${name}}`, value),
    readFileSync(join(MANIFEST_DIRECTORY, 'init-bundle.json'), 'utf8'),
  );
  const lab = await startAidboxLab({ initBundle: JSON.parse(filled) as never, switches });
  const client = makeAidboxClient({ baseUrl: lab.url, clientId: 'lake-client', clientSecret: 'client-secret', timeoutMs: 5_000 });
  const log = makeLogger('error', () => undefined);
  const installation = normaliseInstallation(lab.url);
  const secrets = makeSecretStore({ sealer: REVERSING_SEALER, directory: undefined });
  const deps: Running['deps'] = {
    client,
    log,
    secrets,
    installation,
    values,
    randomBytes,
    manifestDirectory: MANIFEST_DIRECTORY,
    clock: { ...systemClock, sleep: () => Promise.resolve() },
    repository: makeDestinationRepository({ client, secrets, installation, log }),
    webhooks: makeWebhookDestinations(client, publicUrl),
    tables: { check: async () => ({ warnings: [] }), begin: async () => undefined },
    queues: { drop: async () => undefined, waitingJobs: async () => 0 },
    numbers: {
      read: async () => ({
        messagesDelivered: 1,
        messagesQueued: 0,
        messagesInProcess: 0,
        messagesDeliveryAttempts: 1,
        deliveryState: 'active',
        initialExportStatus: 'not_started',
        initialExportRowsSent: 0,
        more: [],
      }),
    },
    compileView: () => PATIENT_VIEW,
    createdAtUrl: 'https://aidbox.app/ex/createdAt',
    drainTimeoutMs: 1_000,
  };
  endpoint.handle = makeOperationHandler({
    appId: 'lakehouse',
    appSecret: 'app-secret',
    baseUrl: lab.url,
    destinations: makeDestinationOperations(deps),
    log,
  });
  running = {
    lab,
    deps,
    close: async () => {
      await lab.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return running;
}

/** A call as the root user over HTTP. */
async function call(
  lab: AidboxLab,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; headers: Headers; body: Json }> {
  const authorization = `Basic ${Buffer.from(`${lab.rootClient.id}:${lab.rootClient.secret}`).toString('base64')}`;
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`${lab.url}${path}`, {
    method,
    headers: { authorization, 'content-type': 'application/json' },
    ...init,
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: (text === '' ? {} : JSON.parse(text)) as Json };
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

describe.each<[name: string, switches: Partial<LabSwitches>, route: string]>([
  ['as documented', {}, FHIR],
  ['on our own routes', {}, OWN],
  ['which keeps its /fhir routes', { appOperationsOverrideBuiltIns: false }, OWN],
  ['which cannot search views by name', { refusedSearchParameters: ['ViewDefinition.name'] }, FHIR],
  ['with small pages', { maxSearchCount: 2 }, FHIR],
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
    if (route === FHIR) expect(routes.fhir).toBe(true);

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
