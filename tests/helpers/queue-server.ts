import type { QueueStoreOptions } from '../../app/queue/queue-options.ts';
import type { QueueStore } from '../../app/queue/queue-store.ts';
import { makeLogger } from '../../app/log.ts';

/** A real server that queue stores are opened on. */
export interface QueueServer {
  /** What a second process needs: `redis://…` or `postgresql://…`. */
  readonly url: string;
  /** Opens a store, not started; closed by `stop`. Each is like another process. */
  open(options?: Partial<QueueStoreOptions>): QueueStore;
  /** Opens and starts a store. */
  start(options?: Partial<QueueStoreOptions>): Promise<QueueStore>;
  /** What BullMQ itself says of the queue. */
  bullmqCounts(scope: string): Promise<Record<string, number>>;
  /** Everything that the server holds of a scope: a line for each key or row, with its content. */
  dump(scope: string): Promise<readonly string[]>;
  /** Makes the server's settings weak, and strong again. Absent when they cannot be weakened. */
  setDurable?(isDurable: boolean): Promise<void>;
  /** Absent when the server is not ours to break. */
  readonly power?: ServerPower;
  stop(): Promise<void>;
}

export interface ServerPower {
  /** SIGSTOP: it accepts connections and does not answer. */
  freeze(): void;
  thaw(): void;
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>;
  /** Resolves when it answers again, with its data. */
  restart(): Promise<void>;
}

export const SILENT = makeLogger('error', () => undefined);

export const TEST_OPTIONS: QueueStoreOptions = { maxJobs: 1_000_000, maxBytes: 1 << 30, timeoutMs: 5_000, log: SILENT };

/** Remembers what it opened, for the end. */
export class OpenedStores {
  readonly #stores: QueueStore[] = [];

  add(store: QueueStore): QueueStore {
    this.#stores.push(store);
    return store;
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#stores.splice(0).map((store) => store.close()));
  }
}
