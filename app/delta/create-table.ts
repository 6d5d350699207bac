import { randomUUID } from 'node:crypto';
import { AppError } from '../errors/app-error.ts';
import type { TableColumn } from '../rows/table-type.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { withCommitInfo, type Action, type Protocol } from './actions.ts';
import { ENGINE_INFO } from './append-commit.ts';
import { makeCommit, putCommit } from './commit.ts';
import { isEmptyDirectory } from './log-listing.ts';
import { columnsToSchemaString, compareSchema } from './schema.ts';
import { firstSnapshot, readSnapshot, type Snapshot } from './snapshot.ts';

/**
 * Creates an empty table with `columns`. When somebody else has created it, before or at the same time, that table is returned, if it
 * has the columns.
 *
 * @param options.nowMs wall clock, epoch milliseconds
 * @throws AppError DELTA_NOT_A_TABLE when the directory holds other files, DELTA_SCHEMA_INVALID for impossible columns,
 *   DELTA_SCHEMA_MISMATCH when the table is there with other columns; whatever `readSnapshot` and the store throw
 */
export async function createTable(
  store: ObjectStore,
  columns: readonly TableColumn[],
  options: { readonly name?: string; readonly nowMs: number },
): Promise<Snapshot> {
  const actions = planTable(columns, options);
  if (await isEmptyDirectory(store)) {
    if ((await putCommit(store, 0, actions)) === 'created') return firstSnapshot(makeCommit(0, actions));
  }
  const snapshot = await readSnapshot(store);
  assertColumns(columns, snapshot);
  return snapshot;
}

function planTable(
  columns: readonly TableColumn[],
  { name, nowMs }: { readonly name?: string; readonly nowMs: number },
): Action[] {
  const info = {
    engineInfo: ENGINE_INFO,
    timestamp: nowMs,
    operation: 'CREATE TABLE',
    operationParameters: { partitionBy: '[]', properties: '{}', isManaged: 'false' },
    isBlindAppend: true,
  };
  const metaData = {
    id: randomUUID(),
    ...(name === undefined ? {} : { name }),
    format: { provider: 'parquet', options: {} },
    schemaString: columnsToSchemaString(columns),
    partitionColumns: [],
    configuration: {},
    createdTime: nowMs,
  };
  return withCommitInfo(info, [{ protocol: chooseProtocol(columns) }, { metaData }]);
}

/** The lowest protocol that every engine knows, unless a column asks for a table feature. */
function chooseProtocol(columns: readonly TableColumn[]): Protocol {
  const hasNtz = columns.some(({ type }) => (type.kind === 'array' ? type.element : type).kind === 'timestamp_ntz');
  if (!hasNtz) return { minReaderVersion: 1, minWriterVersion: 2 };
  const features = ['timestampNtz'];
  return {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: features,
    writerFeatures: [...features, 'appendOnly', 'invariants'],
  };
}

function assertColumns(columns: readonly TableColumn[], snapshot: Snapshot): void {
  const { missing, mismatched } = compareSchema(columns, snapshot);
  if (missing.length === 0 && mismatched.length === 0) return;
  const problems = [
    ...missing.map((name) => `${name} is missing`),
    ...mismatched.map(({ name, wanted, found }) => `${name} is ${found} and not ${wanted}`),
  ];
  throw new AppError('DELTA_SCHEMA_MISMATCH', `the table exists with other columns: ${problems.join(', ')}`, {
    facts: { version: snapshot.version },
  });
}
