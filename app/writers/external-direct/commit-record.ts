import { z } from 'zod';
import type { Commit } from '../../delta/commit.ts';

/** The field of our own inside `commitInfo`. Other engines keep and ignore it (seen with Spark 4.0 and delta-rs 1.6). */
export const RECORD_FIELD = 'lakehouse';

const StoredRecord = z.object({
  v: z.literal(1),
  commitId: z.string(),
  written: z.array(z.string()),
  quarantined: z.array(z.string()),
  highWater: z.string().nullable(),
});

/** What one commit of ours says about the events it settles (design E2). */
export interface CommitRecord {
  /** Random; stands for one content. */
  readonly commitId: string;
  readonly written: readonly string[];
  readonly quarantined: readonly string[];
  /**
   * The largest `lastUpdated` (microseconds, Aidbox's clock) that this or any earlier commit of the incarnation settled.
   * It never falls along the log, so a commit whose value is below an event's own time holds that event in no version up to it.
   */
  readonly highWaterMicros: bigint | undefined;
}

/** One commit as an owner sees it: its version, whose it is, and its record when it is the owner's own. */
export interface SeenCommit {
  readonly version: number;
  readonly timestampMs: number | undefined;
  /** Version of our transaction when it is ours: 1 is the first commit of the incarnation. */
  readonly ownTransaction: number | undefined;
  /** True when another incarnation of the same destination wrote it. */
  readonly otherIncarnation: boolean;
  readonly record: CommitRecord | undefined;
}

/** Names an owner in the log: one per destination and incarnation. */
export interface Application {
  /** `<installation>/<destination>/`, each part URI-encoded. */
  readonly prefix: string;
  readonly incarnation: string;
}

export function makeApplication(installation: string, destinationId: string, incarnation: string): Application {
  return { prefix: `${encodeURIComponent(installation)}/${encodeURIComponent(destinationId)}/`, incarnation };
}

/** The `appId` of the Delta `txn` action. */
export const applicationId = (application: Application): string => application.prefix + application.incarnation;

export function encodeRecord(record: CommitRecord): z.infer<typeof StoredRecord> {
  return {
    v: 1,
    commitId: record.commitId,
    written: [...record.written],
    quarantined: [...record.quarantined],
    highWater: record.highWaterMicros?.toString() ?? null,
  };
}

/** Reads a commit of the log as the owner `application` must see it. */
export function seeCommit(commit: Commit, application: Application): SeenCommit {
  const ownId = applicationId(application);
  const transaction = commit.transactions.get(ownId);
  const ownTransaction = transaction === undefined ? undefined : Number(transaction);
  const timestamp = commit.inCommitTimestampMs ?? commit.commitInfo?.['timestamp'];
  return {
    version: commit.version,
    timestampMs: typeof timestamp === 'number' ? timestamp : undefined,
    ownTransaction,
    otherIncarnation: [...commit.transactions.keys()].some((id) => id.startsWith(application.prefix) && id !== ownId),
    record: ownTransaction === undefined ? undefined : decodeRecord(commit.commitInfo?.[RECORD_FIELD]),
  };
}

function decodeRecord(stored: unknown): CommitRecord | undefined {
  const parsed = StoredRecord.safeParse(stored);
  if (!parsed.success) return undefined;
  const { commitId, written, quarantined, highWater } = parsed.data;
  return { commitId, written, quarantined, highWaterMicros: highWater === null ? undefined : BigInt(highWater) };
}
