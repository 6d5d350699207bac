import { Worker } from 'node:worker_threads';
import { BufferPool, type Segment } from './ndjson-segments.ts';
import { makeSegmentFlattener, READY, type FlattenedSegment, type FlattenJob } from './segment-flattener.ts';

/** What a thread answers. */
interface Answer {
  readonly result: FlattenedSegment;
  readonly buffer: ArrayBuffer;
}

/** The program of a thread: compiled, or TypeScript, whose loader has to be registered in each thread by itself. */
function makeProgram(): string {
  if (!import.meta.url.endsWith('.ts')) return `import(${JSON.stringify(new URL('./segment-worker.js', import.meta.url))})`;
  const [loader, program] = [import.meta.resolve('tsx/esm/api'), new URL('./segment-worker.ts', import.meta.url).href];
  return `import(${JSON.stringify(loader)}).then(({ register }) => { register(); return import(${JSON.stringify(program)}); })`;
}

/** The less a heap may grow, the sooner it is cleaned: without limits two threads take half as much memory again. */
const HEAP_LIMITS = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 512 };

/** Segments that a worker has at a time: one in work, one so that it need not wait for this thread. */
const SEGMENTS_OF_ONE = 2;
/** Results for each thread that may wait for one before them. */
const MAX_WAITING = 3;

/** A segment that was begun. */
interface Begun {
  readonly result: Promise<FlattenedSegment>;
  isDone: boolean;
}

/**
 * Flattens segments and yields what became of them in their own order. With one thread all is done in this one; with more, this one flattens the
 * segments for which no other has room: all of them, until the others have started. Few segments are read before they are needed.
 *
 * @throws what `segments` and `makeSegmentFlattener` throw
 */
export async function* flattenSegments(
  segments: AsyncIterable<Segment>,
  job: FlattenJob,
  threads: number,
  pool: BufferPool,
): AsyncGenerator<FlattenedSegment> {
  const workers = Array.from({ length: threads - 1 }, () => new FlattenThread(job));
  const begun: Begun[] = [];
  try {
    const flatten = makeSegmentFlattener(job);
    const begin = (segment: Segment): Begun => {
      const worker = workers.find((each) => each.isReady && each.waitingCount < SEGMENTS_OF_ONE);
      if (worker === undefined) {
        const result = flatten(segment);
        pool.give(segment.buffer);
        // The bytes are valid until the next segment only.
        return {
          result: Promise.resolve(begun.length === 0 ? result : { ...result, bytes: new Uint8Array(result.bytes) }),
          isDone: true,
        };
      }
      const each: Begun = {
        result: worker.flatten(segment).then(({ result, buffer }) => {
          pool.give(buffer);
          each.isDone = true;
          return result;
        }),
        isDone: false,
      };
      each.result.catch(() => undefined);
      return each;
    };
    for await (const segment of readAhead(segments)) {
      begun.push(begin(segment));
      while (begun[0]?.isDone === true || begun.length > MAX_WAITING * threads) yield await (begun.shift() as Begun).result;
    }
    while (begun.length > 0) yield await (begun.shift() as Begun).result;
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
  }
}

/** The same items; while one is used, the next is read. */
async function* readAhead<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    for (let read = await next; read.done !== true; read = await next) {
      next = iterator.next();
      // Whoever asks for it later sees that it failed.
      next.catch(() => undefined);
      yield read.value;
    }
  } finally {
    await next.catch(() => undefined);
    await iterator.return?.();
  }
}

/** One worker thread; answers come in the order of the questions. */
class FlattenThread {
  readonly #worker: Worker;
  readonly #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = [];
  #failure: Error | undefined;
  /** False until it has started: what it gets before that would hold up all behind it. */
  isReady = false;

  constructor(job: FlattenJob) {
    this.#worker = new Worker(makeProgram(), {
      eval: true,
      workerData: job,
      resourceLimits: HEAP_LIMITS,
    });
    this.#worker.on('message', (answer: Answer | typeof READY) => {
      if (answer === READY) this.isReady = true;
      else this.#waiting.shift()?.resolve(answer);
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('a thread ended')));
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  flatten(segment: Segment): Promise<Answer> {
    const answer = new Promise<Answer>((resolve, reject) => {
      if (this.#failure === undefined) this.#waiting.push({ resolve, reject });
      else reject(this.#failure);
    });
    // Somebody asks for the answer later; until then a failure must not end the program.
    answer.catch(() => undefined);
    this.#worker.postMessage(segment, [segment.buffer]);
    return answer;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
