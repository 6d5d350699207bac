import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { makeRedisQueueStore } from '../../app/queue/redis-queue-store.ts';
import { OpenedStores, type QueueServer, type ServerPower, TEST_OPTIONS } from './queue-server.ts';
import type { Availability } from './services/availability.ts';
import { findOnPath } from './services/cache.ts';
import { type Child, startChild } from './services/child.ts';
import { dockerAnswers } from './services/docker.ts';
import { findFreePort } from './services/free-port.ts';

const ENABLE_BY = 'apt-get install redis-server';

/** Durable settings of docs/configuration.md. */
const SETTINGS = ['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction', '--save', ''];

/** TEST_REDIS_URL → `redis-server` on PATH → container. */
export async function findRedis(): Promise<Availability<() => Promise<QueueServer>>> {
  const name = 'Redis';
  const url = process.env['TEST_REDIS_URL'];
  if (url) return { name, found: () => Promise.resolve(makeServer(url)) };
  const program = findOnPath('redis-server');
  if (program !== undefined) return { name, found: () => startProgram(program) };
  if (await dockerAnswers()) return { name, found: startContainer };
  return { name, enableBy: ENABLE_BY };
}

/** Only a server that the test may break and configure. */
export function findRedisProgram(): Availability<string> {
  const program = findOnPath('redis-server');
  return program === undefined ? { name: 'redis-server', enableBy: ENABLE_BY } : { name: 'redis-server', found: program };
}

/** A process of our own, for whoever needs just the address. */
export interface RedisProcess extends ServerPower {
  readonly url: string;
  /** `settings` come after, and so override, the durable ones. */
  restart(settings?: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

export async function startRedis(program: string): Promise<RedisProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'redis-'));
  const port = await findFreePort();
  const url = `redis://127.0.0.1:${port}`;
  let child: Child;
  const start = async (settings: readonly string[] = []): Promise<void> => {
    child = await startChild(program, [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      directory,
      ...SETTINGS,
      ...settings,
    ]);
    const probe = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
    probe.on('error', () => undefined);
    await probe.ping();
    probe.disconnect();
  };
  await start();
  return {
    url,
    freeze: () => process.kill(child.pid, 'SIGSTOP'),
    thaw: () => process.kill(child.pid, 'SIGCONT'),
    kill: () => child.kill(),
    restart: start,
    async stop() {
      await child.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function startProgram(program: string): Promise<QueueServer> {
  const redis = await startRedis(program);
  return makeServer(redis.url, redis, () => redis.stop());
}

async function startContainer(): Promise<QueueServer> {
  const { GenericContainer } = await import('testcontainers');
  const container = await new GenericContainer('redis:7')
    .withCommand(['redis-server', ...SETTINGS])
    .withExposedPorts(6379)
    .start();
  return makeServer(
    `redis://${container.getHost()}:${container.getMappedPort(6379)}`,
    undefined,
    async () => void (await container.stop()),
  );
}

function makeServer(url: string, power?: ServerPower, stopServer: () => Promise<void> = async () => undefined): QueueServer {
  const prefix = `test-${randomUUID()}`;
  const stores = new OpenedStores();
  const admin = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  admin.on('error', () => undefined);
  const server: QueueServer = {
    url: `${url}#${prefix}`,
    open: (options) => stores.add(makeRedisQueueStore(url, { ...TEST_OPTIONS, prefix, ...options })),
    async start(options) {
      const store = server.open(options);
      await store.start();
      return store;
    },
    async bullmqCounts(scope) {
      const queue = new Queue(scope, { connection: admin, prefix });
      try {
        return await queue.getJobCounts();
      } finally {
        await queue.close();
        await admin.hdel(`${prefix}:${scope}:meta`, 'version'); // BullMQ writes it on opening
      }
    },
    async dump(scope) {
      const keys = await admin.keys(`${prefix}:${scope}:*`);
      return Promise.all(
        keys.sort().map(async (key) => {
          const type = await admin.type(key);
          if (type === 'string') return `${key} ${await admin.get(key)}`;
          if (type === 'hash') return `${key} ${JSON.stringify(await admin.hgetall(key))}`;
          if (type === 'list') return `${key} ${JSON.stringify(await admin.lrange(key, 0, -1))}`;
          if (type === 'zset') return `${key} ${JSON.stringify(await admin.zrange(key, 0, '-1'))}`;
          return `${key} ${JSON.stringify(await admin.xrange(key, '-', '+'))}`;
        }),
      );
    },
    async setDurable(isDurable) {
      await admin.config('SET', 'appendfsync', isDurable ? 'always' : 'everysec');
    },
    ...(power === undefined ? {} : { power }),
    async stop() {
      await stores.closeAll();
      for (const key of await admin.keys(`${prefix}:*`)) await admin.del(key);
      admin.disconnect();
      await stopServer();
    },
  };
  return server;
}
