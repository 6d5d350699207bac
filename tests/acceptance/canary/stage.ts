import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../helpers/eventually.ts';
import { startServiceUnderTest, type DestinationSpec, type ServiceUnderTest } from '../../helpers/service-under-test.ts';
import type { Minio } from '../../helpers/services/minio.ts';
import { findWebhook, type Webhook } from '../../helpers/webhook.ts';
import { startForbiddingProxy, type ForbiddingProxy } from '../bad-input/forbidding-proxy.ts';
import { aNotification, anEntry } from '../bad-input/patients.ts';
import { PRINCIPAL, startWorkspace, type ManagedMode, type WorkspaceUnderTest } from '../../helpers/workspace-under-test.ts';
import type { BreakableQueue } from './queues.ts';
import type { Canary, Place } from './search.ts';

/** Made for each run: what a leak would show. Letters that every encoding must change somehow. */
export const NAME = `Čanary-Ünlucky+${randomBytes(4).toString('hex')}/Patient`;
/** A part of ids, which take fewer characters. */
export const ID = `canary-${randomBytes(4).toString('hex')}`;
const secret = (): string => `s3cr3t+${randomBytes(12).toString('hex')}/=`;
export const SECRETS = {
  app: secret(),
  aidboxClient: secret(),
  mountedFile: secret(),
  redis: secret(),
  wrongAws: secret(),
  misplaced: secret(),
  misplacedToo: `pa+${randomBytes(6).toString('hex')}/ss+${randomBytes(6).toString('hex')}`,
  sealKey: randomBytes(32).toString('base64'),
};
export const MAX_NOTIFICATION_BYTES = 100_000;

/** A Patient with the canary in every text that a row or a log could take from it. */
export function aCanary(n: number, elements: object = {}): Record<string, unknown> {
  return {
    resourceType: 'Patient',
    id: `${ID}-${n}`,
    meta: { versionId: String(1_000_000 + n), lastUpdated: new Date(Date.UTC(2026, 5, 1) + n * 1000).toISOString() },
    text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${NAME}</div>` },
    identifier: [{ system: 'http://example.org/mrn', value: NAME }],
    name: [{ family: NAME, given: [NAME], text: NAME }],
    telecom: [{ system: 'phone', value: NAME }],
    address: [{ line: [NAME], city: NAME }],
    birthDate: '1970-01-02',
    ...elements,
  };
}

/** Columns for all of it. */
export const CANARY_VIEW = {
  name: 'canary_patients',
  resource: 'Patient',
  select: [
    {
      column: [
        { name: 'id', path: 'id', type: 'id' },
        { name: 'ts', path: 'meta.lastUpdated', type: 'instant' },
        { name: 'birth_date', path: 'birthDate', type: 'date' },
        { name: 'family', path: 'name.family', type: 'string' },
        { name: 'given', path: 'name.given.first()', type: 'string' },
        { name: 'mrn', path: 'identifier.value', type: 'string' },
        { name: 'phone', path: 'telecom.value', type: 'string' },
        { name: 'city', path: 'address.city', type: 'string' },
      ],
    },
  ],
};

/** The service as a process of its own at debug level, with secrets in every place that takes one, and what it says on the way. */
export interface Stage {
  readonly service: ServiceUnderTest;
  readonly queue: BreakableQueue;
  readonly workspace: WorkspaceUnderTest;
  readonly minio: Minio | undefined;
  readonly bucket: string | undefined;
  /** Stands before MinIO. */
  readonly s3: ForbiddingProxy | undefined;
  /** Everything that the service answered over HTTP. */
  readonly answers: Place[];
  webhook(destinationId: string): Webhook;
  post(destinationId: string, body: string, headers?: Record<string, string>): Promise<number>;
  /** Posts a create of a fresh canary. */
  send(destinationId: string, elements?: object): Promise<number>;
  /** A call of Aidbox's API that the service answers. */
  call(method: string, path: string, body: object | undefined, expected: number): Promise<string>;
  /** A call of the service itself. */
  direct(path: string, init?: RequestInit): Promise<number>;
  addDestination(id: string, more?: Partial<DestinationSpec>): Promise<void>;
  /** Its id is the mode; so is the name of its table. */
  addManagedDestination(mode: ManagedMode): Promise<void>;
  readLog(): Promise<string>;
  /** Resolves when the log, from `from` on, has a line with these members. */
  waitForLog(members: Record<string, unknown>, from?: number): Promise<void>;
  logLength(): Promise<number>;
  waitForStatus(destinationId: string, name: string, least: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startStage(
  makeQueue: (dataDir: () => string) => Promise<BreakableQueue>,
  startMinio?: () => Promise<Minio>,
): Promise<Stage> {
  let dataDir = '';
  const queue = await makeQueue(() => dataDir);
  const minio = await startMinio?.();
  const s3 = minio && (await startForbiddingProxy(minio.endpoint));
  const workspace = await startWorkspace();
  const secretsDir = await makeSecretsDirectory(minio?.secretAccessKey ?? SECRETS.mountedFile);
  const service = await startServiceUnderTest({
    queue: queue.address,
    runAs: 'process',
    lab: { rootClient: { id: 'root', secret: SECRETS.aidboxClient }, switches: { validation: false }, retryIntervalMs: 100 },
    env: {
      APP_SECRET: SECRETS.app,
      SEAL_KEY: SECRETS.sealKey,
      SECRETS_DIR: secretsDir,
      LOG_LEVEL: 'debug',
      LEASE_MS: '1000',
      MAX_NOTIFICATION_BYTES: String(MAX_NOTIFICATION_BYTES),
      AIDBOX_TIMEOUT_MS: '1000',
      ...workspace.env,
    },
  });
  dataDir = service.dir;
  return makeStage({ service, queue, workspace, minio, bucket: await minio?.createBucket(), s3 }, secretsDir);
}

/** MinIO's key for one destination comes out of a mounted file. */
async function makeSecretsDirectory(content: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'mounted-'));
  await writeFile(join(directory, 's3-secret'), `${content}\n`);
  return directory;
}

function makeStage(parts: Pick<Stage, 'service' | 'queue' | 'workspace' | 'minio' | 'bucket' | 's3'>, secretsDir: string): Stage {
  const { service, queue, workspace, minio, s3 } = parts;
  const answers: Place[] = [];
  let sent = 0;
  const note = (what: string, text: string): string => {
    answers.push({ what: `the answer to ${what}`, content: Buffer.from(text) });
    return text;
  };
  const stage: Stage = {
    ...parts,
    answers,
    webhook: (id) => findWebhook(service.lab, id),
    async post(id, body, headers) {
      const { status, text } = await stage.webhook(id).post(body, headers);
      note(`a notification for ${id}`, text);
      return status;
    },
    send: (id, elements) => stage.post(id, aNotification(anEntry('create', aCanary((sent += 1), elements)))),
    async call(method, path, body, expected) {
      const answer = await service.api.call(method, path, { ...(body === undefined ? {} : { body }), expected: [expected] });
      return note(`${method} ${path}`, JSON.stringify(answer.body));
    },
    async direct(path, init) {
      const response = await fetch(`${stage.webhook('good').origin}${path}`, init);
      note(`${init?.method ?? 'GET'} ${path}`, `${JSON.stringify([...response.headers])}\n${await response.text()}`);
      return response.status;
    },
    addDestination: (id, more) =>
      service.createDestination({
        id,
        view: CANARY_VIEW,
        table: service.localTable(id),
        batchSize: 50,
        sendIntervalMs: 100,
        ...more,
      }),
    addManagedDestination(mode) {
      const names = CANARY_VIEW.select[0]!.column.map(({ name }) => name);
      const texts = names.map((name) => [name, { ts: 'TIMESTAMP', birth_date: 'DATE' }[name] ?? 'STRING'] as const);
      const tableName = workspace.createTable(mode.replace('-', '_'), [...texts, ['is_deleted', 'INT']]);
      const parameters = workspace.parameters(mode, tableName);
      return service.createDestination({ id: mode, view: CANARY_VIEW, parameters, batchSize: 50, sendIntervalMs: 100 });
    },
    readLog: () => readFile(join(service.dir, 'service.log'), 'utf8'),
    logLength: async () => (await stage.readLog()).length,
    async waitForLog(members, from = 0) {
      await eventually(
        async () => {
          const lines = (await stage.readLog())
            .slice(from)
            .split('\n')
            .filter((line) => line.startsWith('{'));
          const isThere = lines.some((line) => {
            const found = JSON.parse(line) as Record<string, unknown>;
            return Object.entries(members).every(([name, value]) => found[name] === value);
          });
          if (!isThere) throw new Error(`the log has no ${JSON.stringify(members)}`);
        },
        { timeoutMs: 20_000, everyMs: 50 },
      );
    },
    async waitForStatus(id, name, least) {
      await eventually(
        async () => {
          const text = await stage.call('GET', `/fhir/AidboxTopicDestination/${id}/$status`, undefined, 200);
          const { parameter } = JSON.parse(text) as { parameter: { name: string; valueDecimal?: number }[] };
          const value = parameter.find((each) => each.name === name)?.valueDecimal ?? -1;
          if (value < least) throw new Error(`${name} of ${id} is ${value}, expected ${least} or more`);
        },
        { timeoutMs: 20_000, everyMs: 100 },
      );
    },
    async stop() {
      await service.close();
      await workspace.close();
      await s3?.close();
      await minio?.stop();
      await queue.stop();
      await rm(secretsDir, { recursive: true });
    },
  };
  return stage;
}

/** All secrets that the service knows or made. */
export async function listSecrets(stage: Stage, destinationIds: readonly string[]): Promise<Canary[]> {
  const bearers = destinationIds.map((id) => ({ what: `the webhook secret of ${id}`, text: stage.webhook(id).bearerToken }));
  const own = Object.entries(SECRETS).map(([what, text]) => ({ what: `the secret ${what}`, text }));
  const aws = stage.minio === undefined ? [] : [{ what: 'the AWS secret key', text: stage.minio.secretAccessKey }];
  const databricks = [PRINCIPAL.secret, ...stage.workspace.lab.tokens.texts].map((text, index) => ({
    what: index === 0 ? 'the secret of the service principal' : `token ${index} of Databricks`,
    text,
  }));
  return [...own, ...bearers, ...aws, ...databricks, ...(await stage.queue.secrets())];
}
