import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeLogger } from '../../app/log.ts';
import { openQueueStore } from '../../app/queue/open-queue-store.ts';
import type { DestinationQueue } from '../../app/queue/queue-store.ts';
import { removeEmbedded } from '../../tests/helpers/postgres.ts';
import { type BenchOptions, type BenchResult, quantile } from './bench.ts';
import { makeNotificationSource } from './notifications.ts';
import { QUEUE_STORES } from './queue-stores.ts';

const EVENTS_PER_NOTIFICATION = 18; // about 15 kB
const CALLERS = 16;
const JOBS_PER_SETTLEMENT = 250;
const BODIES = 200;

interface Figures {
  readonly addPerSecond: number;
  readonly addP50Ms: number;
  readonly addP95Ms: number;
  readonly addCpuMs: number;
  readonly bodyBytes: number;
  readonly storedBytes: number;
  readonly peekPerSecond: number;
  readonly settlePerSecond: number;
}

/** The port of the queue alone: jobs added durably by 16 callers at once, then peeked and settled by one owner. Ratios are to the embedded store in the same run. */
export async function runQueueBench({ seconds, say, store }: BenchOptions): Promise<BenchResult> {
  const figures: Record<string, Figures> = {};
  for (const name of store === undefined ? Object.keys(QUEUE_STORES) : [store]) {
    const under = await QUEUE_STORES[name]?.();
    if (under === undefined) {
      say(`skipped: ${name} is not on this machine`);
      continue;
    }
    say(`${under.name}: ${seconds} s of adding, ${CALLERS} callers …`);
    const embeddedDataDir = join(await mkdtemp(join(tmpdir(), 'bench-queue-')), 'queue');
    const queueStore = await openQueueStore({
      redisUrl: under.env['REDIS_URL'],
      databaseUrl: under.env['DATABASE_URL'],
      embeddedDataDir,
      maxJobs: Number.MAX_SAFE_INTEGER,
      maxBytes: Number.MAX_SAFE_INTEGER,
      log: makeLogger('error'),
    });
    try {
      await queueStore.start();
      figures[name] = await measure(queueStore.destination('bench'), seconds);
    } finally {
      await queueStore.close();
      await under.stop();
      await removeEmbedded(embeddedDataDir);
    }
  }
  const base = figures['embedded'];
  const lines = Object.entries(figures).map(
    ([name, figure]) =>
      `${name.padEnd(9)} add ${figure.addPerSecond} jobs/s (p50 ${figure.addP50Ms} ms, p95 ${figure.addP95Ms} ms, ${figure.addCpuMs} CPU-ms)  ` +
      `peek ${figure.peekPerSecond} jobs/s  settle ${figure.settlePerSecond} jobs/s  ${figure.bodyBytes} bytes stored as ${figure.storedBytes}` +
      (base === undefined ? '' : `  add ${(figure.addPerSecond / base.addPerSecond).toFixed(2)} × embedded`),
  );
  return { lines, figures };
}

async function measure(queue: DestinationQueue, seconds: number): Promise<Figures> {
  const source = makeNotificationSource(1, 'bench');
  const bodies = Array.from({ length: BODIES }, () => source.next(EVENTS_PER_NOTIFICATION));
  const add = (n: number): Promise<void> => queue.add({ body: bodies[n % BODIES] ?? Buffer.of(), receivedAtMs: Date.now() });
  for (let n = 0; n < BODIES; n++) await add(n);

  const latenciesMs: number[] = [];
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const end = startedAt + seconds * 1_000;
  await Promise.all(
    Array.from({ length: CALLERS }, async (_, caller) => {
      for (let n = caller; performance.now() < end; n += CALLERS) {
        const calledAt = performance.now();
        await add(n);
        latenciesMs.push(performance.now() - calledAt);
      }
    }),
  );
  const tookSeconds = (performance.now() - startedAt) / 1_000;
  const cpu = process.cpuUsage(cpuBefore);
  latenciesMs.sort((a, b) => a - b);
  const usage = await queue.usage();

  const lease = await queue.acquireLease(3_600_000);
  if (lease === undefined) throw new Error('found the lease taken, expected a fresh queue');
  let [peekMs, settleMs, jobs] = [0, 0, 0];
  for (;;) {
    const peekedAt = performance.now();
    const page = await queue.peek(lease, 0, JOBS_PER_SETTLEMENT);
    const settledAt = performance.now();
    peekMs += settledAt - peekedAt;
    if (page.length === 0) break;
    await queue.settle({ jobs: page.map(({ id }) => ({ id, tally: { accepted: EVENTS_PER_NOTIFICATION } })), quarantine: [] });
    settleMs += performance.now() - settledAt;
    jobs += page.length;
  }
  return {
    addPerSecond: Math.round(latenciesMs.length / tookSeconds),
    addP50Ms: round(quantile(latenciesMs, 0.5)),
    addP95Ms: round(quantile(latenciesMs, 0.95)),
    addCpuMs: round((cpu.user + cpu.system) / 1_000 / latenciesMs.length),
    bodyBytes: Math.round(bodies.reduce((sum, body) => sum + body.length, 0) / BODIES),
    storedBytes: Math.round(usage.bytes / usage.jobs),
    peekPerSecond: Math.round((jobs / peekMs) * 1_000),
    settlePerSecond: Math.round((jobs / settleMs) * 1_000),
  };
}

const round = (value: number): number => Math.round(value * 100) / 100;
