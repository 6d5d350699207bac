import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeParquetFile } from '../../app/parquet/parquet-file.ts';
import type { Row, TableColumn } from '../../app/rows/table-type.ts';
import { filledTable } from '../helpers/arbitrary-table.ts';
import { toReaderForm } from '../helpers/reader-form.ts';
import { describeWith } from '../helpers/services/availability.ts';
import { findPython } from '../helpers/services/delta-rs.ts';

const SCRIPT = fileURLToPath(new URL('../helpers/python/read_parquet.py', import.meta.url));
const RUNS = 60;

interface Table {
  readonly columns: readonly TableColumn[];
  readonly rows: readonly Row[];
}

/** Text that repeats, then does not: the dictionary is given up after pages that use it. More rows than a row group takes. */
function makeLongTable(): Table {
  const columns: TableColumn[] = [
    { name: 'late', type: { kind: 'string' }, nullable: true },
    { name: 'few', type: { kind: 'string' }, nullable: false },
    { name: 'unique', type: { kind: 'string' }, nullable: false },
    { name: 'list', type: { kind: 'array', element: { kind: 'long' }, containsNull: true }, nullable: true },
    { name: 'flag', type: { kind: 'boolean' }, nullable: true },
  ];
  const rows = Array.from({ length: 120_000 }, (_, at): Row => {
    const late = at % 11 === 0 ? null : at < 50_000 ? `code ${at % 7}` : `ünique ${at}`;
    return [late, `unit ${at % 300}`, `id-${at}`, at % 5 === 0 ? null : [BigInt(at), null].slice(0, at % 3), at % 3 === 0];
  });
  return { columns, rows };
}

describeWith(await findPython(), 'a Parquet file of ours, read by pyarrow', (python) => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'parquet-readers-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('holds every value of random tables and of a long one, and statistics that are true', async () => {
    const tables: Table[] = [...fc.sample(filledTable, RUNS), makeLongTable()];
    for (const [at, { columns, rows }] of tables.entries()) {
      const fileColumns = columns.map((column) => ({ ...column, physicalName: column.name, fieldId: undefined }));
      await writeFile(join(directory, `${String(at).padStart(3, '0')}.parquet`), encodeParquetFile(fileColumns, rows));
    }
    const { stdout } = await promisify(execFile)(python, ['-B', SCRIPT, directory], { maxBuffer: 2 ** 28 });
    const read = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { rows: unknown[]; groups: number; problems: string[] });
    expect(read).toHaveLength(tables.length);
    for (const [at, { columns, rows }] of tables.entries()) {
      const expected = rows.map((row) =>
        Object.fromEntries(columns.map(({ name, type }, column) => [name, toReaderForm(type, row[column] ?? null)])),
      );
      expect({ columns, rows: read[at]?.rows, problems: read[at]?.problems }).toEqual({ columns, rows: expected, problems: [] });
    }
    expect(read.at(-1)?.groups).toBe(2);
  }, 120_000);
});
