import { randomUUID } from 'node:crypto';
import { planAppend, type AppendedFile } from '../../delta/append-commit.ts';
import type { Action } from '../../delta/actions.ts';
import { makeCommit, putCommit } from '../../delta/commit.ts';
import { commitPath } from '../../delta/log-path.ts';
import { applyCommit, type Snapshot } from '../../delta/snapshot.ts';
import { AppError, isAppError } from '../../errors/app-error.ts';
import { backoffMs } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { TableColumn } from '../../rows/table-type.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { EventOutcome, OpenedTable, PreparedEvent, Writer, WriteGuard, WriteResult } from '../writer.ts';
import { takeUnsettled, orderOutcomes, type Batch } from './batch.ts';
import { decodeCheckpoint, encodeCheckpoint, type OwnerCheckpoint } from './checkpoint.ts';
import { applicationId, encodeRecord, RECORD_FIELD, seeCommit, type Application, type CommitRecord } from './commit-record.ts';
import { putDataFile } from './data-file-upload.ts';
import {
  extendWindow,
  follow,
  ownTransaction,
  readSoundCommits,
  readWinners,
  type Following,
  type FollowOptions,
  type LogMemory,
} from './log-follower.ts';
import { trustedSnapshotAgeMs } from './retention.ts';

export interface ExternalDirectOptions {
  readonly store: ObjectStore;
  readonly application: Application;
  readonly clock: Clock;
  readonly chooseColumns: FollowOptions['chooseColumns'];
  /** Keys held in memory; default 100,000 (about 12 MB). */
  readonly maxWindowKeys?: number;
  /** What the process remembers of this table; default nothing. */
  readonly memory?: LogMemory;
}

const MAX_WINDOW_KEYS = 100_000;

/** Puts without an answer, in a row, before the batch is given back to the owner as failed. */
const MAX_UNKNOWN_ANSWERS = 3;

/** Version of the commit; `overtaken`: a winner settled events of the batch. */
type Attempt = number | 'overtaken';

/**
 * Writes a batch as one data file and one commit, exactly once (design E1–E9): the table's log remembers which events it holds,
 * so nothing here trusts the queue store.
 */
export function makeExternalDirectWriter(options: ExternalDirectOptions): Writer {
  const { store, application, clock, memory = {}, maxWindowKeys = MAX_WINDOW_KEYS } = options;
  let opened: { readonly following: Following; readonly columns: readonly TableColumn[] } | undefined;
  let snapshotSeenAtMs = 0;
  let position: OwnerCheckpoint | undefined;

  const table = (): NonNullable<typeof opened> => {
    if (opened === undefined) throw new AppError('INTERNAL', 'a batch was given to a writer that is not open');
    return opened;
  };
  const following = (): Following => table().following;

  async function open(checkpointBytes: Uint8Array | undefined): Promise<OpenedTable> {
    opened = undefined;
    snapshotSeenAtMs = clock.now();
    const known = memory.following;
    memory.following = undefined; // a commit that stops us on the way may be undone by a later one: then the table is read as a whole
    opened = await follow(store, application, { ...options, maxWindowKeys }, known).catch((error: unknown) => {
      if (isAppError(error, 'STORAGE_UNAVAILABLE')) memory.following = known;
      throw error;
    });
    memory.following = opened.following;
    const stored = decodeCheckpoint(checkpointBytes);
    for (const known of [stored, position]) if (known !== undefined) await refuseTableThatWentBack(known);
    const transaction = ownTransaction(following(), application);
    const { snapshot } = following();
    position = { version: snapshot.version, commitId: '', tableId: snapshot.metaData.id, transaction };
    // Transaction 1 is the fence of create; each later one is settled in the store before the next, so the store is behind by one at most.
    const behind = transaction - (stored?.transaction ?? 1);
    return { columns: opened.columns, storeLoss: behind <= 1 ? undefined : stored === undefined ? 'emptied' : 'rolled-back' };
  }

  /** Design E7. */
  async function refuseTableThatWentBack(known: OwnerCheckpoint): Promise<void> {
    const { snapshot } = following();
    const transaction = ownTransaction(following(), application);
    const shorter = known.tableId !== snapshot.metaData.id || known.version > snapshot.version || known.transaction > transaction;
    const isNamed = !shorter && known.commitId !== '';
    const [commit] = isNamed ? await readSoundCommits(store, known.version, 1, snapshot.version) : [];
    const another = commit !== undefined && seeCommit(commit, application).record?.commitId !== known.commitId;
    if (shorter || another) {
      throw new AppError(
        'TABLE_WENT_BACK',
        `${store.address} is at version ${snapshot.version} with our transaction ${transaction}; this destination had seen version ${known.version} with transaction ${known.transaction}${another ? ', and that version is another commit now' : ''}`,
        { facts: { version: snapshot.version } },
      );
    }
  }

  async function write(events: readonly PreparedEvent[], guard: WriteGuard): Promise<WriteResult> {
    const outcomes = new Map<string, EventOutcome>();
    const { window } = following();
    window.trim();
    await extendWindow(store, application, following(), events);
    for (;;) {
      const batch = takeUnsettled(events, window, outcomes);
      if (batch.events.length === 0)
        return { outcomes: orderOutcomes(events, outcomes), hasWritten: false, version: undefined, rows: 0, bytes: 0 };
      await guard.check(); // before the upload too: a file for nothing is left to VACUUM
      const { file, batch: writable } = await putDataFile(store, following().snapshot, table().columns, batch, clock);
      const attempt = await commitOrRebase(writable, file, guard);
      if (attempt === 'overtaken') continue;
      for (const event of writable.events) outcomes.set(event.key, event.content.kind === 'rows' ? 'written' : 'quarantined');
      return {
        outcomes: orderOutcomes(events, outcomes),
        hasWritten: true,
        version: attempt,
        rows: file?.numRecords ?? 0,
        bytes: file?.sizeBytes ?? 0,
      };
    }
  }

  /** Puts the commit at the next version until it stands, or until a winner makes the batch another one (design E4). */
  async function commitOrRebase(batch: Batch, file: AppendedFile | undefined, guard: WriteGuard): Promise<Attempt> {
    let record = makeRecord(batch);
    let unanswered = 0;
    for (let tries = 0; ; tries += 1) {
      await guard.check();
      const base = following().snapshot;
      const actions = planCommit(record, file);
      const askedAtMs = clock.now();
      let lost: unknown;
      const answer = await putCommit(store, base.version + 1, actions).catch((error: unknown) => {
        if (!isAppError(error, 'STORAGE_UNAVAILABLE')) throw error;
        lost = error;
        return 'unknown' as const;
      });
      if (!(await isStillThere(base))) throw logMoved(base);
      if (answer === 'created') return adopt(base.version, actions, record, askedAtMs);

      const readAtMs = clock.now();
      const { commits, schemaChanged } = await readWinners(store, application, following());
      const own = commits.find((commit) => commit.record?.commitId === record.commitId);
      if (commits.length > 0) snapshotSeenAtMs = readAtMs;
      if (own !== undefined) return committed(own.version, record);
      if (commits.length === 0 && answer === 'exists') throw logMoved(base);
      if (commits.length === 0 && (unanswered += 1) >= MAX_UNKNOWN_ANSWERS) throw lost;

      const overtaken = batch.events.some((event) => following().window.settled(event.key) !== undefined);
      if (overtaken || schemaChanged) {
        if (file !== undefined) await store.delete(file.path); // every winner was read and none names it
        if (!schemaChanged) return 'overtaken';
        throw new AppError(
          'TABLE_SCHEMA_CHANGED', // first: the rows that are left were made for the old one
          `another writer changed the schema of ${store.address} in version ${following().snapshot.version}`,
        );
      }
      // Its version is taken, so the old commit can never land; the high-water mark must not fall below the winners'.
      if (commits.length > 0) record = makeRecord(batch);
      await clock.sleep(backoffMs(tries, { firstMs: 5, maxMs: 2_000 }), guard.signal);
    }
  }

  function makeRecord(batch: Batch): CommitRecord {
    const keysOf = (kind: 'rows' | 'rejected'): string[] =>
      batch.events.filter((event) => event.content.kind === kind).map((event) => event.key);
    let highWaterMicros = following().window.highWaterMicros;
    for (const { coverage } of batch.events) {
      if (coverage.kind === 'since' && (highWaterMicros === undefined || coverage.lastUpdatedMicros > highWaterMicros))
        highWaterMicros = coverage.lastUpdatedMicros;
    }
    return { commitId: randomUUID(), written: keysOf('rows'), quarantined: keysOf('rejected'), highWaterMicros };
  }

  function planCommit(record: CommitRecord, file: AppendedFile | undefined): readonly Action[] {
    return planAppend({
      snapshot: following().snapshot,
      nowMs: clock.now(),
      commitInfo: { [RECORD_FIELD]: encodeRecord(record) },
      txn: { appId: applicationId(application), version: ownTransaction(following(), application) + 1 },
      files: file === undefined ? [] : [file],
    });
  }

  /**
   * An answer counts only if the log below the commit is still there: else the put may have gone into the cleaned range, where no reader
   * ever looks (design E6). By the clock read after the put; while the snapshot is young nothing is asked.
   */
  async function isStillThere(base: Snapshot): Promise<boolean> {
    return (
      clock.now() - snapshotSeenAtMs <= trustedSnapshotAgeMs(base) || (await store.head(commitPath(base.version))) !== undefined
    );
  }

  function logMoved({ version }: Snapshot): AppError {
    return new AppError('TABLE_LOG_MOVED', `commit ${version} of ${store.address}, below the one that was put, is gone`, {
      facts: { version },
    });
  }

  /** Our own new commit becomes the snapshot, seen when it was asked for. */
  function adopt(baseVersion: number, actions: readonly Action[], record: CommitRecord, askedAtMs: number): number {
    const commit = makeCommit(baseVersion + 1, actions);
    const state = following();
    state.snapshot = applyCommit(state.snapshot, commit);
    state.window.append(seeCommit(commit, application));
    snapshotSeenAtMs = askedAtMs;
    return committed(commit.version, record);
  }

  function committed(version: number, { commitId }: CommitRecord): number {
    position = {
      version,
      commitId,
      tableId: following().snapshot.metaData.id,
      transaction: ownTransaction(following(), application),
    };
    return version;
  }

  return {
    open,
    write,
    holds(key, coverage) {
      const { window } = following();
      return window.settled(key) === 'written' || (window.knowsAll(coverage) ? false : undefined);
    },
    checkpoint: () => (position === undefined ? undefined : encodeCheckpoint(position)),
    close: () => store.close(),
  };
}
