import { PostgresConnection } from 'bullmq';
import { Client, type ClientBase } from 'pg';
import { AppError } from '../errors/app-error.ts';
import { systemClock } from '../lib/clock.ts';
import { makeDurabilityGate } from './durability-gate.ts';
import { type LeaseOperations, takeLease } from './lease.ts';
import { makePayloadCodec } from './payload-codec.ts';
import { makeAdder } from './postgres-adder.ts';
import { type Database, openDatabase } from './postgres-database.ts';
import { makePostgresDestination } from './postgres-destination.ts';
import { listen, type Listener } from './postgres-listener.ts';
import { migrate } from './postgres-schema.ts';
import { unavailable } from './queue-failure.ts';
import { DEFAULT_TIMEOUT_MS, type QueueStoreOptions } from './queue-options.ts';
import type { DestinationQueue, QueueStore } from './queue-store.ts';

const MIGRATION_TIMEOUT_MS = 60_000;

/** Queue store on PostgreSQL 13 or newer: BullMQ's own backend in schema `bullmq`, ours beside it in `lakehouse`. */
export function makePostgresQueueStore(connectionString: string, options: QueueStoreOptions): QueueStore {
  const { log, clock = systemClock, timeoutMs = DEFAULT_TIMEOUT_MS, allowWeakDurability = false } = options;
  const address = describeAddress(connectionString);
  const gate = makeDurabilityGate(address, allowWeakDurability, log);
  const database = openDatabase(connectionString, address, timeoutMs, (client) => gate.check(() => findWeakness(client)));
  const leases = makeLeases(database);
  const destinations = new Map<string, DestinationQueue>();
  const listeners = new Set<(scope: string) => void>();
  let connection: PostgresConnection | undefined;
  let listener: Listener | undefined;

  const parts = {
    database,
    codec: makePayloadCodec(options.sealer),
    add: makeAdder(database, options, timeoutMs),
    leases,
    connection(): PostgresConnection {
      if (connection === undefined) throw new AppError('QUEUE_UNAVAILABLE', `the queue store ${address} was not started`);
      return connection;
    },
  };

  return {
    address,

    async start() {
      if (connection !== undefined) return;
      try {
        await migrateOnce(connectionString, timeoutMs);
        const ready = new PostgresConnection(database.pool);
        await ready.waitUntilReady();
        connection = ready;
      } catch (error) {
        throw unavailable('start', address, error);
      }
      log.info({ event: 'queue.started', address });
    },

    async ping() {
      await database.query('ping', 'SELECT 1');
    },

    destination(scope) {
      let destination = destinations.get(scope);
      if (destination === undefined) destinations.set(scope, (destination = makePostgresDestination(scope, parts)));
      return destination;
    },

    onJob(call) {
      listeners.add(call);
      listener ??= listen(connectionString, clock, (scope) => {
        for (const each of listeners) each(scope);
      });
      return () => void listeners.delete(call);
    },

    acquireLease: (name, ttlMs) => takeLease(leases, name, { key: `work:${name}` }, ttlMs),

    async close() {
      await listener?.close();
      await database.close();
    },
  };
}

function makeLeases(database: Database): LeaseOperations {
  return {
    async acquire({ key, scope }, token, ttlMs) {
      const text = 'SELECT lakehouse.acquire_lease($1, $2, $3, $4) AS acquired';
      const rows = await database.query<{ acquired: boolean }>('acquireLease', text, [key, token, ttlMs, scope]);
      return rows[0]?.acquired === true;
    },
    async renew({ key }, token, ttlMs) {
      const rows = await database.query(
        'renewLease',
        `UPDATE lakehouse.lease SET expires_at = clock_timestamp() + $3 * interval '1 ms'
          WHERE name = $1 AND token = $2 AND expires_at > clock_timestamp() RETURNING 1`,
        [key, token, ttlMs],
      );
      return rows.length === 1;
    },
    async isHeldBy({ key }, token) {
      const text = 'SELECT FROM lakehouse.lease WHERE name = $1 AND token = $2 AND expires_at > clock_timestamp()';
      return (await database.query('holdLease', text, [key, token])).length === 1;
    },
    async release({ key }, token) {
      await database.query('releaseLease', 'DELETE FROM lakehouse.lease WHERE name = $1 AND token = $2', [key, token]);
    },
  };
}

/** Not on the pool: its connections have a short time limit, and expect the tables to be there. */
async function migrateOnce(connectionString: string, timeoutMs: number): Promise<void> {
  const client = new Client({ connectionString, connectionTimeoutMillis: timeoutMs, query_timeout: MIGRATION_TIMEOUT_MS });
  client.on('error', () => undefined); // the query under way fails too
  try {
    await client.connect();
    await migrate(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** `synchronous_commit` is ours to set, and set with each transaction; these two are the server's. */
async function findWeakness(client: ClientBase): Promise<string | undefined> {
  const { rows } = await client.query<{ fsync: string; fullPageWrites: string }>(
    `SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS "fullPageWrites"`,
  );
  const [row] = rows;
  if (row?.fsync !== 'on') return `found fsync ${row?.fsync}, expected on`;
  return row.fullPageWrites === 'on' ? undefined : `found full_page_writes ${row.fullPageWrites}, expected on`;
}

/** For people: no credentials. */
function describeAddress(connectionString: string): string {
  const { host, port, database } = new Client({ connectionString });
  return `postgresql://${host}:${port}/${database ?? ''}`;
}
