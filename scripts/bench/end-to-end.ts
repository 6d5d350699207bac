import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { createTable } from '../../app/delta/create-table.ts';
import { encodeDataFile } from '../../app/delta/data-file.ts';
import { tableColumns } from '../../app/delta/schema.ts';
import { parseNotification } from '../../app/fhir/notification.ts';
import { makeRowEncoder } from '../../app/rows/row-encoder.ts';
import { tableColumnsForView } from '../../app/rows/table-schema.ts';
import type { Row } from '../../app/rows/table-type.ts';
import { compileView } from '../../app/view/compile-view.ts';
import { makeMemoryObjectStore } from '../../tests/helpers/memory-object-store.ts';
import { findOwnMinio } from '../../tests/helpers/services/minio.ts';
import { cpuSeconds, residentMiB, type BenchOptions, type BenchResult } from './bench.ts';
import { runLoad } from './load-process.ts';
import { makeNotificationSource } from './notifications.ts';
import { QUEUE_STORES } from './queue-stores.ts';
import { startStand, type StandOptions } from './stand.ts';

const EVENTS_PER_NOTIFICATION = 20;
const CONNECTIONS = 16;
const DEFAULT_BATCH = 5_000;
const OBSERVATION_VIEW = new URL('../../manifests/view-definitions/observation-flat.json', import.meta.url);

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
      const load = runLoad({
        url: stand.webhookUrl,
        authorization: stand.authorization,
        connections: CONNECTIONS,
        eventsPerNotification: EVENTS_PER_NOTIFICATION,
        rate: 0,
        seconds: seconds + 5,
        seed: 1,
        prefix: name,
      });
      await pause(5_000); // the first batches warm it up
      const [rowsBefore, cpuBefore, startedAtMs, rssFirstMiB] = [
        await stand.status('rowsWritten'),
        await cpuSeconds(stand.app.pid),
        performance.now(),
        await residentMiB(stand.app.pid),
      ];
      await load;
      const elapsed = (performance.now() - startedAtMs) / 1000;
      const rows = (await stand.status('rowsWritten')) - rowsBefore;
      const figure = {
        rowsPerSecond: Math.round(rows / elapsed),
        ofFloor: Math.round((100 * rows) / elapsed / floor) / 100,
        oldestQueuedSeconds: Math.round(await stand.status('oldestQueuedSeconds')),
        acceptedPerSecond: Math.round((await load).accepted / (await load).seconds),
        cpuMicrosPerRow: Math.round((1e6 * ((await cpuSeconds(stand.app.pid)) - cpuBefore)) / Math.max(1, rows)),
        rssFirstMiB,
        rssLastMiB: await residentMiB(stand.app.pid),
      };
      figures[name] = figure;
      lines.push(
        `${name.padEnd(9)} ${String(figure.rowsPerSecond).padStart(7)} rows/s = ${figure.ofFloor} × floor  accepted ${figure.acceptedPerSecond}/s  oldest waiting ${figure.oldestQueuedSeconds} s  ${figure.cpuMicrosPerRow} CPU-µs/row  RSS ${figure.rssFirstMiB} → ${figure.rssLastMiB} MiB`,
      );
    } finally {
      await stand.stop();
      await queue.stop();
      await place.stop();
    }
  }
  return { lines, figures };
}

async function measureFloor(seconds: number, batchSize: number): Promise<number> {
  const view = compileView(JSON.parse(await readFile(OBSERVATION_VIEW, 'utf8')));
  const snapshot = await createTable(makeMemoryObjectStore(), tableColumnsForView(view), { nowMs: 0 });
  const encoder = makeRowEncoder(view, tableColumns(snapshot));
  const source = makeNotificationSource(1, 'floor');
  const bodies = Array.from({ length: 500 }, () => source.next(EVENTS_PER_NOTIFICATION));
  let rows = 0;
  let batch: Row[] = [];
  const startedAtMs = performance.now();
  for (let next = 0; performance.now() - startedAtMs < seconds * 1000; next += 1) {
    for (const entry of parseNotification(bodies[next % bodies.length]!).events) {
      if (entry.kind !== 'event' || entry.event.resource === undefined) continue;
      const { action, versionId, correlationId } = entry.event;
      batch.push(
        ...encoder.encode(view.evaluate(entry.event.resource), {
          eventKey: '',
          versionId,
          action,
          receivedAtMs: 0,
          correlationId,
        }),
      );
    }
    if (batch.length >= batchSize) {
      encodeDataFile(snapshot, encoder.columns, batch);
      rows += batch.length;
      batch = [];
    }
  }
  return Math.round(rows / ((performance.now() - startedAtMs) / 1000));
}

interface Target {
  readonly table: StandOptions['table'];
  stop(): Promise<void>;
}

async function openTarget(name: string): Promise<Target | undefined> {
  if (name === 'disk') return { table: { path: 'file' }, stop: async () => undefined };
  const minio = await findOwnMinio();
  if (!('found' in minio)) return undefined;
  const server = await minio.found();
  const bucket = await server.createBucket();
  const parameters = [
    { name: 's3Endpoint', valueString: server.endpoint },
    { name: 'awsRegion', valueString: 'us-east-1' },
    { name: 'awsAccessKeyId', valueString: server.accessKeyId },
    { name: 'awsSecretAccessKey', valueString: server.secretAccessKey },
  ];
  return { table: { path: `s3://${bucket}/observations`, parameters }, stop: () => server.stop() };
}
