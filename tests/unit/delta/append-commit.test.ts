import { describe, expect, it } from '@jest/globals';
import { serializeActions } from '../../../app/delta/actions.ts';
import { planAppend } from '../../../app/delta/append-commit.ts';
import { makeCommit, readCommit } from '../../../app/delta/commit.ts';
import { commitPath } from '../../../app/delta/log-path.ts';
import { firstSnapshot } from '../../../app/delta/snapshot.ts';
import { aSnapshot, featureProtocol, NOW_MS, tableActions } from '../../helpers/delta-table.ts';
import { makeMemoryObjectStore } from '../../helpers/memory-object-store.ts';

const FILE = { path: 'a b/c%.parquet', sizeBytes: 10, numRecords: 2, stats: '{"numRecords":2}' };

describe('planning an append', () => {
  it('puts commitInfo first, then the transaction, then the files', async () => {
    const actions = planAppend({
      snapshot: aSnapshot(),
      commitInfo: { txnId: 'x', keys: ['k'] },
      txn: { appId: 'app', version: 3 },
      files: [FILE, { ...FILE, path: 'd' }],
      nowMs: NOW_MS,
    });
    expect(actions).toEqual([
      {
        commitInfo: {
          engineInfo: 'aidbox-data-lakehouse',
          txnId: 'x',
          keys: ['k'],
          timestamp: NOW_MS,
          operation: 'WRITE',
          operationParameters: { mode: 'Append', partitionBy: '[]' },
          readVersion: 0,
          isBlindAppend: true,
          operationMetrics: { numFiles: '2', numOutputRows: '4', numOutputBytes: '20' },
          lakehouseActionCount: 4,
        },
      },
      { txn: { appId: 'app', version: 3, lastUpdated: NOW_MS } },
      {
        add: {
          path: 'a%20b/c%25.parquet',
          partitionValues: {},
          size: 10,
          modificationTime: NOW_MS,
          dataChange: true,
          stats: FILE.stats,
        },
      },
      { add: expect.objectContaining({ path: 'd' }) },
    ]);
    const store = makeMemoryObjectStore({ [commitPath(1)]: serializeActions(actions) });
    expect((await readCommit(store, 1))?.addPaths).toEqual([FILE.path, 'd']);
  });

  it('may carry no file at all', () => {
    const actions = planAppend({ snapshot: aSnapshot(), txn: { appId: 'app', version: 1 }, files: [], nowMs: NOW_MS });
    expect(actions.map((action) => Object.keys(action)[0])).toEqual(['commitInfo', 'txn']);
  });

  it('does not let own fields replace those of the protocol', () => {
    const [first] = planAppend({
      snapshot: aSnapshot(),
      commitInfo: { isBlindAppend: false, engineInfo: 'mine/1' },
      files: [],
      nowMs: NOW_MS,
    });
    expect(first).toMatchObject({ commitInfo: { isBlindAppend: true, engineInfo: 'mine/1' } });
  });

  describe('of a table with in-commit timestamps', () => {
    const spec = { protocol: featureProtocol('inCommitTimestamp'), configuration: { 'delta.enableInCommitTimestamps': 'true' } };
    const snapshotAt = (inCommitTimestamp: number) =>
      firstSnapshot(makeCommit(0, [{ commitInfo: { inCommitTimestamp } }, ...tableActions(spec).slice(1)]));

    it.each([
      ['now, when the clock has moved on', NOW_MS - 5, NOW_MS],
      ['one more than the last, when it has not', NOW_MS, NOW_MS + 1],
      ['one more than the last, when another clock is ahead', NOW_MS + 900, NOW_MS + 901],
    ])('gives it %s', (_what, last, expected) => {
      const [first] = planAppend({ snapshot: snapshotAt(last), files: [], nowMs: NOW_MS });
      expect(first).toMatchObject({ commitInfo: { inCommitTimestamp: expected } });
    });

    it('refuses when the last commit carries none', () => {
      expect(() => planAppend({ snapshot: aSnapshot(spec), files: [], nowMs: NOW_MS })).toThrow(
        expect.objectContaining({ code: 'DELTA_LOG_BROKEN' }),
      );
    });
  });
});
