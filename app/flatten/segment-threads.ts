import { Worker } from 'node:worker_threads';
import { BufferPool, type Segment } from './ndjson-segments.ts';
import { makeSegmentFlattener, type FlattenedSegment, type FlattenJob } from './segment-flattener.ts';

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

/**
 * Flattens segments and yields what became of them in their own order. With one thread all is done in this one; with more, each segment
 * goes to the next thread in turn. No more segments are read than there are threads, and one.
 *
 * @throws what `segments` and `makeSegmentFlattener` throw
 */
export async function* flattenSegments(
  segments: AsyncIterable<Segment>,
  job: FlattenJob,
  threads: number,
  pool: BufferPool,
): AsyncGenerator<FlattenedSegment> {
  if (threads === 1) {
    const flatten = makeSegmentFlattener(job);
    for await (const segment of segments) {
      yield flatten(segment);
      pool.give(segment.buffer);
    }
    return;
  }
  const workers = Array.from({ length: threads }, () => new FlattenThread(job));
  const pending: Promise<Answer>[] = [];
  const takeFirst = async (): Promise<FlattenedSegment> => {
    const { result, buffer } = await (pending.shift() as Promise<Answer>);
    pool.give(buffer);
    return result;
  };
  try {
    let next = 0;
    for await (const segment of segments) {
      pending.push((workers[next++ % threads] as FlattenThread).flatten(segment));
      if (pending.length > threads) yield await takeFirst();
    }
    while (pending.length > 0) yield await takeFirst();
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
  }
}

/** One worker thread; answers come in the order of the questions. */
class FlattenThread {
  readonly #worker: Worker;
  readonly #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = [];
  #failure: Error | undefined;

  constructor(job: FlattenJob) {
    this.#worker = new Worker(makeProgram(), {
      eval: true,
      workerData: job,
      resourceLimits: HEAP_LIMITS,
    });
    this.#worker.on('message', (answer: Answer) => this.#waiting.shift()?.resolve(answer));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('a thread ended')));
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
