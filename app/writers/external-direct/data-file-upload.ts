import type { AppendedFile } from '../../delta/append-commit.ts';
import { encodeDataFileInTurns, makeDataFilePath, type DataFile } from '../../delta/data-file.ts';
import { commitPath } from '../../delta/log-path.ts';
import { makeRowCheck } from '../../delta/row-check.ts';
import type { Snapshot } from '../../delta/snapshot.ts';
import { AppError, isAppError } from '../../errors/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import type { TableColumn } from '../../rows/table-type.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { PreparedEvent } from '../writer.ts';
import type { Batch } from './batch.ts';

/**
 * Stores the rows of a batch under a name that was never used before; no file when the batch holds rejections only. Events whose rows the
 * table cannot take become rejections. Beside the upload it looks whether the snapshot's commit is still there, so that a table that went
 * back is seen before the commit (design E7).
 *
 * @throws AppError TABLE_WENT_BACK, STORAGE_UNAVAILABLE
 */
export async function putDataFile(
  store: ObjectStore,
  snapshot: Snapshot,
  columns: readonly TableColumn[],
  batch: Batch,
  clock: Clock,
): Promise<{ readonly batch: Batch; readonly file: AppendedFile | undefined }> {
  const { batch: writable, encoded } = await encodeBatch(snapshot, columns, batch, clock);
  const path = makeDataFilePath();
  const [head] = await Promise.all([store.head(commitPath(snapshot.version)), encoded && store.put(path, encoded.bytes)]);
  if (head === undefined) {
    if (encoded !== undefined) await store.delete(path);
    throw new AppError(
      'TABLE_WENT_BACK',
      `commit ${snapshot.version} of ${store.address}, the newest when the batch was formed, is gone`,
      {
        facts: { version: snapshot.version },
      },
    );
  }
  if (encoded === undefined) return { batch: writable, file: undefined };
  const { bytes, numRecords, stats } = encoded;
  return { batch: writable, file: { path, sizeBytes: bytes.byteLength, numRecords, stats } };
}

async function encodeBatch(
  snapshot: Snapshot,
  columns: readonly TableColumn[],
  batch: Batch,
  clock: Clock,
): Promise<{ batch: Batch; encoded: DataFile | undefined }> {
  const rows = batch.events.flatMap((event) => (event.content.kind === 'rows' ? event.content.rows : []));
  if (rows.length === 0) return { batch, encoded: undefined };
  try {
    return { batch, encoded: await encodeDataFileInTurns(snapshot, columns, rows, clock) };
  } catch (error) {
    if (!isAppError(error, 'DELTA_VALUE_NULL', 'DELTA_VALUE_OUT_OF_RANGE', 'DELTA_VALUE_INVALID')) throw error;
    const events = rejectUnwritable(columns, batch.events);
    if (events.every((event, index) => event === batch.events[index])) throw error;
    return encodeBatch(snapshot, columns, { events }, clock);
  }
}

function rejectUnwritable(columns: readonly TableColumn[], events: readonly PreparedEvent[]): PreparedEvent[] {
  const check = makeRowCheck(columns);
  return events.map((event) => {
    if (event.content.kind === 'rejected') return event;
    const problem = event.content.rows.map(check).find((found) => found !== undefined);
    return problem === undefined
      ? event
      : { ...event, content: { kind: 'rejected', code: problem.code, reason: problem.message } };
  });
}
