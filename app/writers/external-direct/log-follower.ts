import { serializeActions } from '../../delta/actions.ts';
import { readCommit, type Commit } from '../../delta/commit.ts';
import { assertAppendable } from '../../delta/gate.ts';
import { commitPath } from '../../delta/log-path.ts';
import { tableColumns } from '../../delta/schema.ts';
import { applyCommit, readSnapshot, type Snapshot } from '../../delta/snapshot.ts';
import { AppError } from '../../errors/app-error.ts';
import type { TableColumn } from '../../rows/table-type.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { PreparedEvent } from '../writer.ts';
import { applicationId, seeCommit, type Application, type SeenCommit } from './commit-record.ts';
import { makeWindow, type Window } from './window.ts';

/** What an owner knows of its table. Replaced as a whole when it reads anew. */
export interface Following {
  /** The newest version it saw. */
  snapshot: Snapshot;
  /** Keys of the events that the table holds. */
  readonly window: Window;
  /** Names of the columns that rows are given for. */
  readonly filled: readonly string[];
}

/** What one process remembers of a table from one tenure to the next, so that each begins where the last one stood. */
export interface LogMemory {
  following?: Following | undefined;
}

export interface FollowOptions {
  /** Picks, from the table's columns, those to fill and their order. @throws AppError when the view does not fit the table */
  readonly chooseColumns: (columns: readonly TableColumn[]) => readonly TableColumn[];
  /** Keys held in memory. */
  readonly maxWindowKeys: number;
}

/** Commits that are read at the same time, at most. */
const MAX_READ_AHEAD = 16;

/**
 * Opens the table for `application` (design E3): gate, snapshot, and a window that grows as batches need. Begins with an empty window, or reads
 * on from `known` while that is still a part of the log.
 */
export async function follow(
  store: ObjectStore,
  application: Application,
  { chooseColumns, maxWindowKeys }: FollowOptions,
  known: Following | undefined,
): Promise<{ readonly following: Following; readonly columns: readonly TableColumn[] }> {
  const isKnown = known !== undefined && (await isStillInLog(store, known.snapshot));
  if (isKnown) await readWinners(store, application, known);
  const snapshot = isKnown ? known.snapshot : await readSnapshot(store);
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
  const columns = chooseColumns(tableColumns(snapshot));
  const filled = columns.map(({ name }) => name);
  assertAppendable(snapshot, filled);
  const window = isKnown ? known.window : makeWindow(snapshot.version, maxWindowKeys);
  return { following: { snapshot, window, filled }, columns };
}

/** True when the commit of the snapshot is there, and still the one that made it; then so is every later one, for logs are cleaned from below. */
async function isStillInLog(store: ObjectStore, { version, headCommitInfo }: Snapshot): Promise<boolean> {
  const commit = await readCommit(store, version);
  if (commit?.commitInfo === undefined || headCommitInfo === undefined) return false;
  const [found, expected] = [commit.commitInfo, headCommitInfo].map((commitInfo) => serializeActions([{ commitInfo }]));
  return Buffer.compare(found!, expected!) === 0;
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
  { window, snapshot }: Following,
  events: readonly Pick<PreparedEvent, 'key' | 'coverage'>[],
): Promise<void> {
  let uncovered = events.filter(({ coverage }) => !window.covers(coverage));
  if (uncovered.length === 0) return;
  const wanted = new Set(events.map(({ key }) => key));
  for (let ahead = 1; ; ahead = Math.min(MAX_READ_AHEAD, 2 * ahead)) {
    for (const commit of await readSoundCommits(store, window.reachesTo, ahead, snapshot.version)) {
      if (commit === undefined) throw logCut(store, window.reachesTo);
      const seen = see(commit, store, application);
      // Our first commit fenced older incarnations: another one above it is newer than we are.
      if (seen.otherIncarnation && seen.ownTransaction === undefined) throw superseded(store, seen.version);
      window.extendBack(seen, wanted);
      uncovered = uncovered.filter(({ coverage }) => !window.covers(coverage));
      if (uncovered.length === 0) return;
    }
  }
}

/**
 * Commits of the log from `newest` downwards, at most `count`; undefined where one is gone, and for what would lie below the first. One below the
 * head without a predecessor counts as gone: an owner that slept past the retention may have put it into the cleaned range, where no reader sees it
 * (design E6).
 */
export async function readSoundCommits(
  store: ObjectStore,
  newest: number,
  count: number,
  headVersion: number,
): Promise<readonly (Commit | undefined)[]> {
  if (newest < 0) return [undefined];
  const versions = Array.from({ length: Math.min(count, newest + 1) }, (_, index) => newest - index);
  const below = newest - versions.length;
  const [predecessor, ...commits] = await Promise.all([
    below < 0 ? true : store.head(commitPath(below)),
    ...versions.map((version) => readCommit(store, version)),
  ]);
  return commits.map((commit, index) => {
    const before = index + 1 < commits.length ? commits[index + 1] : predecessor;
    return before === undefined && versions[index] !== headVersion ? undefined : commit;
  });
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
    const snapshot = applyCommit(before, commit);
    if (commit.protocol !== undefined || commit.metaData !== undefined) {
      assertAppendable(snapshot);
      schemaChanged ||= snapshot.metaData.schemaString !== before.metaData.schemaString;
      if (snapshot.metaData.id !== before.metaData.id) throw replaced(store, seen.version);
      if (!schemaChanged) assertAppendable(snapshot, following.filled);
    }
    // Only now: what forbids our commit must stand before us again at the next try.
    following.snapshot = snapshot;
    following.window.append(seen);
    commits.push(seen);
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

const logCut = (store: ObjectStore, version: number): AppError =>
  new AppError(
    'TABLE_LOG_CUT',
    `commit ${version} of ${store.address} is gone, but an event of this batch could have been settled there`,
    { facts: { version } },
  );

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
