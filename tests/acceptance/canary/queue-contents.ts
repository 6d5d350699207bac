import { Redis } from 'ioredis';
import { Pool } from 'pg';
import type { Place } from './search.ts';

/** Every key of a Redis server with its value. */
export async function readRedis(url: string): Promise<Place[]> {
  const redis = new Redis(url);
  try {
    const places: Place[] = [];
    for (const key of await redis.keys('*'))
      places.push({ what: `Redis key ${key}`, content: Buffer.from(`${key}\n${await readValue(redis, key)}`, 'latin1') });
    return places;
  } finally {
    redis.disconnect();
  }
}

/** Bytes as Latin-1, so that none is lost. */
async function readValue(redis: Redis, key: string): Promise<string> {
  const texts = (list: readonly unknown[]): string =>
    list
      .map((item) => (Buffer.isBuffer(item) ? item.toString('latin1') : Array.isArray(item) ? texts(item) : String(item)))
      .join('\n');
  switch (await redis.type(key)) {
    case 'string':
      return texts([await redis.getBuffer(key)]);
    case 'hash':
      return texts((await redis.callBuffer('HGETALL', key)) as readonly unknown[]);
    case 'list':
      return texts(await redis.lrangeBuffer(key, 0, -1));
    case 'set':
      return texts(await redis.smembersBuffer(key));
    case 'zset':
      return texts(await redis.zrangeBuffer(key, 0, '-1'));
    default:
      return texts((await redis.callBuffer('XRANGE', key, '-', '+')) as readonly unknown[]);
  }
}

/** Every row of every table of a database but PostgreSQL's own, as text; `bytea` shows as hex, which the search knows. */
export async function readPostgres(url: string): Promise<Place[]> {
  const pool = new Pool({ connectionString: url, max: 1 });
  try {
    const tables = await pool.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    );
    const places: Place[] = [];
    for (const { name } of tables.rows) {
      const { rows } = await pool.query<{ line: string }>(`SELECT t::text AS line FROM ${name} AS t`);
      places.push(...rows.map(({ line }, index) => ({ what: `row ${index} of ${name}`, content: Buffer.from(line) })));
    }
    return places;
  } finally {
    await pool.end();
  }
}
