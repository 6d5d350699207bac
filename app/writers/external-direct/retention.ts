import { readLogRetentionMs, readTransactionRetentionMs } from '../../delta/properties.ts';
import type { Snapshot } from '../../delta/snapshot.ts';

const DAY_MS = 86_400_000;
/** Commit files must stay as long as an event can return: a job, a repetition by Aidbox, a backup of the store (design E6). */
const LEAST_RETENTION_MS = 7 * DAY_MS;
/** A put is trusted without a second look while the snapshot is younger than this part of the log's retention. */
const TRUSTED_PART = 1 / 4;

/** How old the snapshot below a put may be before its commit must be looked for again (design E6), milliseconds. */
export function trustedSnapshotAgeMs(snapshot: Snapshot): number {
  return (readLogRetentionMs(snapshot.metaData) ?? LEAST_RETENTION_MS) * TRUSTED_PART;
}

/** What an operator should know about the table before events rely on its log (design E6). */
export function retentionWarnings(snapshot: Snapshot): string[] {
  const warnings: string[] = [];
  const logRetentionMs = readLogRetentionMs(snapshot.metaData);
  if (logRetentionMs === undefined || logRetentionMs < LEAST_RETENTION_MS) {
    const found = logRetentionMs === undefined ? 'is not understood' : `is ${(logRetentionMs / DAY_MS).toFixed(1)} days`;
    warnings.push(
      `delta.logRetentionDuration ${found}: commits should stay for at least 7 days, else a repeated event can stop the destination`,
    );
  }
  if (readTransactionRetentionMs(snapshot.metaData) !== 'never') {
    warnings.push('delta.setTransactionRetentionDuration is set: engines may forget our transactions; unset it');
  }
  return warnings;
}
