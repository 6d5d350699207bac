import { cpuSeconds, residentMiB, type BenchOptions, type BenchResult } from './bench.ts';
import { runLoad } from './load-process.ts';
import { EVENTS_PER_NOTIFICATION } from './notifications.ts';
import { QUEUE_STORES } from './queue-stores.ts';
import { startStand } from './stand.ts';

const CONNECTIONS = 16;
const WARM_UP_SECONDS = 3;

/** Events that one web replica acknowledges durably in a second, by queue store. The ratios are to the embedded store in the same run. */
export async function runWebhookBench({ seconds, say, store }: BenchOptions): Promise<BenchResult> {
  const figures: Record<
    string,
    { eventsPerSecond: number; p50: number; p95: number; cpuMsPerNotification: number; rssFirstMiB: number; rssLastMiB: number }
  > = {};
  for (const name of store === undefined ? Object.keys(QUEUE_STORES) : [store]) {
    const under = await QUEUE_STORES[name]?.();
    if (under === undefined) {
      say(`skipped: ${name} is not on this machine`);
      continue;
    }
    say(`${under.name}: ${seconds} s, ${CONNECTIONS} connections, notifications of ${EVENTS_PER_NOTIFICATION} events …`);
    const stand = await startStand({
      env: { ...under.env, ROLE: 'web' },
      batchSize: 5000,
      sendIntervalMs: 1000,
      table: 'file',
    });
    try {
      const task = {
        url: stand.webhookUrl,
        authorization: stand.authorization,
        connections: CONNECTIONS,
        eventsPerNotification: EVENTS_PER_NOTIFICATION,
        rate: 0,
        seed: 1,
      };
      await runLoad({ ...task, seconds: WARM_UP_SECONDS, prefix: 'warm' });
      const [cpuBefore, rssFirstMiB] = [await cpuSeconds(stand.app.pid), await residentMiB(stand.app.pid)];
      const load = await runLoad({ ...task, seconds, prefix: 'run' });
      figures[name] = {
        eventsPerSecond: Math.round(load.accepted / load.seconds),
        p50: round(load.p50),
        p95: round(load.p95),
        cpuMsPerNotification: round((1000 * ((await cpuSeconds(stand.app.pid)) - cpuBefore)) / load.notifications),
        rssFirstMiB,
        rssLastMiB: await residentMiB(stand.app.pid),
      };
    } finally {
      await stand.stop();
      await under.stop();
    }
  }
  const base = figures['embedded']?.eventsPerSecond;
  const lines = Object.entries(figures).map(
    ([name, figure]) =>
      `${name.padEnd(9)} ${String(figure.eventsPerSecond).padStart(7)} events/s  p50 ${figure.p50} ms  p95 ${figure.p95} ms  ${figure.cpuMsPerNotification} CPU-ms/notification  RSS ${figure.rssFirstMiB} → ${figure.rssLastMiB} MiB` +
      (base === undefined ? '' : `  ${(figure.eventsPerSecond / base).toFixed(2)} × embedded`),
  );
  return { lines, figures };
}

const round = (value: number): number => Math.round(value * 100) / 100;
