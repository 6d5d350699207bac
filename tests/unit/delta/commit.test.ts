import { describe, expect, it } from '@jest/globals';
import { serializeActions, withCommitInfo, type Action } from '../../../app/delta/actions.ts';
import { putCommit, readCommit } from '../../../app/delta/commit.ts';
import { commitPath } from '../../../app/delta/log-path.ts';
import { makeMemoryObjectStore } from '../../helpers/memory-object-store.ts';

const PATH = commitPath(3);

function storeWith(text: string | Uint8Array) {
  return makeMemoryObjectStore({ [PATH]: text });
}

describe('reading a commit', () => {
  it('gives undefined when there is none', async () => {
    expect(await readCommit(makeMemoryObjectStore(), 3)).toBeUndefined();
  });

  it('collects what an appending writer needs and ignores unknown actions and fields', async () => {
    const lines = [
      '{"commitInfo":{"timestamp":5,"inCommitTimestamp":7,"ours":["a"]}}',
      '{"txn":{"appId":"app","version":4,"lastUpdated":null}}',
      '{"add":{"path":"a%20b.parquet","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true,"newField":{}},"remove":null}',
      '{"remove":{"path":"c","deletionTimestamp":1,"dataChange":true}}',
      '{"cdc":{"path":"d"}}',
      '{"fromTheFuture":{}}',
    ];
    expect(await readCommit(storeWith(lines.join('\n')), 3)).toMatchObject({
      version: 3,
      commitInfo: { ours: ['a'] },
      protocol: undefined,
      addPaths: ['a b.parquet'],
      removeCount: 1,
      transactions: new Map([['app', 4]]),
      inCommitTimestampMs: 7,
    });
  });

  it('keeps the digits of 64-bit numbers, and text that looks like one', async () => {
    const text =
      '{"txn":{"appId":"9223372036854775807","version":9223372036854775807}}\n{"commitInfo":{"a":[-9007199254740993,"\\"1234567890123456789"],"b":1e3}}';
    const commit = await readCommit(storeWith(text), 3);
    expect(commit?.transactions.get('9223372036854775807')).toBe(9223372036854775807n);
    expect(commit?.commitInfo).toMatchObject({ a: [-9007199254740993n, '"1234567890123456789'], b: 1000 });
  });

  it.each([
    ['is empty', ''],
    ['holds blank lines only', '\n\n'],
    ['breaks off inside a line', '{"commitInfo":{}}\n{"add":{"pa'],
    ['holds NUL bytes after a crash', '\0\0\0\0'],
    ['is not UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d)],
    ['holds a bare value', '17'],
    ['holds an add without a path', '{"add":{"size":1}}'],
    ['holds a transaction without a version', '{"txn":{"appId":"x"}}'],
    ['lost whole lines of a commit of ours', '{"commitInfo":{"lakehouseActionCount":3}}\n{"txn":{"appId":"x","version":1}}\n'],
  ])('refuses a file that %s', async (_what, text) => {
    await expect(readCommit(storeWith(text), 3)).rejects.toMatchObject({
      code: 'DELTA_LOG_BROKEN',
      facts: { version: 3, path: PATH },
    });
  });

  it('never quotes the file in the error', async () => {
    const error: unknown = await readCommit(storeWith('{"commitInfo":{"canary":"s3cret'), 3).catch((thrown: unknown) => thrown);
    expect(String(error)).not.toMatch(/canary|s3cret/);
  });
});

describe('writing a commit', () => {
  const actions: Action[] = withCommitInfo({ timestamp: 1 }, [{ txn: { appId: 'app', version: 1, lastUpdated: 2 } }]);

  it('creates the version once and leaves an existing one alone', async () => {
    const store = makeMemoryObjectStore();
    expect(await putCommit(store, 3, actions)).toBe('created');
    expect(await putCommit(store, 3, [{ commitInfo: {} }])).toBe('exists');
    expect((await readCommit(store, 3))?.transactions).toEqual(new Map([['app', 1]]));
  });

  it.each([2 ** 53, NaN, 1n])('refuses the number %p, which JSON would not carry exactly', (version) => {
    expect(() => serializeActions([{ txn: { appId: 'app', version } }])).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  });
});
