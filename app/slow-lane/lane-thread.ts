import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { AppError } from '../errors/app-error.ts';
import { makeThreadProgram } from '../lib/thread-program.ts';
import type { Answers, Message, Question } from './protocol.ts';

/** A thread that ended before it answered: it took too long, needed too much memory, was stopped, could not start, or broke. */
export class ThreadEnded extends Error {
  readonly reason: 'time' | 'memory' | 'stopped' | 'not-started' | 'fault';

  constructor(reason: ThreadEnded['reason']) {
    super(`a thread ended: ${reason}`);
    this.reason = reason;
  }
}

/** Heap of one thread. A notification of 32 MiB takes up to half of it. */
export const MAX_HEAP_MB = 1_024;
/** Time is counted in ticks, so that a process that was stopped for a while does not blame the resource at hand. */
const TICK_MS = 50;
/** Longest start; usually it takes 0.1 s, from TypeScript 0.5 s. */
const START_MS = 60_000;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** One worker thread, to which one question is put at a time. */
export class LaneThread {
  readonly #worker: Worker;
  readonly #ready: Promise<void>;
  #waiting: Waiting | undefined;
  #ended: ThreadEnded | undefined;
  #isReady = false;

  constructor() {
    this.#worker = new Worker(makeThreadProgram(import.meta.url, './worker'), {
      eval: true,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    this.#ready = new Promise((resolve, reject) => (this.#waiting = { resolve: () => resolve(), reject }));
    this.#ready.catch(() => undefined); // whoever asks first is told
    this.#worker.on('message', (message: Message) => this.#take(message));
    this.#worker.on('messageerror', () => this.#end('fault'));
    this.#worker.on('error', (error: { readonly code?: unknown }) =>
      this.#end(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : 'fault'),
    );
    this.#worker.on('exit', () => this.#end('fault'));
  }

  /** True when it can take no more questions. */
  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /**
   * The answer to one question.
   * @param limitMs time for the answer, beginning when the thread runs; then the thread is ended
   * @throws what the thread threw, as AppError; ThreadEnded
   */
  async ask<K extends Question['kind']>(
    question: Question & { readonly kind: K },
    limitMs: number,
    signal: AbortSignal,
  ): Promise<Answers[K]> {
    const stop = (): void => this.#end('stopped');
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    this.#worker.ref();
    let ticks = this.#limit(START_MS);
    try {
      await this.#ready;
      clearInterval(ticks);
      if (this.#ended !== undefined) throw this.#ended;
      const answer = new Promise<unknown>((resolve, reject) => (this.#waiting = { resolve, reject }));
      this.#worker.postMessage(question);
      ticks = this.#limit(limitMs);
      return (await answer) as Answers[K];
    } finally {
      clearInterval(ticks);
      signal.removeEventListener('abort', stop);
      this.#worker.unref();
    }
  }

  async close(): Promise<void> {
    this.#end('stopped');
    await this.#worker.terminate();
  }

  #limit(limitMs: number): NodeJS.Timeout {
    let left = Math.ceil(limitMs / TICK_MS);
    const asked = this.#waiting;
    return setInterval(() => {
      if (--left > 0) return;
      // The answer may be here already, behind the timer.
      void nextTurn().then(() => this.#waiting === asked && this.#end('time'));
    }, TICK_MS);
  }

  #take(message: Message): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (message.kind === 'error') {
      const { code = 'INTERNAL', message: text, facts } = message.error;
      waiting?.reject(new AppError(code, text, { facts }));
      return;
    }
    this.#isReady = true;
    waiting?.resolve(message.kind === 'answer' ? message.value : undefined);
  }

  #end(reason: ThreadEnded['reason']): void {
    if (this.#ended !== undefined) return;
    this.#ended = new ThreadEnded(this.#isReady || reason === 'stopped' ? reason : 'not-started');
    this.#waiting?.reject(this.#ended);
    this.#waiting = undefined;
    void this.#worker.terminate();
  }
}
