import { AppError } from '../errors/app-error.ts';
import { withCommitInfo, type Action, type SetTransaction } from './actions.ts';
import { isPropertyTrue } from './properties.ts';
import type { Snapshot } from './snapshot.ts';

/** Written as `engineInfo` unless the caller says more. */
export const ENGINE_INFO = 'aidbox-data-lakehouse';

/** A data file that is already stored. */
export interface AppendedFile {
  /** Relative to the table, as the object store names it. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly numRecords: number;
  readonly stats: string;
}

export interface AppendPlan {
  /** The version that the commit follows. */
  readonly snapshot: Snapshot;
  /** Own fields for `commitInfo`; those that the protocol or Spark define (timestamps, operation…) are set here and win. */
  readonly commitInfo?: Readonly<Record<string, unknown>>;
  readonly txn?: Pick<SetTransaction, 'appId' | 'version'>;
  /** May be empty: a commit that only carries `txn` and `commitInfo`. */
  readonly files: readonly AppendedFile[];
  /** Wall clock, epoch milliseconds. */
  readonly nowMs: number;
}

/**
 * The actions of a blind append as version `snapshot.version + 1`. Plan again after a lost race: in-commit timestamps depend on the
 * commit before.
 *
 * @throws AppError DELTA_LOG_BROKEN when the table has in-commit timestamps, but its last commit carries none
 */
export function planAppend({ snapshot, commitInfo, txn, files, nowMs }: AppendPlan): Action[] {
  const adds = files.map(({ path, sizeBytes, stats }): Action => ({
    add: { path: encodePath(path), partitionValues: {}, size: sizeBytes, modificationTime: nowMs, dataChange: true, stats },
  }));
  const txns: Action[] = txn === undefined ? [] : [{ txn: { ...txn, lastUpdated: nowMs } }];
  const info = {
    engineInfo: ENGINE_INFO,
    ...commitInfo,
    timestamp: nowMs,
    ...inCommitTimestamp(snapshot, nowMs),
    operation: 'WRITE',
    operationParameters: { mode: 'Append', partitionBy: '[]' },
    readVersion: snapshot.version,
    isBlindAppend: true,
    operationMetrics: {
      numFiles: String(files.length),
      numOutputRows: String(sum(files.map((file) => file.numRecords))),
      numOutputBytes: String(sum(files.map((file) => file.sizeBytes))),
    },
  };
  return withCommitInfo(info, [...txns, ...adds]);
}

function inCommitTimestamp(snapshot: Snapshot, nowMs: number): { inCommitTimestamp?: number } {
  if (!isPropertyTrue(snapshot.metaData, 'delta.enableInCommitTimestamps')) return {};
  const lastMs = snapshot.lastInCommitTimestampMs;
  if (lastMs === undefined) {
    throw new AppError(
      'DELTA_LOG_BROKEN',
      `version ${snapshot.version} carries no inCommitTimestamp, but the table enables them`,
      {
        facts: { version: snapshot.version },
      },
    );
  }
  return { inCommitTimestamp: Math.max(nowMs, lastMs + 1) };
}

/** Paths in the log are URIs. */
function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
