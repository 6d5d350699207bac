import { tableNameParts, type DatabricksTable } from '../databricks/databricks-table.ts';
import { checkZerobusNames } from '../databricks/zerobus-rows.ts';
import { findUnsupportedProblems, type TableColumns } from '../databricks/warehouse/table-columns.ts';
import type { Destination } from '../destinations/destination.ts';
import type { TablePreparation } from '../destinations/table-preparation.ts';
import { AppError, isAppError } from '../errors/app-error.ts';
import { findMissingColumns, findWarnings, makeRowEncoder } from '../rows/row-encoder.ts';
import { tableColumnsForView } from '../rows/table-schema.ts';
import type { CompiledView } from '../view/compiled-view.ts';
import type { ColumnPlan } from '../writers/managed/open-columns.ts';
import type { Databricks } from './databricks.ts';

/** Aidbox waits for the answer to a create, a cold warehouse takes minutes (S0.111): after this the owner goes on opening the table. */
const CREATE_WAIT_MS = 20_000;

/** What the rows of a view need of a managed table in a write mode. */
export function planColumns(writeMode: Destination['writeMode'], table: DatabricksTable, view: CompiledView): ColumnPlan {
  return {
    findMissing: (found) => {
      const wanted = tableColumnsForView(view).map(({ name }) => name);
      const problems = findUnsupportedProblems(found, wanted);
      if (problems.length > 0)
        throw new AppError('TABLE_COLUMNS_UNFIT', `view ${view.name} and its table do not match: ${problems.join('; ')}`);
      return findMissingColumns(view, found.columns);
    },
    choose: (columns) => {
      const filled = makeRowEncoder(view, columns).columns;
      if (writeMode === 'managed-zerobus') checkZerobusNames(tableNameParts(table), filled);
      return filled;
    },
  };
}

/**
 * Checks managed tables at create: a token for the table, and its columns by one statement. Nothing is written: columns that the table lacks
 * are added by the owner.
 *
 * @param remember keeps the columns for the owner in this process
 */
export function makeManagedPreparation(
  databricks: Databricks,
  remember: (destination: Destination, columns: TableColumns) => void,
): TablePreparation {
  return {
    async check(destination, view) {
      const { target, writeMode } = destination;
      if (target.kind !== 'databricks') return { warnings: [] };
      if (writeMode === 'managed-zerobus') await databricks.zerobusTokens(target.table).get();
      const found = await readColumnsInTime(databricks, target.table);
      if (found === undefined) {
        const waiting = `the SQL warehouse did not answer within ${CREATE_WAIT_MS / 1000} s, as it does while it starts; the table is checked when it has, see state and lastErrorDetail`;
        return { warnings: [waiting] };
      }
      const plan = planColumns(writeMode, target.table, view);
      const missing = plan.findMissing(found);
      plan.choose([...found.columns, ...missing]);
      remember(destination, found);
      return { warnings: findWarnings(view, found.columns) };
    },
    begin: async () => undefined, // nothing in the table tells one incarnation from another
  };
}

/** Undefined when the warehouse is starting. */
async function readColumnsInTime(databricks: Databricks, table: DatabricksTable): Promise<TableColumns | undefined> {
  const signal = AbortSignal.timeout(CREATE_WAIT_MS);
  const managed = databricks.openTable(table, signal);
  try {
    return await managed.readColumns();
  } catch (error) {
    if (signal.aborted || isAppError(error, 'WAREHOUSE_STARTING')) return undefined;
    throw error;
  } finally {
    void managed.close().catch(() => undefined); // closing the session of a cold warehouse waits for it too
  }
}
