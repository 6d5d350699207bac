import { isAppError } from '../../errors/app-error.ts';
import type { TableColumns } from '../../databricks/warehouse/table-columns.ts';
import { describeColumns } from '../../rows/table-schema.ts';
import type { TableColumn } from '../../rows/table-type.ts';
import type { ManagedTable } from './row-sender.ts';

/** What the rows of a view need of a table. */
export interface ColumnPlan {
  /** Columns that the table lacks. @throws AppError TABLE_COLUMNS_UNFIT when one that it has is of a type that rows cannot be written to */
  findMissing(table: TableColumns): readonly TableColumn[];
  /** The columns that are filled, in the order of rows. @throws AppError TABLE_COLUMNS_UNFIT, VIEW_WITHOUT_ID and what the target does not take */
  choose(columns: readonly TableColumn[]): readonly TableColumn[];
}

export interface OpenedColumns {
  /** All of the table. */
  readonly table: TableColumns;
  readonly filled: readonly TableColumn[];
  /** True when columns were added now. */
  readonly added: boolean;
  readonly warnings: readonly string[];
}

/** Two processes may add the same columns at the same time; more often than this something else is wrong. */
const MAX_READS = 3;

/**
 * Makes the table ready for the rows of a view: columns that it lacks are added, nothing is ever dropped, renamed or narrowed (S0.96, S0.98).
 *
 * @param known columns read before; then nothing is read
 */
export async function openColumns(
  table: ManagedTable,
  plan: ColumnPlan,
  known: TableColumns | undefined,
): Promise<OpenedColumns> {
  let found = known ?? (await table.readColumns());
  for (let reads = 1; ; reads++) {
    const missing = plan.findMissing(found);
    const all = { ...found, columns: [...found.columns, ...missing] };
    const filled = plan.choose(all.columns); // before anything is added: a table that can never fit stays as it is
    const warnings = unfilledWarnings(found, filled);
    if (missing.length === 0) return { table: found, filled, added: false, warnings };
    try {
      await table.addColumns(missing);
      return { table: all, filled, added: true, warnings };
    } catch (error) {
      if (!isAppError(error, 'SQL_COLUMN_EXISTS', 'SQL_SCHEMA_DIFFERS') || reads >= MAX_READS) throw error;
      found = await table.readColumns();
    }
  }
}

export function sameTable(left: TableColumns, right: TableColumns): boolean {
  const others = ({ unsupported }: TableColumns): string =>
    unsupported
      .map(({ name, typeName }) => `${name} ${typeName}`)
      .join()
      .toLowerCase();
  return sameColumns(left.columns, right.columns) && others(left) === others(right);
}

export function sameColumns(left: readonly TableColumn[], right: readonly TableColumn[]): boolean {
  return describeColumns(left).toLowerCase() === describeColumns(right).toLowerCase();
}

function unfilledWarnings({ columns, unsupported }: TableColumns, filled: readonly TableColumn[]): readonly string[] {
  const names = new Set(filled.map(({ name }) => name.toLowerCase()));
  const unfilled = [...columns, ...unsupported].filter(({ name }) => !names.has(name.toLowerCase())).map(({ name }) => name);
  if (unfilled.length === 0) return [];
  return [`the table has columns that the view does not yield: ${unfilled.join(', ')}; they stay null, and nothing is dropped`];
}
