import type { Counters, DestinationQueue } from '../../../app/queue/queue-store.ts';
import { eventually } from '../../helpers/eventually.ts';
import type { KillableQueue } from './killable-queues.ts';

const DELIVERY_TIMEOUT_MS = 150_000;

/** Waits until nothing is queued and `isSeen`. */
export function waitUntilDelivered(queue: KillableQueue, scope: string, isSeen: () => boolean): Promise<void> {
  return withDestination(queue, scope, (destination) =>
    eventually(
      async () => {
        const { jobs } = await destination.usage();
        if (jobs > 0 || !isSeen()) throw new Error(`${jobs} notifications are still queued, or their events are not in the table`);
      },
      { timeoutMs: DELIVERY_TIMEOUT_MS, everyMs: 100 },
    ),
  );
}

/** What the service says of itself, in events. */
export function readAccounts(queue: KillableQueue, scope: string): Promise<Counters & { readonly quarantineEntries: number }> {
  return withDestination(queue, scope, async (destination) => ({
    ...(await destination.counters()),
    quarantineEntries: (await destination.quarantineSize()).entries,
  }));
}

async function withDestination<T>(queue: KillableQueue, scope: string, use: (destination: DestinationQueue) => Promise<T>): Promise<T> {
  const store = queue.open();
  try {
    await store.start();
    return await use(store.destination(scope));
  } finally {
    await store.close();
  }
}
