import { Pool, type ClientBase, type QueryResultRow } from 'pg';
import { AppError } from '../errors/app-error.ts';
import { timedOut, unavailable, withTimeout } from './queue-failure.ts';

/** The one pool of a store, with its errors turned into ours. */
export interface Database {
  readonly pool: Pool;
  readonly address: string;
  /** @throws AppError QUEUE_UNAVAILABLE; PostgresRefusal when a function of ours raised `LH…` */
  query<R extends QueryResultRow>(operation: string, text: string, values?: readonly unknown[]): Promise<readonly R[]>;
  close(): Promise<void>;
}

/** One of our own SQLSTATE codes (class LH), for the caller to translate. */
export class PostgresRefusal extends Error {
  readonly state: string;
  constructor(state: string) {
    super(`refused: ${state}`);
    this.state = state;
  }
}

const MAX_CONNECTIONS = 10;
const MAX_TRIES = 5;
/** PostgreSQL took one of two transactions back because each waited for the other. */
const DEADLOCK_DETECTED = '40P01';

/** Repeats a transaction, here one statement, that was taken back to end a deadlock: BullMQ's statements lock rows in an order of their own. */
export async function repeatWhenDeadlocked<T>(transaction: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await transaction();
    } catch (error) {
      if ((error as { code?: unknown }).code !== DEADLOCK_DETECTED || tries >= MAX_TRIES) throw error;
    }
  }
}

/** @param checkServer runs on each new connection, so also after a restart or failover; its error goes to whoever asked for the connection */
export function openDatabase(
  connectionString: string,
  address: string,
  timeoutMs: number,
  checkServer: (client: ClientBase) => Promise<void>,
): Database {
  const setUp = async (client: ClientBase): Promise<void> => {
    // The server gives up with us; BullMQ's own statements name no schema. Not as start-up parameters: poolers refuse those.
    await client.query(`SELECT set_config('statement_timeout', $1, false), set_config('search_path', 'bullmq', false)`, [
      String(timeoutMs),
    ]);
    await checkServer(client);
  };
  const pool = new Pool({
    connectionString,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    keepAlive: true,
    application_name: 'aidbox-data-lakehouse',
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the pool waits for it; its types do not say so
    onConnect: setUp,
  });
  pool.on('error', () => undefined); // an idle connection broke: the next query opens another

  return {
    pool,
    address,
    async query<R extends QueryResultRow>(operation: string, text: string, values: readonly unknown[] = []) {
      try {
        const answer = repeatWhenDeadlocked(() => pool.query<R>(text, [...values]));
        const result = await withTimeout(answer, timeoutMs, () => timedOut(operation, address, timeoutMs));
        return result.rows;
      } catch (error) {
        const { code } = error as { code?: unknown };
        if (!(error instanceof AppError) && typeof code === 'string' && code.startsWith('LH')) throw new PostgresRefusal(code);
        throw unavailable(operation, address, error);
      }
    },
    close: () => pool.end(),
  };
}
