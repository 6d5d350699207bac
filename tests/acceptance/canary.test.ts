import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makePayloadCodec } from '../../app/queue/payload-codec.ts';
import { makeSealer } from '../../app/lib/sealer.ts';
import { openLocalObjectStore } from '../../app/storage/local-object-store.ts';
import { openObjectStore } from '../../app/storage/open-object-store.ts';
import type { ObjectStore } from '../../app/storage/object-store.ts';
import { findRedisProgram } from '../helpers/redis.ts';
import { bothOf, describeWith } from '../helpers/services/availability.ts';
import { findMinio, type Minio } from '../helpers/services/minio.ts';
import { readTableContents } from '../helpers/table-contents.ts';
import { MANAGED_MODES } from '../helpers/workspace-under-test.ts';
import { makeRequest, OUTAGES, reference, REFUSALS, s3Table, STORE_OUTAGES } from './canary/failures.ts';
import { startRedisQueue, useEmbeddedQueue, type BreakableQueue } from './canary/queues.ts';
import { DATABRICKS_TROUBLES } from './canary/databricks-troubles.ts';
import { findTraces, formsOf, type Canary, type Place } from './canary/search.ts';
import { ID, listSecrets, NAME, SECRETS, startStage, type Stage } from './canary/stage.ts';

const MAIN = fileURLToPath(new URL('../../app/main.ts', import.meta.url));
const PATIENT: readonly Canary[] = [
  { what: 'the name', text: NAME },
  { what: 'the id', text: ID },
];

/** Files below a folder but for those in tables, with their names. */
async function readFiles(directory: string): Promise<Place[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const names = { what: 'the names of files', content: Buffer.from(files.join('\n')) };
  // A database's own files hold what its rows hold, which are read by themselves.
  const own = files.filter((file) => !/\/(tables|queue)\//.test(file.slice(directory.length)));
  return [
    names,
    ...(await Promise.all(own.map(async (file) => ({ what: file.slice(directory.length), content: await readFile(file) })))),
  ];
}

async function readObjects(store: ObjectStore): Promise<Place[]> {
  const places: Place[] = [];
  for await (const { path } of store.list('')) places.push({ what: path, content: Buffer.from((await store.read(path)) ?? []) });
  return places;
}

/** Runs the service with a bad environment; it must end by itself. Returns what it said. */
async function runBadly(env: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const status = await new Promise((resolve) => child.once('exit', resolve));
  expect(status).toBe(1);
  return said;
}

function testCanaries(makeQueue: (dataDir: () => string) => Promise<BreakableQueue>, startMinio?: () => Promise<Minio>): void {
  let stage: Stage;
  let places: Place[];
  let secrets: Canary[];
  const destinations = ['good', ...MANAGED_MODES, ...(startMinio === undefined ? [] : ['on-s3', 'inline'])];

  beforeAll(async () => {
    stage = await startStage(makeQueue, startMinio);
    await stage.addDestination('good');
    for (const mode of MANAGED_MODES) await stage.addManagedDestination(mode);
    if (stage.minio !== undefined) {
      const { minio, bucket, s3 } = stage;
      const keys = { accessKeyId: minio.accessKeyId, secretAccessKey: minio.secretAccessKey };
      await stage.addDestination('inline', { table: { tablePath: `s3://${bucket}/inline`, s3Endpoint: s3!.endpoint, ...keys } });
      await stage.call(
        'POST',
        '/fhir/AidboxTopicDestination',
        makeRequest('on-s3', [...s3Table(stage, 'on-s3'), reference('awsSecretAccessKey', 's3-secret')]),
        201,
      );
    }
  }, 90_000);
  afterAll(() => stage.stop(), 60_000);

  it('positive control: the name is in the tables', async () => {
    for (const id of destinations) {
      await stage.send(id);
      await stage.send(id);
      await stage.waitForStatus(id, 'messagesCommitted', 2);
    }
    const { tablePath } = stage.service.localTable('good');
    const { rows } = await readTableContents(await openLocalObjectStore(fileURLToPath(tablePath), tablePath));
    expect(rows.map(({ family, mrn, phone, city }) => [family, mrn, phone, city])).toEqual(
      Array.from({ length: 2 }, () => [NAME, NAME, NAME, NAME]),
    );
  });

  it.each([...REFUSALS, ...DATABRICKS_TROUBLES, ...OUTAGES, ...(startMinio === undefined ? [] : STORE_OUTAGES)])(
    'goes wrong with $what',
    ({ provoke }) => provoke(stage),
    60_000,
  );

  it('says what it says', async () => {
    for (const path of ['/', '/health', '/ready', '/metrics', '/nothing', `/webhooks/${ID}`, '/%zz']) await stage.direct(path);
    for (const id of destinations) {
      await stage.call('GET', `/fhir/AidboxTopicDestination/${id}`, undefined, 200);
      await stage.call('GET', `/fhir/AidboxTopicDestination/${id}/$status`, undefined, 200);
    }
    await stage.call('GET', '/fhir/AidboxTopicDestination', undefined, 200);
    secrets = await listSecrets(stage, destinations);
    const wrongKey = await runBadly({
      AIDBOX_URL: 'http://127.0.0.1:9',
      SEAL_KEY: `${SECRETS.misplaced}`,
      APP_SECRET: 'short!',
      AIDBOX_CLIENT_SECRET: SECRETS.aidboxClient,
      REDIS_URL: `http://:${SECRETS.redis}@host`,
    });
    expect(wrongKey).toContain('CONFIG_INVALID');
    const noStore = await runBadly({
      AIDBOX_URL: 'http://127.0.0.1:9',
      AIDBOX_CLIENT_ID: 'x',
      AIDBOX_CLIENT_SECRET: SECRETS.aidboxClient,
      APP_SECRET: SECRETS.app,
      SEAL_KEY: SECRETS.sealKey,
      REDIS_URL: `redis://:${encodeURIComponent(SECRETS.redis)}@127.0.0.1:9`,
    });
    expect(noStore).toContain('QUEUE_UNAVAILABLE');

    const fromQueue = await stage.queue.contents();
    const files = await readFiles(stage.service.dir);
    expect(files.map(({ what }) => what).filter((what) => what.startsWith('/spool/'))).toHaveLength(1);
    const basics = stage.service.lab
      .history('Basic')
      .map(({ id, text }) => ({ what: `Basic/${id}`, content: Buffer.from(text) }));
    expect(basics.length).toBeGreaterThan(destinations.length);
    places = [
      ...files,
      ...fromQueue,
      ...basics,
      ...stage.answers,
      { what: 'a start that failed', content: Buffer.from(wrongKey + noStore) },
    ];
  }, 60_000);

  it('I8: neither patient data nor a secret is in log, answers, metrics, queue store, spool, configuration or names', () => {
    expect(findTraces([...PATIENT, ...secrets, { what: 'a secret that is too short', text: 'short!' }], places)).toEqual([]);
  });

  it('I8: no secret is in a table, and no patient data in the names of its objects', async () => {
    const stores = [await openLocalObjectStore(join(stage.service.dir, 'tables'), 'file://tables')];
    if (stage.minio !== undefined)
      stores.push(
        await openObjectStore(
          { ...stage.minio.locate(stage.bucket!, ''), tablePath: `s3://${stage.bucket}` },
          { localRoot: '/' },
        ),
      );
    for (const store of stores) {
      const objects = await readObjects(store);
      expect(objects.length).toBeGreaterThan(4);
      expect(findTraces(secrets, objects)).toEqual([]);
      expect(findTraces(PATIENT, [{ what: 'names', content: Buffer.from(objects.map(({ what }) => what).join('\n')) }])).toEqual(
        [],
      );
      await store.close();
    }
  });

  it('negative control: the search finds each canary in each form in a log line, and what the sealed quarantine holds once it is opened', () => {
    const log = places.find(({ what }) => what === '/service.log')!;
    for (const { what, text } of [...PATIENT, ...secrets]) {
      for (const [form, bytes] of formsOf(text)) {
        const planted = Buffer.concat([log.content, Buffer.from('{"level":"info","x":"'), bytes, Buffer.from('"}\n')]);
        expect([form, findTraces([{ what, text }], [{ what: 'log', content: planted }]).length]).toEqual([form, 1]);
      }
    }
    const codec = makePayloadCodec(makeSealer(Buffer.from(SECRETS.sealKey, 'base64')));
    const records = places.flatMap(({ content }) => [...content.toString('latin1').matchAll(/"event"+:"+([A-Za-z0-9+/=]+)"/g)]);
    const opened = records.map(([, event]) => codec.decodeEntry(JSON.stringify({ v: 1, event })).event);
    expect(opened.filter((event) => Buffer.from(event).includes(NAME)).length).toBeGreaterThan(3);
  });
}

describe('canaries on the embedded PostgreSQL', () => {
  testCanaries(async (dataDir) => useEmbeddedQueue(dataDir));
});

describeWith(bothOf(findRedisProgram(), await findMinio()), 'canaries on Redis and MinIO', ([program, startMinio]) => {
  testCanaries(() => startRedisQueue(program, SECRETS.redis), startMinio);
});
