import { randomUUID } from 'node:crypto';
import { AppError } from '../../app/errors/app-error.ts';
import { completeCounters } from '../../app/queue/counters.ts';
import type { Counter, DestinationQueue, Job, NewJob, QuarantineEntry, Settlement } from '../../app/queue/queue-store.ts';

export interface MemoryQueue extends DestinationQueue {
  readonly jobs: Job[];
  /** Every call of `settle`, in order. */
  readonly settlements: Settlement[];
  readonly quarantine: Map<string, QuarantineEntry>;
}

/** The queue of one destination in memory, for tests of those that use one; without limits. Its lease never ends by time. */
export function makeMemoryQueue(): MemoryQueue {
  const jobs: Job[] = [];
  const settlements: Settlement[] = [];
  const quarantine = new Map<string, QuarantineEntry>();
  const counters = new Map<Counter, number>();
  let token: string | undefined;
  let checkpoint: Uint8Array | undefined;
  let published: Uint8Array | undefined;
  const count = (delta: object): void => {
    for (const [name, value] of Object.entries(delta) as [Counter, number][])
      counters.set(name, (counters.get(name) ?? 0) + value);
  };
  return {
    scope: 'memory',
    jobs,
    settlements,
    quarantine,
    async add({ body, receivedAtMs }: NewJob) {
      jobs.push({ id: randomUUID(), body, receivedAtMs });
    },
    async acquireLease() {
      if (token !== undefined) return undefined;
      const own = (token = randomUUID());
      return {
        name: 'memory',
        token: own,
        renew: async () => token === own,
        held: async () => token === own,
        release: async () => void (token === own && (token = undefined)),
      };
    },
    async peek(lease, skip, limit) {
      if (lease.token !== token) throw new AppError('LEASE_LOST', 'the lease is not ours any more');
      return jobs.slice(skip, skip + limit);
    },
    async settle(settlement) {
      settlements.push(settlement);
      for (const { id, tally } of settlement.jobs) {
        const at = jobs.findIndex((job) => job.id === id);
        if (at >= 0) count(tally);
        if (at >= 0) jobs.splice(at, 1);
      }
      for (const entry of settlement.quarantine) if (!quarantine.has(entry.key)) quarantine.set(entry.key, entry);
      checkpoint = settlement.checkpoint ?? checkpoint;
    },
    count: async (delta) => count(delta),
    counters: async () => completeCounters(counters),
    usage: async () => ({ jobs: jobs.length, events: jobs.length, bytes: 0, oldestReceivedAtMs: jobs[0]?.receivedAtMs }),
    checkpoint: async () => checkpoint,
    quarantineSize: async () => ({ entries: quarantine.size, bytes: 0 }),
    quarantineList: async (skip, limit) => [...quarantine.values()].slice(skip, skip + limit),
    quarantineRemove: async (keys) => keys.filter((key) => quarantine.delete(key)).length,
    publishStatus: async (status) => void (published = status),
    status: async () => published,
    async drop() {
      jobs.length = 0;
    },
  };
}
