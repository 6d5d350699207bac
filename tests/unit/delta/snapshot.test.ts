import { describe, expect, it } from '@jest/globals';
import { serializeActions, type Action } from '../../../app/delta/actions.ts';
import { makeCommit } from '../../../app/delta/commit.ts';
import { earliestCommitVersion, listCommitVersions } from '../../../app/delta/log-listing.ts';
import { commitPath, LAST_CHECKPOINT_PATH } from '../../../app/delta/log-path.ts';
import { applyCommit, readSnapshot } from '../../../app/delta/snapshot.ts';
import { aSnapshot, tableActions } from '../../helpers/delta-table.ts';
import { makeMemoryObjectStore, type MemoryObjectStore } from '../../helpers/memory-object-store.ts';

const txn = (appId: string, version: number): Action => ({ txn: { appId, version } });
const checkpointPath = (version: number): string =>
  `_delta_log/${String(version).padStart(20, '0')}.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json`;

/** Versions 0 to `head`; each commit counts up the transaction `n`. */
function aLog(head: number): MemoryObjectStore {
  const store = makeMemoryObjectStore({ [commitPath(0)]: serializeActions(tableActions()) });
  for (let version = 1; version <= head; version++) {
    store.objects.set(commitPath(version), serializeActions([{ commitInfo: { at: version } }, txn('n', version)]));
  }
  return store;
}

/** Adds a checkpoint; its own transaction shows whether it was used. */
function addCheckpoint(store: MemoryObjectStore, version: number): void {
  const actions = tableActions().filter((action) => !('commitInfo' in action));
  store.objects.set(checkpointPath(version), serializeActions([...actions, txn('n', version), txn(`checkpoint-${version}`, 1)]));
}

function addHint(store: MemoryObjectStore, text: string): void {
  store.objects.set(LAST_CHECKPOINT_PATH, new TextEncoder().encode(text));
}

describe('reading a snapshot', () => {
  it('replays the commits from the first', async () => {
    const snapshot = await readSnapshot(aLog(40));
    expect(snapshot).toMatchObject({ version: 40, earliestCommitVersion: 0, headCommitInfo: { at: 40 } });
    expect(snapshot.transactions).toEqual(new Map([['n', 40]]));
  });

  it.each([
    ['without a hint', undefined],
    ['with a true hint', '{"version":6,"size":3}'],
    ['with a hint that is too old', '{"version":2}'],
    ['with a hint that is too new', '{"version":900}'],
    ['with a damaged hint', '{"versi'],
    ['with a hint of another shape', '"6"'],
  ])('starts at the newest checkpoint %s', async (_what, hint) => {
    const store = aLog(8);
    addCheckpoint(store, 6);
    if (hint !== undefined) addHint(store, hint);
    for (const version of [0, 1, 2, 3]) store.objects.delete(commitPath(version));
    const snapshot = await readSnapshot(store);
    expect(snapshot).toMatchObject({ version: 8, earliestCommitVersion: 4 });
    expect(snapshot.transactions).toEqual(new Map([['n', 8], ['checkpoint-6', 1]])); // prettier-ignore
  });

  it('stands at the checkpoint when nothing comes after it, even if every commit file is gone', async () => {
    const store = aLog(5);
    addCheckpoint(store, 5);
    expect(await readSnapshot(store)).toMatchObject({ version: 5, headCommitInfo: { at: 5 } });
    for (const version of [0, 1, 2, 3, 4, 5]) store.objects.delete(commitPath(version));
    expect(await readSnapshot(store)).toMatchObject({ version: 5, headCommitInfo: undefined, earliestCommitVersion: undefined });
  });

  it('passes over a damaged checkpoint when an older one and the commits since say the same', async () => {
    const store = aLog(8);
    addCheckpoint(store, 3);
    addCheckpoint(store, 6);
    addHint(store, '{"version":6}');
    store.objects.set(checkpointPath(6), new TextEncoder().encode('{"metaData":'));
    expect((await readSnapshot(store)).transactions.has('checkpoint-3')).toBe(true);
  });

  it('passes over a checkpoint of which a part is missing', async () => {
    const store = aLog(4);
    store.objects.set('_delta_log/00000000000000000003.checkpoint.0000000001.0000000002.parquet', Uint8Array.of(1));
    expect(await readSnapshot(store)).toMatchObject({ version: 4 });
  });

  it('names the damaged checkpoint when nothing else leads to the newest version', async () => {
    const store = aLog(8);
    store.objects.set('_delta_log/00000000000000000006.checkpoint.parquet', Uint8Array.of(1, 2, 3));
    store.objects.delete(commitPath(0));
    await expect(readSnapshot(store)).rejects.toMatchObject({
      code: 'DELTA_LOG_BROKEN',
      message: expect.stringContaining('06.checkpoint.parquet'),
    });
  });

  it.each([0, 3])('refuses a log in which commit %i is missing', async (version) => {
    const store = aLog(5);
    store.objects.delete(commitPath(version));
    await expect(readSnapshot(store)).rejects.toMatchObject({ code: 'DELTA_LOG_BROKEN', facts: { version } });
  });

  it.each(['protocol', 'metaData'])('refuses a log without a %s action', async (name) => {
    const store = makeMemoryObjectStore({
      [commitPath(0)]: serializeActions(tableActions().filter((action) => !(name in action))),
    });
    await expect(readSnapshot(store)).rejects.toMatchObject({
      code: 'DELTA_LOG_BROKEN',
      message: expect.stringContaining(name),
    });
  });

  it('tells an empty directory from one with other files', async () => {
    const leftovers = { 'folder/': '', '_delta_log/.put-if-absent-probe-1': 'x' };
    await expect(readSnapshot(makeMemoryObjectStore(leftovers))).rejects.toMatchObject({ code: 'DELTA_TABLE_NOT_FOUND' });
    await expect(readSnapshot(makeMemoryObjectStore({ 'a.parquet': 'x' }))).rejects.toMatchObject({ code: 'DELTA_NOT_A_TABLE' });
  });

  it('lists again when a cleanup removes files while it reads', async () => {
    const store = aLog(8);
    let isFirst = true;
    const snapshot = await readSnapshot({
      ...store,
      async read(path) {
        if (path === commitPath(0) && isFirst) {
          isFirst = false;
          addCheckpoint(store, 6);
          for (const version of [0, 1, 2, 3, 4, 5]) store.objects.delete(commitPath(version));
        }
        return store.read(path);
      },
    });
    expect(snapshot).toMatchObject({ version: 8, earliestCommitVersion: 6 });
  });

  it('lists again when a listing shows a commit, but not the one before it that is there', async () => {
    const store = aLog(5);
    let listings = 0;
    const snapshot = await readSnapshot({
      ...store,
      async *list(prefix, startAfter) {
        const isIncomplete = ++listings === 1;
        for await (const object of store.list(prefix, startAfter))
          if (!isIncomplete || object.path !== commitPath(4)) yield object;
      },
    });
    expect(snapshot.version).toBe(5);
  });

  it('gives up when files disappear again and again', async () => {
    const store = aLog(3);
    const vanishing = { ...store, read: async (path: string) => (path === commitPath(2) ? undefined : store.read(path)) };
    await expect(readSnapshot(vanishing)).rejects.toMatchObject({ code: 'DELTA_LOG_BROKEN' });
  });
});

describe('stepping forward', () => {
  it('gives the same as reading again', async () => {
    const store = aLog(2);
    const before = await readSnapshot(store);
    const actions: Action[] = [
      { commitInfo: { at: 3, inCommitTimestamp: 99 } },
      ...tableActions({
        fields: [{ name: 'other' }],
        more: [txn('x', 1), { domainMetadata: { domain: 'd', configuration: '{}', removed: false } }],
      }).slice(1),
    ];
    store.objects.set(commitPath(3), serializeActions(actions));
    const after = applyCommit(before, makeCommit(3, actions));
    expect(after).toEqual(await readSnapshot(store));
    expect(after.schema.fields.map((field) => field.name)).toEqual(['other']);
    expect(before.transactions.has('x')).toBe(false);
  });

  it('forgets a removed domain', () => {
    const domain = (removed: boolean): Action => ({ domainMetadata: { domain: 'd', configuration: '{}', removed } });
    const snapshot = aSnapshot({ more: [domain(false)] });
    expect(snapshot.domains.has('d')).toBe(true);
    expect(applyCommit(snapshot, makeCommit(1, [domain(true)])).domains.has('d')).toBe(false);
  });

  it('refuses to skip a version', () => {
    expect(() => applyCommit(aSnapshot(), makeCommit(2, []))).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  });
});

describe('listing commits', () => {
  it('gives versions in order from a start, and the lowest one', async () => {
    const store = aLog(12);
    store.objects.delete(commitPath(0));
    addCheckpoint(store, 11);
    expect(await listCommitVersions(store, 10)).toEqual([10, 11, 12]);
    expect(await earliestCommitVersion(store)).toBe(1);
    expect(await earliestCommitVersion(makeMemoryObjectStore())).toBeUndefined();
  });
});
