import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { StructField } from './data-type.ts';
import { fromTypeJson } from './spark-json.ts';

/** What the newest `metaData` and `protocol` of a log say. */
export interface LogState {
  readonly version: number;
  /** The version of the commit that brought this schema. */
  readonly schemaVersion: number;
  readonly columns: readonly StructField[];
  readonly partitionColumns: readonly string[];
  readonly configuration: Readonly<Record<string, string>>;
  readonly protocol: Protocol;
  /** The whole `metaData` action, for a commit that changes a part of it. */
  readonly metaData: Readonly<Record<string, unknown>>;
  /** When the commit with this schema was made, ms since the epoch. */
  readonly schemaSinceMs: number;
}

export interface Protocol {
  readonly minReaderVersion: number;
  readonly minWriterVersion: number;
  readonly readerFeatures?: readonly string[];
  readonly writerFeatures?: readonly string[];
}

export type Action = Readonly<Record<string, unknown>>;

/**
 * The `_delta_log` of a table on local disk. Reads what any engine committed, writes by put-if-absent.
 * It replays JSON commits alone: the log must still have them from version 0 on (no log clean-up in the life of a lab).
 */
export class DeltaLog {
  private readonly folder: string;
  private states: LogState[] = [];
  private version = -1;

  /** `directory`: the table's. */
  constructor(directory: string) {
    this.folder = join(directory, '_delta_log');
  }

  /** Read what was committed since the last look. @throws Error when there is no table, or a commit that is not understood */
  read(): LogState {
    while (existsSync(this.fileOf(this.version + 1))) this.apply(this.version + 1);
    const newest = this.states.at(-1);
    if (newest === undefined) throw new Error(`${this.folder} holds no Delta table`);
    return { ...newest, version: this.version };
  }

  /** The schema as it was at a time, and at a version: what a reader that lags behind sees. Never older than the first one. */
  readAsOf(timeMs: number, version = Infinity): LogState {
    const newest = this.read();
    const found = this.states.findLast((state) => state.schemaSinceMs <= timeMs && state.schemaVersion <= version);
    return found ?? this.states[0] ?? newest;
  }

  /**
   * Write a version. False: somebody has written it before.
   *
   * @throws Error of the file system
   */
  commit(version: number, actions: readonly Action[]): boolean {
    mkdirSync(this.folder, { recursive: true });
    const temporary = join(this.folder, `.${randomUUID()}.tmp`);
    writeDurably(temporary, actions.map((action) => JSON.stringify(action) + '\n').join(''));
    try {
      linkSync(temporary, this.fileOf(version)); // fails when the name exists; rename() would overwrite
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    } finally {
      unlinkSync(temporary);
    }
  }

  private apply(version: number): void {
    const file = this.fileOf(version);
    const before = this.states.at(-1);
    let [metaData, protocol] = [before?.metaData, before?.protocol];
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      if (line === '') continue;
      const action = JSON.parse(line) as { metaData?: Record<string, unknown>; protocol?: Protocol };
      metaData = action.metaData ?? metaData;
      protocol = action.protocol ?? protocol;
    }
    if (metaData === undefined || protocol === undefined) throw new Error(`${file}: the log does not begin with a table`);
    if (metaData !== before?.metaData || protocol !== before?.protocol) {
      const schema = fromTypeJson(JSON.parse(metaData['schemaString'] as string));
      if (schema.kind !== 'struct') throw new Error(`${file}: schemaString is not a struct`);
      this.states.push({
        version,
        schemaVersion: version,
        columns: schema.fields,
        partitionColumns: metaData['partitionColumns'] as string[],
        configuration: (metaData['configuration'] ?? {}) as Record<string, string>,
        protocol,
        metaData,
        schemaSinceMs: Math.floor(statSync(file).mtimeMs),
      });
    }
    this.version = version;
  }

  private fileOf(version: number): string {
    return join(this.folder, `${String(version).padStart(20, '0')}.json`);
  }
}

/** Write a file and wait until it is on disk. */
export function writeDurably(path: string, content: string | Uint8Array): void {
  const file = openSync(path, 'wx');
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
