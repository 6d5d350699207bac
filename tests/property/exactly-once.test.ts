import { describe, expect, it } from '@jest/globals';
import { createTable } from '../../app/delta/create-table.ts';
import { isAppError } from '../../app/errors/app-error.ts';
import { systemClock } from '../../app/lib/clock.ts';
import type { TableColumn } from '../../app/rows/table-type.ts';
import { beginIncarnation } from '../../app/writers/external-direct/begin-incarnation.ts';
import { makeApplication } from '../../app/writers/external-direct/commit-record.ts';
import { makeExternalDirectWriter } from '../../app/writers/external-direct/external-direct-writer.ts';
import type { EventOutcome, PreparedEvent, Writer } from '../../app/writers/writer.ts';
import { makeMemoryObjectStore } from '../helpers/memory-object-store.ts';
import { seededRandom } from '../helpers/seeded-random.ts';
import { readTableContents } from '../helpers/table-contents.ts';
import { makeUnreliableStore, type StoreFaults } from '../helpers/unreliable-store.ts';

const COLUMNS: readonly TableColumn[] = [
  { name: 'id', type: { kind: 'string' }, nullable: true },
  { name: 'is_deleted', type: { kind: 'integer' }, nullable: true },
];
const APPLICATION = makeApplication('http://aidbox', 'd1', 'one');
const clock = { ...systemClock, sleep: () => new Promise<void>((resolve) => setImmediate(resolve)) };
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const runs = Number(process.env['RUNS'] ?? 25);

/** Event `n`, born in the order of its number; every seventh is bad. */
function anEvent(n: number): PreparedEvent {
  return {
    key: `event-${String(n).padStart(10, '0')}`,
    resource: undefined,
    coverage: { kind: 'since', lastUpdatedMicros: 1_700_000_000_000_000n + BigInt(n) },
    content:
      n % 7 === 0
        ? { kind: 'rejected', code: 'VIEW_EVALUATION_FAILED', reason: 'bad' }
        : { kind: 'rows', rows: [[`row-${n}`, 0]] },
  };
}

/**
 * Several owners at once, without any lease: whatever they share is in the table. Each delivers random, overlapping, repeated batches
 * through a network that loses answers, over a log to which a foreign writer commits too.
 */
async function deliverAtRandom(
  random: () => number,
  faults: StoreFaults,
  count: number,
): Promise<{ settled: Map<string, EventOutcome[]>; store: ReturnType<typeof makeMemoryObjectStore> }> {
  const store = makeMemoryObjectStore();
  await createTable(store, COLUMNS, { nowMs: clock.now() });
  await beginIncarnation(store, APPLICATION, clock);
  const settled = new Map<string, EventOutcome[]>();
  const note = (key: string, outcome: EventOutcome): void => void settled.set(key, [...(settled.get(key) ?? []), outcome]);
  const guard = { signal: new AbortController().signal, check: async () => undefined, checkQuarantine: async () => undefined };

  const owner = async (): Promise<void> => {
    let writer: Writer | undefined;
    for (let next = 0; next < count;) {
      const network = makeUnreliableStore(store, faults, random);
      try {
        if (writer === undefined || random() < 0.1) {
          writer = undefined;
          const fresh = makeExternalDirectWriter({
            store: network,
            application: APPLICATION,
            clock,
            chooseColumns: (columns) => columns,
            maxWindowKeys: random() < 0.5 ? 20 : 100_000,
          });
          await fresh.open(undefined);
          writer = fresh;
        }
        const size = 1 + Math.floor(random() * 8);
        const from = random() < 0.2 ? Math.floor(random() * (next + 1)) : next; // some batches come again
        const batch = Array.from({ length: Math.min(size, count - from) }, (_, index) => anEvent(from + index));
        const { outcomes } = await writer.write(batch, guard);
        batch.forEach((event, index) => note(event.key, outcomes[index]!));
        next = Math.max(next, from + batch.length);
      } catch (error) {
        if (!isAppError(error, 'STORAGE_UNAVAILABLE')) throw error;
        writer = random() < 0.5 ? undefined : writer; // goes on, or crashes and begins again
      }
      if (network.travelling.size > 3) await Promise.all([...network.travelling]);
    }
  };
  const foreign = async (): Promise<void> => {
    for (let commits = 0; commits < 5;) {
      await new Promise((resolve) => setImmediate(resolve));
      const version = [...store.objects.keys()].filter((path) => path.endsWith('.json')).length;
      const line = new TextEncoder().encode(
        `${JSON.stringify({ commitInfo: { timestamp: Date.now(), operation: 'OPTIMIZE' } })}\n`,
      );
      if ((await store.putIfAbsent(`_delta_log/${String(version).padStart(20, '0')}.json`, line)) === 'created') commits += 1;
    }
  };
  await Promise.all([owner(), owner(), owner(), foreign()]);
  await new Promise((resolve) => setTimeout(resolve, 20)); // travelling puts arrive
  return { settled, store };
}

const FAULTS: Readonly<Record<string, StoreFaults>> = {
  'no faults': { loseAnswer: 0, loseRequest: 0, travelOn: 0, failRead: 0 },
  'lost answers': { loseAnswer: 0.3, loseRequest: 0.1, travelOn: 0, failRead: 0 },
  'late puts and failing reads': { loseAnswer: 0.1, loseRequest: 0.1, travelOn: 0.2, failRead: 0.02 },
};

describe(`I3, I7: exactly once without any lease (SEED=${seed})`, () => {
  it.each(Object.entries(FAULTS))(
    'holds with %s',
    async (_name, faults) => {
      for (let run = 0; run < runs; run += 1) {
        const { settled, store } = await deliverAtRandom(seededRandom(seed + run), faults, 60);
        const { rows, written, quarantined, versions } = await readTableContents(store);
        const context = `SEED=${seed + run}`;
        expect({ context, versions: versions.every((version, index) => version === index) }).toEqual({ context, versions: true });
        const good = Array.from({ length: 60 }, (_, n) => n).filter((n) => n % 7 !== 0);
        expect({ context, rows: rows.map((row) => String(row['id'])).sort() }).toEqual({
          context,
          rows: good.map((n) => `row-${n}`).sort(),
        });
        expect({ context, written: new Set(written).size }).toEqual({ context, written: written.length });
        expect({ context, quarantined: [...quarantined].sort() }).toEqual({
          context,
          quarantined: Array.from({ length: 60 }, (_, n) => n)
            .filter((n) => n % 7 === 0)
            .map((n) => anEvent(n).key)
            .sort(),
        });
        for (const outcomes of settled.values()) {
          expect(outcomes.filter((outcome) => outcome === 'written' || outcome === 'quarantined').length).toBeLessThanOrEqual(1);
        }
      }
    },
    600_000,
  );
});
