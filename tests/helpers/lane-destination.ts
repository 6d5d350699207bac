import { setImmediate as nextTurn } from 'node:timers/promises';
import { runOwner } from '../../app/delivery/owner.ts';
import { createTable } from '../../app/delta/create-table.ts';
import { systemClock } from '../../app/lib/clock.ts';
import { makeRowEncoder } from '../../app/rows/row-encoder.ts';
import { tableColumnsForView } from '../../app/rows/table-schema.ts';
import type { SlowLane } from '../../app/slow-lane/slow-lane.ts';
import { compileView } from '../../app/view/compile-view.ts';
import { beginIncarnation } from '../../app/writers/external-direct/begin-incarnation.ts';
import { makeApplication } from '../../app/writers/external-direct/commit-record.ts';
import { makeExternalDirectWriter } from '../../app/writers/external-direct/external-direct-writer.ts';
import { makeMemoryObjectStore } from './memory-object-store.ts';
import { makeMemoryQueue, type MemoryQueue } from './memory-queue.ts';
import { readTableContents } from './table-contents.ts';

/** A destination that delivers in this process, with its queue and its table in memory. */
export interface LaneDestination {
  readonly queue: MemoryQueue;
  /** Sends one notification with a create of each resource. */
  send(...resources: readonly object[]): Promise<void>;
  sendBody(body: Uint8Array): Promise<void>;
  /** The rows of the table. */
  rows(): Promise<readonly Readonly<Record<string, unknown>>[]>;
  stop(): Promise<void>;
}

const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };
function ignore(): void {}

/** Starts one whose view is evaluated as the service does it: quickly here, or in a thread of `lane`. */
export async function startLaneDestination(id: string, viewDefinition: object, lane: SlowLane): Promise<LaneDestination> {
  const view = compileView(viewDefinition, { quick: true });
  const [queue, store] = [makeMemoryQueue(), makeMemoryObjectStore()];
  const application = makeApplication('http://aidbox', id, 'one');
  await createTable(store, tableColumnsForView(view), { nowMs: Date.now() });
  await beginIncarnation(store, application, systemClock);
  const stop = new AbortController();
  const owner = runOwner(
    {
      destinationId: id,
      queue,
      makeWriter: async () =>
        makeExternalDirectWriter({
          store,
          application,
          clock: systemClock,
          chooseColumns: (columns) => makeRowEncoder(view, columns).columns,
        }),
      prepareContext: (columns, writer) => ({
        view,
        encoder: makeRowEncoder(view, columns),
        slow: { lane, job: { viewDefinition, createdAtUrl: undefined, columns } },
        lastValues: { read: async () => undefined },
        holds: (key, coverage) => writer.holds(key, coverage),
      }),
      batchSize: 50,
      sendIntervalMs: 0,
      leaseMs: 60_000,
      quarantineMaxEntries: 1_000,
      waitForJob: async () => void (await nextTurn()),
      memory: { waitingEvents: 0 },
      clock: systemClock,
      log: silent,
    },
    stop.signal,
  );
  const sendBody = (body: Uint8Array): Promise<void> => queue.add({ body, receivedAtMs: Date.now() });
  let versions = 0;
  return {
    queue,
    sendBody,
    send: (...resources) => {
      const entry = resources.map((resource) => ({
        request: { method: 'POST' },
        resource: { ...resource, meta: { versionId: String((versions += 1)), lastUpdated: new Date().toISOString() } },
      }));
      return sendBody(new TextEncoder().encode(JSON.stringify({ resourceType: 'Bundle', type: 'history', entry })));
    },
    rows: async () => (await readTableContents(store)).rows,
    async stop() {
      stop.abort();
      await owner;
    },
  };
}
