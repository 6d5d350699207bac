import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { isAppError } from '../../app/errors/app-error.ts';
import type { ObjectStore } from '../../app/storage/object-store.ts';
import { openObjectStore } from '../../app/storage/open-object-store.ts';
import { makeS3ObjectStore, type S3Limits } from '../../app/storage/s3-object-store.ts';
import { eventually } from '../helpers/eventually.ts';
import { describeWith } from '../helpers/services/availability.ts';
import { findMinio, findOwnMinio, type Minio } from '../helpers/services/minio.ts';
import { startTcpProxy, type TcpProxy } from '../helpers/tcp-proxy.ts';
import { bytes, listPaths, objectStoreSuite, text } from './object-store-suite.ts';

const minioFound = await findMinio();
const ownMinioFound = await findOwnMinio();
const unavailable = expect.objectContaining({ code: 'STORAGE_UNAVAILABLE' });
const ALL_BUT_DATE = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const;
const MEGABYTE = 1024 * 1024;

describeWith(minioFound, 'S3 (MinIO)', (start) => {
  let minio: Minio;
  beforeAll(async () => {
    minio = await start();
  }, 60_000);
  afterAll(() => minio.stop());

  objectStoreSuite('a prefix of a bucket', async () => {
    const location = minio.locate(await minio.createBucket(), 'tables/a b');
    const open = (): Promise<ObjectStore> => openObjectStore(location, { localRoot: '/nowhere' });
    return { store: await open(), other: await open(), remove: async () => undefined };
  });

  objectStoreSuite('a whole bucket', async () => {
    const location = { ...minio.locate(await minio.createBucket(), ''), awsRegion: 'eu-central-1' };
    const open = (): Promise<ObjectStore> => openObjectStore(location, { localRoot: '/nowhere' });
    return { store: await open(), other: await open(), remove: async () => undefined };
  });

  describe('a bucket and its neighbours', () => {
    it('shows only what lies below its prefix, not what shares its beginning', async () => {
      const bucket = await minio.createBucket();
      const [table, neighbour] = await Promise.all(
        ['t', 't2'].map((path) => openObjectStore(minio.locate(bucket, path), { localRoot: '/nowhere' })),
      );
      await table?.put('a', bytes('x'));
      await neighbour?.put('b', bytes('x'));
      expect(table && (await listPaths(table, ''))).toEqual(['a']);
      expect(table?.address).toBe(`s3://${bucket}/t`);
      await Promise.all([table?.close(), neighbour?.close()]);
    });
  });

  describe('a bad network', () => {
    let proxy: TcpProxy;
    let bucket: string;
    let direct: ObjectStore;
    const opened: ObjectStore[] = [];

    beforeEach(async () => {
      proxy = await startTcpProxy(minio.endpoint);
      bucket = await minio.createBucket();
      direct = await openObjectStore(minio.locate(bucket, 't'), { localRoot: '/nowhere' });
      opened.push(direct);
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((store) => store.close()));
      await proxy.close();
    });

    function openThroughProxy(limits: S3Limits = {}): ObjectStore {
      const store = makeS3ObjectStore(bucket, 't', { ...minio.locate(bucket, 't'), s3Endpoint: proxy.endpoint }, limits);
      opened.push(store);
      return store;
    }

    it.each([1, MEGABYTE])(
      'says that the outcome is unknown when the request for %d bytes is cut, after one attempt',
      async (size) => {
        const store = openThroughProxy();
        await proxy.setFault('cut-request');
        await expect(store.putIfAbsent('1.json', new Uint8Array(size))).rejects.toEqual(unavailable);
        expect(proxy.hits).toBe(1);
        expect(await direct.read('1.json')).toBeUndefined();
      },
    );

    it.each([1, MEGABYTE])(
      'says that the outcome is unknown when the answer to %d bytes is lost, though the object is there',
      async (size) => {
        const store = openThroughProxy();
        await proxy.setFault('cut-answer');
        await expect(store.putIfAbsent('1.json', new Uint8Array(size))).rejects.toEqual(unavailable);
        expect(proxy.hits).toBe(1);
        expect((await direct.read('1.json'))?.byteLength).toBe(size);
        await proxy.setFault(undefined);
        expect(await store.putIfAbsent('1.json', bytes('again'))).toBe('exists');
      },
    );

    it('does not wait for ever for an answer', async () => {
      const store = openThroughProxy({ socketTimeoutMs: 300 });
      await proxy.setFault('swallow-answer');
      await expect(store.putIfAbsent('1.json', bytes('x'))).rejects.toEqual(unavailable);
      expect(proxy.hits).toBe(1);
      await expect(store.read('1.json')).rejects.toEqual(unavailable);
    });

    it('reports a store that nobody listens for', async () => {
      const store = openThroughProxy();
      await proxy.setFault('refuse');
      for (const work of [
        () => store.read('a'),
        () => store.put('a', bytes('x')),
        () => store.putIfAbsent('a', bytes('x')),
        () => listPaths(store, ''),
      ]) {
        await expect(work()).rejects.toEqual(unavailable);
      }
      await proxy.setFault(undefined);
      expect(await store.putIfAbsent('a', bytes('x'))).toBe('created');
    });

    it('never takes a cut object for a whole one', async () => {
      const body = new Uint8Array(3 * MEGABYTE).fill(7);
      await direct.put('data', body);
      const store = openThroughProxy();
      await proxy.setFault('cut-inside-answer');
      await expect(store.read('data')).rejects.toEqual(unavailable);
      await proxy.setFault(undefined);
      expect((await store.read('data'))?.byteLength).toBe(body.byteLength);
    });

    it('gets through a slow network', async () => {
      const store = openThroughProxy();
      proxy.setDelay(50);
      expect(await store.putIfAbsent('1.json', bytes('x'))).toBe('created');
      expect(text(await store.read('1.json'))).toBe('x');
    });
  });

  describe('what the store refuses', () => {
    it('names a bucket that does not exist', async () => {
      const store = await openObjectStore(minio.locate('no-such-bucket', 't'), { localRoot: '/nowhere' });
      const missing = expect.objectContaining({
        code: 'STORAGE_BUCKET_NOT_FOUND',
        message: expect.stringContaining('s3://no-such-bucket/t'),
      });
      for (const work of [
        () => store.read('a'),
        () => store.put('a', bytes('x')),
        () => store.putIfAbsent('a', bytes('x')),
        () => listPaths(store, ''),
      ]) {
        await expect(work()).rejects.toEqual(missing);
      }
      await store.close();
    });

    it.each([
      ['an unknown access key', { accessKeyId: 'CANARYKEYID' }],
      ['a wrong secret', { secretAccessKey: 'CANARYSECRET' }],
    ])('says that %s is not accepted, without repeating it', async (_, keys) => {
      const store = await openObjectStore(
        { ...minio.locate(await minio.createBucket(), 't'), ...keys },
        { localRoot: '/nowhere' },
      );
      for (const work of [
        () => store.read('a'),
        () => store.head('a'),
        () => store.putIfAbsent('a', bytes('x')),
        () => listPaths(store, ''),
      ]) {
        const error = await work().catch((caught: unknown) => caught);
        if (!isAppError(error, 'STORAGE_FORBIDDEN')) throw new Error('STORAGE_FORBIDDEN was expected', { cause: error });
        expect(JSON.stringify([error.message, error.facts, store.address])).not.toContain('CANARY');
      }
      await store.close();
    });
  });

  describe('a clock that is an hour off', () => {
    beforeEach(() => {
      jest.useFakeTimers({ now: Date.now() + 60 * 60 * 1000, doNotFake: [...ALL_BUT_DATE] });
    });
    afterEach(() => {
      jest.useRealTimers();
    });

    it('is corrected by the time of the store, for conditional writes too', async () => {
      const store = await openObjectStore(minio.locate(await minio.createBucket(), 't'), { localRoot: '/nowhere' });
      expect(await store.putIfAbsent('1.json', bytes('x'))).toBe('created');
      expect(await store.putIfAbsent('1.json', bytes('y'))).toBe('exists');
      expect(text(await store.read('1.json'))).toBe('x');
      await store.close();
    });
  });
});

describeWith(ownMinioFound, 'S3 (MinIO) that is killed', (start) => {
  it('loses nothing that it had confirmed, and takes up again', async () => {
    const minio = await start();
    try {
      const store = await openObjectStore(minio.locate(await minio.createBucket(), 't'), { localRoot: '/nowhere' });
      const confirmed: string[] = [];
      const writing = (async () => {
        for (let version = 0; ; version += 1) {
          await store.putIfAbsent(`${version}.json`, bytes('x'));
          confirmed.push(`${version}.json`);
        }
      })();
      await eventually(() => expect(confirmed.length).toBeGreaterThan(50));
      await minio.kill();
      await expect(writing).rejects.toEqual(unavailable);
      await minio.restart();
      const found = await listPaths(store, '');
      expect(found).toEqual(expect.arrayContaining(confirmed));
      // One put was on its way: it may have arrived.
      expect(found.length - confirmed.length).toBeLessThanOrEqual(1);
      expect(await store.putIfAbsent('after.json', bytes('x'))).toBe('created');
      await store.close();
    } finally {
      await minio.stop();
    }
  }, 60_000);
});
