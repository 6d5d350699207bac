import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import parquetjs from 'parquetjs';
import { encodeDataFile } from '../../app/delta/data-file.ts';
import { createTable } from '../../app/delta/create-table.ts';
import { openLocalObjectStore } from '../../app/storage/local-object-store.ts';
import { makeParquetSchema } from '../../app/parquet/parquet-schema.ts';
import type { Row, TableColumn } from '../../app/rows/table-type.ts';
import type { BenchOptions, BenchResult } from './bench.ts';

const ROWS = 5_000;
const TURN_MS = 500;
const COLUMNS: readonly TableColumn[] = [
  { name: 'id', type: { kind: 'string' }, nullable: true },
  { name: 'gender', type: { kind: 'string' }, nullable: true },
  { name: 'birth_date', type: { kind: 'date' }, nullable: true },
  { name: 'ts', type: { kind: 'timestamp' }, nullable: true },
  { name: 'family', type: { kind: 'string' }, nullable: true },
  { name: 'city', type: { kind: 'string' }, nullable: true },
  { name: 'score', type: { kind: 'double' }, nullable: true },
  { name: 'is_deleted', type: { kind: 'integer' }, nullable: true },
];

/** Why data files have an encoder of ours: rows per CPU second of it, of hyparquet-writer and of parquetjs, in turns, in one process. */
export async function runParquetBench({ seconds }: BenchOptions): Promise<BenchResult> {
  const dir = await mkdtemp(join(tmpdir(), 'lakehouse-parquet-'));
  try {
    const snapshot = await createTable(await openLocalObjectStore(join(dir, 'table'), 'file:///bench'), COLUMNS, { nowMs: 0 });
    const rows = Array.from({ length: ROWS }, (_, index): Row => [
      `id-${index}`,
      index % 2 === 0 ? 'male' : 'female',
      index % 20_000,
      BigInt(index) * 1_000_000n,
      `family-${index % 500}`,
      `city-${index % 50}`,
      index / 7,
      0,
    ]);
    const file = join(dir, 'peer.parquet');
    const [ours, hyparquet, parquetjsTotal] = [makeTotal(), makeTotal(), makeTotal()];
    const schema = makeParquetSchema(COLUMNS.map((column) => ({ ...column, physicalName: column.name, fieldId: undefined })));
    for (const endAtMs = performance.now() + seconds * 1000; performance.now() < endAtMs;) {
      await measure(ours, async () => encodeDataFile(snapshot, COLUMNS, rows).bytes.byteLength);
      await measure(hyparquet, async () => {
        const columnData = COLUMNS.map(({ name }, at) => ({ name, data: rows.map((row) => row[at]) }));
        return parquetWriteBuffer({ schema, columnData, codec: 'SNAPPY', rowGroupSize: ROWS }).byteLength;
      });
      await measure(parquetjsTotal, async () => {
        await writeWithParquetjs(file, rows);
        return (await stat(file)).size;
      });
    }
    const lines = (['ours', 'hyparquet-writer', 'parquetjs'] as const).map((name, at) => {
      const total = [ours, hyparquet, parquetjsTotal][at] ?? ours;
      return `${name.padEnd(16)} ${rateOf(total)} rows per CPU-s, ${total.bytes} bytes per ${ROWS} rows`;
    });
    return {
      lines: [...lines, 'only ours includes the check of values and the statistics of the table'],
      figures: {
        rowsPerCpuSecond: rateOf(ours),
        hyparquetRowsPerCpuSecond: rateOf(hyparquet),
        parquetjsRowsPerCpuSecond: rateOf(parquetjsTotal),
        ratio: rateOf(ours) / rateOf(parquetjsTotal),
        batchSize: ROWS,
      },
    };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

interface Total {
  cpuMs: number;
  rows: number;
  bytes: number;
}

function makeTotal(): Total {
  return { cpuMs: 0, rows: 0, bytes: 0 };
}

function rateOf({ cpuMs, rows }: Total): number {
  return Math.round((1000 * rows) / cpuMs);
}

/** One turn of a writer: several files in a row, so that the garbage of its predecessor is not laid at its door. */
async function measure(total: Total, write: () => Promise<number>): Promise<void> {
  await write();
  const before = process.cpuUsage();
  for (const endAtMs = performance.now() + TURN_MS; performance.now() < endAtMs; total.rows += ROWS) total.bytes = await write();
  const { user, system } = process.cpuUsage(before);
  total.cpuMs += (user + system) / 1000;
}

async function writeWithParquetjs(file: string, rows: readonly Row[]): Promise<void> {
  const schema = new parquetjs.ParquetSchema({
    id: { type: 'UTF8', compression: 'SNAPPY' },
    gender: { type: 'UTF8', compression: 'SNAPPY' },
    birth_date: { type: 'DATE', compression: 'SNAPPY' },
    ts: { type: 'TIMESTAMP_MICROS', compression: 'SNAPPY' },
    family: { type: 'UTF8', compression: 'SNAPPY' },
    city: { type: 'UTF8', compression: 'SNAPPY' },
    score: { type: 'DOUBLE', compression: 'SNAPPY' },
    is_deleted: { type: 'INT32', compression: 'SNAPPY' },
  });
  const writer = await parquetjs.ParquetWriter.openFile(schema, file);
  for (const row of rows) {
    const [id, gender, days, ts, family, city, score, isDeleted] = row;
    await writer.appendRow({
      id,
      gender,
      birth_date: new Date(Number(days) * 86_400_000),
      ts: Number(ts),
      family,
      city,
      score,
      is_deleted: isDeleted,
    });
  }
  await writer.close();
}
