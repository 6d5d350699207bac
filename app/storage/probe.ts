import { randomUUID } from 'node:crypto';
import { AppError } from '../errors/app-error.ts';
import type { ObjectStore } from './object-store.ts';

/** Hidden from every reader of the log, but under the same prefix, so that the same rights and rules apply. */
const PROBE_PREFIX = '_delta_log/.put-if-absent-probe-';

/**
 * Proves that the store creates an object only if it is absent: a fresh object is put twice, and the second put must be refused and
 * leave the first one as it was. The object is deleted again.
 *
 * @throws AppError STORAGE_NOT_ATOMIC when the store ignores the condition; whatever the store throws
 */
export async function probePutIfAbsent(store: ObjectStore): Promise<void> {
  const path = `${PROBE_PREFIX}${randomUUID()}`;
  const bodies = [new TextEncoder().encode('first'), new TextEncoder().encode('second')] as const;
  try {
    const first = await store.putIfAbsent(path, bodies[0]);
    if (first !== 'created') throw notAtomic(store, 'a fresh object was said to exist');
    const second = await store.putIfAbsent(path, bodies[1]);
    const left = await store.read(path);
    if (second !== 'exists') throw notAtomic(store, 'the second put of the same object was accepted');
    if (left === undefined || Buffer.compare(left, bodies[0]) !== 0) throw notAtomic(store, 'the refused put changed the object');
  } finally {
    await store.delete(path).catch(() => undefined); // what the probe found matters more than its traces
  }
}

function notAtomic(store: ObjectStore, found: string): AppError {
  return new AppError('STORAGE_NOT_ATOMIC', `${store.address}: ${found}; creation only if absent was expected`);
}
