import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import parquetjs from 'parquetjs';
import { encodeDataFile } from '../../app/delta/data-file.ts';
import { createTable } from '../../app/delta/create-table.ts';
import { openLocalObjectStore } from '../../app/storage/local-object-store.ts';
import type { Row, TableColumn } from '../../app/rows/table-type.ts';
import type { BenchOptions, BenchResult } from './bench.ts';

const ROWS = 5_000;
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

/** Why data files are not written with parquetjs: rows per CPU second of both, in turns, in one process. */
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
    const totals = { ours: { cpuMs: 0, rows: 0, bytes: 0 }, parquetjs: { cpuMs: 0, rows: 0, bytes: 0 } };
    for (const endAtMs = performance.now() + seconds * 1000; performance.now() < endAtMs;) {
      await measure(totals.ours, async () => encodeDataFile(snapshot, COLUMNS, rows).bytes.byteLength);
      await measure(totals.parquetjs, async () => {
        await writeWithParquetjs(file, rows);
        return (await stat(file)).size;
      });
    }
    const rate = (total: { cpuMs: number; rows: number }): number => Math.round((1000 * total.rows) / total.cpuMs);
    const [ours, peer] = [rate(totals.ours), rate(totals.parquetjs)];
    return {
      lines: [
        `hyparquet-writer ${ours} rows per CPU-s, ${totals.ours.bytes} bytes per ${ROWS} rows, with statistics`,
        `parquetjs        ${peer} rows per CPU-s, ${totals.parquetjs.bytes} bytes per ${ROWS} rows, without statistics`,
        `ratio            ${(ours / peer).toFixed(1)}`,
      ],
      figures: { rowsPerCpuSecond: ours, parquetjsRowsPerCpuSecond: peer, ratio: ours / peer, batchSize: ROWS },
    };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function measure(total: { cpuMs: number; rows: number; bytes: number }, write: () => Promise<number>): Promise<void> {
  const before = process.cpuUsage();
  total.bytes = await write();
  const { user, system } = process.cpuUsage(before);
  total.cpuMs += (user + system) / 1000;
  total.rows += ROWS;
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
