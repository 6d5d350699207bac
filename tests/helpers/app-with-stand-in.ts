import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeAidboxClient } from '../../app/aidbox/aidbox-client.ts';
import { MANIFEST_DIRECTORY } from '../../app/aidbox/manifests.ts';
import type { registerApp } from '../../app/aidbox/register.ts';
import { makeDestinationOperations } from '../../app/destinations/destination-operations.ts';
import { makeDestinationRepository } from '../../app/destinations/destination-repository.ts';
import { normaliseInstallation } from '../../app/destinations/destination.ts';
import { makeSecretStore } from '../../app/destinations/secret-store.ts';
import { makeWebhookDestinations } from '../../app/destinations/webhook-destinations.ts';
import { makeOperationHandler } from '../../app/http/operations.ts';
import { systemClock } from '../../app/lib/clock.ts';
import { makeLogger } from '../../app/log.ts';
import { startAidboxLab, type AidboxLab } from '../lab/aidbox/lab.ts';
import type { LabSwitches } from '../lab/aidbox/options.ts';
import { PATIENT_VIEW, REVERSING_SEALER } from './destination-fixture.ts';

type Json = Record<string, unknown>;

/** A stand-in with our App endpoint beside it. */
export interface AppUnderTest {
  readonly lab: AidboxLab;
  readonly deps: Parameters<typeof registerApp>[0] & Parameters<typeof makeDestinationOperations>[0];
  close(): Promise<void>;
}
/** The stand-in with our init bundle (so with the Client and its policy), and the App endpoint on a port of its own. */
export async function startApp(switches: Partial<LabSwitches> = {}): Promise<AppUnderTest> {
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
  const deps: AppUnderTest['deps'] = {
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
    service: { hasPrincipal: false },
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
    fhirVersion: 'R4',
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
  return {
    lab,
    deps,
    close: async () => {
      await lab.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A call over HTTP as the root user, or as the one that `headers` name. */
export async function callLab(
  lab: AidboxLab,
  method: string,
  path: string,
  body?: unknown,
  more: Readonly<Record<string, string>> = {},
): Promise<{ status: number; headers: Headers; body: Json }> {
  const authorization = `Basic ${Buffer.from(`${lab.rootClient.id}:${lab.rootClient.secret}`).toString('base64')}`;
  const init = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const response = await fetch(`${lab.url}${path}`, {
    method,
    headers: { authorization, 'content-type': 'application/json', ...more },
    ...init,
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: (text === '' ? {} : JSON.parse(text)) as Json };
}
