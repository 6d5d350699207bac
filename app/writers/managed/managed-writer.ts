import { randomUUID } from 'node:crypto';
import { AppError, isAppError } from '../../errors/app-error.ts';
import type { ErrorCode } from '../../errors/catalogue.ts';
import type { Clock } from '../../lib/clock.ts';
import { isChangedMeanwhile } from '../../databricks/warehouse/error-classes.ts';
import type { TableColumns } from '../../databricks/warehouse/table-columns.ts';
import type { TableColumn } from '../../rows/table-type.ts';
import type { EventOutcome, OpenedTable, PreparedEvent, Rejection, Writer, WriteGuard, WriteResult } from '../writer.ts';
import { BatchSender } from './batch-sender.ts';
import { openColumns, sameColumns, sameTable, type ColumnPlan } from './open-columns.ts';
import { encodeEvents } from './encode-events.ts';
import type { RecentKeys } from './recent-keys.ts';
import type { ManagedTable, RowSender } from './row-sender.ts';

export interface ManagedWriterOptions {
  readonly sender: RowSender;
  readonly table: ManagedTable;
  readonly plan: ColumnPlan;
  /** Columns of the table that were read a moment ago, at create: then opening it needs no statement. */
  readonly knownColumns?: TableColumns | undefined;
  /** Of this destination in this process. */
  readonly recent: RecentKeys;
  /** Told of rows that are sent again although they may be in the table already. */
  readonly onRepeated: (rows: number) => void;
  readonly clock: Clock;
}

/** How long a column that was added may be unknown to Zerobus (contract §2.5 leaves it open). */
const VISIBLE_AFTER_MS = 60_000;
/** A schema that was read so lately is not read again to explain a refusal. */
const SYNC_EVERY_MS = 30_000;

/** What ends when a person changes the table. */
const MENDED_BY_PERSON: readonly ErrorCode[] = [
  'DATABRICKS_ALL_ROWS_REFUSED',
  'DATABRICKS_TABLE_NOT_FOUND',
  'SQL_TABLE_NOT_FOUND',
  'SQL_COLUMNS_REFUSED',
];

/** Writes batches to a managed table of Databricks: at least once, or exactly once where the sender can (design §4, §6). */
export function makeManagedWriter(options: ManagedWriterOptions): Writer {
  const { sender, table, plan, recent, clock } = options;
  let known = options.knownColumns;
  let columns: readonly TableColumn[] = [];
  let encodeRow = sender.makeRowEncoder(columns);
  let addedAtMs = -Infinity;
  let syncedAtMs = -Infinity;
  let batches = 0;
  let tenure = randomUUID();
  let batchSender: BatchSender | undefined;
  /** Refused in an attempt that failed as a whole, so that the next one does not search for them again. */
  const refused = new Map<string, Rejection>();
  /** Taken in such an attempt. */
  const taken = new Set<string>();

  async function open(): Promise<OpenedTable> {
    const opened = await openColumns(table, plan, known);
    known = opened.table;
    if (opened.added) addedAtMs = clock.monotonic();
    const isAsBefore = sameColumns(columns, opened.filled);
    if (!isAsBefore) refused.clear(); // with other columns they may be taken
    columns = opened.filled;
    encodeRow = sender.makeRowEncoder(columns);
    tenure = randomUUID();
    if (batchSender === undefined || !isAsBefore)
      batchSender = new BatchSender({ sender, columns, recent, taken, refused, onRepeated: options.onRepeated, syncSchema });
    return { columns, storeLoss: undefined, warnings: opened.warnings };
  }

  /** Reads the columns again after rows were refused. @throws AppError TABLE_SCHEMA_CHANGED when they are others now, DATABRICKS_SCHEMA_NOT_VISIBLE while a new one may not be known everywhere, SQL_COLUMNS_REFUSED when they are the same and a warehouse does not take them */
  async function syncSchema(refusal: AppError, anew: boolean): Promise<void> {
    const isNews = anew || clock.monotonic() - syncedAtMs > SYNC_EVERY_MS;
    if (isNews) {
      const now = await table.readColumns().catch((error: unknown) => {
        if (isAppError(error) && (error.retry === 'never' || error.code === 'SQL_SCHEMA_DIFFERS')) return known; // the refusal alone tells what is wrong then
        throw error;
      });
      syncedAtMs = clock.monotonic();
      if (now !== undefined && (known === undefined || !sameTable(now, known))) {
        known = now;
        throw new AppError('TABLE_SCHEMA_CHANGED', 'the columns of the table changed while a batch was being written', {
          cause: refusal,
        });
      }
    }
    if (refusal.code === 'SQL_SCHEMA_DIFFERS')
      throw isChangedMeanwhile(String(refusal.facts['errorClass'])) ? refusal : refuseColumns(refusal);
    if (refusal.code !== 'DATABRICKS_SCHEMA_DIFFERS' && clock.monotonic() - addedAtMs >= VISIBLE_AFTER_MS) return;
    sender.renew();
    throw new AppError('DATABRICKS_SCHEMA_NOT_VISIBLE', `${refusal.message}; the SQL warehouse shows all columns`, {
      cause: refusal,
    });
  }

  async function write(events: readonly PreparedEvent[], guard: WriteGuard): Promise<WriteResult> {
    if (batchSender === undefined) throw new AppError('INTERNAL', 'a batch was given to a writer that is not open');
    const before = new Set(events.filter(({ key }) => recent.has(key) && !taken.has(key)).map(({ key }) => key));
    const encoded = encodeEvents(
      firstOfEachKey(events).filter(({ key }) => !recent.has(key) && !refused.has(key)),
      encodeRow,
      sender.limits,
      refused,
    );
    if (refused.size > 0) await guard.checkQuarantine(refused.size);
    try {
      await batchSender.send(encoded, guard);
    } catch (error) {
      // Whoever mends the table changes its columns: they are read before the next attempt.
      if (isAppError(error, ...MENDED_BY_PERSON)) known = undefined;
      throw error;
    }
    batches += 1;
    const rejections = new Map(refused);
    const seen = new Set<string>();
    const outcomes = events.map(({ key, content }): EventOutcome => {
      if (content.kind === 'rejected' || rejections.has(key)) return 'quarantined';
      const isRepeated = before.has(key) || seen.has(key);
      seen.add(key);
      return isRepeated ? 'written-before' : 'written';
    });
    refused.clear();
    for (const { key } of events) taken.delete(key);
    const written = encoded.filter(({ event }) => !rejections.has(event.key));
    return {
      outcomes,
      rejections,
      hasWritten: outcomes.includes('written'),
      version: undefined,
      rows: written.reduce((sum, { rows }) => sum + rows.length, 0),
      bytes: written.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  return {
    open,
    write,
    holds: (key) => (recent.has(key) ? true : undefined),
    // Nothing has to be read from it: it shows that the queue store went back.
    checkpoint: () => new TextEncoder().encode(JSON.stringify({ v: 1, tenure, batches })),
    close: async () => {
      await Promise.all([sender.close(), table.close()]);
    },
  };
}

/** Repeating it would be refused for ever: a person has to see it. */
function refuseColumns(refusal: AppError): AppError {
  const message = `${refusal.message}; the table, read again, has the columns that were expected`;
  return new AppError('SQL_COLUMNS_REFUSED', message, { facts: refusal.facts, cause: refusal });
}

/** A repetition within the batch adds nothing. */
function firstOfEachKey(events: readonly PreparedEvent[]): readonly PreparedEvent[] {
  return [...new Map(events.toReversed().map((event) => [event.key, event])).values()].toReversed();
}
