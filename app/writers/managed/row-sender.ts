import type { TableColumns } from '../../databricks/warehouse/table-columns.ts';
import type { Row, TableColumn } from '../../rows/table-type.ts';

/** Carries rows into a managed table, one request at a time or several beside each other. */
export interface RowSender {
  readonly limits: SendLimits;
  /** Makes the text of a row for a request. The encoder throws AppError VALUE_NOT_CONVERTIBLE or SQL_ROW_REFUSED for what has no form there. */
  makeRowEncoder(columns: readonly TableColumn[]): (row: Row) => string;
  /**
   * One request with all rows or none.
   *
   * @throws AppError; `REFUSED` tells what the codes mean for the rows
   */
  send(columns: readonly TableColumn[], rows: readonly string[], signal: AbortSignal): Promise<void>;
  /** True where rows that are sent again are in the table once. */
  isRepeatable(columns: readonly TableColumn[]): boolean;
  /** Called before rows with new columns are sent again. */
  renew(): void;
  close(): Promise<void>;
}

export interface SendLimits {
  /** Rows of one request. */
  readonly maxRows: number;
  /** Bytes of the texts of its rows. */
  readonly maxBytes: number;
  /** Requests beside each other. */
  readonly maxRequests: number;
  /** False where the rows of one event must stand in one request, however many they are. */
  readonly splitsEvents: boolean;
}

/** The columns of the table, by the SQL warehouse. */
export interface ManagedTable {
  /** One statement. @throws AppError SQL_…, WAREHOUSE_… */
  readColumns(): Promise<TableColumns>;
  /** One statement. @throws AppError SQL_COLUMN_EXISTS when one of them is there already; SQL_…, WAREHOUSE_… */
  addColumns(columns: readonly TableColumn[]): Promise<void>;
  close(): Promise<void>;
}
