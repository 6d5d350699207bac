import { AppError, isAppError } from '../errors/app-error.ts';
import { backoffMs } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { describeCause } from '../lib/describe-cause.ts';
import type { Logger } from '../log.ts';
import type { Counters, DestinationQueue, Lease, QuarantineEntry } from '../queue/queue-store.ts';
import type { TableColumn } from '../rows/table-type.ts';
import type { EventOutcome, Writer, WriteGuard, WriteResult } from '../writers/writer.ts';
import { Backlog } from './backlog.ts';
import { OwnerStatus } from './owner-status.ts';
import { encodeQuarantined } from './quarantined-delivery.ts';
import type { PendingEvent, PrepareContext } from './prepare-event.ts';
import { orderVersions } from './version-order.ts';

export interface OwnerOptions {
  readonly destinationId: string;
  readonly queue: DestinationQueue;
  /** Called after the lease was gained; the owner closes what it gets. */
  readonly makeWriter: () => Promise<Writer>;
  /** Makes what is needed to prepare events for the columns that `writer` fills. */
  readonly prepareContext: (columns: readonly TableColumn[], writer: Writer) => PrepareContext;
  /** Events per commit, at most. */
  readonly batchSize: number;
  readonly sendIntervalMs: number;
  readonly leaseMs: number;
  readonly quarantineMaxEntries: number;
  /** Wakes the owner soon after a job arrived. Returns a promise that resolves then, or when `ms` passed. */
  readonly waitForJob: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told when a tenure begins and ends. */
  readonly onTenure?: (began: boolean) => void;
  readonly onCommit?: (result: { readonly events: number; readonly rows: number; readonly bytes: number; readonly ms: number; readonly lagMs: number }) => void;
}

/** Why an owner ended: another process has the lease; it lost it; the destination is gone; it was told to stop. */
export type OwnerEnd = 'not-owner' | 'lease-lost' | 'gone' | 'stopped';

/** A failed batch is tried again after 1 s, growing to 30 s (S0.104); what needs a person is looked at once a minute. */
const RETRY = { firstMs: 1_000, maxMs: 30_000 };
const BLOCKED_RETRY_MS = 60_000;
/** Longest sleep without looking at the queue: wake-ups are hints and may be missed. */
const POLL_MS = 1_000;

/**
 * Delivers the queue of one destination while it holds the lease: takes jobs in order of acceptance, collects events until `batchSize` or
 * `sendIntervalMs`, writes, then ends the jobs (design §4.3–6). Errors that may pass are retried here for ever; nothing is given up by counting.
 */
export async function runOwner(options: OwnerOptions, stop: AbortSignal): Promise<OwnerEnd> {
  const lease = await options.queue.acquireLease(options.leaseMs).catch((error: unknown) => {
    if (isAppError(error, 'QUEUE_DROPPED')) return 'gone' as const;
    throw error;
  });
  if (lease === 'gone') return 'gone';
  if (lease === undefined) return 'not-owner';
  const lost = new AbortController();
  const signal = AbortSignal.any([stop, lost.signal]);
  const renewal = keepLease(lease, options, lost);
  const status = new OwnerStatus(options.queue, options.clock);
  let writer: Writer | undefined;
  options.onTenure?.(true);
  options.log.info({ event: 'owner.started', destination: options.destinationId, scope: options.queue.scope });
  try {
    writer = await options.makeWriter();
    await new Delivery(options, writer, status, lease, signal).run();
    return stop.aborted ? 'stopped' : 'lease-lost';
  } catch (error) {
    if (isAppError(error, 'LEASE_LOST')) return stop.aborted ? 'stopped' : 'lease-lost';
    if (isAppError(error, 'INCARNATION_SUPERSEDED', 'DESTINATION_GONE', 'QUEUE_DROPPED')) return 'gone';
    throw error;
  } finally {
    clearInterval(renewal);
    options.onTenure?.(false);
    await writer?.close();
    await status.close({ publish: !lost.signal.aborted });
    await lease.release().catch(() => undefined); // it expires by itself
  }
}

function keepLease(lease: Lease, { leaseMs, clock, log, destinationId }: OwnerOptions, lost: AbortController): NodeJS.Timeout {
  let renewedAtMs = clock.monotonic();
  let renewing = false;
  return setInterval(() => {
    if (clock.monotonic() - renewedAtMs > leaseMs) lost.abort();
    if (renewing || lost.signal.aborted) return;
    renewing = true;
    const askedAtMs = clock.monotonic();
    lease
      .renew()
      .then((ours) => (ours ? (renewedAtMs = askedAtMs) : lost.abort()))
      .catch((error: unknown) => log.warn({ event: 'lease.not-renewed', destination: destinationId, cause: describeCause(error) }))
      .finally(() => (renewing = false));
  }, leaseMs / 4);
}

/** One tenure: from gaining the lease to losing it. */
class Delivery {
  private readonly options: OwnerOptions;
  private readonly writer: Writer;
  private readonly status: OwnerStatus;
  private readonly lease: Lease;
  private readonly signal: AbortSignal;
  private readonly guard: WriteGuard;
  private hand: Backlog | undefined;
  private firstSeenAtMs: number | undefined;

  constructor(options: OwnerOptions, writer: Writer, status: OwnerStatus, lease: Lease, signal: AbortSignal) {
    this.options = options;
    this.writer = writer;
    this.status = status;
    this.lease = lease;
    this.signal = signal;
    this.guard = { signal, check: () => this.checkLease() };
  }

  async run(): Promise<void> {
    await this.untilDone(() => this.open(), 0);
    while (!this.signal.aborted) {
      const due = await this.untilDone(() => this.collect(), 0);
      if (due) await this.deliverBatch();
    }
  }

  private async checkLease(): Promise<void> {
    if (this.signal.aborted || !(await this.lease.held())) {
      throw new AppError('LEASE_LOST', `another process delivers ${this.options.destinationId} now`);
    }
  }

  private get backlog(): Backlog {
    if (this.hand === undefined) throw new AppError('INTERNAL', 'the table was not opened yet');
    return this.hand;
  }

  /** Reads the table anew and begins with an empty hand: what was taken is still in the queue. */
  private async open(): Promise<void> {
    const { queue, log, destinationId } = this.options;
    const { columns, storeLoss } = await this.writer.open(await queue.checkpoint());
    if (storeLoss !== undefined) {
      this.status.recordStoreLoss(storeLoss);
      log.error({ event: 'queue.store-lost', destination: destinationId, code: 'QUEUE_STORE_LOST', reason: storeLoss });
      await queue.count({ storeLosses: 1 });
    }
    await queue.settle({ jobs: [], quarantine: [], checkpoint: this.writer.checkpoint() });
    this.hand = new Backlog(queue, this.lease, this.options.prepareContext(columns, this.writer));
    this.firstSeenAtMs = undefined;
  }

  /** Takes jobs; true when a batch is due. Sleeps at most until the interval of the oldest event ends. */
  private async collect(): Promise<boolean> {
    const { batchSize, sendIntervalMs, clock, waitForJob } = this.options;
    await this.backlog.fill(batchSize);
    if (this.backlog.size === 0) {
      if (this.backlog.hasFinishedJobs) return true; // notifications without a single event
      this.firstSeenAtMs = undefined;
      await waitForJob(POLL_MS, this.signal);
      return false;
    }
    this.firstSeenAtMs ??= clock.monotonic();
    const waited = Math.max(clock.monotonic() - this.firstSeenAtMs, clock.now() - (this.backlog.oldestReceivedAtMs ?? clock.now()));
    if (this.backlog.size >= batchSize || this.backlog.isFull || waited >= sendIntervalMs) return true;
    await waitForJob(Math.min(POLL_MS, sendIntervalMs - waited), this.signal);
    return false;
  }

  private async deliverBatch(): Promise<void> {
    const { batchSize, clock, onCommit } = this.options;
    const events = orderVersions(this.backlog.next(batchSize));
    const toWrite = events.filter((event) => event.prepared !== undefined);
    const startedAtMs = clock.monotonic();
    this.status.setInProcess(events.length);
    const result = toWrite.length === 0 ? undefined : await this.untilDone(() => this.write(toWrite), toWrite.length);
    if (result === 'reopened') return;
    this.markOutcomes(events, toWrite, result);
    await this.untilDone(() => this.settle(toWrite, result), 0);
    this.status.setInProcess(0);
    this.firstSeenAtMs = this.backlog.size === 0 ? undefined : clock.monotonic();
    if (result?.version !== undefined) {
      const lagMs = clock.now() - Math.min(...events.map((event) => event.receivedAtMs));
      onCommit?.({ events: toWrite.length, rows: result.rows, bytes: result.bytes, ms: clock.monotonic() - startedAtMs, lagMs });
      this.status.recordCommit(result.version);
    }
  }

  private async write(events: readonly PendingEvent[]): Promise<WriteResult | 'reopened'> {
    const { queue, quarantineMaxEntries } = this.options;
    const rejected = events.filter((event) => event.prepared?.content.kind === 'rejected').length;
    if (rejected > 0 && (await queue.quarantineSize()).entries + rejected > quarantineMaxEntries) {
      throw new AppError('QUARANTINE_FULL', `the quarantine holds ${quarantineMaxEntries} entries, as many as it may`);
    }
    try {
      return await this.writer.write(events.map((event) => event.prepared!), this.guard);
    } catch (error) {
      if (!isAppError(error, 'TABLE_SCHEMA_CHANGED')) throw error;
      await this.open();
      return 'reopened';
    }
  }

  private markOutcomes(events: readonly PendingEvent[], written: readonly PendingEvent[], result: WriteResult | undefined): void {
    const outcomes = new Map(written.map((event, index) => [event, result!.outcomes[index]!]));
    this.backlog.markSettled(events.map((event) => ({ event, tally: tallyOf(event, outcomes.get(event)) })));
  }

  /** Quarantine entries and the end of the jobs are one transaction of the store (design E5). */
  private async settle(written: readonly PendingEvent[], result: WriteResult | undefined): Promise<void> {
    const { queue, clock } = this.options;
    const quarantine = written.flatMap((event, index): QuarantineEntry[] => {
      const outcome = result!.outcomes[index]!;
      if (outcome !== 'quarantined' && outcome !== 'quarantined-before') return [];
      return [{ key: event.key, ...rejectionOf(event), quarantinedAtMs: clock.now(), event: encodeQuarantined(event.source) }];
    });
    const jobs = this.backlog.finishedJobs();
    if (jobs.length === 0 && quarantine.length === 0 && result?.version === undefined) return;
    await queue.settle({ jobs, quarantine, checkpoint: this.writer.checkpoint() });
    const replayed = written.flatMap(({ replayOf }) => replayOf ?? []);
    if (replayed.length > 0) await queue.quarantineRemove(replayed); // one left behind by a crash is found in the table by its next replay
    this.backlog.forget(new Set(jobs.map((job) => job.id)));
  }

  /** Repeats `step` until it succeeds, with growing pauses; throws only what ends the tenure. */
  private async untilDone<T>(step: () => Promise<T>, events: number): Promise<T> {
    const { queue, log, clock, destinationId } = this.options;
    for (let tries = 0; ; tries += 1) {
      if (this.signal.aborted) throw new AppError('LEASE_LOST', `delivery of ${destinationId} was stopped`);
      try {
        const value = await step();
        if (tries > 0) this.status.recordRecovery();
        return value;
      } catch (error) {
        if (isAppError(error, 'LEASE_LOST', 'INCARNATION_SUPERSEDED', 'DESTINATION_GONE', 'QUEUE_DROPPED')) throw error;
        if (!isAppError(error)) throw error; // a fault of our own: the supervisor restarts the loop
        const pauseMs = error.retry === 'never' ? BLOCKED_RETRY_MS : Math.max(error.retryAfterMs ?? 0, backoffMs(tries, RETRY));
        this.status.recordFailure(error, error.retry === 'never');
        log[error.retry === 'never' ? 'error' : 'warn']({
          event: error.retry === 'never' ? 'delivery.blocked' : 'delivery.failed',
          destination: destinationId,
          code: error.code,
          message: error.message,
          action: error.action,
          cause: error.cause === undefined ? undefined : describeCause(error.cause),
          attempt: tries + 1,
          ms: Math.round(pauseMs),
        });
        if (events > 0) await queue.count({ attempts: events, failedAttempts: events }).catch(() => undefined);
        await clock.sleep(pauseMs, this.signal);
      }
    }
  }
}

function tallyOf(event: PendingEvent, outcome: EventOutcome | undefined): Partial<Counters> {
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

function rejectionOf(event: PendingEvent): { code: string; reason: string } {
  const content = event.prepared?.content;
  // An event that an earlier attempt called bad may look good now: the table has no row of it, so it stays in quarantine.
  return content?.kind === 'rejected'
    ? { code: content.code, reason: content.reason }
    : { code: 'QUARANTINED_BEFORE', reason: 'an earlier attempt could not write this event; replay it' };
}
