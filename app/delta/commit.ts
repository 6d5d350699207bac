import type { ObjectStore } from '../storage/object-store.ts';
import {
  parseActions,
  serializeActions,
  type Action,
  type CommitInfo,
  type DomainMetadata,
  type MetaData,
  type Protocol,
} from './actions.ts';
import type { Long } from './exact-json.ts';
import { commitPath } from './log-path.ts';

/** One commit of the log, as far as an appending writer needs it. */
export interface Commit {
  readonly version: number;
  /** Absent in logs of some old writers. */
  readonly commitInfo: CommitInfo | undefined;
  readonly protocol: Protocol | undefined;
  readonly metaData: MetaData | undefined;
  /** Paths of the added files, decoded: as the object store names them (absolute URIs stay as they are). */
  readonly addPaths: readonly string[];
  readonly removeCount: number;
  /** `txn` versions of this commit by `appId`. */
  readonly transactions: ReadonlyMap<string, Long>;
  readonly domains: readonly DomainMetadata[];
  readonly inCommitTimestampMs: number | undefined;
}

/**
 * Reads the commit of `version`; undefined when there is no such file.
 *
 * @throws AppError DELTA_LOG_BROKEN when the file is damaged; whatever the store throws
 */
export async function readCommit(store: ObjectStore, version: number): Promise<Commit | undefined> {
  const path = commitPath(version);
  const body = await store.read(path);
  return body === undefined ? undefined : makeCommit(version, parseActions(body, { version, path }));
}

/**
 * Creates the commit of `version`, or finds that somebody else did. A thrown STORAGE_UNAVAILABLE leaves open whether it was created.
 */
export async function putCommit(store: ObjectStore, version: number, actions: readonly Action[]): Promise<'created' | 'exists'> {
  return store.putIfAbsent(commitPath(version), serializeActions(actions));
}

/** The commit that `actions` make as `version`. */
export function makeCommit(version: number, actions: readonly Action[]): Commit {
  let commitInfo: CommitInfo | undefined;
  let protocol: Protocol | undefined;
  let metaData: MetaData | undefined;
  let removeCount = 0;
  const addPaths: string[] = [];
  const transactions = new Map<string, Long>();
  const domains: DomainMetadata[] = [];
  for (const action of actions) {
    if ('commitInfo' in action) commitInfo = action.commitInfo;
    else if ('protocol' in action) protocol = action.protocol;
    else if ('metaData' in action) metaData = action.metaData;
    else if ('add' in action) addPaths.push(decodePath(action.add.path));
    else if ('remove' in action) removeCount++;
    else if ('txn' in action) transactions.set(action.txn.appId, action.txn.version);
    else domains.push(action.domainMetadata);
  }
  const timestamp = commitInfo?.inCommitTimestamp;
  const inCommitTimestampMs = timestamp === undefined ? undefined : Number(timestamp);
  return { version, commitInfo, protocol, metaData, addPaths, removeCount, transactions, domains, inCommitTimestampMs };
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
