import { setImmediate as nextTurn } from 'node:timers/promises';
import { AppError } from '../errors/app-error.ts';
import type { Notification } from '../fhir/notification.ts';
import type { RowContext } from '../rows/row-encoder.ts';
import type { Row } from '../rows/table-type.ts';
import { readViewName } from '../view/view-definition.ts';
import { LaneThread, MAX_HEAP_MB, ThreadEnded } from './lane-thread.ts';
import type { FlattenJob, ResourceSource } from './protocol.ts';

/** Threads of a process: so many destinations can have a slow resource at once before the next one has to wait, with its slow ones only. */
const MAX_THREADS = 4;
/** A thread without work is ended, as it holds some 40 MB. */
const IDLE_MS = 30_000;
/** Values of rows that come from a thread at a time: about 2 ms to take over. */
const VALUES_PER_MESSAGE = 8_000;

/** A notification that is read and flattened in another thread. */
export interface SlowNotification {
  /** Its events, with stubs in the place of resources. */
  readonly notification: Notification;
  /**
   * The rows of one resource, ready for the table.
   * @throws AppError VIEW_EVALUATION_FAILED, also when it takes too long or too much memory; VALUE_NOT_CONVERTIBLE; THREAD_UNAVAILABLE;
   *   LEASE_LOST when it is told to stop
   */
  flatten(source: ResourceSource, context: RowContext): Promise<Row[]>;
}

export interface SlowLane {
  /**
   * Reads a notification.
   * @throws AppError NOTIFICATION_INVALID, NOTIFICATION_TOO_LARGE; THREAD_UNAVAILABLE; LEASE_LOST when it is told to stop
   */
  open(job: FlattenJob, body: Uint8Array, exactly: boolean, signal: AbortSignal): Promise<SlowNotification>;
  /**
   * A notification cut down to the entries of single events, in their order; undefined, or missing, where it cannot be written anew.
   * @throws AppError THREAD_UNAVAILABLE; LEASE_LOST when it is told to stop
   */
  reduce(body: Uint8Array, places: readonly number[], signal: AbortSignal): Promise<readonly (Uint8Array | undefined)[]>;
  close(): Promise<void>;
}

/**
 * Worker threads for what may take long, so that no resource keeps the other destinations of the process waiting. They start when they are
 * first needed. One that works for longer than `limitMs` at one resource is ended, and what it worked at fails.
 */
export function makeSlowLane(limitMs: number): SlowLane {
  const pool = new ThreadPool();

  const open: SlowLane['open'] = async (job, body, exactly, signal) => {
    let holder: LaneThread | undefined;
    const read = async (thread: LaneThread): Promise<Notification> => {
      const notification = await thread
        // A copy of its own: a small body may share its buffer with others.
        .ask({ kind: 'read', body: new Uint8Array(body), exactly, job }, limitMs, signal)
        .catch((error: unknown) => {
          throw explain(error, (spent) => tooLarge(body, spent, limitMs));
        });
      holder = thread;
      return notification;
    };
    const owner = Symbol('notification');
    return {
      notification: await pool.use(owner, signal, read),
      flatten: (source, context) =>
        pool.use(owner, signal, async (thread, isOurs) => {
          if (!isOurs || holder !== thread) await read(thread);
          return pullRows(thread, source, context, limitMs, signal).catch((error: unknown) => {
            throw explain(error, (spent) => tooSlow(job, spent, limitMs));
          });
        }),
    };
  };

  return {
    open,
    reduce: (body, places, signal) =>
      pool.use(Symbol('reduce'), signal, async (thread) => {
        const reduced: (Uint8Array | undefined)[] = [];
        for (const place of places) {
          const whole = reduced.length === 0 ? new Uint8Array(body) : undefined;
          try {
            reduced.push(await thread.ask({ kind: 'reduce', body: whole, place }, limitMs, signal));
          } catch (error) {
            if (error instanceof ThreadEnded && error.reason !== 'stopped' && error.reason !== 'not-started') break; // it stays whole
            throw explain(error, (spent) => tooLarge(body, spent, limitMs));
          }
        }
        return reduced;
      }),
    close: () => pool.close(),
  };
}

async function pullRows(
  thread: LaneThread,
  source: ResourceSource,
  context: RowContext,
  limitMs: number,
  signal: AbortSignal,
): Promise<Row[]> {
  const { rowCount, columnCount } = await thread.ask({ kind: 'flatten', source, context }, limitMs, signal);
  const count = Math.max(1, Math.floor(VALUES_PER_MESSAGE / Math.max(1, columnCount)));
  const rows: Row[] = [];
  while (rows.length < rowCount) {
    for (const row of await thread.ask({ kind: 'rows', count }, limitMs, signal)) rows.push(row);
    await nextTurn();
  }
  return rows;
}

type Spent = 'time' | 'memory' | 'fault';

/** What becomes of the end of a thread: that of the resource, or one that may pass. */
function explain(error: unknown, blame: (spent: Spent) => AppError): unknown {
  if (!(error instanceof ThreadEnded)) return error;
  switch (error.reason) {
    case 'stopped':
      return new AppError('LEASE_LOST', 'delivery was stopped while a thread worked for it');
    case 'not-started':
      return new AppError('THREAD_UNAVAILABLE', 'a worker thread could not be started');
    case 'time':
    case 'memory':
    case 'fault':
      return blame(error.reason);
  }
}

function describeSpent(spent: Spent, limitMs: number): string {
  if (spent === 'time') return `more than ${limitMs} ms (FLATTEN_TIMEOUT_MS)`;
  return spent === 'memory' ? `more than ${MAX_HEAP_MB} MiB of memory` : 'so much that its thread broke';
}

function tooSlow({ viewDefinition }: FlattenJob, spent: Spent, limitMs: number): AppError {
  const name = readViewName(viewDefinition);
  return new AppError('VIEW_EVALUATION_FAILED', `view ${name}: one resource took ${describeSpent(spent, limitMs)}`, {
    facts: { view: name },
  });
}

function tooLarge(body: Uint8Array, spent: Spent, limitMs: number): AppError {
  return new AppError(
    'NOTIFICATION_TOO_LARGE',
    `reading the notification of ${body.byteLength} bytes took ${describeSpent(spent, limitMs)}`,
  );
}

/** Threads and who used them last. */
class ThreadPool {
  readonly #idle: { readonly thread: LaneThread; readonly owner: symbol; readonly timer: NodeJS.Timeout }[] = [];
  readonly #busy = new Set<LaneThread>();
  readonly #queue: (() => void)[] = [];

  /** Lends a thread, if possible the one that this owner had last (`isOurs`: nobody else had it since). Waits for a free one. */
  async use<T>(owner: symbol, signal: AbortSignal, work: (thread: LaneThread, isOurs: boolean) => Promise<T>): Promise<T> {
    while (this.#busy.size >= MAX_THREADS) await this.#turn(signal);
    const { thread, isOurs } = this.#take(owner);
    this.#busy.add(thread);
    try {
      return await work(thread, isOurs);
    } finally {
      this.#busy.delete(thread);
      if (!thread.hasEnded) this.#keep(thread, owner);
      this.#queue.shift()?.();
    }
  }

  async close(): Promise<void> {
    const threads = [...this.#busy, ...this.#idle.splice(0).map(({ thread }) => thread)];
    await Promise.all(threads.map((thread) => thread.close()));
  }

  #take(owner: symbol): { readonly thread: LaneThread; readonly isOurs: boolean } {
    const own = this.#idle.findIndex((entry) => entry.owner === owner);
    const [found] = this.#idle.splice(own < 0 ? this.#idle.length - 1 : own, 1);
    if (found === undefined) return { thread: new LaneThread(), isOurs: false };
    clearTimeout(found.timer);
    return { thread: found.thread, isOurs: own >= 0 };
  }

  #keep(thread: LaneThread, owner: symbol): void {
    const timer = setTimeout(() => {
      const at = this.#idle.findIndex((entry) => entry.thread === thread);
      if (at >= 0) this.#idle.splice(at, 1);
      void thread.close();
    }, IDLE_MS);
    timer.unref();
    this.#idle.push({ thread, owner, timer });
  }

  /** Resolves when a thread may be free. */
  async #turn(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#queue.push(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
    if (!signal.aborted) return;
    this.#queue.shift()?.(); // this turn may have been meant for us
    throw new AppError('LEASE_LOST', 'delivery was stopped while it waited for a thread');
  }
}
