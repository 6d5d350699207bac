/** Where jobs, leases, counters and quarantine live. Two backends, Redis and PostgreSQL; both hold BullMQ queues. */
export interface QueueStore {
  /** For people and logs: `redis://host:6379/0`; never a credential. */
  readonly address: string;
  /** Connects, migrates, and checks that a resolved `add` survives a crash (design: durability). @throws AppError QUEUE_NOT_DURABLE, QUEUE_UNAVAILABLE */
  start(): Promise<void>;
  /** Resolves when the store answers. @throws AppError QUEUE_UNAVAILABLE */
  ping(): Promise<void>;
  /** The queue of one incarnation of one destination; cheap, no I/O. `scope` holds only `[A-Za-z0-9._-]`. */
  destination(scope: string): DestinationQueue;
  /** Calls `listener` with the scope soon after a job was added by any process (a hint: it may be missed or spurious). */
  onJob(listener: (scope: string) => void): () => void;
  /** Takes a lease on any name (export, upkeep). Undefined while another holds it. */
  acquireLease(name: string, ttlMs: number): Promise<Lease | undefined>;
  close(): Promise<void>;
}

/** A fenced right that one owner at a time holds; `token` is random. */
export interface Lease {
  readonly name: string;
  readonly token: string;
  /** Extends it by its ttl; false when it is no longer ours. */
  renew(): Promise<boolean>;
  /** True while the store still says it is ours (one cheap read). */
  held(): Promise<boolean>;
  /** Gives it back if it is still ours. */
  release(): Promise<void>;
}

/** One accepted notification. */
export interface Job {
  /** Random; never returns, whatever the store goes back to. */
  readonly id: string;
  /** The body exactly as received. */
  readonly body: Uint8Array;
  /** Epoch milliseconds at the receiving replica. */
  readonly receivedAtMs: number;
}

export interface NewJob {
  readonly body: Uint8Array;
  readonly receivedAtMs: number;
  /** How many events the body seems to hold, for `usage`; default 1. */
  readonly events?: number;
}

/** Names of the per-destination counters; all count events unless their name says otherwise. They only grow. */
export type Counter =
  | 'accepted' // events in jobs that were settled or are waiting: counted at settlement, so lags `usage`
  | 'committed' // events whose rows are in the table
  | 'rows' // rows written
  | 'noRow' // events that yielded no row
  | 'duplicates' // events found in the table already
  | 'quarantined' // events put into quarantine
  | 'attempts' // delivery attempts, retries included
  | 'failedAttempts' // attempts that failed
  | 'unstableKeys' // events without a version: at-least-once only
  | 'storeLosses' // times the store was found emptied or rolled back
  | 'lostEvents' // events that it had held then, as far as an owner knew
  | 'repeatedRows'; // rows sent again after a lost answer (managed modes): they may be in the table twice

export type Counters = Readonly<Record<Counter, number>>;

/** One whole event that could not be written, until a person replays or drops it. */
export interface QuarantineEntry {
  /** The event key: entries are idempotent by it. */
  readonly key: string;
  readonly code: string;
  /** Says what was found and expected; no resource content. */
  readonly reason: string;
  readonly quarantinedAtMs: number;
  /** The event (resource, action, version) as JSON text; sealed at rest when a key is configured. */
  readonly event: Uint8Array;
}

/** What ends jobs: one store transaction. */
export interface Settlement {
  /** Jobs that end. `tally` is added to the counters only if the job was still there, so a job counts once. */
  readonly jobs: readonly { readonly id: string; readonly tally: Partial<Counters> }[];
  /** Written before or with the end of the jobs; one that is there already (same key) stays as it is. */
  readonly quarantine: readonly QuarantineEntry[];
  /** Replaces the checkpoint of the owner (opaque to the store), if given. */
  readonly checkpoint?: Uint8Array;
}

/** Jobs, lease, counters and quarantine of one incarnation of one destination. */
export interface DestinationQueue {
  readonly scope: string;
  /**
   * Stores a job; resolved = durable. @throws AppError QUEUE_FULL (high-water mark on jobs or bytes), QUEUE_UNAVAILABLE,
   * QUEUE_DROPPED (the destination was deleted: `drop` was called)
   */
  add(job: NewJob): Promise<void>;
  /** Gains the right to deliver, undefined while another process has it. @throws AppError QUEUE_DROPPED */
  acquireLease(ttlMs: number): Promise<Lease | undefined>;
  /** The oldest jobs in order of acceptance, after skipping `skip`; handed out only to the holder of the lease. @throws AppError LEASE_LOST */
  peek(lease: Lease, skip: number, limit: number): Promise<readonly Job[]>;
  /** Ends jobs, in one transaction with quarantine entries and counters. Needs no lease: what is settled is in the table. */
  settle(settlement: Settlement): Promise<void>;
  /** Adds to counters outside a settlement (failed attempts, store losses). */
  count(delta: Partial<Counters>): Promise<void>;
  counters(): Promise<Counters>;
  /** Waiting jobs, their events (as `add` was told) and, approximately, their bytes; oldest job's reception time. */
  usage(): Promise<{
    readonly jobs: number;
    readonly events: number;
    readonly bytes: number;
    readonly oldestReceivedAtMs: number | undefined;
  }>;
  checkpoint(): Promise<Uint8Array | undefined>;
  quarantineSize(): Promise<{ readonly entries: number; readonly bytes: number }>;
  /** Entries in order of time, oldest first. */
  quarantineList(skip: number, limit: number): Promise<readonly QuarantineEntry[]>;
  quarantineRemove(keys: readonly string[]): Promise<number>;
  /** State that every replica may show in `$status` (last error, in process, …): small JSON, overwritten; read with `status`. */
  publishStatus(status: Uint8Array): Promise<void>;
  status(): Promise<Uint8Array | undefined>;
  /** Forgets jobs, lease, counters, quarantine, checkpoint and status; later `add` and `acquireLease` throw QUEUE_DROPPED. Idempotent. */
  drop(): Promise<void>;
}
