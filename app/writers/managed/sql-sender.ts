import { isRepeatable, makeInsertStatement } from '../../databricks/warehouse/insert-statement.ts';
import { makeSqlRowEncoder } from '../../databricks/warehouse/sql-row.ts';
import type { TableName } from '../../databricks/warehouse/table-columns.ts';
import type { Warehouse } from '../../databricks/warehouse/warehouse.ts';
import type { RowSender } from './row-sender.ts';

/** Half of what a statement may be long (contract §3.6); what one parameter may hold is not published. */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Sends rows by statements of a SQL warehouse: one for a batch, unless it is larger than a statement may be. An event stays in one statement,
 * so that a statement that is repeated by `MERGE` finds either all of its rows or none.
 */
export function makeSqlSender(warehouse: Warehouse, table: TableName): RowSender {
  return {
    limits: { maxRows: Infinity, maxBytes: MAX_BYTES, maxRequests: 1, splitsEvents: false },
    makeRowEncoder: makeSqlRowEncoder,
    send: async (columns, rows, signal) => {
      const { sql, parameters, repeatable } = makeInsertStatement(table, columns, rows);
      const context = { what: 'insert into', table, privileges: ['SELECT', 'MODIFY'] } as const;
      await warehouse.execute(sql, { context, parameters, repeatable, signal });
    },
    isRepeatable,
    renew: () => undefined,
    close: () => warehouse.close(),
  };
}
