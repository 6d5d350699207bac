import type { EventOutcome, PreparedEvent } from '../writer.ts';
import type { Window } from './window.ts';

/** Events that a commit of ours still has to settle, in the order given; each key once. */
export interface Batch {
  readonly events: readonly PreparedEvent[];
}

/** Leaves out what the window knows, and repetitions inside the batch; notes in `outcomes` what the window knows. */
export function takeUnsettled(events: readonly PreparedEvent[], window: Window, outcomes: Map<string, EventOutcome>): Batch {
  const open = new Map<string, PreparedEvent>();
  for (const event of events) {
    const settled = window.settled(event.key);
    if (settled !== undefined) outcomes.set(event.key, settled === 'written' ? 'written-before' : 'quarantined-before');
    else if (!open.has(event.key)) open.set(event.key, event);
  }
  return { events: [...open.values()] };
}

/** One outcome for each event given; a repetition inside the batch was settled by its first occurrence. */
export function orderOutcomes(events: readonly PreparedEvent[], outcomes: ReadonlyMap<string, EventOutcome>): EventOutcome[] {
  const seen = new Set<string>();
  return events.map(({ key }) => {
    const outcome = outcomes.get(key)!;
    if (!seen.has(key)) {
      seen.add(key);
      return outcome;
    }
    return outcome === 'written' ? 'written-before' : outcome === 'quarantined' ? 'quarantined-before' : outcome;
  });
}
