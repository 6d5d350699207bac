import { describe, expect, it } from '@jest/globals';
import { probePutIfAbsent } from '../../../app/storage/probe.ts';
import { makeMemoryObjectStore } from '../../helpers/memory-object-store.ts';

describe('probing put-if-absent', () => {
  it('accepts a store that honours it, and leaves nothing behind', async () => {
    const store = makeMemoryObjectStore();
    await probePutIfAbsent(store);
    expect(store.objects.size).toBe(0);
  });

  const broken = (
    putIfAbsent: (
      store: ReturnType<typeof makeMemoryObjectStore>,
      path: string,
      body: Uint8Array,
    ) => Promise<'created' | 'exists'>,
  ) => {
    const store = makeMemoryObjectStore();
    return { ...store, putIfAbsent: (path: string, body: Uint8Array) => putIfAbsent(store, path, body) };
  };

  it.each([
    ['overwrites and says so', broken(async (store, path, body) => store.put(path, body).then(() => 'created'))],
    [
      'overwrites and says that it did not',
      broken(async (store, path, body) => {
        const answer = await store.putIfAbsent(path, body);
        await store.put(path, body);
        return answer;
      }),
    ],
    ['says that everything exists', broken(async () => 'exists')],
    ['stores nothing', broken(async (store, path) => (store.objects.has(path) ? 'exists' : 'created'))],
  ])('refuses a store that %s, and leaves nothing behind', async (_what, store) => {
    await expect(probePutIfAbsent(store)).rejects.toMatchObject({ code: 'STORAGE_NOT_ATOMIC' });
    expect(store.objects.size).toBe(0);
  });
});
