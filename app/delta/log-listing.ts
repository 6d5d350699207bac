import type { ObjectStore } from '../storage/object-store.ts';
import { LAST_CHECKPOINT_PATH, LOG_FOLDER, parseLogPath, versionPrefix } from './log-path.ts';

/** A checkpoint of which every file is there. */
export interface CheckpointFiles {
  readonly version: number;
  readonly format: 'parquet' | 'json';
  readonly paths: readonly string[];
}

export interface LogListing {
  /** Versions that have a commit file, ascending. */
  readonly commits: readonly number[];
  /** Complete checkpoints, newest first. */
  readonly checkpoints: readonly CheckpointFiles[];
}

/** What the log holds from version `from` on. */
export async function listLog(store: ObjectStore, from = 0): Promise<LogListing> {
  const commits: number[] = [];
  const groups = new Map<string, { version: number; format: 'parquet' | 'json'; parts: number; paths: string[] }>();
  for await (const { path } of store.list(LOG_FOLDER, startAfter(from))) {
    const file = parseLogPath(path);
    if (file?.kind === 'commit') commits.push(file.version);
    if (file?.kind !== 'checkpoint') continue;
    const key = `${file.version}.${file.group}`;
    const group = groups.get(key) ?? { version: file.version, format: file.format, parts: file.parts, paths: [] };
    group.paths.push(path);
    groups.set(key, group);
  }
  const checkpoints = [...groups.values()].filter((group) => group.paths.length === group.parts);
  return { commits, checkpoints: checkpoints.sort((a, b) => b.version - a.version || a.parts - b.parts) };
}

/** Versions from `from` on that have a commit file, ascending. */
export async function listCommitVersions(store: ObjectStore, from = 0): Promise<readonly number[]> {
  return (await listLog(store, from)).commits;
}

/** The lowest version that still has its commit file; undefined when there is none. */
export async function earliestCommitVersion(store: ObjectStore): Promise<number | undefined> {
  for await (const { path } of store.list(LOG_FOLDER, startAfter(0))) {
    const file = parseLogPath(path);
    if (file?.kind === 'commit') return file.version;
  }
  return undefined;
}

/** True when nothing is there but markers of folders and hidden files in the log folder (an abandoned probe of the store). */
export async function isEmptyDirectory(store: ObjectStore): Promise<boolean> {
  for await (const { path } of store.list('')) {
    if (path !== '' && !path.endsWith('/') && !path.startsWith(`${LOG_FOLDER}.`)) return false;
  }
  return true;
}

/** The version that `_last_checkpoint` names. Only a hint: it may be absent (undefined), damaged (undefined), too old or too new. */
export async function readCheckpointHint(store: ObjectStore): Promise<number | undefined> {
  const body = await store.read(LAST_CHECKPOINT_PATH);
  if (body === undefined) return undefined;
  try {
    const hint: unknown = JSON.parse(new TextDecoder().decode(body));
    const version = (hint as { version?: unknown } | null)?.version;
    return typeof version === 'number' && Number.isSafeInteger(version) && version >= 0 ? version : undefined;
  } catch {
    return undefined;
  }
}

/** The names of version `from` sort after this one, those of earlier versions before it. */
function startAfter(from: number): string {
  return versionPrefix(from);
}
