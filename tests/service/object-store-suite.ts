import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ObjectStore } from '../../app/storage/object-store.ts';

/** Two clients of one empty directory of objects, so that races cross the border between processes. */
export interface StoresUnderTest {
  readonly store: ObjectStore;
  readonly other: ObjectStore;
  remove(): Promise<void>;
}

const BIG_BYTES = 20 * 1024 * 1024;
/** More than S3 lists on one page. */
const MANY = 1_100;
const PROPERTY_RUNS = 15;
/** Names that trip URL, XML, shell or UTF-16 handling; they stand here in byte order. */
const ODD_PATHS = [
  '_delta_log/00000000000000000000.json',
  'a b/plus+plus',
  'a b/x',
  "a!'()*.txt",
  'a%20b',
  'a&b<c>"d"',
  'a-b',
  'a.b',
  'a/b=1%2F2/part-0',
  'a/b=1/part-0',
  'a/x',
  'a0',
  'a?query#hash',
  'col=é/part-0',
  'z\uFFFD',
  'z😀',
];

/** What every ObjectStore promises. */
export function objectStoreSuite(name: string, make: () => Promise<StoresUnderTest>): void {
  describe(`${name} as an object store`, () => {
    let stores: StoresUnderTest;
    let store: ObjectStore;

    beforeEach(async () => {
      stores = await make();
      store = stores.store;
    });
    afterEach(async () => {
      await Promise.all([store.close(), stores.other.close()]);
      await stores.remove();
    });

    it('reads back what was put, and the newer object after an overwrite', async () => {
      await store.put('dir/object', bytes('one'));
      expect(text(await store.read('dir/object'))).toBe('one');
      await store.put('dir/object', bytes('second'));
      expect(text(await stores.other.read('dir/object'))).toBe('second');
      const head = await store.head('dir/object');
      expect(head).toMatchObject({ path: 'dir/object', sizeBytes: 6 });
      expect(head?.modifiedAtMs).toBeGreaterThan(Date.parse('2020-01-01'));
    });

    it('knows an empty object from none', async () => {
      await store.put('empty', new Uint8Array(0));
      expect((await store.read('empty'))?.byteLength).toBe(0);
      expect(await store.head('empty')).toMatchObject({ sizeBytes: 0 });
      expect(await store.read('none')).toBeUndefined();
      expect(await store.head('none')).toBeUndefined();
      expect(await store.read('none/at/all')).toBeUndefined();
    });

    it('does not take the path above an object for an object', async () => {
      await store.put('a/b', bytes('x'));
      expect(await store.read('a')).toBeUndefined();
      expect(await store.head('a')).toBeUndefined();
    });

    it('deletes, and deletes again without complaint', async () => {
      await store.put('dir/object', bytes('x'));
      await store.delete('dir/object');
      expect(await store.read('dir/object')).toBeUndefined();
      await store.delete('dir/object');
      await store.delete('no/such/dir/object');
      expect(await store.putIfAbsent('dir/object', bytes('y'))).toBe('created');
    });

    it('creates an object only if it is absent, and leaves the first one as it was', async () => {
      expect(await store.putIfAbsent('log/1.json', bytes('first'))).toBe('created');
      expect(await stores.other.putIfAbsent('log/1.json', bytes('second, longer'))).toBe('exists');
      expect(text(await store.read('log/1.json'))).toBe('first');
    });

    it('lets exactly one of 20 concurrent creations win, again and again', async () => {
      for (let round = 0; round < 5; round += 1) {
        const path = `log/${round}.json`;
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, (_, writer) =>
            (writer % 2 === 0 ? store : stores.other).putIfAbsent(path, bytes(`writer ${writer}`)),
          ),
        );
        const winners = outcomes.flatMap((outcome, writer) => (outcome === 'created' ? [writer] : []));
        expect(winners).toHaveLength(1);
        expect(text(await store.read(path))).toBe(`writer ${winners[0]}`);
      }
    });

    it('carries big objects whole, by put and by putIfAbsent', async () => {
      const body = randomBytes(BIG_BYTES);
      await store.put('big', body);
      expect(await store.putIfAbsent('big-once', body)).toBe('created');
      expect(await store.putIfAbsent('big-once', randomBytes(BIG_BYTES))).toBe('exists');
      for (const path of ['big', 'big-once']) expect(body.equals((await store.read(path)) ?? new Uint8Array())).toBe(true);
    });

    it('stores a part of a larger buffer as that part', async () => {
      const buffer = bytes('0123456789');
      await store.put('part', buffer.subarray(2, 5));
      await store.putIfAbsent('part-once', buffer.subarray(5, 7));
      expect([text(await store.read('part')), text(await store.read('part-once'))]).toEqual(['234', '56']);
    });

    it('lists odd names in byte order, with their sizes, and reads them', async () => {
      for (const path of [...ODD_PATHS].reverse()) await store.put(path, bytes(path));
      expect(await listPaths(store, '')).toEqual(ODD_PATHS);
      for (const path of ODD_PATHS) {
        expect(text(await store.read(path))).toBe(path);
        expect(await store.head(path)).toMatchObject({ path, sizeBytes: bytes(path).byteLength });
      }
    });

    it('lists by a prefix that ends inside a name, and after a path that need not exist', async () => {
      for (const path of ODD_PATHS) await store.put(path, bytes('x'));
      expect(await listPaths(store, 'a/b')).toEqual(['a/b=1%2F2/part-0', 'a/b=1/part-0']);
      expect(await listPaths(store, 'a/b=1/')).toEqual(['a/b=1/part-0']);
      expect(await listPaths(store, 'a/', 'a/b=1%2F2/part-0')).toEqual(['a/b=1/part-0', 'a/x']);
      expect(await listPaths(store, '', 'a/c')).toEqual(ODD_PATHS.slice(ODD_PATHS.indexOf('a/x')));
      expect(await listPaths(store, 'a', 'z')).toEqual([]);
      expect(await listPaths(store, 'none/')).toEqual([]);
    });

    it('lists nothing where nothing is', async () => {
      expect(await listPaths(store, '')).toEqual([]);
      expect(await listPaths(store, '_delta_log/')).toEqual([]);
    });

    it('lists more objects than fit on one page', async () => {
      const paths = Array.from({ length: MANY }, (_, index) => `log/${String(index).padStart(20, '0')}.json`);
      for (let from = 0; from < MANY; from += 50)
        await Promise.all(paths.slice(from, from + 50).map((path) => store.put(path, bytes('{}'))));
      expect(await listPaths(store, 'log/')).toEqual(paths);
      expect(await listPaths(store, 'log/', paths[1_050])).toEqual(paths.slice(1_051));
    });

    it('lists nothing below an object, whose name a longer prefix goes on from', async () => {
      await store.put('below/0a', bytes('x'));
      expect(await listPaths(store, 'below/0a/a/+', '')).toEqual([]);
      expect(await listPaths(store, 'below/0a/', '')).toEqual([]);
    });

    it('lists what a plain sort and filter of the paths gives', async () => {
      const part = fc.stringMatching(/^[a0 =%+\-~é😀]{1,3}$/u).filter((name) => name.trim() === name);
      const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(path, { maxLength: 12 }), path, path, async (drawn, prefix, startAfter) => {
          run += 1;
          const root = `run-${run}/`;
          // Where one path goes on from another, a disk would need a file that is a directory.
          const paths = drawn.filter((one) => !drawn.some((two) => two.startsWith(`${one}/`))).map((one) => root + one);
          await Promise.all(paths.map((one) => store.put(one, bytes('x'))));
          for (const [listPrefix, after] of [
            [root, ''],
            [root + prefix, ''],
            [root, root + startAfter],
            [root + [...prefix].slice(0, 1).join(''), root + startAfter],
          ] as const) {
            const expected = paths.filter((one) => one.startsWith(listPrefix) && compare(one, after) > 0).sort(compare);
            expect(await listPaths(store, listPrefix, after)).toEqual(expected);
          }
        }),
        { numRuns: PROPERTY_RUNS },
      );
    });

    it.each(['', '/', '/a', 'a/', 'a//b', '.', '..', '../a', 'a/../b', 'a/./b', 'a\0b', 'half \ud83d'])(
      'refuses %j as the path of an object',
      async (path) => {
        const refused = expect.objectContaining({ code: 'STORAGE_PATH_NOT_ALLOWED' });
        await expect(store.read(path)).rejects.toEqual(refused);
        await expect(store.head(path)).rejects.toEqual(refused);
        await expect(store.put(path, bytes('x'))).rejects.toEqual(refused);
        await expect(store.putIfAbsent(path, bytes('x'))).rejects.toEqual(refused);
        await expect(store.delete(path)).rejects.toEqual(refused);
      },
    );
  });
}

export function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

export function text(body: Uint8Array | undefined): string | undefined {
  return body && new TextDecoder().decode(body);
}

export async function listPaths(store: ObjectStore, prefix: string, startAfter?: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of store.list(prefix, startAfter)) paths.push(path);
  return paths;
}

function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
