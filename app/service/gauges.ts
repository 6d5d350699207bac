import { decodeStatus } from '../delivery/owner-status.ts';
import { scopeOf, type Destination } from '../destinations/destination.ts';
import type { Clock } from '../lib/clock.ts';
import type { Metrics } from '../metrics.ts';
import type { QueueStore } from '../queue/queue-store.ts';

/** Reads what the queue store knows of every destination into the gauges. A store that does not answer leaves them as they are. */
export async function refreshGauges(
  metrics: Metrics,
  queueStore: QueueStore,
  destinations: readonly Destination[],
  clock: Clock,
): Promise<void> {
  const { queuedJobs, queuedBytes, oldestSeconds, quarantined, storeLosses, blocked } = metrics;
  const readings = await Promise.all(
    destinations.map(async (destination) => {
      const queue = queueStore.destination(scopeOf(destination));
      const [usage, quarantine, counters, published] = await Promise.all([
        queue.usage(),
        queue.quarantineSize(),
        queue.counters(),
        queue.status(),
      ]);
      return { destination, usage, quarantine, counters, status: decodeStatus(published) };
    }),
  ).catch(() => undefined);
  if (readings === undefined) return;
  for (const gauge of [queuedJobs, queuedBytes, oldestSeconds, quarantined, storeLosses, blocked]) gauge.reset(); // those of deleted destinations go
  for (const { destination, usage, quarantine, counters, status } of readings) {
    const labels = { destination: destination.id };
    queuedJobs.set(labels, usage.jobs);
    queuedBytes.set(labels, usage.bytes);
    oldestSeconds.set(
      labels,
      usage.oldestReceivedAtMs === undefined ? 0 : Math.max(0, (clock.now() - usage.oldestReceivedAtMs) / 1000),
    );
    quarantined.set(labels, quarantine.entries);
    storeLosses.set(labels, counters.storeLosses);
    blocked.set(labels, status?.state === 'blocked' || destination.problem !== undefined ? 1 : 0);
  }
}
