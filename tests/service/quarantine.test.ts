import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeQuarantined, encodeReplay } from '../../app/delivery/quarantined-delivery.ts';
import { runOwner } from '../../app/delivery/owner.ts';
import { createTable } from '../../app/delta/create-table.ts';
import { AppError } from '../../app/errors/app-error.ts';
import { systemClock } from '../../app/lib/clock.ts';
import { makeLogger } from '../../app/log.ts';
import type { DestinationQueue } from '../../app/queue/queue-store.ts';
import { makeRowEncoder } from '../../app/rows/row-encoder.ts';
import { tableColumnsForView } from '../../app/rows/table-schema.ts';
import { compileView } from '../../app/view/compile-view.ts';
import { beginIncarnation } from '../../app/writers/external-direct/begin-incarnation.ts';
import { makeApplication } from '../../app/writers/external-direct/commit-record.ts';
import { makeExternalDirectWriter } from '../../app/writers/external-direct/external-direct-writer.ts';
import { eventually } from '../helpers/eventually.ts';
import { makeMemoryObjectStore } from '../helpers/memory-object-store.ts';
import { startEmbedded } from '../helpers/postgres.ts';
import type { QueueServer } from '../helpers/queue-server.ts';
import { readTableContents } from '../helpers/table-contents.ts';

const VIEW = compileView({
  resourceType: 'ViewDefinition',
  name: 'patients',
  status: 'active',
  resource: 'Patient',
  select: [{ column: [{ name: 'id', path: 'id', type: 'id' }] }],
});
const APPLICATION = makeApplication('http://aidbox', 'd1', 'one');

let server: QueueServer;
let scopes = 0;
beforeAll(async () => (server = await startEmbedded()), 60_000);
afterAll(() => server.stop());

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A destination whose view fails for the ids in `bad`. */
async function startDestination(quarantineMaxEntries = 100) {
  const queueStore = await server.start();
  const queue = queueStore.destination(`d1.${(scopes += 1)}`);
  const store = makeMemoryObjectStore();
  await createTable(store, tableColumnsForView(VIEW), { nowMs: 0 });
  await beginIncarnation(store, APPLICATION, systemClock);
  const bad = new Set<string>();
  const stop = new AbortController();
  const owner = runOwner(
    {
      destinationId: 'd1',
      queue,
      makeWriter: async () =>
        makeExternalDirectWriter({
          store,
          application: APPLICATION,
          clock: systemClock,
          chooseColumns: (columns) => makeRowEncoder(VIEW, columns).columns,
        }),
      prepareContext: (columns, writer) => ({
        view: {
          ...VIEW,
          evaluate: (resource) => {
            if (bad.has(String(resource['id']))) throw new AppError('VIEW_EVALUATION_FAILED', 'column id cannot be evaluated');
            return VIEW.evaluate(resource);
          },
        },
        encoder: makeRowEncoder(VIEW, columns),
        lastValues: { read: async () => undefined },
        holds: (key, coverage) => writer.holds(key, coverage),
      }),
      batchSize: 100,
      sendIntervalMs: 10,
      leaseMs: 5_000,
      memory: { waitingEvents: 0 },
      quarantineMaxEntries,
      waitForJob: (ms, signal) => systemClock.sleep(Math.min(ms, 20), signal),
      clock: systemClock,
      log: makeLogger('error', () => undefined),
    },
    stop.signal,
  );
  closers.push(async () => {
    stop.abort();
    await owner;
  });
  const ids = async (): Promise<string[]> => (await readTableContents(store)).rows.map((row) => String(row['id'])).sort();
  return { queue, bad, ids };
}

function notification(...ids: string[]): Uint8Array {
  const entry = ids.map((id) => ({
    fullUrl: `http://a/fhir/Patient/${id}`,
    resource: { resourceType: 'Patient', id, meta: { versionId: '1', lastUpdated: '2026-01-01T00:00:00Z' } },
  }));
  return new TextEncoder().encode(JSON.stringify({ resourceType: 'Bundle', type: 'history', entry }));
}
const deliver = (queue: DestinationQueue, body: Uint8Array): Promise<void> => queue.add({ body, receivedAtMs: Date.now() });
const drained = (queue: DestinationQueue): Promise<void> => eventually(async () => expect((await queue.usage()).jobs).toBe(0));

/** The entry of a replay goes after its job has ended. */
const emptied = (queue: DestinationQueue): Promise<void> =>
  eventually(async () => expect(await queue.quarantineList(0, 10)).toEqual([]));

describe('I2: quarantine and replay', () => {
  it('sets a whole event aside with its reason while the rest of the batch goes on', async () => {
    const { queue, bad, ids } = await startDestination();
    bad.add('b');
    await deliver(queue, notification('a', 'b', 'c'));
    await drained(queue);
    expect(await ids()).toEqual(['a', 'c']);
    const [entry, ...more] = await queue.quarantineList(0, 10);
    expect(more).toEqual([]);
    expect(entry).toMatchObject({ code: 'VIEW_EVALUATION_FAILED', reason: 'column id cannot be evaluated' });
    expect(decodeQuarantined(entry!.event)).toMatchObject({ place: 1 });
    expect(await queue.counters()).toMatchObject({ accepted: 3, committed: 2, quarantined: 1 });
  });

  it('E9: writes a replayed event once, however often the replay is ordered, and removes its entry', async () => {
    const { queue, bad, ids } = await startDestination();
    bad.add('b');
    await deliver(queue, notification('a', 'b'));
    await drained(queue);
    const [entry] = await queue.quarantineList(0, 10);
    const replay = encodeReplay({ ...entry!, delivery: decodeQuarantined(entry!.event) });
    bad.clear();
    await deliver(queue, replay);
    await deliver(queue, replay);
    await drained(queue);
    await deliver(queue, replay);
    await drained(queue);
    expect(await ids()).toEqual(['a', 'b']);
    await emptied(queue);
  });

  it('keeps an event that is still bad under the key of its replay', async () => {
    const { queue, bad, ids } = await startDestination();
    bad.add('b');
    await deliver(queue, notification('b'));
    await drained(queue);
    const [first] = await queue.quarantineList(0, 10);
    await deliver(queue, encodeReplay({ ...first!, delivery: decodeQuarantined(first!.event) }));
    await drained(queue);
    const second = await eventually(async () => {
      const [entry, ...more] = await queue.quarantineList(0, 10);
      expect(more).toEqual([]);
      return entry;
    });
    expect(second!.key).not.toBe(first!.key);
    bad.clear();
    await deliver(queue, encodeReplay({ ...second!, delivery: decodeQuarantined(second!.event) }));
    await drained(queue);
    expect(await ids()).toEqual(['b']);
    await emptied(queue);
  });

  it('keeps what is no notification byte for byte', async () => {
    const { queue, ids } = await startDestination();
    const body = Uint8Array.of(0x7b, 0, 0xff, 0xed, 0xa0, 0x80, 0x0a, 0x7b);
    await deliver(queue, body);
    await deliver(queue, notification('a'));
    await drained(queue);
    const [entry] = await queue.quarantineList(0, 10);
    expect(entry?.code).toBe('NOTIFICATION_INVALID');
    expect([...decodeQuarantined(entry!.event).body]).toEqual([...body]);
    expect(await ids()).toEqual(['a']);
  });

  it('I9: waits when the quarantine is full, drops nothing, and goes on when there is room', async () => {
    const { queue, bad } = await startDestination(1);
    ['x', 'y'].forEach((id) => bad.add(id));
    await deliver(queue, notification('x'));
    await drained(queue);
    await deliver(queue, notification('y'));
    await eventually(async () => expect((await queue.counters()).failedAttempts).toBeGreaterThan(0));
    expect((await queue.usage()).jobs).toBe(1);
  });
});
