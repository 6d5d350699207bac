import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { TableLocation } from '../../../app/storage/table-location.ts';
import { eventually } from '../eventually.ts';
import type { Availability } from './availability.ts';
import { findOnPath, INSTALL } from './cache.ts';
import { startChild, type Child } from './child.ts';
import { dockerAnswers } from './docker.ts';
import { findFreePort } from './free-port.ts';

const KEY = 'lakehouse-test';
const SECRET = 'lakehouse-test-secret';
const START_TIMEOUT_MS = 30_000;

/** A running MinIO with administrator's keys. */
export interface Minio {
  /** `http://127.0.0.1:port`; the same after a restart. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Creates a bucket with a fresh name and returns the name. */
  createBucket(): Promise<string>;
  /** Location of a table in a bucket, as the product takes it. */
  locate(bucket: string, path: string): TableLocation;
  /** kill -9. Throws when the server is not ours. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, with the same data and port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts (or connects to) the MinIO that was found. */
export type StartMinio = () => Promise<Minio>;

/** TEST_S3_ENDPOINT (with TEST_S3_ACCESS_KEY_ID and TEST_S3_SECRET_ACCESS_KEY) → `minio` on PATH or in the cache → container. */
export async function findMinio(): Promise<Availability<StartMinio>> {
  const name = 'MinIO';
  const endpoint = process.env['TEST_S3_ENDPOINT'];
  if (endpoint) return { name, found: async () => connect(endpoint) };
  const program = findOnPath('minio');
  if (program !== undefined) return { name, found: () => startProgram(program) };
  if (await dockerAnswers()) return { name, found: startContainer };
  return { name, enableBy: INSTALL };
}

/** Only a MinIO that the test may kill: a program, not a server at an address or in a container. */
export async function findOwnMinio(): Promise<Availability<StartMinio>> {
  const program = findOnPath('minio');
  return program === undefined ? { name: 'MinIO', enableBy: INSTALL } : { name: 'MinIO', found: () => startProgram(program) };
}

async function startProgram(program: string): Promise<Minio> {
  const directory = await mkdtemp(join(tmpdir(), 'minio-'));
  const port = await findFreePort();
  const consolePort = await findFreePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const args = [
    'server',
    '--quiet',
    '--address',
    `127.0.0.1:${port}`,
    '--console-address',
    `127.0.0.1:${consolePort}`,
    directory,
  ];
  let child: Child;
  const start = async (): Promise<void> => {
    child = await startChild(program, args, { MINIO_ROOT_USER: KEY, MINIO_ROOT_PASSWORD: SECRET, MINIO_BROWSER: 'off' });
    await eventually(
      async () => {
        const ready = await fetch(`${endpoint}/minio/health/ready`).then((answer) => answer.ok);
        if (!ready) throw new Error(`MinIO is not ready: ${child.output()}`);
      },
      { timeoutMs: START_TIMEOUT_MS },
    );
  };
  await start();
  return {
    ...makeMinio(endpoint, KEY, SECRET),
    kill: () => child.kill(),
    restart: start,
    stop: async () => {
      await child.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function startContainer(): Promise<Minio> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const container = await new GenericContainer('minio/minio')
    .withEnvironment({ MINIO_ROOT_USER: KEY, MINIO_ROOT_PASSWORD: SECRET })
    .withCommand(['server', '/data'])
    .withExposedPorts(9000)
    .withWaitStrategy(Wait.forHttp('/minio/health/ready', 9000))
    .start();
  const endpoint = `http://${container.getHost()}:${container.getMappedPort(9000)}`;
  return { ...makeMinio(endpoint, KEY, SECRET), stop: async () => void (await container.stop()) };
}

function connect(endpoint: string): Minio {
  const accessKeyId = process.env['TEST_S3_ACCESS_KEY_ID'] ?? 'minioadmin';
  return makeMinio(endpoint, accessKeyId, process.env['TEST_S3_SECRET_ACCESS_KEY'] ?? 'minioadmin');
}

function makeMinio(endpoint: string, accessKeyId: string, secretAccessKey: string): Minio {
  const notOurs = async (): Promise<never> => {
    throw new Error(`${endpoint} was not started by this test: use findOwnMinio`);
  };
  return {
    endpoint,
    accessKeyId,
    secretAccessKey,
    createBucket: async () => {
      const client = new S3Client({
        endpoint,
        region: 'us-east-1',
        forcePathStyle: true,
        credentials: { accessKeyId, secretAccessKey },
      });
      const bucket = `test-${randomUUID()}`;
      try {
        await client.send(new CreateBucketCommand({ Bucket: bucket }));
      } finally {
        client.destroy();
      }
      return bucket;
    },
    locate: (bucket, path) => ({ tablePath: `s3://${bucket}/${path}`, s3Endpoint: endpoint, accessKeyId, secretAccessKey }),
    kill: notOurs,
    restart: notOurs,
    stop: async () => undefined,
  };
}
