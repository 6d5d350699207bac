import { AppError } from '../errors/app-error.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { logBroken, type CommitInfo, type DomainMetadata, type MetaData, type Protocol } from './actions.ts';
import { readCheckpoint, type CheckpointResult } from './checkpoint.ts';
import { makeCommit, readCommit, type Commit } from './commit.ts';
import type { Long } from './exact-json.ts';
import { earliestCommitVersion, isEmptyDirectory, listLog, readCheckpointHint, type LogListing } from './log-listing.ts';
import { commitPath, LOG_FOLDER } from './log-path.ts';
import { parseSchema, type TableSchema } from './schema.ts';

/** One version of a table, as far as an appending writer needs it: everything but the list of files. */
export interface Snapshot {
  readonly version: number;
  readonly protocol: Protocol;
  readonly metaData: MetaData;
  readonly schema: TableSchema;
  /** Latest `txn` version by `appId`. */
  readonly transactions: ReadonlyMap<string, Long>;
  /** Domain metadata that was not removed, by domain. */
  readonly domains: ReadonlyMap<string, DomainMetadata>;
  /** In-commit timestamp of this version, when its commit carries one. */
  readonly lastInCommitTimestampMs: number | undefined;
  /** Lowest version whose commit file was still there when the snapshot was read; undefined when there was none. */
  readonly earliestCommitVersion: number | undefined;
  /** `commitInfo` of this version; undefined when its commit file is gone or has none. */
  readonly headCommitInfo: CommitInfo | undefined;
}

/** How many commit files are read at the same time. */
const READ_AHEAD = 16;
/** How often the log is listed again when files of it disappear while it is read (another engine cleans up). */
const ATTEMPTS = 3;

/**
 * Reads the newest version of a table.
 *
 * @throws AppError DELTA_TABLE_NOT_FOUND when the directory is empty, DELTA_NOT_A_TABLE when it holds files but no log,
 *   DELTA_LOG_BROKEN when the log has a gap or a damaged file, DELTA_SCHEMA_INVALID; whatever the store throws
 */
export async function readSnapshot(store: ObjectStore): Promise<Snapshot> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const hint = await readCheckpointHint(store);
    const snapshot =
      (hint === undefined ? undefined : await replayLog(store, await listLog(store, hint), 'part')) ??
      (await replayLog(store, await listLog(store), 'whole'));
    if (snapshot !== undefined) return snapshot;
  }
  throw logBroken({ version: -1, path: LOG_FOLDER }, `files disappeared while the log was read, ${ATTEMPTS} times`);
}

/**
 * The snapshot after `commit`, which must be the next version.
 *
 * @throws AppError DELTA_SCHEMA_INVALID when the commit brings a schema that cannot be read
 */
export function applyCommit(snapshot: Snapshot, commit: Commit): Snapshot {
  if (commit.version !== snapshot.version + 1) {
    throw new AppError('INTERNAL', `commit ${commit.version} was applied to version ${snapshot.version}`);
  }
  const state = makeState(snapshot);
  addCommit(state, commit);
  return makeSnapshot(state, commit, snapshot.earliestCommitVersion ?? commit.version, snapshot);
}

/** The snapshot of a table whose only commit is `commit` (version 0). */
export function firstSnapshot(commit: Commit): Snapshot {
  const state = makeState();
  addCommit(state, commit);
  return makeSnapshot(state, commit, commit.version);
}

interface LogState {
  protocol: Protocol | undefined;
  metaData: MetaData | undefined;
  transactions: Map<string, Long>;
  domains: Map<string, DomainMetadata>;
}

function makeState(from?: Snapshot): LogState {
  return {
    protocol: from?.protocol,
    metaData: from?.metaData,
    transactions: new Map(from?.transactions),
    domains: new Map(from?.domains),
  };
}

function addCommit(state: LogState, commit: Commit): void {
  state.protocol = commit.protocol ?? state.protocol;
  state.metaData = commit.metaData ?? state.metaData;
  for (const [appId, version] of commit.transactions) state.transactions.set(appId, version);
  for (const domain of commit.domains) {
    if (domain.removed) state.domains.delete(domain.domain);
    else state.domains.set(domain.domain, domain);
  }
}

function makeSnapshot(state: LogState, head: Commit, earliest: number | undefined, previous?: Snapshot): Snapshot {
  const { protocol, metaData, transactions, domains } = state;
  const place = { version: head.version, path: LOG_FOLDER };
  if (protocol === undefined) throw logBroken(place, `no protocol action up to version ${head.version}`);
  if (metaData === undefined) throw logBroken(place, `no metaData action up to version ${head.version}`);
  return {
    version: head.version,
    protocol,
    metaData,
    schema: previous?.metaData === metaData ? previous.schema : parseSchema(metaData),
    transactions,
    domains,
    lastInCommitTimestampMs: head.inCommitTimestampMs,
    earliestCommitVersion: earliest,
    headCommitInfo: head.commitInfo,
  };
}

/**
 * The newest version that `log` leads to. Undefined: a listed file is gone by now, or `log` is only a part that holds no usable
 * checkpoint; list it again, as a whole.
 */
async function replayLog(store: ObjectStore, log: LogListing, extent: 'part' | 'whole'): Promise<Snapshot | undefined> {
  const start = await readNewestCheckpoint(store, log);
  if (start.kind === 'gone') return undefined;
  if (start.kind === 'none' && extent === 'part') return undefined;
  if (start.kind === 'none' && log.commits.length === 0 && start.unreadable === undefined) return throwNoLog(store);

  const state = makeState();
  if (start.kind === 'read') addCommit(state, makeCommit(start.version, start.actions));
  const first = start.kind === 'read' ? start.version + 1 : 0;
  const tail = log.commits.filter((version) => version >= first);
  const gap = findGap(tail, first, start);
  if (gap !== undefined) {
    // A listing of a directory in use may show a commit and not the one made just before it.
    if ((await store.head(commitPath(gap))) !== undefined) return undefined;
    throw gapError(gap, tail, start);
  }

  let head: Commit | undefined;
  for (let at = 0; at < tail.length; at += READ_AHEAD) {
    const commits = await Promise.all(tail.slice(at, at + READ_AHEAD).map((version) => readCommit(store, version)));
    for (const commit of commits) {
      if (commit === undefined) return undefined;
      addCommit(state, commit);
      head = commit;
    }
  }
  if (head === undefined) {
    const version = first - 1;
    head = (await readCommit(store, version)) ?? makeCommit(version, []);
  }
  const earliest = extent === 'whole' ? log.commits[0] : await earliestCommitVersion(store);
  return makeSnapshot(state, head, earliest);
}

type Unreadable = Extract<CheckpointResult, { kind: 'unreadable' }>;
type Start =
  | { readonly kind: 'read'; readonly version: number; readonly actions: Extract<CheckpointResult, { kind: 'read' }>['actions'] }
  | { readonly kind: 'gone' }
  | { readonly kind: 'none'; readonly unreadable: Unreadable | undefined };

/** The newest checkpoint that can be read. A damaged one is passed over: older ones, with the commits since, say the same. */
async function readNewestCheckpoint(store: ObjectStore, log: LogListing): Promise<Start> {
  let unreadable: Unreadable | undefined;
  for (const checkpoint of log.checkpoints) {
    const result = await readCheckpoint(store, checkpoint);
    if (result.kind === 'read') return { kind: 'read', version: checkpoint.version, actions: result.actions };
    if (result.kind === 'gone') return result;
    unreadable ??= result;
  }
  return { kind: 'none', unreadable };
}

/** The first version that is missing from the commits after `start`. */
function findGap(tail: readonly number[], first: number, start: Start): number | undefined {
  if (tail.length === 0) return start.kind === 'none' ? first : undefined;
  const at = tail.findIndex((version, index) => version !== first + index);
  return at === -1 ? undefined : first + at;
}

function gapError(gap: number, tail: readonly number[], start: Start): AppError {
  const place = { version: gap, path: commitPath(gap) };
  if (start.kind === 'none' && start.unreadable !== undefined) {
    const { path, cause } = start.unreadable;
    return logBroken(place, `the commit is missing, and the checkpoint ${path} cannot be read`, cause);
  }
  return logBroken(
    place,
    `the commit is missing, but version ${tail.find((version) => version > gap)} is there, with no complete checkpoint between`,
  );
}

async function throwNoLog(store: ObjectStore): Promise<never> {
  if (!(await isEmptyDirectory(store))) {
    throw new AppError('DELTA_NOT_A_TABLE', `${store.address} holds files, but no commit in ${LOG_FOLDER}`);
  }
  throw new AppError('DELTA_TABLE_NOT_FOUND', `${store.address} is empty; a Delta table was expected`);
}
