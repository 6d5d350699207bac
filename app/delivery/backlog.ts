import { AppError, isAppError } from '../errors/app-error.ts';
import { parseNotification, type Notification } from '../fhir/notification.ts';
import type { Clock } from '../lib/clock.ts';
import { Turns } from '../lib/turns.ts';
import type { Counters, DestinationQueue, Job, Lease } from '../queue/queue-store.ts';
import { parseExactly } from '../view/exact-json.ts';
import type { Coverage } from '../writers/writer.ts';
import { decodeReplay } from './quarantined-delivery.ts';
import { decodeSpooled } from './spooled-notification.ts';
import { prepareEvent, rejectDelivery, type PendingEvent, type PrepareContext } from './prepare-event.ts';

/** Bodies held in memory at a time, whatever the batch size: a bound on memory, not on the queue. */
const MAX_BYTES_IN_HAND = 64 * 1024 * 1024;
const MAX_JOBS_PER_PEEK = 200;
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
  private jobs: JobInHand[] = [];
  private events: PendingEvent[] = [];
  /** Of `events`. */
  private keys = new Set<string>();
  private bytes = 0;
  /** Of the jobs read lately. */
  private average = { bytes: 16 * 1024, events: 1 };
  private heldUp = false;
  private readonly turns: Turns;

  constructor(queue: DestinationQueue, lease: Lease, context: PrepareContext, clock: Clock) {
    this.queue = queue;
    this.lease = lease;
    this.context = context;
    this.turns = new Turns(clock, TURN_MS);
  }

  get size(): number {
    return this.events.length;
  }

  /** Reception of the oldest job in hand, epoch milliseconds. */
  get oldestReceivedAtMs(): number | undefined {
    return this.jobs[0]?.receivedAtMs;
  }

  /** True when no more bodies may be held, so a batch must go out now. */
  get isFull(): boolean {
    return this.bytes >= MAX_BYTES_IN_HAND;
  }

  /** True when the next job cannot be read now, so what stands before it must not wait for more. */
  get isHeldUp(): boolean {
    return this.heldUp;
  }

  get hasFinishedJobs(): boolean {
    return this.jobs.some((job) => job.openEvents === 0);
  }

  /**
   * Takes jobs until `events` events are in hand or the queue is empty.
   * @throws what keeps the next job from being read, once nothing that stands before it is left in hand
   */
  async fill(events: number): Promise<void> {
    this.heldUp = false;
    try {
      while (this.events.length < events && this.bytes < MAX_BYTES_IN_HAND) {
        const jobs = await this.queue.peek(this.lease, this.jobs.length, this.pageSize(events - this.events.length));
        if (jobs.length === 0) return; // fewer than asked for tells nothing: the store bounds a page in bytes too
        const held = new Set(this.jobs.map(({ id }) => id));
        if (jobs.some(({ id }) => held.has(id))) {
          this.empty(); // the store went back while we held jobs: they stand at other places now
          continue;
        }
        for (const job of jobs) await this.take(job);
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

  private empty(): void {
    this.jobs = [];
    this.events = [];
    this.keys.clear();
    this.bytes = 0;
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
    }
  }

  private async readJob(job: Job): Promise<PendingEvent[]> {
    const replay = decodeReplay(job.body);
    const { body, place: only } = replay?.delivery ?? { body: job.body, place: undefined };
    const delivery = { jobId: job.id, receivedAtMs: job.receivedAtMs, body, notificationTime: undefined };
    try {
      const { timestamp, events } = readNotification(body, this.context.encoder.needsExactDecimals);
      const pending: PendingEvent[] = [];
      const before = new Set<string>();
      for (const [place, entry] of events.entries()) {
        if (this.turns.isOver) await this.turns.next();
        if (only !== undefined && place !== only) continue;
        // Of a notification that is replayed as a whole, the events have the keys they always had.
        const replayOf = only === undefined ? undefined : replay;
        const context = {
          ...this.context,
          /** Also what waits here for its batch, or stands before in the same job. */
          holds: (key: string, coverage: Coverage) => this.keys.has(key) || before.has(key) || this.context.holds(key, coverage),
        };
        const event = await prepareEvent(entry, { ...delivery, place, notificationTime: timestamp, replayOf }, context);
        pending.push({ ...event, replayOf: replay?.key });
        before.add(event.key);
      }
      return pending;
    } catch (error) {
      if (!isAppError(error, 'NOTIFICATION_INVALID', 'NOTIFICATION_TOO_LARGE')) throw error;
      return [rejectDelivery({ ...delivery, place: 0, replayOf: replay }, error)];
    }
  }
}

function readNotification(body: Uint8Array, exactly: boolean): Notification {
  const spooled = decodeSpooled(body);
  if (spooled !== undefined)
    throw new AppError(
      'NOTIFICATION_TOO_LARGE',
      `a notification of ${spooled.sizeBytes} bytes lies in spool file ${spooled.file}`,
    );
  return parseNotification(body, exactly ? parseExactly : undefined);
}

function addTally(target: { -readonly [name in keyof Counters]?: number }, added: Partial<Counters>): void {
  for (const [name, value] of Object.entries(added) as [keyof Counters, number][]) target[name] = (target[name] ?? 0) + value;
}
