import { isAppError } from '../errors/app-error.ts';
import { Delivery } from './delivery.ts';
import { keepLease } from './lease-keeper.ts';
import type { OwnerOptions } from './owner-options.ts';
import { OwnerStatus } from './owner-status.ts';

/** How long a write that is under way may go on after a stop: what it brings into the table is then known to be there. */
const LAST_WRITE_MS = 10_000;

/** Why an owner ended: another process has the lease; it lost it; the destination is gone; it was told to stop. */
export type OwnerEnd = 'not-owner' | 'lease-lost' | 'gone' | 'stopped';

/**
 * Delivers the queue of one destination for one tenure, from gaining the lease to losing it.
 *
 * @throws AppError QUEUE_UNAVAILABLE when the lease cannot even be asked for; a fault of our own as it is
 */
export async function runOwner(options: OwnerOptions, stop: AbortSignal): Promise<OwnerEnd> {
  const { queue, leaseMs, clock, log, destinationId, onTenure } = options;
  const lease = await queue.acquireLease(leaseMs).catch((error: unknown) => {
    if (isAppError(error, 'QUEUE_DROPPED')) return 'gone' as const;
    throw error;
  });
  if (lease === 'gone') return 'gone';
  if (lease === undefined) return 'not-owner';
  const keeper = keepLease(lease, leaseMs, clock, log);
  const status = new OwnerStatus(queue, clock);
  const patience = new AbortController();
  const losePatience = (): void => void setTimeout(() => patience.abort(), LAST_WRITE_MS).unref();
  stop.addEventListener('abort', losePatience, { once: true });
  const signals = {
    end: AbortSignal.any([stop, keeper.signal]),
    write: AbortSignal.any([patience.signal, keeper.signal]),
  };
  const delivery = new Delivery(options, lease, keeper, status, signals);
  onTenure?.(true);
  log.info({ event: 'owner.started', destination: destinationId, scope: queue.scope });
  try {
    await delivery.run();
    return stop.aborted ? 'stopped' : 'lease-lost';
  } catch (error) {
    if (isAppError(error, 'LEASE_LOST')) return stop.aborted ? 'stopped' : 'lease-lost';
    if (!isAppError(error, 'INCARNATION_SUPERSEDED', 'QUEUE_DROPPED')) throw error;
    log.info({ event: 'owner.ended', destination: destinationId, code: error.code, message: error.message });
    return 'gone';
  } finally {
    stop.removeEventListener('abort', losePatience);
    keeper.stop();
    onTenure?.(false);
    await delivery.close();
    await status.close({ publish: keeper.isCurrent() });
    await lease.release().catch(() => undefined); // it expires by itself
  }
}
