import type { Counters, QuarantineEntry } from '../queue/queue-store.ts';
import type { EventOutcome, Rejection } from '../writers/writer.ts';
import type { PendingEvent } from './prepare-event.ts';
import { encodeQuarantined, reduceDeliveries, type ReduceNotification } from './quarantined-delivery.ts';

/** An event of a batch and what became of it; undefined: the view yields no row, so there was nothing to write. */
export interface SettledEvent {
  readonly event: PendingEvent;
  readonly outcome: EventOutcome | undefined;
  /** Set when it turned out to be unfit only while it was being written. */
  readonly rejection: Rejection | undefined;
}

/** What one settled event adds to the counters of its job (invariant I2: exactly one of committed, quarantined, noRow, duplicates). */
export function tallyOf({ event, outcome }: SettledEvent): Partial<Counters> {
  const unstable = event.stableKey ? {} : { unstableKeys: 1 };
  const rows = event.prepared?.content.kind === 'rows' ? event.prepared.content.rows.length : 0;
  switch (outcome) {
    case undefined:
      return { noRow: 1, ...unstable };
    case 'written':
      return { committed: 1, rows, attempts: 1, ...unstable };
    case 'quarantined':
    case 'quarantined-before':
      return { quarantined: 1, attempts: 1, ...unstable };
    case 'written-before':
      return { duplicates: 1, ...unstable };
  }
}

/** The entries of the quarantined ones; also of those that the table called quarantined before (their entry may have been lost, design E5). */
export async function quarantineEntries(
  settled: readonly SettledEvent[],
  nowMs: number,
  reduce: ReduceNotification,
): Promise<QuarantineEntry[]> {
  const quarantined = settled.filter(({ outcome }) => outcome === 'quarantined' || outcome === 'quarantined-before');
  const kept = await reduceDeliveries(
    quarantined.map(({ event }) => event.source),
    reduce,
  );
  return quarantined.map(({ event, rejection }, index) => ({
    key: event.key,
    ...(rejection ?? reasonOf(event)),
    quarantinedAtMs: nowMs,
    event: encodeQuarantined(kept[index] ?? event.source),
  }));
}

function reasonOf({ prepared }: PendingEvent): { readonly code: string; readonly reason: string } {
  // An event that an earlier attempt called bad may look good now: the table has no row of it, so it stays in quarantine.
  return prepared?.content.kind === 'rejected'
    ? { code: prepared.content.code, reason: prepared.content.reason }
    : { code: 'QUARANTINED_BEFORE', reason: 'an earlier attempt could not write this event; replay it' };
}
