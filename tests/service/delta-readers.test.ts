import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { openObjectStore } from '../../app/storage/open-object-store.ts';
import type { TableLocation } from '../../app/storage/table-location.ts';
import { bothOf, describeWith } from '../helpers/services/availability.ts';
import { asMultiset, type DeltaReader, type DeltaRow } from '../helpers/services/delta-reader.ts';
import { findDeltaRs } from '../helpers/services/delta-rs.ts';
import { findMinio, type Minio } from '../helpers/services/minio.ts';
import { findSpark } from '../helpers/services/spark.ts';

const minioFound = await findMinio();
const readersFound = bothOf(await findDeltaRs(), await findSpark());

const FIELDS = { id: 'string', active: 'boolean', small: 'integer', big: 'long', ratio: 'double', at: 'timestamp' };
const ROWS: readonly DeltaRow[] = [
  { id: 'a', active: true, small: 1, big: '9007199254740993', ratio: 0.1, at: '2024-03-31T01:30:00.123000Z' },
  { id: 'ü😀\u2028"\n', active: false, small: -1, big: 2, ratio: 3, at: '1969-12-31T23:59:59.999000Z' },
  { id: null, active: null, small: null, big: null, ratio: null, at: null },
];

/** A table of one file, made without any code of the product but its way to the store. */
async function writeTable(location: TableLocation, localRoot: string): Promise<void> {
  const column = <T>(name: keyof typeof FIELDS, convert: (value: string) => T): (T | null)[] =>
    ROWS.map((row) => (row[name] === null ? null : convert(String(row[name] as string | number | boolean))));
  const body = new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'id', data: column('id', String), type: 'STRING' },
        { name: 'active', data: column('active', (value) => value === 'true'), type: 'BOOLEAN' },
        { name: 'small', data: column('small', Number), type: 'INT32' },
        { name: 'big', data: column('big', BigInt), type: 'INT64' },
        { name: 'ratio', data: column('ratio', Number), type: 'DOUBLE' },
        { name: 'at', data: column('at', (value) => new Date(value)), type: 'TIMESTAMP' },
      ].map((definition) => ({ ...definition, nullable: true })) as Parameters<typeof parquetWriteBuffer>[0]['columnData'],
    }),
  );
  const fields = Object.entries(FIELDS).map(([name, type]) => ({ name, type, nullable: true, metadata: {} }));
  const commit = [
    { protocol: { minReaderVersion: 1, minWriterVersion: 2 } },
    {
      metaData: {
        id: '5fba94ed-9794-4965-ba6e-6ee3c0d22af9',
        format: { provider: 'parquet', options: {} },
        schemaString: JSON.stringify({ type: 'struct', fields }),
        partitionColumns: [],
        configuration: {},
        createdTime: 0,
      },
    },
    { add: { path: 'part-0.parquet', partitionValues: {}, size: body.byteLength, modificationTime: 0, dataChange: true } },
  ];
  const store = await openObjectStore(location, { localRoot });
  await store.put('part-0.parquet', body);
  const lines = commit.map((action) => `${JSON.stringify(action)}\n`).join('');
  await store.putIfAbsent('_delta_log/00000000000000000000.json', new TextEncoder().encode(lines));
  await store.close();
}

describeWith(readersFound, 'delta-rs and Spark', ([deltaRs, startSpark]) => {
  let spark: DeltaReader;
  let directory: string;
  beforeAll(async () => {
    spark = await startSpark();
    directory = await mkdtemp(join(tmpdir(), 'readers-'));
  }, 120_000);
  afterAll(async () => {
    await spark.close();
    await rm(directory, { recursive: true });
  }, 30_000);

  it('read the same rows of a table on disk, and no row of another version', async () => {
    const location = { tablePath: `file://${directory}/table` };
    await writeTable(location, directory);
    for (const reader of [deltaRs, spark]) {
      expect(asMultiset(await reader.readDeltaRows(location))).toEqual(asMultiset(ROWS));
      expect(await reader.readDeltaRows(location, { version: 0 })).toHaveLength(ROWS.length);
      await expect(reader.readDeltaRows(location, { version: 1 })).rejects.toThrow();
    }
  }, 60_000);

  it('say so when there is no table', async () => {
    for (const reader of [deltaRs, spark]) {
      await expect(reader.readDeltaRows({ tablePath: `file://${directory}/none` })).rejects.toThrow();
    }
  }, 60_000);

  describeWith(minioFound, 'on MinIO', (start) => {
    let minio: Minio;
    beforeAll(async () => {
      minio = await start();
    }, 60_000);
    afterAll(() => minio.stop());

    it('read the same rows of a table', async () => {
      const location = minio.locate(await minio.createBucket(), 'tables/one');
      await writeTable(location, directory);
      for (const reader of [deltaRs, spark]) expect(asMultiset(await reader.readDeltaRows(location))).toEqual(asMultiset(ROWS));
    }, 60_000);
  });
});
