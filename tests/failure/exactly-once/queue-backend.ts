import { Redis } from 'ioredis';
import { Client } from 'pg';
import type { QueueStore } from '../../../app/queue/queue-store.ts';
import type { QueueServer } from '../../helpers/queue-server.ts';

/** A real queue store that can be copied and go back to the copy. */
export interface QueueBackend {
  readonly store: QueueStore;
  /** Copies everything the store holds. @returns what brings that state back */
  copy(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export async function openRedisBackend(server: QueueServer): Promise<QueueBackend> {
  const store = await server.start();
  const { origin, hash } = splitUrl(server.url);
  const redis = new Redis(origin);
  const keys = (): Promise<string[]> => redis.keys(`${hash}:*`);
  return {
    store,
    async copy() {
      const values = await Promise.all(
        (await keys()).map(async (key) => ({ key, ttlMs: await redis.pttl(key), dump: await redis.dumpBuffer(key) })),
      );
      return async () => {
        for (const key of await keys()) await redis.del(key);
        for (const { key, ttlMs, dump } of values) await redis.restore(key, Math.max(0, ttlMs), dump);
      };
    },
    async close() {
      redis.disconnect();
      await server.stop();
    },
  };
}

function splitUrl(url: string): { origin: string; hash: string } {
  const [origin = '', hash = ''] = url.split('#');
  return { origin, hash };
}

export async function openPostgresBackend(server: QueueServer): Promise<QueueBackend> {
  const store = await server.start();
  const client = new Client({ connectionString: server.url });
  await client.connect();
  let copies = 0;
  return {
    store,
    async copy() {
      const schema = `copy_${(copies += 1)}`;
      const { rows: tables } = await client.query<{ name: string }>(
        `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
          WHERE schemaname IN ('bullmq', 'lakehouse') AND tablename NOT LIKE '%migration%'`,
      );
      const { rows: sequences } = await client.query<{ name: string; value: string | null }>(
        `SELECT format('%I.%I', schemaname, sequencename) AS name, last_value AS value FROM pg_sequences WHERE schemaname IN ('bullmq', 'lakehouse')`,
      );
      await client.query(`CREATE SCHEMA ${schema}`);
      for (const [index, { name }] of tables.entries()) await client.query(`CREATE TABLE ${schema}.t${index} AS TABLE ${name}`);
      return async () => {
        await client.query('BEGIN');
        await client.query('SET LOCAL session_replication_role = replica'); // rows as they were: no triggers
        await client.query(`TRUNCATE ${tables.map(({ name }) => name).join(', ')}`);
        for (const [index, { name }] of tables.entries()) {
          await client.query(`INSERT INTO ${name} OVERRIDING SYSTEM VALUE SELECT * FROM ${schema}.t${index}`);
        }
        for (const { name, value } of sequences)
          await client.query('SELECT setval($1, $2, $3)', [name, value ?? 1, value !== null]);
        await client.query('COMMIT');
      };
    },
    async close() {
      await client.end();
      await server.stop();
    },
  };
}
