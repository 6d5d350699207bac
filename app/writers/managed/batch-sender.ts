import { AppError, isAppError } from '../../errors/app-error.ts';
import type { ErrorCode } from '../../errors/catalogue.ts';
import type { TableColumn } from '../../rows/table-type.ts';
import type { Rejection, WriteGuard } from '../writer.ts';
import { isolate } from './isolate.ts';
import { SendGate } from './send-gate.ts';
import { planRequests, runPlan, splitRows, type EncodedEvent, type PlannedRequest } from './plan-requests.ts';
import type { RecentKeys } from './recent-keys.ts';
import type { RowSender } from './row-sender.ts';

/** A request was refused because of its rows: one of them, or their columns. */
const ROWS_REFUSED: readonly ErrorCode[] = [
  'DATABRICKS_ROW_REFUSED',
  'DATABRICKS_SCHEMA_DIFFERS',
  'SQL_ROW_REFUSED',
  'SQL_SCHEMA_DIFFERS',
];
/** …because there are too many. */
const TOO_LARGE: readonly ErrorCode[] = ['DATABRICKS_REQUEST_TOO_LARGE', 'SQL_TOO_LARGE'];
/** The rows may be in the table. */
const OUTCOME_UNKNOWN: readonly ErrorCode[] = ['DATABRICKS_ANSWER_LOST', 'DATABRICKS_UNAVAILABLE', 'WAREHOUSE_ANSWER_LOST'];
/** …because of their columns. */
const COLUMNS_REFUSED: readonly ErrorCode[] = ['DATABRICKS_SCHEMA_DIFFERS', 'SQL_SCHEMA_DIFFERS'];
/** So many bad events, and none good, and it may be the table that is wrong. */
const MAX_REFUSED_IN_A_ROW = 10;
/** What is smaller cannot be too large for a statement. */
const SMALL_BYTES = 1024 * 1024;

export interface BatchSenderOptions {
  readonly sender: RowSender;
  readonly columns: readonly TableColumn[];
  readonly recent: RecentKeys;
  /** Gets the keys of the events that were taken. */
  readonly taken: Set<string>;
  /** Gets the events that the other side does not take. */
  readonly refused: Map<string, Rejection>;
  readonly onRepeated: (rows: number) => void;
  /** Finds out whether it is the columns; `anew`: by reading them now. @throws AppError TABLE_SCHEMA_CHANGED, DATABRICKS_SCHEMA_NOT_VISIBLE, … */
  readonly syncSchema: (refusal: AppError, anew: boolean) => Promise<void>;
}

/** Sends the events of batches in requests that may overlap, and finds the ones that are refused. */
export class BatchSender {
  private readonly options: BatchSenderOptions;
  /** Requests beside each other; halved by each answer that asks for less, grown by one with each batch. */
  private width: number;
  /** Events refused in a row, over batches: none was taken since. */
  private refusedInARow = Infinity;
  /** Those of the batch in hand; they count when the batch ends, or as soon as another event is taken. */
  private doubtful: { readonly key: string; readonly rejection: Rejection }[] = [];
  /** Rows that were taken of an event that needs several requests. */
  private readonly progress = new Map<string, number>();
  /** While it is in doubt whether the table takes rows at all, one request goes at a time, so that a probe never sends what is on its way. */
  private readonly gate = new SendGate(() => this.refusedInARow !== 0);
  private syncing: Promise<void> | undefined;
  private batch: readonly EncodedEvent[] = [];

  constructor(options: BatchSenderOptions) {
    this.options = options;
    this.width = options.sender.limits.maxRequests;
  }

  /** Resolves when each event is taken or refused for good. @throws AppError what stands against the others; those that were taken are in `recent` */
  async send(events: readonly EncodedEvent[], guard: WriteGuard): Promise<void> {
    const { sender } = this.options;
    this.syncing = undefined;
    this.doubtful = [];
    this.batch = events;
    const width = (): number => (this.refusedInARow === 0 ? this.width : 1);
    try {
      const failures = await runPlan(planRequests(events, sender.limits), width, (request) => this.sendRequest(request, guard));
      this.width = failures.some((error) => isAppError(error, 'DATABRICKS_THROTTLED', 'WAREHOUSE_BUSY'))
        ? Math.max(1, Math.floor(this.width / 2))
        : Math.min(sender.limits.maxRequests, this.width + 1);
      if (failures.length > 0) throw worst(failures);
      this.settleDoubtful();
    } finally {
      this.batch = [];
    }
  }

  private async sendRequest({ events }: PlannedRequest, guard: WriteGuard): Promise<void> {
    const refusal = await this.sendAndSync(events, guard);
    if (refusal === undefined) return;
    await isolate(
      events,
      refusal,
      (part) => this.sendAndSync(part, guard),
      (event, reason) => this.reject(event, reason, guard),
    );
  }

  /** As `trySend`; when rows are refused, the columns are compared before any event is blamed: once a batch, and whenever it is said that they are others. */
  private async sendAndSync(events: readonly EncodedEvent[], guard: WriteGuard): Promise<AppError | undefined> {
    const refusal = await this.trySend(events, guard);
    if (refusal === undefined || !ROWS_REFUSED.includes(refusal.code)) return refusal;
    this.syncing ??= this.options.syncSchema(refusal, false);
    await this.syncing;
    if (COLUMNS_REFUSED.includes(refusal.code)) await this.options.syncSchema(refusal, false);
    return refusal;
  }

  /** The refusal, when the rows or their number are the reason. */
  private trySend(events: readonly EncodedEvent[], guard: WriteGuard): Promise<AppError | undefined> {
    return this.gate.run(() => this.sendOpen(events, guard));
  }

  /** Sends those of the events that were not taken yet. */
  private async sendOpen(events: readonly EncodedEvent[], guard: WriteGuard): Promise<AppError | undefined> {
    const { sender, columns, recent, taken, onRepeated } = this.options;
    const fresh = events.filter(({ event }) => !recent.has(event.key)); // a probe may have taken some
    for (const part of this.partsOf(fresh)) {
      await guard.check();
      try {
        await sender.send(columns, part, guard.signal);
      } catch (error) {
        if (isAppError(error, ...OUTCOME_UNKNOWN) && !sender.isRepeatable(columns)) onRepeated(part.length);
        if (!isAppError(error, ...ROWS_REFUSED, ...TOO_LARGE)) throw error;
        return error;
      }
      const [only] = fresh;
      if (fresh.length === 1 && only !== undefined)
        this.progress.set(only.event.key, (this.progress.get(only.event.key) ?? 0) + part.length);
    }
    if (fresh.length === 0) return undefined;
    for (const { event } of fresh) {
      this.progress.delete(event.key);
      recent.add(event.key);
      taken.add(event.key);
    }
    this.refusedInARow = 0;
    this.settleDoubtful();
    return undefined;
  }

  /** What is still to be sent, in requests: one, or several for an event that is larger than a request. */
  private partsOf(events: readonly EncodedEvent[]): readonly (readonly string[])[] {
    const { limits } = this.options.sender;
    const [only] = events;
    if (only === undefined) return [];
    if (events.length > 1 || !limits.splitsEvents) return [events.flatMap((event) => event.rows)];
    return splitRows(only.rows.slice(this.progress.get(only.event.key) ?? 0), limits);
  }

  /**
   * Notes an event that the other side does not take. When ten were refused and none taken since, it may be the table: the columns are read
   * and others are tried, and when none is taken nothing of it is blamed on the events.
   */
  private async reject({ event, bytes }: EncodedEvent, refusal: AppError, guard: WriteGuard): Promise<void> {
    // A warehouse that is short of memory says so of small statements too.
    if (refusal.code === 'SQL_TOO_LARGE' && bytes < SMALL_BYTES) throw refusal;
    this.refusedInARow = this.refusedInARow === Infinity ? 1 : this.refusedInARow + 1;
    if (this.refusedInARow >= MAX_REFUSED_IN_A_ROW) {
      await this.options.syncSchema(refusal, true);
      // What the batch has brought into the table shows that the table takes rows.
      if (!(await this.probe(event.key, guard)) && this.options.taken.size === 0)
        throw new AppError(
          'DATABRICKS_ALL_ROWS_REFUSED',
          `every event that was tried was refused, the last with: ${refusal.message}`,
          { cause: refusal },
        );
    }
    await guard.checkQuarantine(this.options.refused.size + this.doubtful.length + 1);
    const half = this.progress.get(event.key) ?? 0;
    this.progress.delete(event.key);
    const reason = half === 0 ? refusal.message : `${refusal.message}; ${half} of its rows had been taken before`;
    this.doubtful.push({ key: event.key, rejection: { code: codeOf(refusal), reason } });
  }

  private settleDoubtful(): void {
    for (const { key, rejection } of this.doubtful) this.options.refused.set(key, rejection);
    this.doubtful = [];
  }

  /** True when one of some events, spread over all of the batch, is taken. */
  private async probe(refusedKey: string, guard: WriteGuard): Promise<boolean> {
    const { recent, refused } = this.options;
    const isTried = new Set([refusedKey, ...this.doubtful.map(({ key }) => key)]);
    const open = this.batch.filter(({ event }) => !recent.has(event.key) && !refused.has(event.key) && !isTried.has(event.key));
    const step = Math.max(1, Math.floor(open.length / MAX_REFUSED_IN_A_ROW));
    for (let index = open.length - 1; index >= 0 && this.refusedInARow > 0; index -= step)
      await this.trySend([open[index]!], guard);
    return this.refusedInARow === 0;
  }
}

/** One code for what quarantine holds, whichever way the rows went. */
function codeOf(refusal: AppError): ErrorCode {
  return TOO_LARGE.includes(refusal.code) ? 'DATABRICKS_ROW_REFUSED' : refusal.code;
}

/** What a person must see comes before what passes by itself; what ends the tenure before both. */
function worst(failures: readonly unknown[]): unknown {
  const rank = (error: unknown): number =>
    !isAppError(error) || error.code === 'LEASE_LOST'
      ? 0
      : error.code === 'TABLE_SCHEMA_CHANGED'
        ? 1
        : error.retry === 'never'
          ? 2
          : 3;
  return [...failures].sort((left, right) => rank(left) - rank(right))[0];
}
