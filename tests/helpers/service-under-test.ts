import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../app/config/config.ts';
import { makeLogger } from '../../app/log.ts';
import { startService, type ServiceParts } from '../../app/service/service.ts';
import type { TableLocation } from '../../app/storage/table-location.ts';
import { startAppProcess } from '../../scripts/demo/app-process.ts';
import { makeFhirApi, type FhirApi } from '../../scripts/demo/fhir-api.ts';
import { startAidboxLab, type AidboxLab } from '../lab/aidbox/lab.ts';
import type { LabOptions } from '../lab/aidbox/options.ts';
import { eventually } from './eventually.ts';
import { removeEmbedded } from './postgres.ts';
import { findFreePort } from './services/free-port.ts';

/** Where the service keeps its queue; neither address: the embedded PostgreSQL, which needs nothing. */
export interface QueueAddress {
  readonly redisUrl?: string;
  readonly databaseUrl?: string;
}

export interface ServiceUnderTestOptions {
  readonly queue?: QueueAddress;
  readonly lab?: LabOptions;
  /** `process`: app/main.ts on its own, which can be killed and uses another core. Default `in-process`, which starts faster. */
  readonly runAs?: 'process' | 'in-process';
  /** Settings of the service over those of the helper. */
  readonly env?: Readonly<Record<string, string>>;
  /** Parts to break; only `in-process`. */
  readonly parts?: ServiceParts;
}

/** A destination with its topic and view, as a user creates them. */
export interface DestinationSpec {
  readonly id: string;
  /** A ViewDefinition; its `name` is its id too. */
  readonly view: { readonly name: string; readonly resource: string };
  /** `external-direct`; the table is made. */
  readonly table?: TableLocation;
  /** Parameters of another write mode, by name: texts. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** fhirPathCriteria of the topic. */
  readonly criteria?: string;
  /** Default 500. */
  readonly batchSize?: number;
  /** Default 200. */
  readonly sendIntervalMs?: number;
}

/** The stand-in of Aidbox and the service beside it. */
export interface ServiceUnderTest {
  readonly lab: AidboxLab;
  /** Aidbox's public API over the network, as its root client. */
  readonly api: FhirApi;
  /** Folder of the run; the service's log is `service.log` in it. */
  readonly dir: string;
  /** A table below the only folder that `file://` tables may lie in. */
  localTable(name: string): TableLocation;
  createDestination(spec: DestinationSpec): Promise<void>;
  /** Parameters of `$status` by name. */
  status(destinationId: string): Promise<Readonly<Record<string, number | string>>>;
  /** Value of a metric for one destination. @throws when the service has no such metric */
  metric(name: string, destinationId: string): Promise<number>;
  /** Resolves when neither Aidbox nor the service holds an event of these destinations any more: all are in their tables. */
  waitForDelivery(destinationIds: readonly string[], timeoutMs?: number): Promise<void>;
  startService(): Promise<void>;
  stopService(): Promise<void>;
  /** kill -9; only a service that is a process. */
  killService(): Promise<void>;
  close(): Promise<void>;
}

const PROFILE = 'http://health-samurai.io/fhir/core/StructureDefinition/aidboxtopicdestination-dataLakehouseAtLeastOnceProfile';
const START_TIMEOUT_MS = 60_000;

/** Starts the stand-in and the service, which has registered itself when this resolves. */
export async function startServiceUnderTest(options: ServiceUnderTestOptions = {}): Promise<ServiceUnderTest> {
  const dir = await mkdtemp(join(tmpdir(), 'service-under-test-'));
  const lab = await startAidboxLab(options.lab);
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const api = makeFhirApi(lab.url, lab.rootClient.id, lab.rootClient.secret);
  const env: Record<string, string> = {
    HOST: '127.0.0.1',
    PORT: String(port),
    PUBLIC_URL: url,
    AIDBOX_URL: lab.url,
    AIDBOX_CLIENT_ID: lab.rootClient.id,
    AIDBOX_CLIENT_SECRET: lab.rootClient.secret,
    APP_SECRET: randomBytes(24).toString('hex'),
    DATA_DIR: dir,
    LEASE_MS: '2000',
    REFRESH_MS: '500',
    ...(options.queue?.redisUrl === undefined ? {} : { REDIS_URL: options.queue.redisUrl }),
    ...(options.queue?.databaseUrl === undefined ? {} : { DATABASE_URL: options.queue.databaseUrl }),
    ...options.env,
  };
  const start = options.runAs === 'process' ? startAsProcess : startInProcess;
  let running: Running | undefined;

  const service: ServiceUnderTest = {
    lab,
    api,
    dir,
    localTable: (name) => ({ tablePath: `file://${join(dir, 'tables', name)}` }),
    async createDestination(spec) {
      const topic = makeTopic(spec);
      await api.call('PUT', `/fhir/AidboxSubscriptionTopic/${topic.id}`, { body: topic });
      await api.call('PUT', `/fhir/ViewDefinition/${spec.view.name}`, {
        body: { resourceType: 'ViewDefinition', status: 'active', id: spec.view.name, ...spec.view },
      });
      await api.call('POST', '/fhir/AidboxTopicDestination', { body: makeDestination(spec, topic.url) });
    },
    async status(id) {
      const { body } = await api.call('GET', `/fhir/AidboxTopicDestination/${id}/$status`);
      const { parameter } = body as { parameter: { name: string; valueDecimal?: number; valueString?: string }[] };
      return Object.fromEntries(parameter.map(({ name, valueDecimal, valueString = '' }) => [name, valueDecimal ?? valueString]));
    },
    async metric(name, id) {
      const text = await (await fetch(`${url}/metrics`)).text();
      const found = text.split('\n').find((line) => line.startsWith(`${name}{`) && line.includes(`destination="${id}"`));
      if (found === undefined) throw new Error(`/metrics has no ${name} of ${id}`);
      return Number(found.slice(found.lastIndexOf(' ') + 1));
    },
    async waitForDelivery(ids, timeoutMs = 60_000) {
      for (const id of ids) {
        await eventually(
          async () => {
            // Aidbox first: what it hands over between the two questions is then seen in the service.
            const inAidbox = lab.eventsQueued(id);
            if (inAidbox > 0) throw new Error(`${inAidbox} events of ${id} still wait in Aidbox; see ${dir}/service.log`);
            const { messagesQueued, lastErrorDetail = '' } = await service.status(id);
            if (messagesQueued !== 0) {
              throw new Error(`${messagesQueued} events of ${id} still wait in the service: ${lastErrorDetail}`);
            }
          },
          { timeoutMs, everyMs: 50 },
        );
      }
    },
    async startService() {
      running ??= await start(env, options.parts);
    },
    async stopService() {
      await running?.stop();
      running = undefined;
    },
    async killService() {
      if (running?.kill === undefined) throw new Error('only a service that runs as a process can be killed');
      await running.kill();
      running = undefined;
    },
    async close() {
      await service.stopService();
      await lab.close();
      await removeEmbedded(join(dir, 'queue'));
      await rm(dir, { recursive: true, force: true });
    },
  };
  try {
    await service.startService();
    return service;
  } catch (error) {
    await service.close();
    throw error;
  }
}

interface Running {
  stop(): Promise<void>;
  kill?(): Promise<void>;
}

async function startInProcess(env: Readonly<Record<string, string>>, parts?: ServiceParts): Promise<Running> {
  const file = createWriteStream(join(env['DATA_DIR']!, 'service.log'), { flags: 'a' });
  const service = await startService(
    loadConfig(env),
    makeLogger('info', (line) => void file.write(line)),
    parts,
  );
  await eventually(
    async () => {
      if (!(await fetch(`http://127.0.0.1:${service.port}/ready`)).ok) throw new Error('the service is not ready');
    },
    { timeoutMs: START_TIMEOUT_MS },
  );
  return {
    async stop() {
      await service.stop();
      await new Promise<void>((resolve) => file.end(resolve));
    },
  };
}

async function startAsProcess(env: Readonly<Record<string, string>>, parts?: ServiceParts): Promise<Running> {
  if (parts !== undefined) throw new Error('parts can be broken in this process only');
  const app = await startAppProcess({ env, logFile: join(env['DATA_DIR']!, 'service.log'), timeoutMs: START_TIMEOUT_MS });
  const killNow = (): void => void process.kill(app.pid, 'SIGKILL');
  process.once('exit', killNow);
  const forget = (): void => void process.removeListener('exit', killNow);
  return {
    async stop() {
      await app.stop();
      forget();
    },
    async kill() {
      killNow();
      await app.stop(); // resolves when it is gone
      forget();
    },
  };
}

function makeTopic({ id, view, criteria }: DestinationSpec) {
  return {
    resourceType: 'AidboxSubscriptionTopic',
    id: `${id}-topic`,
    url: `http://example.org/subscriptions/${id}`,
    status: 'active',
    trigger: [
      {
        resource: view.resource,
        supportedInteraction: ['create', 'update', 'delete'],
        ...(criteria === undefined ? {} : { fhirPathCriteria: criteria }),
      },
    ],
  };
}

function makeDestination(
  { id, view, table, parameters, batchSize = 500, sendIntervalMs = 200 }: DestinationSpec,
  topic: string,
): object {
  return {
    resourceType: 'AidboxTopicDestination',
    id,
    topic,
    kind: 'data-lakehouse-at-least-once',
    meta: { profile: [PROFILE] },
    parameter: [
      ...(table === undefined ? [] : onPath(table)),
      ...Object.entries(parameters ?? {}).map(([name, valueString]) => ({ name, valueString })),
      { name: 'viewDefinition', valueString: view.name },
      { name: 'batchSize', valueUnsignedInt: batchSize },
      { name: 'sendIntervalMs', valueUnsignedInt: sendIntervalMs },
      { name: 'skipInitialExport', valueBoolean: true },
    ],
  };
}

function onPath({ tablePath, s3Endpoint, accessKeyId, secretAccessKey }: TableLocation): object[] {
  const text = (name: string, valueString: string | undefined): object[] =>
    valueString === undefined ? [] : [{ name, valueString }];
  return [
    ...text('writeMode', 'external-direct'),
    ...text('tablePath', tablePath),
    ...text('s3Endpoint', s3Endpoint),
    ...text('awsAccessKeyId', accessKeyId),
    ...text('awsSecretAccessKey', secretAccessKey),
    { name: 'createTable', valueBoolean: true },
  ];
}
