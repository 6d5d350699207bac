import { createRedisBackend, type RedisQueueBackend } from 'bullmq';
import { Redis } from 'ioredis';
import { AppError } from '../errors/app-error.ts';
import { makeDurabilityGate } from './durability-gate.ts';
import { type LeaseOperations, takeLease } from './lease.ts';
import { makePayloadCodec } from './payload-codec.ts';
import { dropped } from './queue-failure.ts';
import { checkScope, DEFAULT_TIMEOUT_MS, type QueueStoreOptions } from './queue-options.ts';
import type { DestinationQueue, QueueStore } from './queue-store.ts';
import { openRedisClient, type RedisClient } from './redis-client.ts';
import { makeRedisDestination } from './redis-destination.ts';
import { inspectRedis } from './redis-durability.ts';
import { jobChannel, ownKey, REFUSAL, workLeaseKey } from './redis-scripts.ts';

export interface RedisQueueStoreOptions extends QueueStoreOptions {
  /** Before every key; `[A-Za-z0-9._-]`. Default `lakehouse`. */
  readonly prefix?: string;
}

/** Queue store on Redis 6 or newer (or Valkey): BullMQ's keys, ours beside them. One connection, and one more for `onJob`. */
export function makeRedisQueueStore(url: string, options: RedisQueueStoreOptions): QueueStore {
  const { log, timeoutMs = DEFAULT_TIMEOUT_MS, allowWeakDurability = false, prefix = 'lakehouse', maxJobs, maxBytes } = options;
  checkScope(prefix);
  const client = openRedisClient(url, { prefix, timeoutMs, maxJobs, maxBytes });
  const { redis, address } = client;
  const gate = makeDurabilityGate(address, allowWeakDurability, log);
  const leases = makeLeases(client, prefix);
  const destinations = new Map<string, DestinationQueue>();
  const listeners = new Set<(scope: string) => void>();
  let backend: RedisQueueBackend | undefined;
  let subscriber: Redis | undefined;

  // Counted up with each lost connection: behind the next one may be another server, or the same with other settings.
  let connectionNo = 0;
  let checkedConnectionNo = -1;
  let checkedRunId: string | undefined;
  let checking: Promise<void> | undefined;
  redis.on('close', () => connectionNo++);
  const checkServer = async (): Promise<void> => {
    const current = connectionNo;
    const server = await client.run('check', () => inspectRedis(redis, address));
    if (server.runId !== checkedRunId) await gate.check(() => Promise.resolve(server.weakness));
    checkedRunId = server.runId;
    checkedConnectionNo = current;
  };

  const parts = {
    client,
    prefix,
    limits: { maxJobs, maxBytes },
    codec: makePayloadCodec(options.sealer),
    leases,
    backend(): RedisQueueBackend {
      if (backend === undefined) throw new AppError('QUEUE_UNAVAILABLE', `the queue store ${address} was not started`);
      return backend;
    },
    async ensureDurable(): Promise<void> {
      if (checkedConnectionNo === connectionNo) return;
      checking ??= checkServer().finally(() => (checking = undefined));
      await checking;
    },
  };

  return {
    address,

    async start() {
      if (backend !== undefined) return;
      await client.connect();
      await parts.ensureDurable();
      const ready = createRedisBackend('~', { connection: redis, skipVersionCheck: true });
      ready.on('error', () => undefined); // each command fails by itself
      await client.run('start', () => ready.waitUntilReady());
      backend = ready;
      log.info({ event: 'queue.started', address });
    },

    async ping() {
      await client.run('ping', () => redis.ping());
    },

    destination(scope) {
      let destination = destinations.get(scope);
      if (destination === undefined) destinations.set(scope, (destination = makeRedisDestination(scope, parts)));
      return destination;
    },

    onJob(call) {
      listeners.add(call);
      subscriber ??= subscribe(url, jobChannel(prefix), (scope) => {
        for (const each of listeners) each(scope);
      });
      return () => void listeners.delete(call);
    },

    acquireLease: (name, ttlMs) => takeLease(leases, name, { key: workLeaseKey(prefix, name) }, ttlMs),

    async close() {
      subscriber?.disconnect();
      await client.close();
    },
  };
}

/** On a connection of its own, which subscribes again after each reconnection. */
function subscribe(url: string, channel: string, onScope: (scope: string) => void): Redis {
  const subscriber = new Redis(url, { maxRetriesPerRequest: null, keepAlive: 10_000 });
  subscriber.on('error', () => undefined); // it connects again by itself
  subscriber.on('message', (_channel, scope) => onScope(scope));
  void subscriber.subscribe(channel).catch(() => undefined); // closed before it was connected
  return subscriber;
}

function makeLeases(client: RedisClient, prefix: string): LeaseOperations {
  return {
    async acquire({ key, scope }, token, ttlMs) {
      // Work leases belong to no destination; nothing stands at their tombstone.
      const tombstone = scope === undefined ? `${key}:dropped` : ownKey(prefix, scope, 'dropped');
      const answer = await client.run('acquireLease', (redis) => redis.lhAcquire(key, tombstone, token, ttlMs));
      if (answer === REFUSAL.dropped) throw dropped(scope ?? key);
      return answer === 1;
    },
    renew: async ({ key }, token, ttlMs) => (await client.run('renewLease', (redis) => redis.lhRenew(key, token, ttlMs))) === 1,
    isHeldBy: async ({ key }, token) => (await client.run('holdLease', (redis) => redis.get(key))) === token,
    async release({ key }, token) {
      await client.run('releaseLease', (redis) => redis.lhRelease(key, token));
    },
  };
}
