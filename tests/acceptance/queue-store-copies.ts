import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import type { RedisProcess } from '../helpers/redis.ts';

/** Puts a queue store back to what it held when the copy was made. */
export type Restore = () => Promise<void>;

export async function emptyRedis(url: string): Promise<void> {
  await withRedis(url, (redis) => redis.flushall());
}

/** Every key as DUMP gives it, with the time it has left. */
export async function dumpRedis(url: string): Promise<Restore> {
  const keys = await withRedis(url, async (redis) => {
    const names = await redis.keysBuffer('*');
    return Promise.all(
      names.map(async (name) => ({
        name,
        leftMs: await redis.pttl(name),
        value: (await redis.dumpBuffer(name)) ?? Buffer.alloc(0),
      })),
    );
  });
  return () =>
    withRedis(url, async (redis) => {
      await redis.flushall();
      for (const { name, leftMs, value } of keys.filter(({ value }) => value.length > 0))
        await redis.restore(name, Math.max(0, leftMs), value);
    });
}

/** The files of a server that is killed for the copy and again for the return, as a snapshot of its disk would be. */
export async function copyRedisFiles(server: RedisProcess): Promise<Restore> {
  const [, directory = ''] = await withRedis<string[]>(server.url, (redis) => redis.config('GET', 'dir'));
  const copy = `${directory}.copy`;
  await server.kill();
  await cp(directory, copy, { recursive: true });
  await server.restart();
  return async () => {
    await server.kill();
    await rm(directory, { recursive: true });
    await cp(copy, directory, { recursive: true });
    await rm(copy, { recursive: true });
    await server.restart();
  };
}

/** All rows of BullMQ's tables and ours; what the migrations know of themselves stays. */
export async function emptyPostgres(url: string): Promise<void> {
  await withPostgres(url, async (client) => {
    const tables = (await listTables(client)).filter((name) => !name.includes('migration'));
    await client.query(`TRUNCATE ${tables.join(', ')}`);
  });
}

export async function dropPostgresSchemas(url: string): Promise<void> {
  await withPostgres(url, async (client) => void (await client.query('DROP SCHEMA bullmq, lakehouse CASCADE')));
}

/** The rows of every table, as pg_dump and psql would bring them back. */
export async function copyPostgresRows(url: string): Promise<Restore> {
  const tables = await withPostgres(url, async (client) => {
    const names = await listTables(client);
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ; CREATE SCHEMA copy');
    for (const [index, name] of names.entries()) await client.query(`CREATE TABLE copy.t${index} AS TABLE ${name}`);
    await client.query('COMMIT');
    return names;
  });
  return () =>
    withPostgres(url, async (client) => {
      await client.query(`BEGIN; TRUNCATE ${tables.join(', ')}`);
      for (const [index, name] of tables.entries()) {
        const { rows } = await client.query<{ name: string }>(
          `SELECT quote_ident(attname) AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`,
          [name],
        );
        const columns = rows.map((row) => row.name).join(', ');
        await client.query(`INSERT INTO ${name} (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns} FROM copy.t${index}`);
      }
      await client.query('DROP SCHEMA copy CASCADE; COMMIT');
    });
}

/** The data directory of the embedded PostgreSQL of a service that is stopped. `cp -a` keeps the account that owns the files. */
export async function copyEmbeddedFiles(dataDir: string): Promise<Restore> {
  const directory = realpathSync(join(dataDir, 'queue', 'cluster'));
  execFileSync('cp', ['-a', directory, `${directory}.copy`]);
  return async () => {
    await rm(directory, { recursive: true });
    execFileSync('mv', [`${directory}.copy`, directory]);
  };
}

async function listTables(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'r' AND relnamespace IN ('bullmq'::regnamespace, 'lakehouse'::regnamespace)`,
  );
  return rows.map(({ name }) => name);
}

async function withRedis<T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

async function withPostgres<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
