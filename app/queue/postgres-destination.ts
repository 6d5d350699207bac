import { randomUUID } from 'node:crypto';
import { type JobJson, type PostgresConnection, PostgresQueueBackend, Queue } from 'bullmq';
import { completeCounters } from './counters.ts';
import { decodeJobs } from './job-decoding.ts';
import type { Adder } from './postgres-adder.ts';
import { type Database, PostgresRefusal, repeatWhenDeadlocked } from './postgres-database.ts';
import { DROPPED_STATE, LEASE_LOST_STATE } from './postgres-schema.ts';
import { type LeaseOperations, takeLease } from './lease.ts';
import type { JobRecord, PayloadCodec } from './payload-codec.ts';
import { dropped, leaseLost, unavailable } from './queue-failure.ts';
import { checkScope, jobName, MAX_PEEK_BYTES, TOMBSTONE_MS } from './queue-options.ts';
import type { Counters, DestinationQueue, QuarantineEntry } from './queue-store.ts';

/** BullMQ's backend, but jobs go in by `lakehouse.add_jobs`, which admits or refuses each and calls BullMQ's `add_job`. */
class AdmittingBackend extends PostgresQueueBackend {
  readonly #scope: string;
  readonly #add: Adder;

  constructor(connection: PostgresConnection, scope: string, add: Adder) {
    super(connection, scope, { connection: connection.pool }, false);
    this.#scope = scope;
    this.#add = add;
  }

  override async addJob(job: JobJson, jobId: string): Promise<string> {
    await this.#add({ scope: this.#scope, id: jobId, name: job.name, data: job.data, opts: job.opts, addedAtMs: job.timestamp });
    return jobId;
  }
}

export interface PostgresDestinationParts {
  readonly database: Database;
  readonly codec: PayloadCodec;
  readonly add: Adder;
  readonly leases: LeaseOperations;
  /** BullMQ's view of the pool; there after `start`. */
  readonly connection: () => PostgresConnection;
}

export function makePostgresDestination(
  scope: string,
  { database, codec, add, leases, connection }: PostgresDestinationParts,
): DestinationQueue {
  checkScope(scope);
  const lease = { key: `destination:${scope}`, scope };
  let queue: Queue<JobRecord, void, string, JobRecord, void, string, PostgresQueueBackend> | undefined;
  const openQueue = (): NonNullable<typeof queue> => {
    const parent = connection();
    return (queue ??= new Queue(
      scope,
      { connection: parent.pool, skipMetasUpdate: true },
      () => new AdmittingBackend(parent, scope, add),
    ));
  };

  /** Does nothing for a dropped destination: what it would write is gone. */
  const write = async (operation: string, text: string, values: readonly unknown[]): Promise<void> => {
    try {
      await database.query(operation, text, [scope, ...values]);
    } catch (error) {
      if (!(error instanceof PostgresRefusal && error.state === DROPPED_STATE)) throw error;
    }
  };
  const readValue = async (name: string): Promise<Uint8Array | undefined> => {
    const rows = await database.query<{ value: Buffer }>(
      name,
      'SELECT value FROM lakehouse.value WHERE scope = $1 AND name = $2',
      [scope, name],
    );
    return rows[0]?.value;
  };

  return {
    scope,

    async add(job) {
      const record = await codec.encodeJob(job);
      try {
        await openQueue().add(jobName(job), record, { jobId: randomUUID(), timestamp: job.receivedAtMs });
      } catch (error) {
        throw unavailable('add', database.address, error);
      }
    },

    async acquireLease(ttlMs) {
      try {
        return await takeLease(leases, scope, lease, ttlMs);
      } catch (error) {
        throw error instanceof PostgresRefusal ? dropped(scope) : error;
      }
    },

    async peek({ token }, skip, limit) {
      try {
        const rows = await database.query<{ id: string; data: string }>(
          'peek',
          'SELECT id, data FROM lakehouse.peek($1, $2, $3, $4, $5, $6)',
          [scope, lease.key, token, skip, limit, MAX_PEEK_BYTES],
        );
        return decodeJobs(codec, rows);
      } catch (error) {
        throw error instanceof PostgresRefusal && error.state === LEASE_LOST_STATE ? leaseLost(scope) : error;
      }
    },

    async settle({ jobs, quarantine, checkpoint }) {
      const entries: string[] = [];
      for (const entry of quarantine) entries.push(await codec.encodeEntry(entry));
      await write('settle', 'SELECT lakehouse.settle($1, $2, $3, $4, $5, $6, $7)', [
        jobs.map(({ id }) => id),
        JSON.stringify(jobs.map(({ tally }) => tally)),
        quarantine.map(({ key }) => key),
        quarantine.map(({ quarantinedAtMs }) => quarantinedAtMs),
        entries,
        checkpoint,
      ]);
    },

    count: (delta) => write('count', 'SELECT lakehouse.count_now($1, $2)', [JSON.stringify(delta)]),

    async counters() {
      const rows = await database.query<{ name: keyof Counters; value: string }>(
        'counters',
        'SELECT name, value FROM lakehouse.counter WHERE scope = $1',
        [scope],
      );
      return completeCounters(rows.map(({ name, value }) => [name, Number(value)]));
    },

    async usage() {
      const rows = await database.query<{ jobs: string; events: string; bytes: string; oldest: string | null }>(
        'usage',
        `SELECT jobs, events, bytes, (SELECT added_at_ms FROM bullmq.job WHERE queue = scope AND state = 'waiting' ORDER BY priority, seq LIMIT 1) AS oldest
           FROM lakehouse.destination WHERE scope = $1`,
        [scope],
      );
      const [row] = rows;
      const oldest = row?.oldest ?? undefined;
      return {
        jobs: Number(row?.jobs ?? 0),
        events: Number(row?.events ?? 0),
        bytes: Number(row?.bytes ?? 0),
        oldestReceivedAtMs: oldest === undefined ? undefined : Number(oldest),
      };
    },

    checkpoint: () => readValue('checkpoint'),

    async quarantineSize() {
      const text =
        'SELECT count(*) AS entries, coalesce(sum(octet_length(entry)), 0) AS bytes FROM lakehouse.quarantine WHERE scope = $1';
      const rows = await database.query<{ entries: string; bytes: string }>('quarantineSize', text, [scope]);
      return { entries: Number(rows[0]?.entries), bytes: Number(rows[0]?.bytes) };
    },

    async quarantineList(skip, limit) {
      const text = 'SELECT entry FROM lakehouse.quarantine WHERE scope = $1 ORDER BY at_ms, key OFFSET $2 LIMIT $3';
      const rows = await database.query<{ entry: string }>('quarantineList', text, [scope, skip, limit]);
      return rows.map(({ entry }): QuarantineEntry => codec.decodeEntry(entry));
    },

    async quarantineRemove(keys) {
      const text =
        'WITH gone AS (DELETE FROM lakehouse.quarantine WHERE scope = $1 AND key = ANY ($2) RETURNING 1) SELECT count(*)::int AS entries FROM gone';
      const rows = await database.query<{ entries: number }>('quarantineRemove', text, [scope, keys]);
      return rows[0]?.entries ?? 0;
    },

    publishStatus: (status) => write('publishStatus', `SELECT lakehouse.put_value($1, 'status', $2)`, [status]),

    status: () => readValue('status'),

    async drop() {
      await database.query('drop', 'SELECT lakehouse.bury($1)', [scope]);
      try {
        await repeatWhenDeadlocked(() => openQueue().obliterate({ force: true }));
      } catch (error) {
        throw unavailable('drop', database.address, error);
      }
      await database.query('drop', 'SELECT lakehouse.forget($1, $2, $3)', [scope, lease.key, TOMBSTONE_MS]);
    },
  };
}
