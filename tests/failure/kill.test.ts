import { tmpdir } from 'node:os';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Releasers } from '../../app/lib/releasers.ts';
import { seededRandom } from '../helpers/seeded-random.ts';
import { bothOf, describeWith } from '../helpers/services/availability.ts';
import type { DeltaReader } from '../helpers/services/delta-reader.ts';
import { findDeltaRs } from '../helpers/services/delta-rs.ts';
import { findOwnMinio, type StartMinio } from '../helpers/services/minio.ts';
import { readTableContents } from '../helpers/table-contents.ts';
import { eventId, Events } from './helpers/events.ts';
import { HitCounts, planHits } from './helpers/kill-plan.ts';
import { carryOutHits } from './helpers/kill-run.ts';
import { findKillableQueues, type StartQueue } from './helpers/killable-queues.ts';
import { readAccounts, waitUntilDelivered } from './helpers/queue-accounts.ts';
import { startSender } from './helpers/sender.ts';
import { startGroup } from './helpers/service-group.ts';
import { onMinio } from './helpers/table-places.ts';
import { watchTable } from './helpers/table-watch.ts';

/** Events, at least, over both backends; and kills of each victim in each phase on each backend. `npm run test:endurance` sets ten times as much. */
const LEAST_EVENTS = Number(process.env['KILL_EVENTS'] ?? 5_000);
const KILLS = Number(process.env['KILL_HITS'] ?? 1);
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

const EVENTS_PER_NOTIFICATION = 20;
/** The sender keeps so many events ahead of the table: there is always a batch to write, never a long tail at the end. */
const EVENTS_AHEAD = 1_000;
const TIMEOUT_MS = 900_000;

interface Parts {
  readonly startQueue: StartQueue;
  readonly startMinio: StartMinio;
  readonly reader: DeltaReader;
}

const [minio, deltaRs, queues] = await Promise.all([findOwnMinio(), findDeltaRs(), findKillableQueues()]);

describe(`I1, I2, I3, I4: kill -9 at every phase (SEED=${SEED})`, () => {
  const runs = queues.map((queue, index) => {
    const run = bothOf(queue, bothOf(minio, deltaRs));
    return {
      name: queue.name,
      part: run,
      start: async () => ('found' in run ? killAndCompare(toParts(run.found), SEED + index) : undefined),
    };
  });
  let started: Promise<void>[] | undefined;
  afterAll(async () => void (await Promise.allSettled(started ?? [])), TIMEOUT_MS);
  for (const [index, { name, part }] of runs.entries()) {
    describeWith(part, name, () => {
      it(
        'loses no event and doubles none',
        async () => {
          // The backends run at the same time: each waits more than it computes.
          started ??= runs.map(({ start }) => start());
          void Promise.allSettled(started);
          await started[index];
        },
        TIMEOUT_MS,
      );
    });
  }
});

function toParts([startQueue, [startMinio, reader]]: [StartQueue, [StartMinio, DeltaReader]]): Parts {
  return { startQueue, startMinio, reader };
}

async function killAndCompare({ startQueue, startMinio, reader }: Parts, seed: number): Promise<void> {
  const startedAtMs = performance.now();
  const random = seededRandom(seed);
  const releasers = new Releasers();
  const counts = new HitCounts();
  let keepLogs = true;
  try {
    const queue = await startQueue();
    releasers.add('queue store', () => queue.stop());
    const objects = await startMinio();
    releasers.add('object store', () => objects.stop());
    const group = await startGroup({
      queue,
      place: onMinio(objects),
      webs: 2,
      workers: 2,
      leaseMs: 1_000,
      batchSize: 500,
      sendIntervalMs: 200,
    });
    releasers.add('service', () => group.stop({ keepLogs }));
    const watch = watchTable(group.store);
    releasers.add('reader', () => watch.stop());
    const events = new Events();
    let isPlanDone = false;
    const sender = startSender({
      events,
      endpoints: group.endpoints,
      random,
      replicas: 3,
      maxEvents: EVENTS_PER_NOTIFICATION,
      allowance: () =>
        isPlanDone && events.count >= LEAST_EVENTS / queues.length ? undefined : watch.events + EVENTS_AHEAD - events.count,
    });
    releasers.add('sender', () => sender.stop());

    await carryOutHits({ group, queue, minio: objects, counts }, planHits(KILLS, random));
    isPlanDone = true;
    await sender.done;
    await waitUntilDelivered(queue, group.scope, () => watch.events >= events.count);
    await watch.stop();

    const expected = Array.from({ length: events.count }, (_, n) => eventId(n)).sort();
    const contents = await readTableContents(group.store);
    expect(watch.faults).toEqual([]);
    expect(contents.versions).toEqual(contents.versions.map((_, version) => version));
    expect(contents.quarantined).toEqual([]);
    expect(new Set(contents.written).size).toBe(contents.written.length);
    expect(sortedIds(contents.rows)).toEqual(expected);
    expect(sortedIds(await reader.readDeltaRows(group.table))).toEqual(expected);
    const accounts = await readAccounts(queue, group.scope);
    expect(accounts).toMatchObject({ quarantined: 0, quarantineEntries: 0 });
    expect(accounts.accepted).toBeGreaterThanOrEqual(events.count);
    expect(accounts.committed + accounts.duplicates).toBe(accounts.accepted);
    keepLogs = false;

    const refused = [...sender.counts.refused].map(([status, times]) => `${times} × ${status}`).join(', ') || 'none';
    process.stderr.write(
      `kill -9 with ${queue.name} and MinIO, SEED=${SEED}: ${events.count} events in ${sender.counts.posts} posts (${sender.counts.unanswered} unanswered, ` +
        `refused: ${refused}, ${sender.counts.reposted} repeated without need), ${contents.versions.length} versions, read ${watch.rounds} times, ` +
        `${group.failedStarts} failed starts, ${((performance.now() - startedAtMs) / 1_000).toFixed(0)} s; 0 lost, 0 doubled\n${counts.table()}\n`,
    );
  } finally {
    if (keepLogs)
      process.stderr.write(`failed with SEED=${SEED}; see the logs in ${tmpdir()}/lakehouse-kill-*\n${counts.table()}\n`);
    await releasers.releaseAll();
  }
}

function sortedIds(rows: readonly Readonly<Record<string, unknown>>[]): string[] {
  return rows.map((row) => String(row['id'])).sort();
}
