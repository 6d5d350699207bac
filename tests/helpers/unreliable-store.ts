import { AppError } from '../../app/errors/app-error.ts';
import type { ObjectStore } from '../../app/storage/object-store.ts';

/** Chances, 0 to 1, of what may happen to a request. */
export interface StoreFaults {
  /** The put is applied, the answer is lost. */
  readonly loseAnswer: number;
  /** The put never arrives. */
  readonly loseRequest: number;
  /** The sender gives up, the put arrives later. */
  readonly travelOn: number;
  /** Any read fails. */
  readonly failRead: number;
}

/** A view on `store` through a bad network: puts of commits lose their answers or arrive late; every call takes a random number of turns. */
export function makeUnreliableStore(
  store: ObjectStore,
  faults: StoreFaults,
  random: () => number,
): ObjectStore & { readonly travelling: Set<Promise<unknown>> } {
  const travelling = new Set<Promise<unknown>>();
  const turns = async (most: number): Promise<void> => {
    for (let left = Math.floor(random() * most); left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const unavailable = (): AppError => new AppError('STORAGE_UNAVAILABLE', 'the answer was lost');
  const read = async <T>(answer: () => Promise<T>): Promise<T> => {
    await turns(3);
    if (random() < faults.failRead) throw unavailable();
    return answer();
  };
  return {
    travelling,
    address: store.address,
    read: (path) => read(() => store.read(path)),
    head: (path) => read(() => store.head(path)),
    list: (prefix, startAfter) => store.list(prefix, startAfter),
    put: async (path, body) => {
      await turns(3);
      return store.put(path, body);
    },
    putIfAbsent: async (path, body) => {
      await turns(5);
      const draw = random();
      if (draw < faults.loseRequest) throw unavailable();
      if (draw < faults.loseRequest + faults.travelOn) {
        const late = turns(60).then(() => store.putIfAbsent(path, body));
        travelling.add(late);
        void late.finally(() => travelling.delete(late));
        throw unavailable();
      }
      const answer = await store.putIfAbsent(path, body);
      await turns(2);
      if (draw < faults.loseRequest + faults.travelOn + faults.loseAnswer) throw unavailable();
      return answer;
    },
    delete: (path) => store.delete(path),
    close: async () => undefined,
  };
}
