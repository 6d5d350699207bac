import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createTable } from '../../../app/delta/create-table.ts';
import { runOwner } from '../../../app/delivery/owner.ts';
import { AppError } from '../../../app/errors/app-error.ts';
import { systemClock, type Clock } from '../../../app/lib/clock.ts';
import { makeRowEncoder } from '../../../app/rows/row-encoder.ts';
import type { TableColumn } from '../../../app/rows/table-type.ts';
import { compileView } from '../../../app/view/compile-view.ts';
import type { CompiledView } from '../../../app/view/compiled-view.ts';
import { beginIncarnation } from '../../../app/writers/external-direct/begin-incarnation.ts';
import { makeApplication } from '../../../app/writers/external-direct/commit-record.ts';
import { makeExternalDirectWriter } from '../../../app/writers/external-direct/external-direct-writer.ts';
import type { Writer } from '../../../app/writers/writer.ts';
import type { Resource } from '../../../app/view/compiled-view.ts';
import { eventually } from '../../helpers/eventually.ts';
import { makeMemoryObjectStore, type MemoryObjectStore } from '../../helpers/memory-object-store.ts';
import { makeMemoryQueue, type MemoryQueue } from '../../helpers/memory-queue.ts';
import { readTableContents } from '../../helpers/table-contents.ts';
import { aColumn } from '../../helpers/views.ts';

const COLUMNS: readonly TableColumn[] = [
  { name: 'id', type: { kind: 'string' }, nullable: true },
  { name: 'is_deleted', type: { kind: 'integer' }, nullable: true },
];
const APPLICATION = makeApplication('http://aidbox', 'd1', 'one');
const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };
function ignore(): void {}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function aTable(): Promise<MemoryObjectStore> {
  const store = makeMemoryObjectStore();
  await createTable(store, COLUMNS, { nowMs: Date.now() });
  await beginIncarnation(store, APPLICATION, systemClock);
  return store;
}

interface OwnerParts {
  readonly batchSize: number;
  readonly sendIntervalMs?: number;
  readonly evaluate?: (resource: Resource, view: CompiledView) => ReturnType<CompiledView['evaluate']>;
  /** Content of a deletion whose notification has none. */
  readonly readHistory?: (id: string) => Promise<Resource | undefined>;
  readonly wrapWriter?: (writer: Writer) => Writer;
  readonly clock?: Clock;
}

/** Delivers until the test ends. */
function deliver(
  queue: MemoryQueue,
  store: MemoryObjectStore,
  { batchSize, sendIntervalMs = 0, evaluate, readHistory, wrapWriter = (writer) => writer, clock = systemClock }: OwnerParts,
): void {
  const compiled = compileView(aColumn('id', { name: 'id' }));
  const view: CompiledView =
    evaluate === undefined ? compiled : { ...compiled, evaluate: (resource) => evaluate(resource, compiled) };
  const stop = new AbortController();
  const done = runOwner(
    {
      destinationId: 'd1',
      queue,
      makeWriter: async () =>
        wrapWriter(
          makeExternalDirectWriter({
            store,
            application: APPLICATION,
            clock: systemClock,
            chooseColumns: (columns) => makeRowEncoder(view, columns).columns,
          }),
        ),
      prepareContext: (columns, writer) => ({
        view,
        encoder: makeRowEncoder(view, columns),
        lastValues: {
          read: async (_type, id) => {
            const resource = await readHistory?.(id);
            return resource && { resource };
          },
        },
        holds: (key, coverage) => writer.holds(key, coverage),
      }),
      batchSize,
      sendIntervalMs,
      leaseMs: 60_000,
      quarantineMaxEntries: 1_000,
      waitForJob: async () => void (await nextTurn()),
      memory: { waitingEvents: 0 },
      clock,
      log: silent,
    },
    stop.signal,
  );
  stops.push(async () => {
    stop.abort();
    await done;
  });
}

let sent = 0;
async function send(queue: MemoryQueue, ...entries: readonly object[]): Promise<void> {
  const status = { resource: { resourceType: 'AidboxSubscriptionStatus', type: 'event-notification' } };
  const bundle = { resourceType: 'Bundle', type: 'history', entry: [status, ...entries] };
  await queue.add({ body: new TextEncoder().encode(JSON.stringify(bundle)), receivedAtMs: Date.now() });
}
function aCreate(id: string): object {
  const meta = { versionId: String((sent += 1)), lastUpdated: new Date(Date.UTC(2026, 0, 1) + sent).toISOString() };
  return {
    fullUrl: `http://aidbox/fhir/Patient/${id}`,
    request: { method: 'POST', url: 'Patient' },
    resource: { resourceType: 'Patient', id, meta },
  };
}
function aDeleteWithoutContent(id: string): object {
  return { fullUrl: `http://aidbox/fhir/Patient/${id}`, request: { method: 'DELETE', url: `Patient/${id}` } };
}

async function idsIn(store: MemoryObjectStore): Promise<string[]> {
  return (await readTableContents(store)).rows.map((row) => String(row['id'])).sort();
}

describe('a stop while a batch is being written', () => {
  it('lets the write end and its jobs too, and begins no other', async () => {
    const queue = makeMemoryQueue();
    await send(queue, aCreate('p-1'));
    await send(queue, aCreate('p-2'));
    const store = await aTable();
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let writes = 0;
    deliver(queue, store, {
      batchSize: 1,
      wrapWriter: (writer) => ({
        ...writer,
        async write(events, guard) {
          writes += 1;
          await released;
          return writer.write(events, guard);
        },
      }),
    });
    await eventually(() => expect(writes).toBe(1));
    const stopped = stops.splice(0)[0]!();
    release();
    await stopped;
    expect(writes).toBe(1);
    expect((await queue.counters()).committed).toBe(1);
    expect((await queue.usage()).jobs).toBe(1);
    expect((await readTableContents(store)).rows).toHaveLength(1);
  });
});

describe('a write that fails again and again', () => {
  it('is repeated after growing pauses, though the table is opened anew before each', async () => {
    const queue = makeMemoryQueue();
    await send(queue, aCreate('p-1'));
    const pauses: number[] = [];
    let opened = 0;
    deliver(queue, await aTable(), {
      batchSize: 1,
      wrapWriter: (writer) => ({
        ...writer,
        open: (checkpoint) => ((opened += 1), writer.open(checkpoint)),
        write: (events, guard) =>
          pauses.length < 4 ? Promise.reject(new AppError('STORAGE_UNAVAILABLE', 'no answer')) : writer.write(events, guard),
      }),
      clock: { ...systemClock, sleep: async (ms) => void (pauses.push(ms), await nextTurn()) },
    });
    await eventually(async () => expect((await queue.counters()).committed).toBe(1));
    expect(opened).toBe(5);
    for (const [index, pause] of pauses.slice(0, 4).entries()) {
      expect(pause).toBeGreaterThanOrEqual(750 * 2 ** index);
      expect(pause).toBeLessThanOrEqual(1_250 * 2 ** index);
    }
  });
});

describe('delivery', () => {
  it('ends the jobs of a large batch in several transactions of the store, quarantine first, checkpoint last', async () => {
    const [queue, store] = [makeMemoryQueue(), await aTable()];
    await send(queue, { fullUrl: 'nonsense' });
    for (let n = 0; n < 2_500; n += 1) await send(queue, aCreate(`p${n}`));
    deliver(queue, store, { batchSize: 5_000 });
    await eventually(() => expect(queue.jobs).toHaveLength(0), { timeoutMs: 20_000 });
    const parts = queue.settlements.filter(({ jobs }) => jobs.length > 0);
    expect(parts.map(({ jobs }) => jobs.length)).toEqual([1_000, 1_000, 501]);
    expect(parts.map(({ quarantine }) => quarantine.length)).toEqual([1, 0, 0]);
    expect(parts.map(({ checkpoint }) => checkpoint !== undefined)).toEqual([false, false, true]);
    expect(await queue.counters()).toMatchObject({ accepted: 2_501, committed: 2_500, quarantined: 1 });
  });

  it('writes what stands before an event that cannot be prepared now, at once', async () => {
    const [queue, store] = [makeMemoryQueue(), await aTable()];
    let isRefused = true;
    await send(queue, aCreate('p1'));
    await send(queue, aDeleteWithoutContent('p2'), aCreate('p3'));
    await send(queue, aCreate('p4'));
    deliver(queue, store, {
      batchSize: 50,
      sendIntervalMs: 3_600_000,
      readHistory: async (id) => {
        if (isRefused) throw new AppError('AIDBOX_UNAVAILABLE', 'no answer');
        return { resourceType: 'Patient', id, meta: { lastUpdated: '2026-02-01T00:00:00Z' } };
      },
    });
    await eventually(async () => expect(await idsIn(store)).toEqual(['p1']));
    expect(queue.jobs).toHaveLength(2);
    isRefused = false;
    await send(queue, ...Array.from({ length: 47 }, (_, n) => aCreate(`q${n}`))); // with p2, p3 and p4 a full batch
    await eventually(async () => expect(await idsIn(store)).toHaveLength(51), { timeoutMs: 10_000 });
    expect((await idsIn(store)).slice(0, 4)).toEqual(['p1', 'p2', 'p3', 'p4']);
  });

  it('takes no more jobs into its hand than a batch seems to need', async () => {
    const [queue, store] = [makeMemoryQueue(), await aTable()];
    let evaluated = 0;
    for (let n = 0; n < 400; n += 1) await send(queue, ...Array.from({ length: 20 }, (_, place) => aCreate(`p${n}-${place}`)));
    let mostInHand = 0;
    deliver(queue, store, {
      batchSize: 100,
      evaluate: (resource, view) => {
        evaluated += 1;
        return view.evaluate(resource);
      },
    });
    const settle = queue.settle.bind(queue);
    let written = 0;
    queue.settle = async (settlement) => {
      mostInHand = Math.max(mostInHand, evaluated - written);
      written += settlement.jobs.reduce((sum, { tally }) => sum + (tally.accepted ?? 0), 0);
      await settle(settlement);
    };
    await eventually(() => expect(queue.jobs).toHaveLength(0), { timeoutMs: 20_000 });
    expect(written).toBe(8_000);
    expect(mostInHand).toBeLessThanOrEqual(2_000); // the first page, before it knows how many events a job holds
  });

  it('lets others run while it prepares a large notification', async () => {
    const [queue, store] = [makeMemoryQueue(), await aTable()];
    let turns = 0;
    let isOver = false;
    const others = (async () => {
      while (!isOver) {
        turns += 1;
        await nextTurn();
      }
    })();
    await send(queue, ...Array.from({ length: 5_000 }, (_, n) => aCreate(`p${n}`)));
    let first = 0;
    let last = 0;
    deliver(queue, store, {
      batchSize: 5_000,
      evaluate: (resource, view) => {
        first ||= turns;
        last = turns;
        const untilMs = performance.now() + 0.1;
        while (performance.now() < untilMs); // what a slow view costs
        return view.evaluate(resource);
      },
    });
    await eventually(() => expect(queue.jobs).toHaveLength(0), { timeoutMs: 20_000 });
    isOver = true;
    await others;
    expect(last - first).toBeGreaterThanOrEqual(10); // 5,000 events take half a second or more
  });
});
