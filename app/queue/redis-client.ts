import { Redis, type RedisOptions } from 'ioredis';
import { timedOut, unavailable, withTimeout } from './queue-failure.ts';
import { defineScripts, withAdmission } from './redis-scripts.ts';

/** The one command connection of a store, with its errors turned into ours. */
export interface RedisClient {
  readonly redis: Redis;
  readonly address: string;
  /** Waits until it is connected. @throws AppError QUEUE_UNAVAILABLE */
  connect(): Promise<void>;
  /** @throws AppError QUEUE_UNAVAILABLE, at once when there is no connection; whatever `translate` makes of an error */
  run<T>(operation: string, command: (redis: Redis) => Promise<T>, translate?: (error: unknown) => Error | undefined): Promise<T>;
  close(): Promise<void>;
}

/** Replies in the shapes that BullMQ expects. */
type LegacyOptions = RedisOptions & { replyMapping?: 'legacy' };

const LAST_RETRY_MS = 1_000;

/** Adds our admission to BullMQ's `addStandardJob` when BullMQ defines its scripts on this client. */
class AdmittingRedis extends Redis {
  readonly #wrap: (lua: string) => string;

  constructor(url: string, options: LegacyOptions, wrap: (lua: string) => string) {
    super(url, options);
    this.#wrap = wrap;
  }

  override defineCommand(name: string, definition: { lua: string; numberOfKeys?: number; readOnly?: boolean }): void {
    const lua = name.startsWith('addStandardJob:') ? this.#wrap(definition.lua) : definition.lua;
    super.defineCommand(name, { ...definition, lua });
  }
}

export interface RedisClientOptions {
  readonly prefix: string;
  readonly maxJobs: number;
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

export function openRedisClient(url: string, { prefix, timeoutMs, ...limits }: RedisClientOptions): RedisClient {
  const options: LegacyOptions = {
    lazyConnect: true,
    // A command either goes to the server now or fails now: nothing is kept in memory and sent later behind the caller's back.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: timeoutMs,
    socketTimeout: timeoutMs, // also for what is asked before it is ready
    keepAlive: 10_000,
    retryStrategy: (times) => Math.min(LAST_RETRY_MS, 50 * times),
    // After a failover the connection may still lead to the old master.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
  const redis = new AdmittingRedis(url, options, (lua) => withAdmission(lua, prefix, limits));
  redis.on('error', () => undefined); // each command fails by itself
  defineScripts(redis);
  const address = describeAddress(redis);
  // Commands behind an unanswered one would wait as long: begin again on a new connection.
  let isResetting = false;
  redis.on('close', () => (isResetting = false));
  const reset = (): void => {
    if (isResetting || redis.status !== 'ready') return;
    isResetting = true;
    redis.disconnect(true);
  };

  return {
    redis,
    address,
    async connect() {
      if (redis.status === 'ready') return;
      const ready = new Promise<void>((resolve) => redis.once('ready', resolve));
      if (redis.status === 'wait' || redis.status === 'end') void redis.connect().catch(() => undefined); // it goes on trying
      await withTimeout(ready, timeoutMs, () => timedOut('connect', address, timeoutMs));
    },
    async run(operation, command, translate) {
      try {
        return await withTimeout(command(redis), timeoutMs, () => {
          reset();
          return timedOut(operation, address, timeoutMs);
        });
      } catch (error) {
        throw translate?.(error) ?? unavailable(operation, address, error);
      }
    },
    async close() {
      await withTimeout(redis.quit(), LAST_RETRY_MS, () => timedOut('close', address, LAST_RETRY_MS)).catch(() => undefined);
      redis.disconnect();
    },
  };
}

/** For people: no credentials. */
function describeAddress(redis: Redis): string {
  const { host, port, path, db, tls } = redis.options;
  return path === undefined || path === null ? `${tls ? 'rediss' : 'redis'}://${host}:${port}/${db ?? 0}` : `unix:${path}`;
}
