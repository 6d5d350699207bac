import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { removeEmbedded } from '../../tests/helpers/postgres.ts';
import { startEmbeddedPostgres } from '../../app/queue/embedded-postgres.ts';
import { makeLogger } from '../../app/log.ts';
import { freePort } from '../demo/app-process.ts';

/** A queue store for one measurement; `env` is what the service gets. */
export interface StoreUnderTest {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Those that can be had on this machine; the embedded one always. */
export const QUEUE_STORES: Readonly<Record<string, () => Promise<StoreUnderTest | undefined>>> = {
  redis: startRedis,
  postgres: startPostgres,
  embedded: async () => ({ name: 'embedded PostgreSQL (in the folder of the service)', env: {}, stop: async () => undefined }),
};

async function startRedis(): Promise<StoreUnderTest | undefined> {
  if (spawnSync('redis-server', ['--version']).status !== 0) return undefined;
  const dir = await mkdtemp(join(tmpdir(), 'lakehouse-redis-'));
  const port = await freePort();
  const child = spawn(
    'redis-server',
    [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      dir,
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
      '--maxmemory-policy',
      'noeviction',
      '--save',
      '',
    ],
    { stdio: 'ignore' },
  );
  await pause(500);
  return {
    name: 'Redis, appendfsync always',
    env: { REDIS_URL: `redis://127.0.0.1:${port}` },
    stop: async () => {
      child.kill('SIGKILL');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The same binaries as the embedded store, but as a server of its own that the service reaches by DATABASE_URL. */
async function startPostgres(): Promise<StoreUnderTest> {
  const dir = await mkdtemp(join(tmpdir(), 'lakehouse-postgres-'));
  const server = await startEmbeddedPostgres({ dataDir: dir, log: makeLogger('error') });
  return {
    name: 'PostgreSQL 18, fsync on',
    env: { DATABASE_URL: server.connectionString },
    stop: async () => {
      await server.stop();
      await removeEmbedded(dir);
    },
  };
}
