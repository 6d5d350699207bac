import { AppError } from '../../../app/errors/app-error.ts';
import type { Clock } from '../../../app/lib/clock.ts';
import type { DestinationQueue, Lease } from '../../../app/queue/queue-store.ts';
import type { ObjectStore } from '../../../app/storage/object-store.ts';
import type { Gate } from './gate.ts';

/** A put of a commit: how it goes when it arrives. */
export type PutCommit = (path: string, body: Uint8Array) => Promise<'created' | 'exists'>;

/** `store` as one owner sees it. `put` applies a commit now; `travel` keeps it for later. */
export function gateObjectStore(
  gate: Gate,
  store: ObjectStore,
  put: PutCommit,
  travel: (path: string, body: Uint8Array) => void,
): ObjectStore {
  return {
    address: store.address,
    read: (path) => gate.pass('read', () => store.read(path)),
    head: (path) => gate.pass('head', () => store.head(path)),
    async *list(prefix, startAfter) {
      await gate.pass('list', async () => undefined);
      yield* store.list(prefix, startAfter);
    },
    put: (path, body) => gate.pass('put', () => store.put(path, body)),
    putIfAbsent: (path, body) =>
      gate.pass('putIfAbsent', async (fault) => {
        if (fault === 'request travels on') travel(path, body);
        else {
          const answer = await put(path, body);
          if (fault !== 'answer lost') return answer;
        }
        throw new AppError('STORAGE_UNAVAILABLE', 'no answer came');
      }),
    delete: (path) => gate.pass('delete', () => store.delete(path)),
    close: async () => undefined,
  };
}

/** `queue` as one owner sees it. @param onLease is given each lease gained, ungated */
export function gateQueue(gate: Gate, queue: DestinationQueue, onLease: (lease: Lease) => void): DestinationQueue {
  const leases = new Map<string, Lease>(); // by token: the store is asked with its own lease
  const unwatched = <T>(act: () => Promise<T>): Promise<T> => {
    gate.assertAlive();
    return act();
  };
  const gateLease = (lease: Lease): Lease => ({
    name: lease.name,
    token: lease.token,
    renew: async () => unwatched(() => lease.renew()),
    held: () => gate.pass('held', () => lease.held()),
    release: async () => unwatched(() => lease.release()),
  });
  return {
    ...queue,
    acquireLease: (ttlMs) =>
      gate.pass('acquireLease', async () => {
        const lease = await queue.acquireLease(ttlMs);
        if (lease === undefined) return undefined;
        leases.set(lease.token, lease);
        onLease(lease);
        return gateLease(lease);
      }),
    checkpoint: () => gate.pass('checkpoint', () => queue.checkpoint()),
    peek: (lease, skip, limit) => gate.pass('peek', () => queue.peek(leases.get(lease.token)!, skip, limit)),
    settle: (settlement) => gate.pass('settle', () => queue.settle(settlement)),
    quarantineSize: () => gate.pass('quarantineSize', () => queue.quarantineSize()),
    count: async (delta) => unwatched(() => queue.count(delta)),
    publishStatus: async (status) => unwatched(() => queue.publishStatus(status)),
  };
}

/** A clock that stands still; whoever sleeps waits at the gate. */
export function gateClock(gate: Gate, now: () => number): Clock {
  return { now, monotonic: now, sleep: () => gate.pass('sleep', async () => undefined) };
}
