import { makePostgresQueueStore } from '../../../app/queue/postgres-queue-store.ts';
import type { QueueStore } from '../../../app/queue/queue-store.ts';
import { makeRedisQueueStore } from '../../../app/queue/redis-queue-store.ts';
import { findPostgres } from '../../helpers/postgres.ts';
import { type ServerPower, TEST_OPTIONS } from '../../helpers/queue-server.ts';
import { startRedis } from '../../helpers/redis.ts';
import type { Availability } from '../../helpers/services/availability.ts';
import { findOnPath } from '../../helpers/services/cache.ts';

/** The server of a queue store, of our own, that a test may freeze and kill. */
export interface KillableQueue extends ServerPower {
  readonly name: string;
  /** How the service is told of it. */
  readonly env: Readonly<Record<string, string>>;
  /** Opens a store that looks at what the service left there; not started. */
  open(): QueueStore;
  stop(): Promise<void>;
}

export type StartQueue = () => Promise<KillableQueue>;

/** Both backends, by name. */
export async function findKillableQueues(): Promise<readonly Availability<StartQueue>[]> {
  return [findKillableRedis(), await findKillablePostgres()];
}

export function findKillableRedis(): Availability<StartQueue> {
  const program = findOnPath('redis-server');
  if (program === undefined) return { name: 'Redis', enableBy: 'apt-get install redis-server' };
  return {
    name: 'Redis',
    found: async () => {
      const server = await startRedis(program);
      return { ...server, name: 'Redis', env: { REDIS_URL: server.url }, open: () => makeRedisQueueStore(server.url, TEST_OPTIONS) };
    },
  };
}

export async function findKillablePostgres(): Promise<Availability<StartQueue>> {
  const part = await findPostgres();
  if (!('found' in part)) return part;
  return {
    name: part.name,
    found: async () => {
      const server = await part.found();
      if (server.power === undefined) throw new Error(`${server.url} was not started by this test: unset TEST_DATABASE_URL`);
      return {
        ...server.power,
        name: part.name,
        env: { DATABASE_URL: server.url },
        open: () => makePostgresQueueStore(server.url, TEST_OPTIONS),
        stop: () => server.stop(),
      };
    },
  };
}
