import type { Destination } from '../destinations/destination.ts';
import type { TablePreparation } from '../destinations/table-preparation.ts';
import { createTable } from '../delta/create-table.ts';
import { assertAppendable } from '../delta/gate.ts';
import { tableColumns } from '../delta/schema.ts';
import { readSnapshot, type Snapshot } from '../delta/snapshot.ts';
import { AppError, isAppError } from '../errors/app-error.ts';
import type { Clock } from '../lib/clock.ts';
import { findWarnings, makeRowEncoder } from '../rows/row-encoder.ts';
import { describeColumns, tableColumnsForView } from '../rows/table-schema.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { probePutIfAbsent } from '../storage/probe.ts';
import type { TableLocation } from '../storage/table-location.ts';
import type { CompiledView } from '../view/compiled-view.ts';
import { beginIncarnation } from '../writers/external-direct/begin-incarnation.ts';
import { makeApplication } from '../writers/external-direct/commit-record.ts';
import { retentionWarnings } from '../writers/external-direct/retention.ts';

/** Checks and begins tables: those on paths here, those in Databricks by `managed`. */
export function makeTablePreparation(
  openStore: (location: TableLocation) => Promise<ObjectStore>,
  clock: Clock,
  managed: TablePreparation,
): TablePreparation {
  const using = async <T>(location: TableLocation, use: (store: ObjectStore) => Promise<T>): Promise<T> => {
    const store = await openStore(location);
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  };
  return {
    check: (destination, view) => {
      const { target } = destination;
      if (target.kind === 'databricks') return managed.check(destination, view);
      return using(target.location, async (store) => {
        const snapshot = await readExisting(store, destination, view);
        await probePutIfAbsent(store);
        const columns = snapshot === undefined ? tableColumnsForView(view) : tableColumns(snapshot);
        makeRowEncoder(view, columns);
        return { warnings: [...findWarnings(view, columns), ...(snapshot === undefined ? [] : retentionWarnings(snapshot))] };
      });
    },
    begin: (destination, view) => {
      const { target } = destination;
      if (target.kind === 'databricks') return managed.begin(destination, view);
      return using(target.location, async (store) => {
        if (destination.createTable && (await readExisting(store, destination, view)) === undefined) {
          await createTable(store, tableColumnsForView(view), { name: destination.viewName, nowMs: clock.now() });
        }
        await beginIncarnation(store, makeApplication(destination.installation, destination.id, destination.incarnation), clock);
      });
    },
  };
}

/** The table as it is; undefined when there is none and it may be made. */
async function readExisting(
  store: ObjectStore,
  { createTable: mayCreate }: Destination,
  view: CompiledView,
): Promise<Snapshot | undefined> {
  try {
    const snapshot = await readSnapshot(store);
    assertAppendable(snapshot);
    return snapshot;
  } catch (error) {
    if (!isAppError(error, 'DELTA_TABLE_NOT_FOUND')) throw error;
    if (mayCreate) return undefined;
    const ddl = describeColumns(tableColumnsForView(view));
    throw new AppError(
      'DELTA_TABLE_NOT_FOUND',
      `there is no Delta table at ${store.address}; make it with CREATE TABLE … (${ddl}) USING DELTA LOCATION '${store.address}', or set the parameter createTable to true`,
      { cause: error },
    );
  }
}
