import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeEach, expect, it } from '@jest/globals';
import { planAppend } from '../../app/delta/append-commit.ts';
import { makeCommit, putCommit } from '../../app/delta/commit.ts';
import { createTable } from '../../app/delta/create-table.ts';
import { encodeDataFile, makeDataFilePath } from '../../app/delta/data-file.ts';
import { assertAppendable } from '../../app/delta/gate.ts';
import { MAX_DAY, MAX_MICROS, MIN_DAY, MIN_MICROS } from '../../app/delta/row-check.ts';
import { tableColumns } from '../../app/delta/schema.ts';
import { applyCommit, readSnapshot, type Snapshot } from '../../app/delta/snapshot.ts';
import type { PrimitiveType, Row, TableColumn, TableType, TableValue } from '../../app/rows/table-type.ts';
import { openLocalObjectStore } from '../../app/storage/local-object-store.ts';
import type { ObjectStore } from '../../app/storage/object-store.ts';
import { column, NOW_MS } from '../helpers/delta-table.ts';
import { goldenTablesMissing, unpackGoldenTables } from '../helpers/golden-tables.ts';
import { describeWith } from '../helpers/services/availability.ts';
import { findPython } from '../helpers/services/delta-rs.ts';

const SCRIPT = fileURLToPath(new URL('../helpers/python/query_delta.py', import.meta.url));
const APP_ID = 'https://aidbox.example/destination/1';

/** Appends rows as one file in one commit. */
async function append(
  store: ObjectStore,
  snapshot: Snapshot,
  rows: readonly Row[],
  columns = tableColumns(snapshot),
): Promise<Snapshot> {
  assertAppendable(snapshot, columns.map(({ name }) => name)); // prettier-ignore
  const { bytes, numRecords, stats } = encodeDataFile(snapshot, columns, rows);
  const path = makeDataFilePath();
  await store.put(path, bytes);
  const actions = planAppend({
    snapshot,
    txn: { appId: APP_ID, version: snapshot.version + 1 },
    files: [{ path, sizeBytes: bytes.length, numRecords, stats }],
    nowMs: NOW_MS,
  });
  expect(await putCommit(store, snapshot.version + 1, actions)).toBe('created');
  return applyCommit(snapshot, makeCommit(snapshot.version + 1, actions));
}

const decimal = (precision: number, scale: number): PrimitiveType => ({ kind: 'decimal', precision, scale });

/** Every type, with its extremes. */
const COLUMNS: readonly TableColumn[] = [
  column('n', { kind: 'integer' }, false),
  column('text', { kind: 'string' }),
  column('flag', { kind: 'boolean' }),
  column('byte', { kind: 'byte' }),
  column('short', { kind: 'short' }),
  column('long', { kind: 'long' }),
  column('float', { kind: 'float' }),
  column('double', { kind: 'double' }),
  column('day', { kind: 'date' }),
  column('time', { kind: 'timestamp' }),
  column('local', { kind: 'timestamp_ntz' }),
  column('bytes', { kind: 'binary' }),
  column('small', decimal(9, 2)),
  column('middle', decimal(18, 6)),
  column('large', decimal(38, 10)),
  column('list', { kind: 'array', element: { kind: 'string' }, containsNull: true }),
  column('decimals', { kind: 'array', element: decimal(20, 2), containsNull: false }),
];
const LONG_TEXT = `${'z'.repeat(40)}\u{1F600}`;
const ROWS: readonly Row[] = [
  [1, 'a', true, -128, -32768, -(2n ** 63n), 1.5, 1e300, MIN_DAY, MIN_MICROS, -1n, Uint8Array.of(0, 255), -999_999_999n, 10n ** 18n - 1n, -(10n ** 38n) + 1n, ['x', null], [1n, -5n]], // prettier-ignore
  [2, LONG_TEXT, false, 127, 32767, 2n ** 63n - 1n, 0.25, -0, MAX_DAY, MAX_MICROS, 1_714_979_289_123_456n, new Uint8Array(), 1n, 0n, 5n, [], []], // prettier-ignore
  [3, '\uffff"\\\n\u0000', ...Array<null>(COLUMNS.length - 2).fill(null)],
];
const EXPECTED_ROWS = [
  { n: 1, text: 'a', flag: true, byte: -128, short: -32768, long: '-9223372036854775808', float: 1.5, double: 1e300, day: '0001-01-01', time: '0001-01-01T00:00:00.000000Z', local: '1969-12-31T23:59:59.999999', bytes: 'AP8=', small: '-9999999.99', middle: '999999999999.999999', large: '-9999999999999999999999999999.9999999999', list: ['x', null], decimals: ['0.01', '-0.05'] }, // prettier-ignore
  { n: 2, text: LONG_TEXT, flag: false, byte: 127, short: 32767, long: '9223372036854775807', float: 0.25, double: 0, day: '9999-12-31', time: '9999-12-31T23:59:59.999999Z', local: '2024-05-06T07:08:09.123456', bytes: '', small: '0.01', middle: '0.000000', large: '0.0000000005', list: [], decimals: [] }, // prettier-ignore
  { ...Object.fromEntries(COLUMNS.map(({ name }) => [name, null])), n: 3, text: '\uffff"\\\n\u0000' },
];

describeWith(await findPython(), 'a table of ours, read by delta-rs', (python) => {
  let directory: string;
  let store: ObjectStore;

  const ask = async (...args: string[]): Promise<unknown> => {
    const { stdout } = await promisify(execFile)(python, ['-B', SCRIPT, ...args], { maxBuffer: 2 ** 26 });
    return JSON.parse(stdout);
  };
  const query = (sql: string): Promise<unknown> => ask('rows', directory, sql);

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-readers-'));
    store = await openLocalObjectStore(directory, `file://${directory}`);
  });
  afterEach(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  it('holds every value of every type, over two commits and one without rows', async () => {
    let snapshot = await createTable(store, COLUMNS, { nowMs: NOW_MS });
    snapshot = await append(store, snapshot, ROWS.slice(0, 1));
    snapshot = await append(store, snapshot, ROWS.slice(1));
    const actions = planAppend({ snapshot, txn: { appId: APP_ID, version: 9 }, files: [], nowMs: NOW_MS });
    expect(await putCommit(store, 3, actions)).toBe('created');
    expect(await ask('info', directory, APP_ID)).toEqual({
      version: 3,
      columns: COLUMNS.map(({ name }) => name),
      transaction: 9,
      files: 2,
    });
    expect(await query('select * from t order by n')).toEqual(EXPECTED_ROWS);
  });

  it.each([
    ["text >= 'zz'", [2, 3]],
    ["text > '~'", [3]],
    ['long > 9223372036854775806', [2]],
    ['long < 0', [1]],
    ['large > 0', [2]],
    ['small = 0.01', [2]],
    ["middle >= cast('999999999999.999999' as decimal(18,6))", [1]],
    ["day >= date '9999-12-31'", [2]],
    [`time < arrow_cast(${MIN_MICROS + 1n}, 'Timestamp(Microsecond, Some("UTC"))')`, [1]],
    [`time > arrow_cast(${MAX_MICROS - 1n}, 'Timestamp(Microsecond, Some("UTC"))')`, [2]],
    ["local > timestamp '2024-05-06T07:08:09.123455'", [2]],
    ['double >= 0', [1, 2]],
    ['float = 0.25', [2]],
    ['byte = 127', [2]],
    ['long is null', [3]],
    ['list is null', [3]],
  ])('finds the right rows by statistics: %s', async (condition, expected) => {
    let snapshot = await createTable(store, COLUMNS, { nowMs: NOW_MS });
    for (const row of ROWS) snapshot = await append(store, snapshot, [row]);
    expect(await query(`select n from t where ${condition} order by n`)).toEqual(expected.map((n) => ({ n })));
  });

  it('reads as the same snapshot after delta-rs wrote a checkpoint and compacted the files', async () => {
    let snapshot = await createTable(store, COLUMNS, { nowMs: NOW_MS });
    for (const row of ROWS) snapshot = await append(store, snapshot, [row]);
    await ask('checkpoint', directory);
    expect(await readSnapshot(store)).toEqual(snapshot);
    for (const version of [0, 1, 2]) await store.delete(`_delta_log/${String(version).padStart(20, '0')}.json`);
    const fromCheckpoint = await readSnapshot(store);
    expect(fromCheckpoint).toMatchObject({ version: 3, transactions: new Map([[APP_ID, 3]]), earliestCommitVersion: 3 });

    expect(await ask('compact', directory)).toEqual({ version: 4 });
    const compacted = await readSnapshot(store);
    expect(compacted).toMatchObject({ version: 4, transactions: new Map([[APP_ID, 3]]), schema: snapshot.schema });
    await append(store, compacted, [[4, 'late', ...Array<null>(COLUMNS.length - 2).fill(null)]]);
    expect(await query('select n from t order by n')).toEqual([1, 2, 3, 4].map((n) => ({ n })));
  });
});

/** Tables of Spark with what an append has to respect: checkpoints of every kind, column mapping and arrays. */
const APPENDED = [
  'basic-with-inserts-deletes-checkpoint',
  'basic-with-inserts-overwrite-restore',
  'corrupted-last-checkpoint-kernel',
  'data-skipping-basic-stats-all-types',
  'multi-part-checkpoint',
  'only-checkpoint-files',
  'table-with-columnmapping-mode-id',
  'table-with-columnmapping-mode-name',
  'v2-checkpoint-json',
  'v2-checkpoint-parquet',
  'data-reader-array-primitives',
  'parquet-all-types',
];

/** A value for any column, and how it is read. */
function sample(type: TableType): readonly [TableValue, unknown] {
  switch (type.kind) {
    case 'string':
      return ['ours', 'ours'];
    case 'boolean':
      return [true, true];
    case 'byte':
    case 'short':
    case 'integer':
    case 'float':
    case 'double':
      return [77, 77];
    case 'long':
      return [77n, 77];
    case 'date':
      return [19_849, '2024-05-06'];
    case 'timestamp':
      return [BigInt(NOW_MS) * 1000n, '2024-05-06T07:08:09.000000Z'];
    case 'timestamp_ntz':
      return [BigInt(NOW_MS) * 1000n, '2024-05-06T07:08:09.000000'];
    case 'binary':
      return [Uint8Array.of(255), '/w=='];
    case 'decimal':
      return [0n, type.scale === 0 ? '0' : `0.${'0'.repeat(type.scale)}`];
    case 'array': {
      const [value, read] = sample(type.element);
      return [[value], [read]];
    }
  }
}

if (goldenTablesMissing !== undefined) {
  it.skip(`tables of Spark (${goldenTablesMissing})`, () => undefined);
} else {
  describeWith(await findPython(), 'a table of Spark that we appended to, read by delta-rs', (python) => {
    const golden = unpackGoldenTables();
    afterAll(() => golden.remove());

    const readRows = async (path: string): Promise<Record<string, unknown>[]> => {
      const { stdout } = await promisify(execFile)(python, ['-B', SCRIPT, 'rows', path, 'select * from t'], {
        maxBuffer: 2 ** 26,
      });
      return JSON.parse(stdout) as Record<string, unknown>[];
    };

    it.each(APPENDED)('has the old rows and the new one: %s', async (name) => {
      const path = golden.pathOf(name);
      const before = await readRows(path);
      const store = await openLocalObjectStore(path, `golden:${name}`);
      const snapshot = await readSnapshot(store);
      const columns = tableColumns(snapshot);
      const samples = columns.map(({ type }) => sample(type));
      await append(store, snapshot, [samples.map(([value]) => value)]);
      await store.close();

      const after = await readRows(path);
      const added = {
        ...Object.fromEntries(snapshot.schema.fields.map((field) => [field.name, null])),
        ...Object.fromEntries(columns.map((each, at) => [each.name, samples[at]?.[1]])),
      };
      const sorted = (rows: object[]): string[] => rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort();
      expect(sorted(after)).toEqual(sorted([...before, added]));
    });
  });
}
