import type { Clock } from '../lib/clock.ts';
import type { Sealer } from '../lib/sealer.ts';
import type { Logger } from '../log.ts';
import type { NewJob } from './queue-store.ts';

/** What both backends take. */
export interface QueueStoreOptions {
  /** Encrypts job bodies and quarantined events at rest. */
  readonly sealer?: Sealer | undefined;
  /** High-water mark of one destination: waiting jobs. */
  readonly maxJobs: number;
  /** High-water mark of one destination: stored (compressed) bytes of waiting jobs. One job always fits into an empty queue. */
  readonly maxBytes: number;
  /** Starts on a store that may lose what it acknowledged, with a warning. Default false. */
  readonly allowWeakDurability?: boolean | undefined;
  /** How long one operation may take before it fails with QUEUE_UNAVAILABLE. Default 5,000. */
  readonly timeoutMs?: number | undefined;
  readonly log: Logger;
  readonly clock?: Clock | undefined;
}

export const DEFAULT_TIMEOUT_MS = 5_000;
/** Most that one `peek` returns, stored and opened, if that is more than one job: a few huge jobs must not fill the memory. */
export const MAX_PEEK_BYTES = 32 << 20;
/** A deleted destination is remembered longer than anything that still posts to it. */
export const TOMBSTONE_MS = 8 * 24 * 3_600_000;
/** What a sender is told to wait when a destination is full. */
export const FULL_RETRY_MS = 1_000;
/** Name of a job: how many events it brings. Both stores add these numbers up for `usage`. Never anything of its content. */
export const jobName = ({ events = 1 }: NewJob): string => `${events} events`;
/** Scopes become parts of keys and of BullMQ's queue names. */
const SCOPE = /^[A-Za-z0-9._-]{1,200}$/;

/** @throws RangeError for a scope that the port does not allow */
export function checkScope(scope: string): void {
  if (!SCOPE.test(scope))
    throw new RangeError(`found a scope of ${scope.length} characters, expected 1 to 200 of A-Z a-z 0-9 . _ -`);
}
