import { isAppError } from '../errors/app-error.ts';
import type { Clock } from '../lib/clock.ts';
import { Turns } from '../lib/turns.ts';
import type { Counters, DestinationQueue, Job, Lease } from '../queue/queue-store.ts';
import type { Coverage } from '../writers/writer.ts';
import { openNotification, reduceNotification } from './open-notification.ts';
import { decodeReplay } from './quarantined-delivery.ts';
import { prepareEvent, rejectDelivery, type PendingEvent, type PrepareContext } from './prepare-event.ts';

/** Bodies held in memory at a time, whatever the batch size: a bound on memory, not on the queue. */
const MAX_BYTES_IN_HAND = 64 * 1024 * 1024;
const MAX_JOBS_PER_PEEK = 200;
/** Values of rows held in memory at a time, likewise; beyond it a batch goes out before `batchSize`. */
const MAX_VALUES_IN_HAND = 2_000_000;
/** In the rows of one notification; events beyond it are rejected, and may be replayed one by one. */
const MAX_VALUES_PER_JOB = 10_000_000;
/** How long events are prepared in one go before leases, webhooks and other destinations get their turn. */
const TURN_MS = 15;

interface JobInHand {
  readonly id: string;
  readonly bytes: number;
  readonly receivedAtMs: number;
  openEvents: number;
  readonly tally: { -readonly [name in keyof Counters]?: number };
}

/**
 * The head of a destination's queue, in memory: jobs in order of acceptance and their events, ready to be written. A job ends when all
 * its events are settled; until then it stays in the store, so a crash loses nothing but this copy.
 */
export class Backlog {
  private readonly queue: DestinationQueue;
  private readonly lease: Lease;
  private readonly context: PrepareContext;
  private readonly clock: Clock;
  private readonly signal: AbortSignal;
  private jobs: JobInHand[] = [];
  private events: PendingEvent[] = [];
  /** Of `events`. */
  private keys = new Set<string>();
  private bytes = 0;
  private values = 0;
  /** Of the jobs read lately. */
  private average = { bytes: 16 * 1024, events: 1 };
  private heldUp = false;
  /** Time for jobs that threads worked at, since the hand was last filled. */
  private msInThreads = 0;
  private readonly turns: Turns;

  /** @param signal ends work that is under way in threads */
  constructor(queue: DestinationQueue, lease: Lease, context: PrepareContext, clock: Clock, signal: AbortSignal) {
    this.queue = queue;
    this.lease = lease;
    this.context = context;
    this.clock = clock;
    this.signal = signal;
    this.turns = new Turns(clock, TURN_MS);
  }

  get size(): number {
    return this.events.length;
  }

  /** Reception of the oldest job in hand, epoch milliseconds. */
  get oldestReceivedAtMs(): number | undefined {
    return this.jobs[0]?.receivedAtMs;
  }

  /** True when no more may be held, so a batch must go out now. */
  get isFull(): boolean {
    return this.bytes >= MAX_BYTES_IN_HAND || this.values >= MAX_VALUES_IN_HAND;
  }

  /** True when the next job cannot be read now, or those before it took long, so what stands before it must not wait for more. */
  get isHeldUp(): boolean {
    return this.heldUp;
  }

  get hasFinishedJobs(): boolean {
    return this.jobs.some((job) => job.openEvents === 0);
  }

  /**
   * Takes jobs until `events` events are in hand or the queue is empty.
   * @param patienceMs when threads take longer than this, what is in hand must not wait for the rest (`isHeldUp`)
   * @throws what keeps the next job from being read, once nothing that stands before it is left in hand
   */
  async fill(events: number, patienceMs: number): Promise<void> {
    this.heldUp = false;
    this.msInThreads = 0;
    try {
      while (this.events.length < events && !this.isFull && !this.heldUp) {
        const jobs = await this.queue.peek(this.lease, this.jobs.length, this.pageSize(events - this.events.length));
        if (jobs.length === 0) return; // fewer than asked for tells nothing: the store bounds a page in bytes too
        const held = new Set(this.jobs.map(({ id }) => id));
        if (jobs.some(({ id }) => held.has(id))) {
          this.empty(); // the store went back while we held jobs: they stand at other places now
          continue;
        }
        for (const job of jobs) {
          await this.take(job);
          this.heldUp = this.msInThreads > patienceMs;
          if (this.isFull || this.heldUp) break;
        }
      }
    } catch (error) {
      if (this.jobs.length === 0 || isAppError(error, 'LEASE_LOST', 'QUEUE_UNAVAILABLE')) throw error;
      this.heldUp = true;
    }
  }

  /** Jobs that seem to hold so many events, within the bound on memory. */
  private pageSize(events: number): number {
    const withinBytes = Math.floor((MAX_BYTES_IN_HAND - this.bytes) / this.average.bytes / 2);
    return Math.max(1, Math.min(MAX_JOBS_PER_PEEK, withinBytes, Math.ceil(events / this.average.events)));
  }

  /** The oldest events, at most `count`. */
  next(count: number): readonly PendingEvent[] {
    return this.events.slice(0, count);
  }

  /** Marks events as settled and adds what became of them to the tally of their job. */
  markSettled(settled: readonly { readonly event: PendingEvent; readonly tally: Partial<Counters> }[]): void {
    const done = new Set(settled.map(({ event }) => event));
    const jobs = new Map(this.jobs.map((job) => [job.id, job]));
    for (const { event, tally } of settled) {
      this.values -= valuesOf(event);
      const job = jobs.get(event.jobId)!;
      job.openEvents -= 1;
      addTally(job.tally, tally);
    }
    this.events = this.events.filter((event) => !done.has(event));
    this.keys = new Set(this.events.map(({ key }) => key));
  }

  /** Jobs that may end now, in order; they leave the backlog with `forget`. */
  finishedJobs(): readonly { readonly id: string; readonly tally: Partial<Counters> }[] {
    return this.jobs.filter((job) => job.openEvents === 0).map(({ id, tally }) => ({ id, tally }));
  }

  forget(ids: ReadonlySet<string>): void {
    for (const job of this.jobs) if (ids.has(job.id)) this.bytes -= job.bytes;
    this.jobs = this.jobs.filter((job) => !ids.has(job.id));
  }

  /** A notification cut down to single events, for quarantine (`ReduceNotification`). */
  reduce(body: Uint8Array, places: readonly number[]): Promise<readonly (Uint8Array | undefined)[]> {
    return reduceNotification(body, places, this.context.slow, this.signal);
  }

  private empty(): void {
    this.jobs = [];
    this.events = [];
    this.keys.clear();
    this.bytes = 0;
    this.values = 0;
  }

  private async take(job: Job): Promise<void> {
    const events = await this.readJob(job);
    const bytes = job.body.byteLength;
    this.average = {
      bytes: Math.max(1024, (this.average.bytes * 7 + bytes) / 8),
      events: Math.max(1, (this.average.events * 7 + events.length) / 8),
    };
    this.bytes += bytes;
    this.jobs.push({
      id: job.id,
      bytes,
      receivedAtMs: job.receivedAtMs,
      openEvents: events.length,
      tally: { accepted: events.length },
    });
    for (const event of events) {
      this.events.push(event);
      this.keys.add(event.key);
      this.values += valuesOf(event);
    }
  }

  private async readJob(job: Job): Promise<PendingEvent[]> {
    const replay = decodeReplay(job.body);
    const { body, place: only } = replay?.delivery ?? { body: job.body, place: undefined };
    const beganAtMs = this.clock.monotonic();
    const delivery = { jobId: job.id, receivedAtMs: job.receivedAtMs, body, notificationTime: undefined };
    try {
      const opened = await openNotification(body, this.context, this.signal);
      const { flatten, notification } = opened;
      const { timestamp, events } = notification;
      const pending: PendingEvent[] = [];
      const before = new Set<string>();
      let values = 0;
      const context = {
        ...this.context,
        flatten,
        /** Also what waits here for its batch, or stands before in the same job. */
        holds: (key: string, coverage: Coverage) => this.keys.has(key) || before.has(key) || this.context.holds(key, coverage),
      };
      for (const [place, entry] of events.entries()) {
        if (this.turns.isOver) await this.turns.next();
        if (only !== undefined && place !== only) continue;
        // Of a notification that is replayed as a whole, the events have the keys they always had.
        const replayOf = only === undefined ? undefined : replay;
        const event = await prepareEvent(entry, { ...delivery, place, notificationTime: timestamp, replayOf }, context);
        values += valuesOf(event);
        pending.push({ ...(values > MAX_VALUES_PER_JOB ? rejectRows(event) : event), replayOf: replay?.key });
        before.add(event.key);
      }
      if (opened.usesThread) this.msInThreads += this.clock.monotonic() - beganAtMs;
      return pending;
    } catch (error) {
      if (!isAppError(error, 'NOTIFICATION_INVALID', 'NOTIFICATION_TOO_LARGE')) throw error;
      return [rejectDelivery({ ...delivery, place: 0, replayOf: replay }, error)];
    }
  }
}

function rejectRows(event: PendingEvent): PendingEvent {
  if (event.prepared?.content.kind !== 'rows') return event;
  const reason = `the rows of the events of one notification hold more than ${MAX_VALUES_PER_JOB} values`;
  return { ...event, prepared: { ...event.prepared, content: { kind: 'rejected', code: 'NOTIFICATION_TOO_LARGE', reason } } };
}

function valuesOf({ prepared }: PendingEvent): number {
  if (prepared?.content.kind !== 'rows') return 0;
  const { rows } = prepared.content;
  return rows.length * (rows[0]?.length ?? 0);
}

function addTally(target: { -readonly [name in keyof Counters]?: number }, added: Partial<Counters>): void {
  for (const [name, value] of Object.entries(added) as [keyof Counters, number][]) target[name] = (target[name] ?? 0) + value;
}
