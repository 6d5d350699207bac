import { readFile, readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { eventually } from '../../helpers/eventually.ts';
import { startRedis, type RedisProcess } from '../../helpers/redis.ts';
import type { QueueAddress } from '../../helpers/service-under-test.ts';
import { readPostgres, readRedis } from './queue-contents.ts';
import type { Canary, Place } from './search.ts';

/** The queue store of a service, to be broken and searched. */
export interface BreakableQueue {
  readonly address: QueueAddress;
  /** Known once the service has started. */
  secrets(): Promise<readonly Canary[]>;
  /** kill -9, without waiting for its return. */
  kill(): Promise<void>;
  /** Resolves when the store answers again. */
  revive(): Promise<void>;
  /** As if another process had taken every destination over. */
  takeLeases(): Promise<void>;
  contents(): Promise<readonly Place[]>;
  stop(): Promise<void>;
}

/** Redis of our own with a password. */
export async function startRedisQueue(program: string, password: string): Promise<BreakableQueue> {
  const redis: RedisProcess = await startRedis(program);
  const lock = async (): Promise<void> => {
    const admin = new Redis(redis.url);
    await admin.config('SET', 'requirepass', password);
    admin.disconnect();
  };
  await lock();
  const url = redis.url.replace('redis://', `redis://:${encodeURIComponent(password)}@`);
  return {
    address: { redisUrl: url },
    secrets: async () => [{ what: 'the password of Redis', text: password }],
    kill: () => redis.kill(),
    async revive() {
      await redis.restart();
      await lock();
    },
    async takeLeases() {
      const admin = new Redis(url);
      for (const key of await admin.keys('*:lease')) await admin.set(key, 'another owner', 'PX', 200);
      admin.disconnect();
    },
    contents: () => readRedis(url),
    stop: () => redis.stop(),
  };
}

/** The embedded PostgreSQL of the service whose files lie in `dataDir()`. */
export function useEmbeddedQueue(dataDir: () => string): BreakableQueue {
  const cluster = async (): Promise<string> => {
    const link = join(dataDir(), 'queue', 'cluster');
    return readlink(link).catch(() => link);
  };
  const url = async (): Promise<string> => {
    const password = (await readFile(join(await cluster(), 'lakehouse-password'), 'utf8')).trim();
    const port = (await readFile(join(dirname(await cluster()), 'server.port'), 'utf8')).trim();
    return `postgresql://lakehouse:${password}@127.0.0.1:${port}/postgres?sslmode=disable`;
  };
  const query = async (sql: string): Promise<void> => {
    const pool = new Pool({ connectionString: await url(), max: 1 });
    pool.on('error', () => undefined);
    await pool.query(sql).finally(() => pool.end());
  };
  return {
    address: {},
    secrets: async () => [{ what: 'the password of the embedded PostgreSQL', text: new URL(await url()).password }],
    async kill() {
      const [pid = ''] = (await readFile(join(await cluster(), 'postmaster.pid'), 'utf8')).split('\n');
      process.kill(Number(pid), 'SIGKILL');
    },
    revive: () => eventually(() => query('SELECT 1'), { timeoutMs: 30_000, everyMs: 100 }), // it comes back by itself
    takeLeases: () =>
      query(`UPDATE lakehouse.lease SET token = 'another owner', expires_at = clock_timestamp() + interval '200 ms'`),
    async contents() {
      const log = await readFile(join(dirname(await cluster()), 'server.log')).catch(() => Buffer.alloc(0));
      return [...(await readPostgres(await url())), { what: 'the log of the embedded PostgreSQL', content: log }];
    },
    stop: async () => undefined,
  };
}
