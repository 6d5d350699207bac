import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAidboxLab } from '../../tests/lab/aidbox/lab.ts';
import { removeEmbedded } from '../../tests/helpers/postgres.ts';
import { startAppProcess, type AppProcess } from '../demo/app-process.ts';
import { makeFhirApi, type FhirApi } from '../demo/fhir-api.ts';

/** The service as a process of its own beside a stand-in of Aidbox, with one destination for Observations. */
export interface BenchStand {
  readonly app: AppProcess;
  readonly api: FhirApi;
  /** Folder of the run. */
  readonly dir: string;
  /** Where notifications go, and with which `Authorization`. */
  readonly webhookUrl: string;
  readonly authorization: string;
  /** A parameter of `$status`. */
  status(name: string): Promise<number>;
  stop(): Promise<void>;
}

export interface StandOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly batchSize: number;
  readonly sendIntervalMs: number;
  /** Parameters of the write mode; `file`: a table below the folder of the run. */
  readonly table: 'file' | readonly object[];
}

const MANIFESTS = new URL('../../manifests/', import.meta.url);
const ID = 'bench';

export async function startStand({ env, batchSize, sendIntervalMs, table }: StandOptions): Promise<BenchStand> {
  const dir = await mkdtemp(join(tmpdir(), 'lakehouse-bench-'));
  const lab = await startAidboxLab({ rootClient: { id: 'root', secret: randomBytes(16).toString('hex') } });
  const app = await startAppProcess({
    logFile: join(dir, 'service.log'),
    env: {
      HOST: '127.0.0.1',
      AIDBOX_URL: lab.url,
      AIDBOX_CLIENT_ID: lab.rootClient.id,
      AIDBOX_CLIENT_SECRET: lab.rootClient.secret,
      APP_SECRET: randomBytes(24).toString('hex'),
      DATA_DIR: dir,
      LOG_LEVEL: 'warn',
      QUEUE_MAX_JOBS: '10000000',
      QUEUE_MAX_BYTES: String(64 * 1024 ** 3),
      ...env,
    },
  });
  const api = makeFhirApi(lab.url, lab.rootClient.id, lab.rootClient.secret);
  for (const [type, file] of [
    ['AidboxSubscriptionTopic', 'topics/observation-updates.json'],
    ['ViewDefinition', 'view-definitions/observation-flat.json'],
  ] as const) {
    const body = JSON.parse(await readFile(new URL(file, MANIFESTS), 'utf8')) as { id: string };
    await api.call('PUT', `/fhir/${type}/${body.id}`, { body });
  }
  const location =
    table === 'file'
      ? [
          { name: 'writeMode', valueString: 'external-direct' },
          { name: 'tablePath', valueString: `file://${join(dir, 'tables', 'observations')}` },
          { name: 'createTable', valueBoolean: true },
        ]
      : table;
  await api.call('POST', '/fhir/AidboxTopicDestination', {
    body: {
      resourceType: 'AidboxTopicDestination',
      id: ID,
      topic: 'http://example.org/subscriptions/observation-updates',
      kind: 'data-lakehouse-at-least-once',
      meta: {
        profile: [
          'http://health-samurai.io/fhir/core/StructureDefinition/aidboxtopicdestination-dataLakehouseAtLeastOnceProfile',
        ],
      },
      parameter: [
        ...location,
        { name: 'viewDefinition', valueString: 'observation_flat' },
        { name: 'batchSize', valueUnsignedInt: batchSize },
        { name: 'sendIntervalMs', valueUnsignedInt: sendIntervalMs },
        { name: 'skipInitialExport', valueBoolean: true },
      ],
    },
  });
  const plain = (await api.call('GET', `/AidboxTopicDestination/${ID}`)).body as {
    parameter: { name: string; value: { url?: string; string?: string } }[];
  };
  const valueOf = (name: string): string => {
    const { value } = plain.parameter.find((parameter) => parameter.name === name)!;
    return value.url ?? value.string ?? '';
  };
  return {
    app,
    api,
    dir,
    webhookUrl: valueOf('endpoint'),
    authorization: valueOf('header').replace(/^Authorization: /, ''),
    async status(name) {
      const { body } = await api.call('GET', `/fhir/AidboxTopicDestination/${ID}/$status`);
      return (
        (body as { parameter: { name: string; valueDecimal?: number }[] }).parameter.find((parameter) => parameter.name === name)
          ?.valueDecimal ?? 0
      );
    },
    async stop() {
      await app.stop();
      await lab.close();
      await removeEmbedded(join(dir, 'queue'));
      await rm(dir, { recursive: true, force: true });
    },
  };
}
