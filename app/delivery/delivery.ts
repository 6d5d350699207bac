import { AppError, isAppError } from '../errors/app-error.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import { backoffMs } from '../lib/backoff.ts';
import { describeCause } from '../lib/describe-cause.ts';
import type { Lease, QuarantineEntry } from '../queue/queue-store.ts';
import type { Writer, WriteGuard, WriteResult } from '../writers/writer.ts';
import { Backlog } from './backlog.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { OwnerOptions } from './owner-options.ts';
import type { OwnerStatus } from './owner-status.ts';
import type { PendingEvent } from './prepare-event.ts';
import { quarantineEntries, tallyOf, type SettledEvent } from './settlement.ts';
import { orderVersions } from './version-order.ts';

/** A failed batch is tried again after 1 s, growing to 30 s (S0.104); what needs a person is looked at once a minute. */
const RETRY = { firstMs: 1_000, maxMs: 30_000 };
const BLOCKED_RETRY_MS = 60_000;
/** Longest sleep without looking at the queue: wake-ups are hints and may be missed. */
const POLL_MS = 1_000;
/** Events in hand wait so long for others to be prepared, or `sendIntervalMs` if that is longer. */
const MIN_PATIENCE_MS = 1_000;

const ENDS_TENURE: ReadonlySet<ErrorCode> = new Set(['LEASE_LOST', 'INCARNATION_SUPERSEDED', 'QUEUE_DROPPED']);

/** Jobs that one transaction of the store ends, at most: it must be over before the store's patience is. */
const MAX_JOBS_PER_SETTLEMENT = 1_000;

interface Tries {
  failed: number;
}

type StoreLoss = 'emptied' | 'rolled-back';

/**
 * One tenure of an owner: takes jobs in order of acceptance, collects events until `batchSize` or `sendIntervalMs`, writes, then ends the
 * jobs (design §4.3–6). Errors that may pass are retried here for ever; nothing is given up by counting.
 */
export class Delivery {
  private readonly options: OwnerOptions;
  private readonly lease: Lease;
  private readonly keeper: LeaseKeeper;
  private readonly status: OwnerStatus;
  private readonly signal: AbortSignal;
  private readonly writeSignal: AbortSignal;
  private readonly guard: WriteGuard;
  private openWriter: Writer | undefined;
  private hand: Backlog | undefined;
  /** A write failed since the table was last opened. */
  private isStale = false;
  private firstSeenAtMs: number | undefined;
  /** Failed in a row; opening the table again in between does not end the row. */
  private readonly writes: Tries = { failed: 0 };
  /** As it must stand in the store while the lease is ours. */
  private checkpoint: Uint8Array | undefined;

  /** @param signals `end`: nothing new is begun; `write`: what is under way is given up too */
  constructor(
    options: OwnerOptions,
    lease: Lease,
    keeper: LeaseKeeper,
    status: OwnerStatus,
    signals: { readonly end: AbortSignal; readonly write: AbortSignal },
  ) {
    this.options = options;
    this.lease = lease;
    this.keeper = keeper;
    this.status = status;
    this.signal = signals.end;
    this.writeSignal = signals.write;
    this.guard = {
      signal: signals.write,
      check: () => this.checkLease(),
      checkQuarantine: (entries) => this.checkQuarantine(entries),
    };
  }

  /** Resolves when the signal aborts. @throws AppError LEASE_LOST, INCARNATION_SUPERSEDED, QUEUE_DROPPED; a fault of our own as it is */
  async run(): Promise<void> {
    await this.untilDone(() => this.open(), 0);
    this.status.recordRecovery();
    while (!this.signal.aborted) {
      const due = await this.untilDone(() => this.collect(), 0);
      if (due && !(await this.untilDone(() => this.noticeStoreLoss(), 0))) await this.deliverBatch();
    }
  }

  async close(): Promise<void> {
    await this.openWriter?.close();
  }

  private get writer(): Writer {
    if (this.openWriter === undefined) throw new AppError('INTERNAL', 'the table was not opened yet');
    return this.openWriter;
  }

  private get backlog(): Backlog {
    if (this.hand === undefined) throw new AppError('INTERNAL', 'the table was not opened yet');
    return this.hand;
  }

  private async checkLease(): Promise<void> {
    if (this.writeSignal.aborted || !(await this.lease.held())) {
      throw new AppError('LEASE_LOST', `another process delivers ${this.options.destinationId} now`);
    }
  }

  /** Reads the table anew and begins with an empty hand: what was taken is still in the queue. */
  private async open(): Promise<void> {
    const { queue, makeWriter, prepareContext, clock } = this.options;
    this.openWriter ??= await makeWriter(this.signal);
    const { columns, storeLoss, warnings = [] } = await this.writer.open(await queue.checkpoint());
    this.status.setWarnings(warnings);
    if (storeLoss !== undefined) await this.countStoreLoss(storeLoss);
    await this.saveCheckpoint();
    this.hand = new Backlog(queue, this.lease, prepareContext(columns, this.writer), clock, this.signal);
    this.firstSeenAtMs = undefined;
    this.isStale = false;
  }

  /** Takes jobs; true when a batch is due. Sleeps at most until the interval of the oldest event ends. */
  private async collect(): Promise<boolean> {
    const { batchSize, eventsPerWrite = batchSize, sendIntervalMs, clock, waitForJob } = this.options;
    await this.backlog.fill(eventsPerWrite, Math.max(MIN_PATIENCE_MS, sendIntervalMs));
    if (this.backlog.size === 0) {
      if (this.backlog.hasFinishedJobs) return true; // notifications without a single event
      this.firstSeenAtMs = undefined;
      await waitForJob(POLL_MS, this.signal);
      return false;
    }
    this.firstSeenAtMs ??= clock.monotonic();
    const waited = Math.max(
      clock.monotonic() - this.firstSeenAtMs,
      clock.now() - (this.backlog.oldestReceivedAtMs ?? clock.now()),
    );
    if (this.backlog.size >= batchSize || this.backlog.isFull || this.backlog.isHeldUp || waited >= sendIntervalMs) return true;
    await waitForJob(Math.min(POLL_MS, sendIntervalMs - waited), this.signal);
    return false;
  }

  /**
   * A store that went back may bring our own lease back too, so the lease alone does not show it: our checkpoint does. True when it did;
   * then the hand is empty, because jobs stand at other places now.
   */
  private async noticeStoreLoss(): Promise<boolean> {
    const { queue, memory } = this.options;
    const stored = await queue.checkpoint();
    if (Buffer.compare(stored ?? Buffer.alloc(0), this.checkpoint ?? Buffer.alloc(0)) !== 0) {
      await this.checkLease(); // else it is the checkpoint of the next owner
      await this.countStoreLoss(stored === undefined ? 'emptied' : 'rolled-back');
      await this.open();
      return true;
    }
    memory.waitingEvents = (await queue.usage()).events;
    return false;
  }

  private async checkQuarantine(more: number): Promise<void> {
    const { queue, quarantineMaxEntries } = this.options;
    if ((await queue.quarantineSize()).entries + more <= quarantineMaxEntries) return;
    throw new AppError(
      'QUARANTINE_FULL',
      `the batch brings ${more} events for the quarantine, which may hold ${quarantineMaxEntries}`,
    );
  }

  private async countStoreLoss(reason: StoreLoss): Promise<void> {
    const { queue, log, destinationId, memory } = this.options;
    const lost = Math.max(0, memory.waitingEvents - (await queue.usage()).events);
    this.status.recordStoreLoss(reason);
    log.error({ event: 'queue.store-lost', destination: destinationId, code: 'QUEUE_STORE_LOST', reason, events: lost });
    await queue.count({ storeLosses: 1, lostEvents: lost });
    await this.saveCheckpoint();
  }

  private async saveCheckpoint(): Promise<void> {
    await this.checkLease(); // whoever slept past its lease must not put its checkpoint over that of the next owner
    this.checkpoint = this.writer.checkpoint();
    await this.options.queue.settle({ jobs: [], quarantine: [], checkpoint: this.checkpoint });
  }

  private async deliverBatch(): Promise<void> {
    const { batchSize, eventsPerWrite = batchSize, clock, onCommit } = this.options;
    const events = orderVersions(this.backlog.next(eventsPerWrite));
    const toWrite = events.filter((event) => event.prepared !== undefined);
    const startedAtMs = clock.monotonic();
    this.status.setInProcess(events.length);
    const result =
      toWrite.length === 0 ? undefined : await this.untilDone(() => this.write(toWrite), toWrite.length, this.writes);
    if (result === 'reopened') return;
    const outcomes = new Map(toWrite.map((event, index) => [event, result!.outcomes[index]!]));
    const settled = events.map((event): SettledEvent => ({
      event,
      outcome: outcomes.get(event),
      rejection: result?.rejections?.get(event.key),
    }));
    this.backlog.markSettled(settled.map((each) => ({ event: each.event, tally: tallyOf(each) })));
    const settle = (): Promise<void> => this.settle(settled, result?.hasWritten === true);
    await (this.signal.aborted && this.keeper.isCurrent() ? settle() : this.untilDone(settle, 0));
    this.status.setInProcess(0);
    this.firstSeenAtMs = this.backlog.size === 0 ? undefined : clock.monotonic();
    if (result?.hasWritten !== true) return;
    const oldestMs = events.reduce((oldest, event) => Math.min(oldest, event.receivedAtMs), Infinity);
    onCommit?.({
      events: toWrite.length,
      rows: result.rows,
      bytes: result.bytes,
      ms: clock.monotonic() - startedAtMs,
      lagMs: clock.now() - oldestMs,
    });
    this.status.recordCommit(result.version);
  }

  private async write(events: readonly PendingEvent[]): Promise<WriteResult | 'reopened'> {
    const rejected = events.filter((event) => event.prepared?.content.kind === 'rejected').length;
    if (rejected > 0) await this.checkQuarantine(rejected);
    try {
      if (!this.isStale) {
        return await this.writer.write(
          events.map((event) => event.prepared!),
          this.guard,
        );
      }
    } catch (error) {
      this.isStale = true;
      if (!isAppError(error, 'TABLE_SCHEMA_CHANGED')) throw error;
    }
    await this.open();
    return 'reopened';
  }

  /**
   * Quarantine entries and the end of the jobs are one transaction of the store (design E5); of many jobs, the first of several: an entry whose
   * job is still there is only repeated.
   */
  private async settle(settled: readonly SettledEvent[], hasCommitted: boolean): Promise<void> {
    const { queue, clock, memory } = this.options;
    const jobs = this.backlog.finishedJobs();
    let quarantine: readonly QuarantineEntry[] = await quarantineEntries(settled, clock.now(), (body, places) =>
      this.backlog.reduce(body, places),
    );
    let rest = jobs;
    for (; rest.length > MAX_JOBS_PER_SETTLEMENT; rest = rest.slice(MAX_JOBS_PER_SETTLEMENT)) {
      await queue.settle({ jobs: rest.slice(0, MAX_JOBS_PER_SETTLEMENT), quarantine });
      quarantine = [];
    }
    if (rest.length > 0 || quarantine.length > 0 || hasCommitted) {
      // Whoever slept past its lease must not put its checkpoint over that of the next owner.
      if (this.keeper.isCurrent()) this.checkpoint = this.writer.checkpoint();
      await queue.settle({
        jobs: rest,
        quarantine,
        ...(this.keeper.isCurrent() && this.checkpoint !== undefined ? { checkpoint: this.checkpoint } : {}),
      });
    }
    memory.waitingEvents = Math.max(0, memory.waitingEvents - jobs.reduce((sum, { tally }) => sum + (tally.accepted ?? 0), 0));
    const replayed = settled.flatMap(({ event }) => event.replayOf ?? []);
    if (replayed.length > 0) await queue.quarantineRemove(replayed); // one left behind by a crash is found in the table by its next replay
    this.backlog.forget(new Set(jobs.map((job) => job.id)));
  }

  /**
   * Repeats `step` until it succeeds, with growing pauses; throws only what ends the tenure.
   * @param events that each failure delays
   * @param tries of this step, those of earlier calls included
   */
  private async untilDone<T>(step: () => Promise<T>, events: number, tries: Tries = { failed: 0 }): Promise<T> {
    const { queue, log, clock, destinationId } = this.options;
    for (;;) {
      if (this.signal.aborted) throw new AppError('LEASE_LOST', `delivery of ${destinationId} was stopped`);
      try {
        const value = await step();
        if (value === 'reopened') return value; // whether the next attempt succeeds will show
        if (tries.failed > 0) this.status.recordRecovery();
        tries.failed = 0;
        return value;
      } catch (error) {
        if (!isAppError(error) || ENDS_TENURE.has(error.code)) throw error;
        const isBlocked = error.retry === 'never';
        const pauseMs = isBlocked ? BLOCKED_RETRY_MS : Math.max(error.retryAfterMs ?? 0, backoffMs(tries.failed, RETRY));
        tries.failed += 1;
        this.status.recordFailure(error, isBlocked);
        log[isBlocked ? 'error' : 'warn']({
          event: isBlocked ? 'delivery.blocked' : 'delivery.failed',
          destination: destinationId,
          code: error.code,
          message: error.message,
          action: error.action,
          ...(error.cause === undefined ? {} : { cause: describeCause(error.cause) }),
          attempt: tries.failed,
          ms: Math.round(pauseMs),
        });
        if (events > 0) await queue.count({ attempts: events, failedAttempts: events }).catch(() => undefined);
        await clock.sleep(pauseMs, this.signal);
      }
    }
  }
}
