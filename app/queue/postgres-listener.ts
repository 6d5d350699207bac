import { Client } from 'pg';
import type { Clock } from '../lib/clock.ts';

export interface Listener {
  close(): Promise<void>;
}

/** BullMQ's functions notify here with the name of the queue. */
const CHANNEL = 'bullmq_jobs';
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;

/** Calls `onScope` for each notification, on one connection of its own that is opened again whenever it breaks. */
export function listen(connectionString: string, clock: Clock, onScope: (scope: string) => void): Listener {
  const closing = new AbortController();
  let client: Client | undefined;

  const listenOnce = async (): Promise<void> => {
    client = new Client({
      connectionString,
      keepAlive: true,
      connectionTimeoutMillis: LAST_RETRY_MS,
      query_timeout: LAST_RETRY_MS,
    });
    const ended = new Promise<void>((resolve) => client?.once('end', resolve));
    client.on('error', () => undefined); // 'end' follows
    client.on('notification', ({ payload }) => payload !== undefined && onScope(payload));
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
      if (!closing.signal.aborted) await ended;
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  const run = async (): Promise<void> => {
    let retryMs = FIRST_RETRY_MS;
    while (!closing.signal.aborted) {
      const startedAt = clock.monotonic();
      await listenOnce().catch(() => undefined);
      retryMs = clock.monotonic() - startedAt > LAST_RETRY_MS ? FIRST_RETRY_MS : Math.min(LAST_RETRY_MS, retryMs * 2);
      await clock.sleep(retryMs, closing.signal);
    }
  };
  const running = run();

  return {
    async close() {
      closing.abort();
      await client?.end().catch(() => undefined);
      await running;
    },
  };
}
