import { readCommit, type Commit } from '../../delta/commit.ts';
import { assertAppendable } from '../../delta/gate.ts';
import { commitPath } from '../../delta/log-path.ts';
import { applyCommit, readSnapshot, type Snapshot } from '../../delta/snapshot.ts';
import { AppError } from '../../errors/app-error.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { Coverage } from '../writer.ts';
import { applicationId, seeCommit, type Application, type SeenCommit } from './commit-record.ts';
import { makeWindow, type Window } from './window.ts';

/** What an owner knows of its table: the newest version it saw and the window of settled keys. Replaced as a whole when it reads anew. */
export interface Following {
  snapshot: Snapshot;
  readonly window: Window;
}

/** Opens the table for `application` (design E3): snapshot, gate, and an empty window that later grows as batches need. */
export async function follow(store: ObjectStore, application: Application, maxKeys: number): Promise<Following> {
  const snapshot = await readSnapshot(store);
  assertAppendable(snapshot);
  if (!snapshot.transactions.has(applicationId(application))) {
    throw new AppError(
      'TABLE_WENT_BACK',
      `the table ${store.address} holds no transaction of this destination, which began by writing one`,
      {
        facts: { version: snapshot.version },
      },
    );
  }
  return { snapshot, window: makeWindow(snapshot.version, maxKeys) };
}

/** Version of our last transaction in the table. */
export function ownTransaction(following: Following, application: Application): number {
  return Number(following.snapshot.transactions.get(applicationId(application)) ?? 0);
}

/**
 * Reads older commits until the window covers every event (design E3).
 *
 * @throws AppError TABLE_LOG_CUT when the log was cleaned above what is needed; INCARNATION_SUPERSEDED
 */
export async function extendWindow(
  store: ObjectStore,
  application: Application,
  following: Following,
  needs: readonly Coverage[],
): Promise<void> {
  const { window } = following;
  while (!needs.every((need) => window.covers(need))) {
    const version = window.reachesTo;
    const commit = version < 0 ? undefined : await readSoundCommit(store, version, following.snapshot.version);
    if (commit === undefined) {
      throw new AppError(
        'TABLE_LOG_CUT',
        `commit ${version} of ${store.address} is gone, but an event of this batch could have been settled there`,
        {
          facts: { version },
        },
      );
    }
    const seen = see(commit, store, application);
    // Our first commit fenced older incarnations: another one above it is newer than we are.
    if (seen.otherIncarnation && seen.ownTransaction === undefined) throw superseded(store, version);
    window.extendBack(seen);
  }
}

/**
 * A commit of the log, undefined when it is gone. One below the head without a predecessor counts as gone: an owner that slept past the retention may have
 * put it into the cleaned range, where no reader sees it (design E6).
 */
export async function readSoundCommit(store: ObjectStore, version: number, headVersion: number): Promise<Commit | undefined> {
  const isSound = version === 0 || version === headVersion;
  const [commit, before] = await Promise.all([readCommit(store, version), isSound || store.head(commitPath(version - 1))]);
  return before === undefined ? undefined : commit;
}

/** The winners of a lost race, and what they mean for the batch in hand. */
export interface Winners {
  readonly commits: readonly SeenCommit[];
  /** True when the schema or the protocol is no longer the one the rows were made for. */
  readonly schemaChanged: boolean;
}

/**
 * Reads every commit after the snapshot, takes it into the window and moves the snapshot on (design E4).
 *
 * @throws AppError INCARNATION_SUPERSEDED, DELTA_FEATURE_UNSUPPORTED
 */
export async function readWinners(store: ObjectStore, application: Application, following: Following): Promise<Winners> {
  const commits: SeenCommit[] = [];
  let schemaChanged = false;
  for (;;) {
    const commit = await readCommit(store, following.snapshot.version + 1);
    if (commit === undefined) break;
    const seen = see(commit, store, application);
    if (seen.otherIncarnation) throw superseded(store, seen.version);
    const before = following.snapshot;
    following.snapshot = applyCommit(before, commit);
    following.window.append(seen);
    commits.push(seen);
    if (commit.protocol !== undefined || commit.metaData !== undefined) {
      assertAppendable(following.snapshot);
      schemaChanged ||= following.snapshot.metaData.schemaString !== before.metaData.schemaString;
      if (following.snapshot.metaData.id !== before.metaData.id) throw replaced(store, seen.version);
    }
  }
  return { commits, schemaChanged };
}

function see(commit: Parameters<typeof seeCommit>[0], store: ObjectStore, application: Application): SeenCommit {
  const seen = seeCommit(commit, application);
  if (seen.ownTransaction !== undefined && seen.record === undefined) {
    throw new AppError(
      'COMMIT_RECORD_UNREADABLE',
      `commit ${seen.version} of ${store.address} is ours but its record cannot be read`,
      {
        facts: { version: seen.version },
      },
    );
  }
  return seen;
}

const superseded = (store: ObjectStore, version: number): AppError =>
  new AppError(
    'INCARNATION_SUPERSEDED',
    `commit ${version} of ${store.address} belongs to another incarnation of this destination`,
    { facts: { version } },
  );

const replaced = (store: ObjectStore, version: number): AppError =>
  new AppError('TABLE_WENT_BACK', `commit ${version} gave ${store.address} another table id: it was replaced`, {
    facts: { version },
  });
