import { join, resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Sealer } from '../lib/sealer.ts';
import type { Logger } from '../log.ts';
import { openQueueStore } from '../queue/open-queue-store.ts';
import type { QueueStore } from '../queue/queue-store.ts';

/** The queue store that the configuration names, not started yet. @throws AppError QUEUE_EMBEDDED_FAILED */
export function openConfiguredQueue(config: Config, sealer: Sealer, log: Logger): Promise<QueueStore> {
  return openQueueStore({
    redisUrl: config.REDIS_URL,
    databaseUrl: config.DATABASE_URL,
    embeddedDataDir: join(resolve(config.DATA_DIR), 'queue'),
    sealer,
    maxJobs: config.QUEUE_MAX_JOBS,
    maxBytes: config.QUEUE_MAX_BYTES,
    allowWeakDurability: config.QUEUE_ALLOW_WEAK_DURABILITY,
    log,
  });
}
