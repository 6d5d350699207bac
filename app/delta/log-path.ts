/** Folder of the log, relative to the table. */
export const LOG_FOLDER = '_delta_log/';

export const LAST_CHECKPOINT_PATH = `${LOG_FOLDER}_last_checkpoint`;

/** A file of the log that a snapshot may be read from. */
export type LogFile =
  | { readonly kind: 'commit'; readonly version: number }
  | {
      readonly kind: 'checkpoint';
      readonly version: number;
      readonly path: string;
      readonly format: 'parquet' | 'json';
      /** The files of one checkpoint have the same group; a version may have several checkpoints. */
      readonly group: string;
      /** How many files make the checkpoint complete. */
      readonly parts: number;
    };

const COMMIT = /^(\d{20})\.json$/;
const CHECKPOINT = /^(\d{20})\.checkpoint(?:\.(\d{10})\.(\d{10})|\.([0-9a-fA-F-]{36}))?\.(parquet|json)$/;

/** Beginning of the names of every log file of `version`; a listing that starts after it shows them all. */
export function versionPrefix(version: number): string {
  return `${LOG_FOLDER}${String(version).padStart(20, '0')}`;
}

/** Path of the commit file of `version`. */
export function commitPath(version: number): string {
  return `${versionPrefix(version)}.json`;
}

/** What a path of the log is; undefined for everything else (checksums, compacted logs, sidecars, strangers). */
export function parseLogPath(path: string): LogFile | undefined {
  if (!path.startsWith(LOG_FOLDER)) return undefined;
  const name = path.slice(LOG_FOLDER.length);
  const commit = COMMIT.exec(name);
  if (commit) return withSafeVersion({ kind: 'commit', version: Number(commit[1]) });
  const checkpoint = CHECKPOINT.exec(name);
  if (!checkpoint) return undefined;
  const [, version, part, parts, uuid, format] = checkpoint;
  // Only a checkpoint named by a UUID may be JSON; only a classic name may have parts.
  if (format === 'json' && uuid === undefined) return undefined;
  const count = parts === undefined ? 1 : Number(parts);
  if (part !== undefined && (Number(part) < 1 || Number(part) > count)) return undefined;
  return withSafeVersion({
    kind: 'checkpoint',
    version: Number(version),
    path,
    format: format === 'json' ? 'json' : 'parquet',
    group: uuid ?? (parts === undefined ? 'single' : `parts-${count}`),
    parts: count,
  });
}

function withSafeVersion(file: LogFile): LogFile | undefined {
  return Number.isSafeInteger(file.version) ? file : undefined;
}
