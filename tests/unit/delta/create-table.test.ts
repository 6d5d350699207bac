import { describe, expect, it } from '@jest/globals';
import { createTable } from '../../../app/delta/create-table.ts';
import { assertAppendable } from '../../../app/delta/gate.ts';
import { commitPath } from '../../../app/delta/log-path.ts';
import { tableColumns } from '../../../app/delta/schema.ts';
import { readSnapshot } from '../../../app/delta/snapshot.ts';
import { column, NOW_MS } from '../../helpers/delta-table.ts';
import { makeMemoryObjectStore } from '../../helpers/memory-object-store.ts';

const COLUMNS = [
  column('id', { kind: 'string' }, false),
  column('born', { kind: 'date' }),
  column('tags', { kind: 'array', element: { kind: 'string' }, containsNull: true }),
];
const OPTIONS = { nowMs: NOW_MS };

describe('creating a table', () => {
  it('writes version 0 with the lowest protocol, and gives what a reader would see', async () => {
    const store = makeMemoryObjectStore({ '_delta_log/.put-if-absent-probe-1': 'left over' });
    const created = await createTable(store, COLUMNS, { ...OPTIONS, name: 'patients' });
    expect(created).toEqual(await readSnapshot(store));
    expect(created).toMatchObject({
      version: 0,
      protocol: { minReaderVersion: 1, minWriterVersion: 2 },
      metaData: { name: 'patients', partitionColumns: [], createdTime: NOW_MS },
    });
    expect(tableColumns(created)).toEqual(COLUMNS);
    expect(() => assertAppendable(created)).not.toThrow();
  });

  it('asks for the table feature when a column has times without zone', async () => {
    const created = await createTable(makeMemoryObjectStore(), [column('t', { kind: 'timestamp_ntz' })], OPTIONS);
    expect(created.protocol).toEqual({
      minReaderVersion: 3,
      minWriterVersion: 7,
      readerFeatures: ['timestampNtz'],
      writerFeatures: ['timestampNtz', 'appendOnly', 'invariants'],
    });
    expect(() => assertAppendable(created)).not.toThrow();
  });

  it('lets one of many creators win, and gives all of them the same table', async () => {
    const store = makeMemoryObjectStore();
    const tables = await Promise.all(Array.from({ length: 5 }, () => createTable(store, COLUMNS, OPTIONS)));
    expect(new Set(tables.map((table) => table.metaData.id)).size).toBe(1);
    expect([...store.objects.keys()]).toEqual([commitPath(0)]);
  });

  it('names what differs when the table exists with other columns', async () => {
    const store = makeMemoryObjectStore();
    await createTable(store, COLUMNS, OPTIONS);
    await expect(createTable(store, [column('born'), column('x')], OPTIONS)).rejects.toMatchObject({
      code: 'DELTA_SCHEMA_MISMATCH',
      message: expect.stringContaining('x is missing, born is date and not string'),
    });
  });

  it('refuses a directory with other files and leaves it alone', async () => {
    const store = makeMemoryObjectStore({ 'report.csv': 'a,b' });
    await expect(createTable(store, COLUMNS, OPTIONS)).rejects.toMatchObject({ code: 'DELTA_NOT_A_TABLE' });
    expect([...store.objects.keys()]).toEqual(['report.csv']);
  });

  it('writes nothing when a column is impossible', async () => {
    const store = makeMemoryObjectStore();
    await expect(createTable(store, [column('a b')], OPTIONS)).rejects.toMatchObject({ code: 'DELTA_SCHEMA_INVALID' });
    expect(store.objects.size).toBe(0);
  });
});
