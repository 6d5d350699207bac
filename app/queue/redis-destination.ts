import { randomUUID } from 'node:crypto';
import { type IQueueBackend, Queue, type RedisQueueBackend } from 'bullmq';
import { completeCounters } from './counters.ts';
import { decodeJobs } from './job-decoding.ts';
import { type LeaseOperations, takeLease } from './lease.ts';
import type { JobRecord, PayloadCodec } from './payload-codec.ts';
import { dropped, full, leaseLost } from './queue-failure.ts';
import { checkScope, jobName, MAX_PEEK_BYTES, TOMBSTONE_MS } from './queue-options.ts';
import type { Counter, DestinationQueue } from './queue-store.ts';
import type { RedisClient } from './redis-client.ts';
import { ownKey, REFUSAL } from './redis-scripts.ts';

export interface RedisDestinationParts {
  readonly client: RedisClient;
  readonly prefix: string;
  readonly limits: { readonly maxJobs: number; readonly maxBytes: number };
  readonly codec: PayloadCodec;
  readonly leases: LeaseOperations;
  /** BullMQ's backend on the shared connection; there after `start`. */
  readonly backend: () => RedisQueueBackend;
  /** Resolves at once unless the server may be another one than the one that was checked. @throws AppError QUEUE_NOT_DURABLE, QUEUE_UNAVAILABLE */
  readonly ensureDurable: () => Promise<void>;
}

const OBLITERATE_JOBS = 1_000;

export function makeRedisDestination(scope: string, parts: RedisDestinationParts): DestinationQueue {
  const { client, prefix, limits, codec, leases } = parts;
  checkScope(scope);
  const own = (name: string): string => ownKey(prefix, scope, name);
  const lease = { key: own('lease'), scope };
  const tombstone = own('dropped');
  const base = `${prefix}:${scope}:`;
  const wait = `${base}wait`;
  let queue: Queue<JobRecord, void, string, JobRecord, void, string, IQueueBackend> | undefined;
  const openQueue = (): NonNullable<typeof queue> => {
    const root = parts.backend();
    return (queue ??= new Queue(scope, { connection: client.redis, prefix, skipMetasUpdate: true }, () =>
      root.forQueue(scope, prefix),
    ));
  };
  const readValue = async (name: string): Promise<Uint8Array | undefined> =>
    (await client.run(name, (redis) => redis.getBuffer(own(name)))) ?? undefined;

  return {
    scope,

    async add(job) {
      await parts.ensureDurable();
      const record = await codec.encodeJob(job);
      await client.run(
        'add',
        () => openQueue().add(jobName(job), record, { jobId: randomUUID(), timestamp: job.receivedAtMs }),
        (error) => {
          const { code, message } = error as { code?: unknown; message?: unknown };
          if (code === REFUSAL.dropped) return dropped(scope);
          const isOutOfMemory = typeof message === 'string' && /\bOOM\b/.test(message);
          return code === REFUSAL.full || isOutOfMemory ? full(scope, limits) : undefined;
        },
      );
    },

    acquireLease: (ttlMs) => takeLease(leases, scope, lease, ttlMs),

    async peek({ token }, skip, limit) {
      if (limit <= 0) return [];
      const found = await client.run('peek', (redis) => redis.lhPeek(lease.key, wait, token, skip, limit, MAX_PEEK_BYTES, base));
      if (typeof found === 'number') throw leaseLost(scope);
      const records = Array.from({ length: found.length / 2 }, (_, n) => ({
        id: found[2 * n] ?? '',
        data: found[2 * n + 1] ?? '',
      }));
      return decodeJobs(codec, records);
    },

    async settle({ jobs, quarantine, checkpoint }) {
      const jobsJson = JSON.stringify(jobs.map(({ id, tally }) => [id, tally]));
      const entries: (string | number)[] = [];
      for (const entry of quarantine) entries.push(entry.key, entry.quarantinedAtMs, await codec.encodeEntry(entry));
      await client.run('settle', (redis) => redis.lhSettle(wait, base, jobsJson, Buffer.from(checkpoint ?? []), ...entries));
    },

    async count(delta) {
      await client.run('count', (redis) => redis.lhCount(own('counters'), tombstone, JSON.stringify(delta)));
    },

    async counters() {
      const found = await client.run('counters', (redis) => redis.hgetall(own('counters')));
      return completeCounters(Object.entries(found).map(([name, value]) => [name as Counter, Number(value)]));
    },

    usage: () =>
      client.run('usage', async (redis) => {
        const [jobs, events, bytes, oldestId] = await Promise.all([
          redis.llen(wait),
          redis.get(own('events')),
          redis.get(own('bytes')),
          redis.lindex(wait, -1),
        ]);
        const receivedAtMs = oldestId === null ? null : await redis.hget(`${base}${oldestId}`, 'timestamp');
        return {
          jobs,
          events: Number(events ?? 0),
          bytes: Number(bytes ?? 0),
          oldestReceivedAtMs: receivedAtMs === null ? undefined : Number(receivedAtMs),
        };
      }),

    checkpoint: () => readValue('checkpoint'),

    quarantineSize: () =>
      client.run('quarantineSize', async (redis) => {
        const [entries, bytes] = await Promise.all([redis.hlen(own('quarantine')), redis.get(own('quarantineBytes'))]);
        return { entries, bytes: Number(bytes ?? 0) };
      }),

    async quarantineList(skip, limit) {
      const found = await client.run('quarantineList', (redis) =>
        redis.lhQuarantineList(own('quarantine'), own('quarantineOrder'), skip, limit),
      );
      return found.map((entry) => codec.decodeEntry(entry));
    },

    async quarantineRemove(keys) {
      if (keys.length === 0) return 0;
      return client.run('quarantineRemove', (redis) =>
        redis.lhQuarantineRemove(own('quarantine'), own('quarantineOrder'), own('quarantineBytes'), ...keys),
      );
    },

    async publishStatus(status) {
      await client.run('publishStatus', (redis) => redis.lhPut(own('status'), tombstone, Buffer.from(status)));
    },

    status: () => readValue('status'),

    async drop() {
      await client.run('drop', (redis) => redis.lhBury(tombstone, `${base}meta`, own(''), TOMBSTONE_MS));
      const backend = openQueue().getBackend();
      while ((await client.run('drop', () => backend.obliterate({ force: true, count: OBLITERATE_JOBS }))) > 0);
    },
  };
}
