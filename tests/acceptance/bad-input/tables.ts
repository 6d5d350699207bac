import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tableActions, type FieldSpec, type TableSpec } from '../../helpers/delta-table.ts';

/** Columns that the view of `patients.ts` needs. */
export const FIELDS: readonly FieldSpec[] = [
  { name: 'id' },
  { name: 'version_id' },
  { name: 'ts', type: 'timestamp' },
  { name: 'birth_date', type: 'date' },
  { name: 'family' },
  { name: 'weight', type: 'decimal(38,9)' },
  { name: 'given' },
  { name: 'is_deleted', type: 'integer' },
];

const lines = (actions: readonly object[]): string => actions.map((action) => `${JSON.stringify(action)}\n`).join('');
export const firstCommit = (spec: TableSpec = {}): string => lines(tableActions({ fields: FIELDS, ...spec }));
export const commitName = (version: number): string => `_delta_log/${String(version).padStart(20, '0')}.json`;
const laterCommit = (version: number): string =>
  lines([{ commitInfo: { timestamp: 1_714_979_289_000 + version, operation: 'WRITE' } }]);

/** Files of a directory by their path in it. */
export type Files = Readonly<Record<string, string>>;

export async function writeFiles(directory: string, files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), content);
  }
}

/** What lies in a directory, in order; nothing when it is absent. Empty folders, and those for unfinished files, do not count. */
export async function listFiles(directory: string): Promise<string[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return found
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

/** Directories that no destination can write to: their files, and what the refusal must be. */
export const BAD_TABLES: readonly { what: string; files: Files; code: string; says: RegExp }[] = [
  {
    what: 'a directory with other files',
    files: { 'notes.txt': 'hello', 'a.parquet': 'PAR1' },
    code: 'DELTA_NOT_A_TABLE',
    says: /no commit in _delta_log/,
  },
  { what: 'a directory that does not exist, without createTable', files: {}, code: 'DELTA_TABLE_NOT_FOUND', says: /createTable/ },
  {
    what: 'a log whose only commit is empty',
    files: { [commitName(0)]: '' },
    code: 'DELTA_LOG_BROKEN',
    says: /00000\.json|version 0|commit 0/,
  },
  {
    what: 'a log whose only commit is half-written',
    files: { [commitName(0)]: firstCommit().slice(0, -40) },
    code: 'DELTA_LOG_BROKEN',
    says: /00000\.json|version 0|commit 0/,
  },
  {
    what: 'a log whose last commit is half-written',
    files: { [commitName(0)]: firstCommit(), [commitName(1)]: laterCommit(1).slice(0, -9) },
    code: 'DELTA_LOG_BROKEN',
    says: /00001\.json|version 1|commit 1/,
  },
  {
    what: 'a log whose commit is binary',
    files: { [commitName(0)]: '\u0000\u0001\u0002' },
    code: 'DELTA_LOG_BROKEN',
    says: /00000\.json|version 0|commit 0/,
  },
  {
    what: 'a log with a gap',
    files: { [commitName(0)]: firstCommit(), [commitName(2)]: laterCommit(2) },
    code: 'DELTA_LOG_BROKEN',
    says: /1/,
  },
  { what: 'a log that does not begin', files: { [commitName(3)]: laterCommit(3) }, code: 'DELTA_LOG_BROKEN', says: /./ },
  {
    what: 'a log without metadata',
    files: { [commitName(0)]: lines([{ protocol: { minReaderVersion: 1, minWriterVersion: 2 } }]) },
    code: 'DELTA_LOG_BROKEN',
    says: /metadata/i,
  },
  {
    what: 'a log without a protocol',
    files: { [commitName(0)]: lines(tableActions({ fields: FIELDS }).filter((action) => !('protocol' in action))) },
    code: 'DELTA_LOG_BROKEN',
    says: /protocol/i,
  },
  {
    what: 'a checkpoint that is no Parquet file',
    files: {
      '_delta_log/_last_checkpoint': '{"version":1,"size":3}',
      '_delta_log/00000000000000000001.checkpoint.parquet': 'PAR1',
      [commitName(1)]: laterCommit(1),
    },
    code: 'DELTA_LOG_BROKEN',
    says: /checkpoint/i,
  },
  {
    what: 'a table of an unknown feature',
    files: {
      [commitName(0)]: firstCommit({
        protocol: {
          minReaderVersion: 3,
          minWriterVersion: 7,
          readerFeatures: ['timeTravelBackwards'],
          writerFeatures: ['timeTravelBackwards'],
        },
      }),
    },
    code: 'DELTA_FEATURE_UNSUPPORTED',
    says: /timeTravelBackwards/,
  },
  {
    what: 'a partitioned table',
    files: { [commitName(0)]: firstCommit({ metaData: { partitionColumns: ['family'] } }) },
    code: 'DELTA_FEATURE_UNSUPPORTED',
    says: /family/,
  },
  {
    what: 'a schema that is no schema',
    files: { [commitName(0)]: firstCommit({ metaData: { schemaString: '{"type":"struct"}' } }) },
    code: 'DELTA_SCHEMA_INVALID',
    says: /./,
  },
  {
    what: 'a table without two of the columns',
    files: { [commitName(0)]: firstCommit({ fields: FIELDS.filter(({ name }) => name !== 'family' && name !== 'given') }) },
    code: 'TABLE_COLUMNS_MISSING',
    says: /family.*given/s,
  },
  {
    what: 'a table without is_deleted',
    files: { [commitName(0)]: firstCommit({ fields: FIELDS.filter(({ name }) => name !== 'is_deleted') }) },
    code: 'TABLE_COLUMNS_MISSING',
    says: /is_deleted/,
  },
  {
    what: 'a column of a type that never fits',
    files: {
      [commitName(0)]: firstCommit({
        fields: FIELDS.map((field) => (field.name === 'birth_date' ? { name: 'birth_date', type: 'boolean' } : field)),
      }),
    },
    code: 'TABLE_COLUMNS_UNFIT',
    says: /birth_date/,
  },
  {
    what: 'a NOT NULL column that nobody fills',
    files: { [commitName(0)]: firstCommit({ fields: [...FIELDS, { name: 'ward', nullable: false }] }) },
    code: 'TABLE_COLUMNS_UNFIT',
    says: /ward/,
  },
];
