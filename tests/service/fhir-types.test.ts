import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { planAppend } from '../../app/delta/append-commit.ts';
import { putCommit } from '../../app/delta/commit.ts';
import { createTable } from '../../app/delta/create-table.ts';
import { encodeDataFile, makeDataFilePath } from '../../app/delta/data-file.ts';
import { makeRowEncoder } from '../../app/rows/row-encoder.ts';
import { openLocalObjectStore } from '../../app/storage/local-object-store.ts';
import type { Resource } from '../../app/view/compiled-view.ts';
import { parseExactly } from '../../app/view/exact-json.ts';
import { TYPES_COLUMNS, TYPES_PATIENT, TYPES_ROW, TYPES_VIEW } from '../helpers/fhir-types.ts';
import { describeWith } from '../helpers/services/availability.ts';
import type { DeltaReader } from '../helpers/services/delta-reader.ts';
import { findDeltaRs } from '../helpers/services/delta-rs.ts';
import { findSpark } from '../helpers/services/spark.ts';

async function writeTable(directory: string): Promise<void> {
  const columns = TYPES_COLUMNS;
  const encoder = makeRowEncoder(TYPES_VIEW, columns);
  expect(encoder.needsExactDecimals).toBe(true);
  const rows = encoder.encode(TYPES_VIEW.evaluate(parseExactly(TYPES_PATIENT) as Resource), {
    ...{ eventKey: 'e', versionId: '1', action: 'create', receivedAtMs: 0, correlationId: undefined },
  });
  const store = await openLocalObjectStore(directory, `file://${directory}`);
  const snapshot = await createTable(store, columns, { nowMs: 0 });
  const { bytes, numRecords, stats } = encodeDataFile(snapshot, columns, rows);
  const path = makeDataFilePath();
  await store.put(path, bytes);
  const file = { path, sizeBytes: bytes.length, numRecords, stats };
  const actions = planAppend({ snapshot, txn: { appId: 'a', version: 1 }, files: [file], nowMs: 0 });
  expect(await putCommit(store, 1, actions)).toBe('created');
  await store.close();
}

/** The tests of one reader. */
function describeReader(open: () => Promise<DeltaReader>): void {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fhir-types-'));
    await writeTable(directory);
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('has the values that the rules of conversion promise', async () => {
    const reader = await open();
    try {
      expect(await reader.readDeltaRows({ tablePath: `file://${directory}` })).toEqual([TYPES_ROW]);
    } finally {
      await reader.close();
    }
  }, 120_000);
}

describeWith(await findDeltaRs(), 'one row of every FHIR type, read by delta-rs', (reader) => describeReader(async () => reader));
describeWith(await findSpark(), 'one row of every FHIR type, read by Spark', describeReader);
