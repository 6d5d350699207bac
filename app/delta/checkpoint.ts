import { parquetMetadataAsync, parquetReadObjects, parquetSchema, type AsyncBuffer } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { ObjectStore } from '../storage/object-store.ts';
import { logBroken, parseActionObject, parseActions, type Action, type LogPlace } from './actions.ts';
import type { CheckpointFiles } from './log-listing.ts';

/** The columns of a checkpoint that an appending writer needs; `add` and `remove`, nearly all of the file, are not decoded. */
const COLUMNS = ['protocol', 'metaData', 'txn', 'domainMetadata'];

/** What came of reading a checkpoint. */
export type CheckpointResult =
  | { readonly kind: 'read'; readonly actions: readonly Action[] }
  /** A file was deleted since it was listed. */
  | { readonly kind: 'gone' }
  /** The bytes are not a file of the format; an older checkpoint and the commits since it say the same. */
  | { readonly kind: 'unreadable'; readonly path: string; readonly cause: unknown };

/**
 * Reads protocol, metadata, transactions and domains of a checkpoint: classic, in parts, or V2. The sidecars of a V2 checkpoint hold
 * files only and are not read.
 *
 * @throws AppError DELTA_LOG_BROKEN when the checkpoint is readable, but holds no protocol or no metadata; whatever the store throws
 */
export async function readCheckpoint(store: ObjectStore, checkpoint: CheckpointFiles): Promise<CheckpointResult> {
  const actions: Action[] = [];
  for (const path of checkpoint.paths) {
    const body = await store.read(path);
    if (body === undefined) return { kind: 'gone' };
    const place = { version: checkpoint.version, path };
    try {
      actions.push(...(checkpoint.format === 'json' ? parseActions(body, place) : await readParquetActions(body, place)));
    } catch (cause) {
      return { kind: 'unreadable', path, cause };
    }
  }
  const place = { version: checkpoint.version, path: checkpoint.paths[0] ?? '' };
  for (const name of ['protocol', 'metaData']) {
    if (!actions.some((action) => name in action)) throw logBroken(place, `the checkpoint holds no ${name} action`);
  }
  return { kind: 'read', actions };
}

async function readParquetActions(body: Uint8Array, place: LogPlace): Promise<Action[]> {
  const file: AsyncBuffer = {
    byteLength: body.byteLength,
    slice: (start, end) => new Uint8Array(body.subarray(start, end)).buffer,
  };
  const metadata = await parquetMetadataAsync(file);
  const present = parquetSchema(metadata).children.map((column) => column.element.name);
  const columns = COLUMNS.filter((name) => present.includes(name));
  if (columns.length === 0) return [];
  const rows: Record<string, unknown>[] = await parquetReadObjects({ file, metadata, columns, compressors });
  return rows.flatMap((row, index) => parseActionObject(row, place, `row ${index + 1}`));
}
