import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkRow, type Row } from './cells.ts';
import { someType, type StructField } from './data-type.ts';
import { DeltaLog, writeDurably, type Action, type LogState, type Protocol } from './delta-log.ts';
import { writeParquet } from './parquet-file.ts';
import { toTypeJson } from './spark-json.ts';

const ENGINE = 'databricks-lab';

export interface NewDeltaTable {
  readonly columns: readonly StructField[];
  readonly configuration?: Readonly<Record<string, string>>;
  /** Table features by name. None: protocol 1/2, unless a column needs one. Reader features are known by name. */
  readonly features?: readonly string[];
}

/** Features of writers that readers must know as well. */
const READER_FEATURES: ReadonlySet<string> = new Set([
  'columnMapping',
  'deletionVectors',
  'timestampNtz',
  'v2Checkpoint',
  'vacuumProtocolCheck',
  'variantType',
  'variantType-preview',
  'catalogManaged',
]);

/** What an append of plain rows may meet in a table without doing anything for it. */
const HARMLESS: ReadonlySet<string> = new Set([
  'appendOnly',
  'invariants',
  'changeDataFeed',
  'deletionVectors',
  'timestampNtz',
  'v2Checkpoint',
  'vacuumProtocolCheck',
  'domainMetadata',
]);

/** A Delta table in a directory on local disk, which other engines may write at the same time. */
export class DeltaTable {
  readonly directory: string;
  private readonly log: DeltaLog;

  constructor(directory: string) {
    this.directory = directory;
    this.log = new DeltaLog(directory);
  }

  /** Write commit 0. @throws Error when the directory holds a table, or for a type that the lab does not write */
  static create(directory: string, { columns, configuration = {}, features = [] }: NewDeltaTable): DeltaTable {
    writeParquet(columns, []); // refuses types it cannot write
    mkdirSync(directory, { recursive: true });
    const hasNtz = columns.some((column) => someType(column.type, (type) => type.kind === 'timestamp_ntz'));
    const schemaString = JSON.stringify(toTypeJson({ kind: 'struct', fields: columns }));
    const actions: Action[] = [
      makeCommitInfo('CREATE TABLE', false),
      { protocol: makeProtocol(hasNtz ? [...features, 'timestampNtz'] : features) },
      {
        metaData: {
          id: randomUUID(),
          format: { provider: 'parquet', options: {} },
          schemaString,
          partitionColumns: [],
          configuration,
          createdTime: Date.now(),
        },
      },
    ];
    const table = new DeltaTable(directory);
    if (!table.log.commit(0, actions)) throw new Error(`${directory} already holds a Delta table`);
    return table;
  }

  /** True when the directory holds a log. */
  exists(): boolean {
    return existsSync(join(this.directory, '_delta_log'));
  }

  /** The newest state, whoever committed it. */
  read(): LogState {
    return this.log.read();
  }

  /** The schema as it was at a time, ms since the epoch, and at a version. */
  readAsOf(timeMs: number, version?: number): LogState {
    return this.log.readAsOf(timeMs, version);
  }

  /**
   * Append rows as one Parquet file and one commit.
   *
   * @returns the version of the commit
   * @throws Error for rows that do not fit the newest schema, and for tables with features that an append would have to honour
   */
  append(rows: readonly Row[], operation = 'WRITE'): number {
    for (;;) {
      const state = this.log.read();
      checkAppendable(state);
      for (const row of rows) checkRow(row, state.columns);
      if (rows.length === 0) return state.version;
      const path = `part-00000-${randomUUID()}-c000.snappy.parquet`;
      const bytes = writeParquet(state.columns, rows);
      writeDurably(join(this.directory, path), bytes);
      const stats = JSON.stringify({ numRecords: rows.length });
      const add = { path, partitionValues: {}, size: bytes.length, modificationTime: Date.now(), dataChange: true, stats };
      if (this.commitAfter(state, [makeCommitInfo(operation, true), { add }])) return this.log.read().version;
    }
  }

  /**
   * Add nullable columns at the end: what `ALTER TABLE … ADD COLUMNS` does to the log.
   *
   * @throws Error for a name that exists (compared without case) or a column that is NOT NULL
   */
  addColumns(columns: readonly StructField[]): number {
    for (;;) {
      const state = this.log.read();
      const names = new Set(state.columns.map((column) => column.name.toLowerCase()));
      for (const { name, nullable } of columns) {
        if (names.has(name.toLowerCase())) throw new Error(`FIELD_ALREADY_EXISTS: ${name}`);
        if (!nullable) throw new Error(`a column that is added must be nullable: ${name}`);
        names.add(name.toLowerCase());
      }
      const fields = [...state.columns, ...columns];
      writeParquet(fields, []);
      const metaData = { ...state.metaData, schemaString: JSON.stringify(toTypeJson({ kind: 'struct', fields })) };
      const needsNtz =
        columns.some((column) => someType(column.type, (type) => type.kind === 'timestamp_ntz')) &&
        state.protocol.writerFeatures?.includes('timestampNtz') !== true;
      if (needsNtz) throw new Error('the table lacks the feature timestampNtz');
      if (this.commitAfter(state, [makeCommitInfo('ADD COLUMNS', false), { metaData }])) return this.log.read().version;
    }
  }

  /** Set properties of the table. */
  configure(properties: Readonly<Record<string, string>>): number {
    for (;;) {
      const state = this.log.read();
      const metaData = { ...state.metaData, configuration: { ...state.configuration, ...properties } };
      if (this.commitAfter(state, [makeCommitInfo('SET TBLPROPERTIES', false), { metaData }])) return this.log.read().version;
    }
  }

  /** Commit the next version, or a later one as long as nobody changed schema or protocol in between; false: they did. */
  private commitAfter(state: LogState, actions: readonly Action[]): boolean {
    for (let version = state.version + 1; ; version++) {
      if (this.log.commit(version, actions)) return true;
      if (this.log.read().metaData !== state.metaData) return false;
    }
  }
}

function checkAppendable({ protocol, configuration, partitionColumns }: LogState): void {
  const active = (protocol.writerFeatures ?? []).filter((feature) => !HARMLESS.has(feature));
  if (active.length > 0) throw new Error(`the lab does not append to tables with the features ${active.join(', ')}`);
  if (partitionColumns.length > 0) throw new Error('the lab does not append to partitioned tables');
  const demanding = Object.entries(configuration).filter(
    ([name, value]) =>
      name.startsWith('delta.constraints.') ||
      (name === 'delta.columnMapping.mode' && value !== 'none') ||
      (['delta.enableRowTracking', 'delta.enableInCommitTimestamps'].includes(name) && value === 'true'),
  );
  if (demanding.length > 0)
    throw new Error(`the lab does not append to tables with ${demanding.map(([name]) => name).join(', ')}`);
}

function makeProtocol(features: readonly string[]): Protocol {
  if (features.length === 0) return { minReaderVersion: 1, minWriterVersion: 2 };
  const writerFeatures = [...new Set(['appendOnly', 'invariants', ...features])];
  const readerFeatures = writerFeatures.filter((feature) => READER_FEATURES.has(feature));
  if (readerFeatures.length === 0) return { minReaderVersion: 1, minWriterVersion: 7, writerFeatures };
  return { minReaderVersion: 3, minWriterVersion: 7, readerFeatures, writerFeatures };
}

function makeCommitInfo(operation: string, isBlindAppend: boolean): Action {
  const operationParameters = isBlindAppend ? { mode: 'Append', partitionBy: '[]' } : {};
  return {
    commitInfo: { timestamp: Date.now(), operation, operationParameters, isBlindAppend, engineInfo: ENGINE, txnId: randomUUID() },
  };
}
