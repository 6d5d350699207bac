import type { Clock } from '../lib/clock.ts';
import { describeCause } from '../lib/describe-cause.ts';
import type { Logger } from '../log.ts';
import type { Lease } from '../queue/queue-store.ts';

/** Keeps a lease alive, and knows when it can no longer be sure of it. */
export interface LeaseKeeper {
  /** Aborts when the lease is lost, or could not be renewed for its whole time. */
  readonly signal: AbortSignal;
  /** False as soon as its time is over by our own clock, also when this process slept and no timer has run yet. */
  isCurrent(): boolean;
  stop(): void;
}

export function keepLease(lease: Lease, leaseMs: number, clock: Clock, log: Logger): LeaseKeeper {
  const lost = new AbortController();
  let renewedAtMs = clock.monotonic();
  let renewing = false;
  const isCurrent = (): boolean => !lost.signal.aborted && clock.monotonic() - renewedAtMs <= leaseMs;
  const timer = setInterval(() => {
    if (!isCurrent()) lost.abort();
    if (renewing || lost.signal.aborted) return;
    renewing = true;
    const askedAtMs = clock.monotonic();
    lease
      .renew()
      .then((ours) => (ours ? (renewedAtMs = askedAtMs) : lost.abort()))
      .catch((error: unknown) => log.warn({ event: 'lease.not-renewed', scope: lease.name, cause: describeCause(error) }))
      .finally(() => (renewing = false));
  }, leaseMs / 4);
  return { signal: lost.signal, isCurrent, stop: () => clearInterval(timer) };
}
