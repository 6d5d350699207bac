import { findOwnMinio } from '../../tests/helpers/services/minio.ts';
import type { BenchOptions, BenchResult } from './bench.ts';
import { measureFloor } from './floor.ts';
import { describeFigure, measureStand } from './sustained.ts';
import { QUEUE_STORES } from './queue-stores.ts';
import { startStand, type StandOptions } from './stand.ts';

const DEFAULT_BATCH = 5_000;

/**
 * Rows per second from the webhook to the table, sustained by one replica under a load that it cannot keep up with, beside the floor: the
 * same bodies parsed, flattened and encoded in one process, without queue, log and HTTP.
 */
export async function runEndToEndBench({
  seconds,
  say,
  store = 'redis',
  target,
  batchSize = DEFAULT_BATCH,
}: BenchOptions): Promise<BenchResult> {
  say(`floor: parse + flatten + encode, batches of ${batchSize} …`);
  const floor = await measureFloor(Math.min(seconds, 20), batchSize);
  const figures: Record<string, unknown> = { batchSize, store, floorRowsPerSecond: floor };
  const lines = [`floor     ${String(floor).padStart(7)} rows/s in one process`];
  for (const name of target === undefined ? ['disk', 'minio'] : [target]) {
    const place = await openTarget(name);
    const queue = await QUEUE_STORES[store]?.();
    if (place === undefined || queue === undefined) {
      say(`skipped: ${name} on ${store} is not on this machine`);
      continue;
    }
    say(`${name}: ${seconds} s on ${queue.name} …`);
    const stand = await startStand({ env: queue.env, batchSize, sendIntervalMs: 1_000, table: place.table });
    try {
      const figure = await measureStand(stand, { seconds, floor, prefix: name });
      figures[name] = figure;
      lines.push(`${name.padEnd(9)} ${describeFigure(figure)}`);
    } finally {
      await stand.stop();
      await queue.stop();
      await place.stop();
    }
  }
  return { lines, figures };
}

interface Target {
  readonly table: StandOptions['table'];
  stop(): Promise<void>;
}

async function openTarget(name: string): Promise<Target | undefined> {
  if (name === 'disk') return { table: 'file', stop: async () => undefined };
  const minio = await findOwnMinio();
  if (!('found' in minio)) return undefined;
  const server = await minio.found();
  const bucket = await server.createBucket();
  const table = [
    { name: 'writeMode', valueString: 'external-direct' },
    { name: 'tablePath', valueString: `s3://${bucket}/observations` },
    { name: 'createTable', valueBoolean: true },
    { name: 's3Endpoint', valueString: server.endpoint },
    { name: 'awsRegion', valueString: 'us-east-1' },
    { name: 'awsAccessKeyId', valueString: server.accessKeyId },
    { name: 'awsSecretAccessKey', valueString: server.secretAccessKey },
  ];
  return { table, stop: () => server.stop() };
}
