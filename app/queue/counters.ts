import type { Counter, Counters } from './queue-store.ts';

const ZERO: Counters = {
  accepted: 0,
  committed: 0,
  rows: 0,
  noRow: 0,
  duplicates: 0,
  quarantined: 0,
  attempts: 0,
  failedAttempts: 0,
  unstableKeys: 0,
  storeLosses: 0,
  lostEvents: 0,
  repeatedRows: 0,
};

/** Every counter, those that were never counted as 0. */
export function completeCounters(known: Iterable<readonly [Counter, number]>): Counters {
  return { ...ZERO, ...Object.fromEntries(known) };
}
