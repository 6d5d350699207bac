import { randomUUID } from 'node:crypto';
import type { Lease } from './queue-store.ts';

/** Where a backend keeps a lease. */
export interface LeasePlace {
  readonly key: string;
  /** The destination that it is for: a dropped one gives no lease. */
  readonly scope?: string;
}

/** What a backend must be able to do for leases. */
export interface LeaseOperations {
  /** True when it was free or expired. @throws AppError QUEUE_DROPPED */
  acquire(place: LeasePlace, token: string, ttlMs: number): Promise<boolean>;
  renew(place: LeasePlace, token: string, ttlMs: number): Promise<boolean>;
  isHeldBy(place: LeasePlace, token: string): Promise<boolean>;
  release(place: LeasePlace, token: string): Promise<void>;
}

/** @param name for people */
export async function takeLease(
  operations: LeaseOperations,
  name: string,
  place: LeasePlace,
  ttlMs: number,
): Promise<Lease | undefined> {
  const token = randomUUID();
  if (!(await operations.acquire(place, token, ttlMs))) return undefined;
  return {
    name,
    token,
    renew: () => operations.renew(place, token, ttlMs),
    held: () => operations.isHeldBy(place, token),
    release: () => operations.release(place, token),
  };
}
