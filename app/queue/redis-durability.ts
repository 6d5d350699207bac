import type { Redis } from 'ioredis';
import { AppError } from '../errors/app-error.ts';

/** Oldest server with everything that our scripts use. */
const MINIMUM_MAJOR = 6;

export interface RedisServer {
  /** Random, new with each start of the server. */
  readonly runId: string;
  /** What was found and expected, when it can lose what it acknowledged. */
  readonly weakness: string | undefined;
}

/**
 * Durable means: no eviction, an append-only file, flushed before the answer. Managed servers often hide `appendfsync`: unreadable is weak.
 * @throws AppError QUEUE_INCOMPATIBLE for a server that is too old; whatever the client throws
 */
export async function inspectRedis(redis: Redis, address: string): Promise<RedisServer> {
  const info = new Map((await redis.info()).split('\r\n').map((line) => line.split(':', 2) as [string, string]));
  const version = info.get('redis_version') ?? '';
  if (Number.parseInt(version, 10) < MINIMUM_MAJOR) {
    throw new AppError('QUEUE_INCOMPATIBLE', `found Redis ${version} at ${address}, expected ${MINIMUM_MAJOR} or newer`);
  }
  const runId = info.get('run_id') ?? '';
  const expected: readonly (readonly [string, string | undefined, string])[] = [
    ['role', info.get('role'), 'master'],
    ['maxmemory-policy', info.get('maxmemory_policy'), 'noeviction'],
    ['appendonly', info.get('aof_enabled') === '1' ? 'yes' : 'no', 'yes'],
    ['appendfsync', await readSetting(redis, 'appendfsync'), 'always'],
  ];
  const wrong = expected
    .filter(([, found, wanted]) => found !== wanted)
    .map(([name, found, wanted]) => `${name} ${found ?? 'unreadable'}, expected ${wanted}`);
  return { runId, weakness: wrong.length === 0 ? undefined : `found ${wrong.join('; ')}` };
}

async function readSetting(redis: Redis, name: string): Promise<string | undefined> {
  try {
    const [, value] = await redis.config('GET', name);
    return value;
  } catch (error) {
    if ((error as { name?: unknown }).name === 'ReplyError') return undefined; // the server refuses CONFIG
    throw error;
  }
}
