import { tmpdir } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { Releasers } from '../../app/lib/releasers.ts';
import { seededRandom } from '../helpers/seeded-random.ts';
import { bothOf, describeWith } from '../helpers/services/availability.ts';
import { findDeltaRs } from '../helpers/services/delta-rs.ts';
import { findOwnMinio } from '../helpers/services/minio.ts';
import { readTableContents } from '../helpers/table-contents.ts';
import { eventId, Events } from './helpers/events.ts';
import { HitCounts, planHits } from './helpers/kill-plan.ts';
import { carryOutHits, readAccounts, waitUntilDelivered } from './helpers/kill-run.ts';
import { findKillableQueues } from './helpers/killable-queues.ts';
import { startSender } from './helpers/sender.ts';
import { startGroup } from './helpers/service-group.ts';
import { watchTable } from './helpers/table-watch.ts';

/** Events over both backends, and how often each victim is killed in each phase on each backend. */
const EVENTS = Number(process.env['KILL_EVENTS'] ?? 50_000);
const LEAST_EVENTS = Math.ceil(EVENTS / 2);
const HITS = Number(process.env['KILL_HITS'] ?? 10);
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

const EVENTS_PER_NOTIFICATION = 20;
/** The sender keeps so many events ahead of the table: there is always a batch to write, never a long tail at the end. */
const EVENTS_AHEAD = 3_000;

const [minio, deltaRs, queues] = await Promise.all([findOwnMinio(), findDeltaRs(), findKillableQueues()]);

describe(`I1, I3, I4, I7: kill -9 at every phase (SEED=${SEED})`, () => {
  for (const [index, queuePart] of queues.entries()) {
    describeWith(bothOf(queuePart, bothOf(minio, deltaRs)), queuePart.name, ([startQueue, [startMinio, reader]]) => {
      it.concurrent('loses no event and doubles none', async () => {
        const startedAtMs = performance.now();
        const random = seededRandom(SEED + index);
        const releasers = new Releasers();
        const counts = new HitCounts();
        let keepLogs = true;
        try {
          const queue = await startQueue();
          releasers.add('queue store', () => queue.stop());
          const server = await startMinio();
          releasers.add('object store', () => server.stop());
          const group = await startGroup({ queue, minio: server, webs: 2, workers: 2, leaseMs: 800, batchSize: 500, sendIntervalMs: 200 });
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
            allowance: () => (isPlanDone && events.count >= LEAST_EVENTS ? undefined : watch.events + EVENTS_AHEAD - events.count),
          });
          releasers.add('sender', () => sender.stop());

          await carryOutHits({ group, queue, minio: server, counts }, planHits(HITS, random));
          isPlanDone = true;
          await sender.done;
          await waitUntilDelivered(group, queue, () => watch.events >= events.count);
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

          const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(0);
          const refused = [...sender.counts.refused].map(([status, times]) => `${times} × ${status}`).join(', ') || 'none';
          process.stderr.write(
            `kill -9 with ${queue.name} and MinIO, SEED=${SEED}: ${events.count} events in ${sender.counts.posts} posts ` +
              `(unanswered: ${sender.counts.unanswered}, refused: ${refused}, repeated without need: ${sender.counts.reposted}), ` +
              `${contents.versions.length} versions, ${watch.rounds} readings, ${group.failedStarts} failed starts, ${seconds} s; 0 lost, 0 doubled\n${counts.table()}\n`,
          );
        } finally {
          if (keepLogs) process.stderr.write(`failed with SEED=${SEED}; the processes' logs stay in ${tmpdir()}/lakehouse-kill-*\n${counts.table()}\n`);
          await releasers.releaseAll();
        }
      }, 600_000);
    });
  }
});

function sortedIds(rows: readonly Readonly<Record<string, unknown>>[]): string[] {
  return rows.map((row) => String(row['id'])).sort();
}
