import { setTimeout as pause } from 'node:timers/promises';
import { cpuSeconds, residentMiB } from './bench.ts';
import { runLoad } from './load-process.ts';
import { EVENTS_PER_NOTIFICATION } from './notifications.ts';
import type { BenchStand } from './stand.ts';

const CONNECTIONS = 16;
/** The first batches warm the service up. */
const WARM_UP_MS = 5_000;

export interface SustainedFigure {
  readonly rowsPerSecond: number;
  /** Beside parse + flatten + encode alone. */
  readonly ofFloor: number;
  readonly oldestQueuedSeconds: number;
  readonly acceptedPerSecond: number;
  readonly cpuMicrosPerRow: number;
  readonly rssFirstMiB: number;
  readonly rssLastMiB: number;
  readonly elapsedSeconds: number;
}

/** Rows per second from the webhook to the table under a load that the service cannot keep up with. @param floor rows per second of `measureFloor` */
export async function measureStand(
  stand: BenchStand,
  { seconds, floor, prefix }: { readonly seconds: number; readonly floor: number; readonly prefix: string },
): Promise<SustainedFigure> {
  const load = runLoad({
    url: stand.webhookUrl,
    authorization: stand.authorization,
    connections: CONNECTIONS,
    eventsPerNotification: EVENTS_PER_NOTIFICATION,
    rate: 0,
    seconds: seconds + WARM_UP_MS / 1000,
    seed: 1,
    prefix,
  });
  await pause(WARM_UP_MS);
  const [rowsBefore, cpuBefore, startedAtMs, rssFirstMiB] = [
    await stand.status('rowsWritten'),
    await cpuSeconds(stand.app.pid),
    performance.now(),
    await residentMiB(stand.app.pid),
  ];
  await load;
  const elapsedSeconds = (performance.now() - startedAtMs) / 1000;
  const rows = (await stand.status('rowsWritten')) - rowsBefore;
  return {
    rowsPerSecond: Math.round(rows / elapsedSeconds),
    ofFloor: Math.round((100 * rows) / elapsedSeconds / floor) / 100,
    oldestQueuedSeconds: Math.round(await stand.status('oldestQueuedSeconds')),
    acceptedPerSecond: Math.round((await load).accepted / (await load).seconds),
    cpuMicrosPerRow: Math.round((1e6 * ((await cpuSeconds(stand.app.pid)) - cpuBefore)) / Math.max(1, rows)),
    rssFirstMiB,
    rssLastMiB: await residentMiB(stand.app.pid),
    elapsedSeconds,
  };
}

export function describeFigure(figure: SustainedFigure): string {
  const { rowsPerSecond, ofFloor, acceptedPerSecond, oldestQueuedSeconds, cpuMicrosPerRow, rssFirstMiB, rssLastMiB } = figure;
  return `${String(rowsPerSecond).padStart(7)} rows/s = ${ofFloor} × floor  accepted ${acceptedPerSecond}/s  oldest waiting ${oldestQueuedSeconds} s  ${cpuMicrosPerRow} CPU-µs/row  RSS ${rssFirstMiB} → ${rssLastMiB} MiB`;
}
