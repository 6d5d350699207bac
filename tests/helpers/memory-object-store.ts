import type { ListedObject, ObjectStore } from '../../app/storage/object-store.ts';
import { compareUtf8 } from '../../app/lib/utf8-order.ts';

export interface MemoryObjectStore extends ObjectStore {
  /** The objects themselves, by path: tests look into them and damage them. */
  readonly objects: Map<string, Uint8Array>;
}

/** An ObjectStore in memory with a true put-if-absent. Bodies are copied in and out. */
export function makeMemoryObjectStore(files: Readonly<Record<string, Uint8Array | string>> = {}): MemoryObjectStore {
  const objects = new Map<string, Uint8Array>();
  const store = (path: string, body: Uint8Array | string): void => {
    objects.set(path, typeof body === 'string' ? new TextEncoder().encode(body) : Uint8Array.from(body));
  };
  const listed = (path: string, body: Uint8Array): ListedObject => ({ path, sizeBytes: body.byteLength, modifiedAtMs: 0 });
  for (const [path, body] of Object.entries(files)) store(path, body);
  return {
    objects,
    address: 'memory:///table',
    async read(path) {
      const body = objects.get(path);
      return body && Uint8Array.from(body);
    },
    async head(path) {
      const body = objects.get(path);
      return body && listed(path, body);
    },
    async *list(prefix, startAfter) {
      for (const path of [...objects.keys()].sort(compareUtf8)) {
        const body = objects.get(path);
        const isAfter = startAfter === undefined || compareUtf8(path, startAfter) > 0;
        if (body !== undefined && path.startsWith(prefix) && isAfter) yield listed(path, body);
      }
    },
    async put(path, body) {
      store(path, body);
    },
    async putIfAbsent(path, body) {
      if (objects.has(path)) return 'exists';
      store(path, body);
      return 'created';
    },
    async delete(path) {
      objects.delete(path);
    },
    async close() {},
  };
}
