import type { Row, TableColumn } from '../rows/table-type.ts';
import type { ErrorCode } from '../errors/catalogue.ts';

/**
 * How far back a repetition of the event may have been settled: `since` its `meta.lastUpdated` (microseconds, Aidbox's clock); `delivery`:
 * its key lives only as long as the job received then (epoch ms, our clock); `ever`: it has a key but no time.
 */
export type Coverage =
  | { readonly kind: 'since'; readonly lastUpdatedMicros: bigint }
  | { readonly kind: 'delivery'; readonly receivedAtMs: number }
  | { readonly kind: 'ever' };

/** One event ready for the table: all its rows, or why none of them can be written. */
export interface PreparedEvent {
  /** 16 characters, the same in every repetition of the event (design E1). */
  readonly key: string;
  /** `Type/id` of the resource, whose versions stay in order; undefined for what names none. */
  readonly resource: string | undefined;
  readonly coverage: Coverage;
  readonly content: { readonly kind: 'rows'; readonly rows: readonly Row[] } | ({ readonly kind: 'rejected' } & Rejection);
}

/** Why an event cannot be written; shown with its quarantine entry, so without any value of it. */
export interface Rejection {
  readonly code: ErrorCode;
  readonly reason: string;
}

/** What became of one event. `…-before`: an earlier attempt, or another owner, had settled it; nothing was written now. */
export type EventOutcome = 'written' | 'quarantined' | 'written-before' | 'quarantined-before';

export interface WriteResult {
  /** In the order of the events given. */
  readonly outcomes: readonly EventOutcome[];
  /** By key, the events that turned out to be unfit only while they were being written; their outcome is `quarantined`. */
  readonly rejections?: ReadonlyMap<string, Rejection>;
  /** False when every event had been settled before. */
  readonly hasWritten: boolean;
  /** Table version of the commit, where the table tells it. */
  readonly version: number | undefined;
  readonly rows: number;
  readonly bytes: number;
}

/** What the owner lends to a write, so that a writer never acts for a destination it no longer owns. */
export interface WriteGuard {
  /** Resolves while the lease is ours and the destination exists. @throws AppError LEASE_LOST */
  check(): Promise<void>;
  /** Resolves while the quarantine has room for `entries` more. @throws AppError QUARANTINE_FULL */
  checkQuarantine(entries: number): Promise<void>;
  readonly signal: AbortSignal;
}

/** Puts batches of events into one table. A writer belongs to one owner; its methods are never called concurrently. */
export interface Writer {
  /** Opens the table, checks it, and loads what is known about earlier commits. Called on gaining the lease and after each `write` that threw. */
  open(checkpoint: Uint8Array | undefined): Promise<OpenedTable>;
  /**
   * Whether the table holds the rows of an event with this key; undefined where only commits could tell that are not in memory, or that came
   * before this destination. No I/O.
   */
  holds(key: string, coverage: Coverage): boolean | undefined;
  /** All rows of the batch or none. When it throws, what the writer knew of the table may be out of date: `open` comes before the next one. */
  write(events: readonly PreparedEvent[], guard: WriteGuard): Promise<WriteResult>;
  /** What the next owner may start from instead of reading the log (design E3); opaque to everyone else. */
  checkpoint(): Uint8Array | undefined;
  close(): Promise<void>;
}

export interface OpenedTable {
  /** Columns the writer fills, in the order rows must have. */
  readonly columns: readonly TableColumn[];
  /** Set when the checkpoint shows that the queue store was emptied or went back behind the table. */
  readonly storeLoss: 'emptied' | 'rolled-back' | undefined;
  /** What the user should know of table and view, for `$status`. */
  readonly warnings?: readonly string[];
}
