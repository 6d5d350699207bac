import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { makePostgresQueueStore } from './postgres-queue-store.ts';
import type { QueueStoreOptions } from './queue-options.ts';
import type { QueueStore } from './queue-store.ts';
import { makeRedisQueueStore } from './redis-queue-store.ts';

export interface OpenQueueStoreOptions extends QueueStoreOptions {
  /** Wins over `databaseUrl`. */
  readonly redisUrl?: string | undefined;
  readonly databaseUrl?: string | undefined;
  /** Where the embedded PostgreSQL keeps its data when neither URL is given. */
  readonly embeddedDataDir: string;
}

/**
 * The queue store that the configuration names, not started yet; without one the embedded PostgreSQL, which is started here and left by `close`.
 * @throws AppError QUEUE_EMBEDDED_FAILED
 */
export async function openQueueStore({
  redisUrl,
  databaseUrl,
  embeddedDataDir,
  ...options
}: OpenQueueStoreOptions): Promise<QueueStore> {
  if (redisUrl !== undefined) return makeRedisQueueStore(redisUrl, options);
  if (databaseUrl !== undefined) return makePostgresQueueStore(databaseUrl, options);
  const server = await startEmbeddedPostgres({ dataDir: embeddedDataDir, log: options.log });
  const store = makePostgresQueueStore(server.connectionString, options);
  return {
    ...store,
    async close() {
      await store.close();
      await server.stop();
    },
  };
}
