import { logCompiledView } from './compiled-view-log.ts';
import { makeLastValues } from './last-values.ts';
import type { AidboxClient } from '../aidbox/aidbox-client.ts';
import type { Config } from '../config/config.ts';
import type { OwnerMemory, OwnerOptions } from '../delivery/owner-options.ts';
import { runOwner, type OwnerEnd } from '../delivery/owner.ts';
import { scopeOf, type Destination, type DestinationTarget } from '../destinations/destination.ts';
import { AppError } from '../errors/app-error.ts';
import type { Clock } from '../lib/clock.ts';
import type { Wakeups } from '../lib/wakeups.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import { makeRowEncoder } from '../rows/row-encoder.ts';
import type { TableColumns } from '../databricks/warehouse/table-columns.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { TableLocation } from '../storage/table-location.ts';
import type { SlowLane } from '../slow-lane/slow-lane.ts';
import { compileView } from '../view/compile-view.ts';
import type { CompiledView } from '../view/compiled-view.ts';
import { nameFhirVersion } from '../view/view-definition.ts';
import { makeApplication } from '../writers/external-direct/commit-record.ts';
import { makeExternalDirectWriter } from '../writers/external-direct/external-direct-writer.ts';
import type { LogMemory } from '../writers/external-direct/log-follower.ts';
import { makeManagedWriter } from '../writers/managed/managed-writer.ts';
import { RecentKeys } from '../writers/managed/recent-keys.ts';
import { eventsOnTheWay } from '../writers/managed/zerobus-sender.ts';
import type { Writer } from '../writers/writer.ts';
import type { Databricks } from './databricks.ts';
import { planColumns } from './managed-preparation.ts';
import { ViewWatch, type ViewInUse } from './view-watch.ts';

/** What a process remembers of a destination from one tenure to the next. */
export interface DestinationMemory {
  readonly owner: OwnerMemory;
  readonly table: LogMemory;
  readonly recent: RecentKeys;
  /** Of a managed table, read at create; the first tenure takes them. */
  columns: TableColumns | undefined;
  views: ViewWatch | undefined;
}

export function makeDestinationMemory(): DestinationMemory {
  return { owner: { waitingEvents: 0 }, table: {}, recent: new RecentKeys(), columns: undefined, views: undefined };
}

export interface RuntimeDeps {
  readonly config: Config;
  readonly queueStore: QueueStore;
  readonly client: AidboxClient;
  readonly openStore: (location: TableLocation) => Promise<ObjectStore>;
  readonly databricks: Databricks;
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
  const { target } = destination;
  return target.kind === 'path' ? runOnPath(deps, destination, target, stop) : runManaged(deps, destination, target, stop);
}

/** Such a destination keeps the view that it was created with (S0.99, S0.100). */
async function runOnPath(
  deps: RuntimeDeps,
  destination: Destination,
  { location }: Extract<DestinationTarget, { kind: 'path' }>,
  stop: AbortSignal,
): Promise<OwnerEnd> {
  const definition = nameFhirVersion(destination.viewDefinition, deps.config.FHIR_VERSION); // older ones were stored without
  const view = compile(deps, definition);
  const memory = deps.memoryOf(scopeOf(destination));
  const makeWriter = async (): Promise<Writer> => {
    logCompiledView(deps.log, destination.id, view);
    return makeExternalDirectWriter({
      store: await deps.openStore(location),
      application: makeApplication(destination.installation, destination.id, destination.incarnation),
      clock: deps.clock,
      memory: memory.table,
      chooseColumns: (columns) => makeRowEncoder(view, columns).columns,
    });
  };
  return runOwner(
    ownerOptions(deps, destination, () => ({ definition, view }), makeWriter),
    stop,
  );
}

/** Such a table follows its view: a change of the view ends the tenure, and the next one adds what the table lacks (S0.96). */
async function runManaged(
  deps: RuntimeDeps,
  destination: Destination,
  { table }: Extract<DestinationTarget, { kind: 'databricks' }>,
  stop: AbortSignal,
): Promise<OwnerEnd> {
  const { config, databricks, queueStore, metrics, clock } = deps;
  const { id, writeMode, batchSize } = destination;
  const memory = deps.memoryOf(scopeOf(destination));
  const changed = new AbortController();
  let watching: Promise<void> = Promise.resolve();
  let inUse: ViewInUse | undefined;
  /** Only who has the lease asks Aidbox for the view. */
  const makeWriter = async (signal: AbortSignal): Promise<Writer> => {
    memory.views ??= watchView(deps, destination);
    inUse = await memory.views.read();
    const { view } = inUse;
    logCompiledView(deps.log, id, view);
    watching = memory.views.changed(config.VIEW_REFRESH_MS, signal).then(
      () => changed.abort(),
      () => changed.abort(), // the next tenure shows what is wrong
    );
    const knownColumns = memory.columns;
    memory.columns = undefined;
    return makeManagedWriter({
      sender: writeMode === 'managed-zerobus' ? databricks.openZerobus(table, batchSize) : databricks.openSql(table),
      table: databricks.openTable(table, signal),
      plan: planColumns(writeMode, table, view),
      knownColumns,
      recent: memory.recent,
      onRepeated: (rows) => {
        metrics.repeatedRows.inc({ destination: id }, rows);
        void queueStore
          .destination(scopeOf(destination))
          .count({ repeatedRows: rows })
          .catch(() => undefined);
      },
      clock,
    });
  };
  const viewInUse = (): ViewInUse => {
    if (inUse === undefined) throw new AppError('INTERNAL', 'the view was not read yet');
    return inUse;
  };
  try {
    const options = ownerOptions(deps, destination, viewInUse, makeWriter);
    return await runOwner(options, AbortSignal.any([stop, changed.signal]));
  } finally {
    changed.abort();
    await watching;
  }
}

function watchView(deps: RuntimeDeps, { id, viewName, viewDefinition }: Destination): ViewWatch {
  const { client, config, clock, log } = deps;
  const fhirVersion = config.FHIR_VERSION;
  const definition = nameFhirVersion(viewDefinition, fhirVersion);
  return new ViewWatch(
    {
      client,
      destinationId: id,
      viewName,
      fhirVersion,
      compile: (current) => compile(deps, current),
      clock,
      log,
    },
    { definition, view: compile(deps, definition) },
  );
}

function compile({ config }: RuntimeDeps, viewDefinition: unknown): CompiledView {
  return compileView(viewDefinition, { createdAtUrl: config.AIDBOX_CREATED_AT_URL, quick: true });
}

function ownerOptions(
  deps: RuntimeDeps,
  destination: Destination,
  viewInUse: () => ViewInUse,
  makeWriter: OwnerOptions['makeWriter'],
): OwnerOptions {
  const { config, queueStore, client, wakeups, clock, metrics, log } = deps;
  const { id, batchSize, sendIntervalMs, writeMode } = destination;
  const queue = queueStore.destination(scopeOf(destination));
  return {
    destinationId: id,
    queue,
    makeWriter,
    prepareContext: (columns, writer) => {
      const { definition, view } = viewInUse();
      return {
        view,
        encoder: makeRowEncoder(view, columns),
        slow: {
          lane: deps.slowLane,
          job: { viewDefinition: definition, createdAtUrl: config.AIDBOX_CREATED_AT_URL, columns },
        },
        lastValues: makeLastValues(client, id),
        holds: (key, coverage) => writer.holds(key, coverage),
      };
    },
    batchSize,
    eventsPerWrite: writeMode === 'managed-zerobus' ? eventsOnTheWay(batchSize) : batchSize,
    sendIntervalMs,
    leaseMs: config.LEASE_MS,
    quarantineMaxEntries: config.QUARANTINE_MAX_ENTRIES,
    waitForJob: (ms, signal) => wakeups.wait(queue.scope, ms, signal),
    memory: deps.memoryOf(queue.scope).owner,
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
  };
}
