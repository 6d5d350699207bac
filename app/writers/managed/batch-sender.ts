import { AppError, isAppError } from '../../errors/app-error.ts';
import type { ErrorCode } from '../../errors/catalogue.ts';
import type { TableColumn } from '../../rows/table-type.ts';
import type { Rejection, WriteGuard } from '../writer.ts';
import { isolate } from './isolate.ts';
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
/** So many bad events, and none good, and it is the table that is wrong. */
const MAX_UNPROVEN_REJECTIONS = 10;

export interface BatchSenderOptions {
  readonly sender: RowSender;
  readonly columns: readonly TableColumn[];
  readonly recent: RecentKeys;
  /** Gets the keys of the events that were taken. */
  readonly taken: Set<string>;
  /** Gets the events that the other side does not take. */
  readonly refused: Map<string, Rejection>;
  readonly onRepeated: (rows: number) => void;
  /** Finds out, once per batch, whether it is the columns. @throws AppError TABLE_SCHEMA_CHANGED, DATABRICKS_SCHEMA_NOT_VISIBLE, … */
  readonly syncSchema: (refusal: AppError) => Promise<void>;
}

/** Sends the events of batches in requests that may overlap, and finds the ones that are refused. */
export class BatchSender {
  private readonly options: BatchSenderOptions;
  /** Requests beside each other; halved by each answer that asks for less, grown by one with each batch. */
  private width: number;
  /** The other side has taken rows with the present columns. */
  private isProven = false;
  private unprovenRejections = 0;
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
    this.batch = events;
    const width = (): number => (this.isProven ? this.width : 1); // the first request shows whether the table takes rows at all
    const failures = await runPlan(planRequests(events, sender.limits), width, (request) => this.sendRequest(request, guard));
    this.width = failures.some((error) => isAppError(error, 'DATABRICKS_THROTTLED', 'WAREHOUSE_BUSY'))
      ? Math.max(1, Math.floor(this.width / 2))
      : Math.min(sender.limits.maxRequests, this.width + 1);
    if (failures.length > 0) throw worst(failures);
  }

  private async sendRequest({ events }: PlannedRequest, guard: WriteGuard): Promise<void> {
    const refusal = await this.trySend(events, guard);
    if (refusal === undefined) return;
    if (isAppError(refusal, ...ROWS_REFUSED)) {
      this.syncing ??= this.options.syncSchema(refusal);
      await this.syncing;
    }
    await isolate(
      events,
      refusal,
      (part) => this.trySend(part, guard),
      (event, reason) => this.reject(event, reason, guard),
    );
  }

  /** The refusal, when the rows or their number are the reason. */
  private async trySend(events: readonly EncodedEvent[], guard: WriteGuard): Promise<AppError | undefined> {
    const { sender, columns, recent, taken, onRepeated } = this.options;
    const { limits } = sender;
    const fresh = events.filter(({ event }) => !recent.has(event.key)); // a probe may have taken some
    const rows = fresh.flatMap((event) => event.rows);
    if (rows.length === 0) return undefined;
    for (const part of limits.splitsEvents && fresh.length === 1 ? splitRows(rows, limits) : [rows]) {
      await guard.check();
      try {
        await sender.send(columns, part, guard.signal);
      } catch (error) {
        if (isAppError(error, ...OUTCOME_UNKNOWN)) onRepeated(part.length);
        if (!isAppError(error, ...ROWS_REFUSED, ...TOO_LARGE)) throw error;
        return error;
      }
    }
    for (const { event } of fresh) {
      recent.add(event.key);
      taken.add(event.key);
    }
    this.isProven = true;
    return undefined;
  }

  private async reject({ event }: EncodedEvent, refusal: AppError, guard: WriteGuard): Promise<void> {
    const { refused } = this.options;
    if (!this.isProven && ++this.unprovenRejections >= MAX_UNPROVEN_REJECTIONS && !(await this.probe(guard))) {
      this.unprovenRejections = 0;
      throw new AppError(
        'DATABRICKS_ALL_ROWS_REFUSED',
        `every event that was tried was refused, the last with: ${refusal.message}`,
        {
          cause: refusal,
        },
      );
    }
    await guard.checkQuarantine(refused.size + 1);
    refused.set(event.key, { code: codeOf(refusal), reason: refusal.message });
  }

  /** True when one of some events, spread over all of the batch, is taken. No other request is under way then. */
  private async probe(guard: WriteGuard): Promise<boolean> {
    const { recent, refused } = this.options;
    const open = this.batch.filter(({ event }) => !recent.has(event.key) && !refused.has(event.key));
    const step = Math.max(1, Math.floor(open.length / MAX_UNPROVEN_REJECTIONS));
    for (let index = open.length - 1; index >= 0 && !this.isProven; index -= step) await this.trySend([open[index]!], guard);
    return this.isProven;
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
