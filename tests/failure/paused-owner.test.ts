import { tmpdir } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { Releasers } from '../../app/lib/releasers.ts';
import { seededRandom } from '../helpers/seeded-random.ts';
import { bothOf, describeWith } from '../helpers/services/availability.ts';
import type { DeltaReader } from '../helpers/services/delta-reader.ts';
import { findDeltaRs } from '../helpers/services/delta-rs.ts';
import { findOwnMinio } from '../helpers/services/minio.ts';
import { startTcpProxy } from '../helpers/tcp-proxy.ts';
import { readTableContents } from '../helpers/table-contents.ts';
import { carryOutCuts, planCuts } from './helpers/cut-run.ts';
import { eventId, Events } from './helpers/events.ts';
import { findKillablePostgres, findKillableRedis, type StartQueue } from './helpers/killable-queues.ts';
import { carryOutPauses, planPauses } from './helpers/pause-run.ts';
import { waitUntilDelivered } from './helpers/queue-accounts.ts';
import { startReaderLoop } from './helpers/reader-loop.ts';
import { startSender } from './helpers/sender.ts';
import { type ServiceGroup, startGroup } from './helpers/service-group.ts';
import { type FindPlace, onDisk, onMinio } from './helpers/table-places.ts';
import { watchTable } from './helpers/table-watch.ts';

/** How often an owner is stopped in each phase; `npm run test:endurance` sets more. */
const ROUNDS = Number(process.env['PAUSE_ROUNDS'] ?? 1);
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const EVENTS_PER_NOTIFICATION = 20;
const EVENTS_AHEAD = 1_000;
const TIMEOUT_MS = 600_000;

const [minio, deltaRs, postgres] = await Promise.all([findOwnMinio(), findDeltaRs(), findKillablePostgres()]);
const redis = findKillableRedis();

describe(`I3, I4, I7: two owners (SEED=${SEED})`, () => {
  describeWith(bothOf(redis, bothOf(minio, deltaRs)), 'Redis, table in MinIO', ([startQueue, [startMinio, reader]]) => {
    it(
      'an owner that was stopped for longer than its lease doubles nothing, loses nothing and breaks no reader when it wakes',
      async () => {
        const objects = await startMinio();
        try {
          await runAndCompare(startQueue, onMinio(objects), reader, pauseOwners);
        } finally {
          await objects.stop();
        }
      },
      TIMEOUT_MS,
    );

    it(
      'an owner whose commits get no answer doubles nothing and loses nothing, stopped or not',
      async () => {
        const objects = await startMinio();
        const proxy = await startTcpProxy(objects.endpoint);
        try {
          await runAndCompare(startQueue, onMinio(objects, proxy.endpoint), reader, async (group) => {
            const cuts = planCuts(ROUNDS);
            const unanswered = await carryOutCuts(group, proxy, cuts);
            expect(unanswered).toBe(cuts.length);
            return [`  ${unanswered} commits without an answer`];
          });
        } finally {
          await proxy.close();
          await objects.stop();
        }
      },
      TIMEOUT_MS,
    );
  });

  describeWith(bothOf(postgres, deltaRs), 'PostgreSQL, table on disk', ([startQueue, reader]) => {
    it(
      'an owner that was stopped for longer than its lease doubles nothing, loses nothing and breaks no reader when it wakes',
      () => runAndCompare(startQueue, onDisk, reader, pauseOwners),
      TIMEOUT_MS,
    );
  });
});

function pauseOwners(group: ServiceGroup, random: () => number): Promise<string[]> {
  return carryOutPauses(group, planPauses(ROUNDS, random));
}

/** Sends events while `disturb` works, then compares the table with what was sent. */
async function runAndCompare(
  startQueue: StartQueue,
  place: FindPlace,
  reader: DeltaReader,
  disturb: (group: ServiceGroup, random: () => number) => Promise<string[]>,
): Promise<void> {
  const startedAtMs = performance.now();
  const random = seededRandom(SEED);
  const releasers = new Releasers();
  let keepLogs = true;
  try {
    const queue = await startQueue();
    releasers.add('queue store', () => queue.stop());
    const group = await startGroup({ queue, place, webs: 1, workers: 2, leaseMs: 1_000, batchSize: 100, sendIntervalMs: 100 });
    releasers.add('service', () => group.stop({ keepLogs }));
    const watch = watchTable(group.store);
    releasers.add('watch', () => watch.stop());
    const loop = startReaderLoop(reader, group.table);
    releasers.add('reader', () => loop.stop());
    const events = new Events();
    let isDisturbed = true;
    const sender = startSender({
      events,
      endpoints: group.endpoints,
      random,
      replicas: 2,
      maxEvents: EVENTS_PER_NOTIFICATION,
      allowance: () => (isDisturbed ? watch.events + EVENTS_AHEAD - events.count : undefined),
    });
    releasers.add('sender', () => sender.stop());

    const report = await disturb(group, random);
    isDisturbed = false;
    await sender.done;
    await waitUntilDelivered(queue, group.scope, () => watch.events >= events.count);
    await Promise.all([watch.stop(), loop.stop()]);

    const expected = Array.from({ length: events.count }, (_, n) => eventId(n)).sort();
    const contents = await readTableContents(group.store);
    expect({ watch: watch.faults, reader: loop.faults }).toEqual({ watch: [], reader: [] });
    expect(contents.versions).toEqual(contents.versions.map((_, version) => version));
    expect(contents.quarantined).toEqual([]);
    expect(new Set(contents.written).size).toBe(contents.written.length);
    expect(sortedIds(contents.rows)).toEqual(expected);
    expect(sortedIds(await reader.readDeltaRows(group.table))).toEqual(expected);
    keepLogs = false;
    process.stderr.write(
      `two owners on ${queue.name}, ${group.table.tablePath.split(':')[0]}, SEED=${SEED}: ${events.count} events, ${contents.versions.length} versions, ` +
        `read ${loop.readings} times by delta-rs and ${watch.rounds} times by its log, ${((performance.now() - startedAtMs) / 1_000).toFixed(0)} s; 0 lost, 0 doubled\n${report.join('\n')}\n`,
    );
  } finally {
    if (keepLogs) process.stderr.write(`failed with SEED=${SEED}; see the logs in ${tmpdir()}/lakehouse-kill-*\n`);
    await releasers.releaseAll();
  }
}

function sortedIds(rows: readonly Readonly<Record<string, unknown>>[]): string[] {
  return rows.map((row) => String(row['id'])).sort();
}
