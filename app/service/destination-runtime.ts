import { makeLastValues } from './last-values.ts';
import { logCompiledView } from './compiled-view-log.ts';
import type { AidboxClient } from '../aidbox/aidbox-client.ts';
import type { Config } from '../config/config.ts';
import type { OwnerMemory } from '../delivery/owner-options.ts';
import { runOwner, type OwnerEnd } from '../delivery/owner.ts';
import { scopeOf, type Destination } from '../destinations/destination.ts';
import type { Clock } from '../lib/clock.ts';
import type { Wakeups } from '../lib/wakeups.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import { makeRowEncoder } from '../rows/row-encoder.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { TableLocation } from '../storage/table-location.ts';
import { type SlowLane } from '../slow-lane/slow-lane.ts';
import { nameFhirVersion } from '../view/view-definition.ts';
import { compileView } from '../view/compile-view.ts';
import type { CompiledView } from '../view/compiled-view.ts';
import { makeApplication } from '../writers/external-direct/commit-record.ts';
import { makeExternalDirectWriter } from '../writers/external-direct/external-direct-writer.ts';
import type { LogMemory } from '../writers/external-direct/log-follower.ts';

/** What a process remembers of a destination from one tenure to the next. */
export interface DestinationMemory {
  readonly owner: OwnerMemory;
  readonly table: LogMemory;
}

export interface RuntimeDeps {
  readonly config: Config;
  readonly queueStore: QueueStore;
  readonly client: AidboxClient;
  readonly openStore: (location: TableLocation) => Promise<ObjectStore>;
  readonly slowLane: SlowLane;
  readonly wakeups: Wakeups;
  /** The same object for one scope as long as the process lives. */
  readonly memoryOf: (scope: string) => DestinationMemory;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Delivers one destination for one tenure: puts its view, its table and its queue together. */
export async function runDestination(deps: RuntimeDeps, destination: Destination, stop: AbortSignal): Promise<OwnerEnd> {
  const { config, queueStore, client, wakeups, clock, metrics, log } = deps;
  const { id, installation, incarnation, table, batchSize, sendIntervalMs } = destination;
  const queue = queueStore.destination(scopeOf(destination));
  const memory = deps.memoryOf(queue.scope);
  const viewDefinition = nameFhirVersion(destination.viewDefinition, config.FHIR_VERSION); // older ones were stored without
  const createdAtUrl = config.AIDBOX_CREATED_AT_URL;
  let compiled: CompiledView | undefined;
  /** Once a tenure, when it is first needed. */
  const compile = (): CompiledView => {
    if (compiled === undefined) {
      compiled = compileView(viewDefinition, { createdAtUrl, quick: true });
      logCompiledView(log, id, compiled);
    }
    return compiled;
  };
  return runOwner(
    {
      destinationId: id,
      queue,
      makeWriter: async () => {
        const view = compile();
        return makeExternalDirectWriter({
          store: await deps.openStore(table),
          application: makeApplication(installation, id, incarnation),
          clock,
          memory: memory.table,
          chooseColumns: (columns) => makeRowEncoder(view, columns).columns,
        });
      },
      prepareContext: (columns, writer) => {
        const view = compile();
        return {
          view,
          encoder: makeRowEncoder(view, columns),
          slow: { lane: deps.slowLane, job: { viewDefinition, createdAtUrl, columns } },
          lastValues: makeLastValues(client, id),
          holds: (key, coverage) => writer.holds(key, coverage),
        };
      },
      batchSize,
      sendIntervalMs,
      leaseMs: config.LEASE_MS,
      quarantineMaxEntries: config.QUARANTINE_MAX_ENTRIES,
      waitForJob: (ms, signal) => wakeups.wait(queue.scope, ms, signal),
      memory: memory.owner,
      clock,
      log,
      onTenure: (began) => (began ? metrics.owned.inc() : metrics.owned.dec()),
      onCommit: ({ events, rows, bytes, ms, lagMs }) => {
        const labels = { destination: id };
        metrics.settledEvents.inc(labels, events);
        metrics.committedRows.inc(labels, rows);
        metrics.committedBytes.inc(labels, bytes);
        metrics.commitSeconds.observe(labels, ms / 1000);
        metrics.lagSeconds.set(labels, lagMs / 1000);
      },
    },
    stop,
  );
}
