import { AppError } from '../../errors/app-error.ts';
import { quoteName, quoteNames, quoteText } from '../../rows/sql-quoting.ts';
import { describeType } from '../../rows/table-schema.ts';
import type { TableColumn } from '../../rows/table-type.ts';
import { parseColumnType } from './column-types.ts';
import { describeGrants } from './grants.ts';
import type { Warehouse } from './warehouse.ts';

/** Catalog, schema and table. */
export type TableName = readonly [catalog: string, schema: string, table: string];

/** The columns of a table, in its order. */
export interface TableColumns {
  /** Those that rows can be written to. */
  readonly columns: readonly TableColumn[];
  /** Those of other types; they are left out of every statement, so they become null. */
  readonly unsupported: readonly { readonly name: string; readonly typeName: string; readonly nullable: boolean }[];
}

/**
 * Reads the columns of a table by one statement.
 *
 * @throws AppError SQL_TABLE_NOT_FOUND when the table is not there or not to be seen, and what `Warehouse.query` throws
 */
export async function readTableColumns(warehouse: Warehouse, table: TableName, signal?: AbortSignal): Promise<TableColumns> {
  const [catalog, schema, name] = table;
  const rows = await warehouse.query(
    'SELECT column_name, data_type, full_data_type, is_nullable ' +
      `FROM ${quoteNames([catalog, 'information_schema', 'columns'])} ` +
      // Unity Catalog keeps these names in small letters.
      `WHERE table_schema = ${quoteText(schema.toLowerCase())} AND table_name = ${quoteText(name.toLowerCase())} ` +
      'ORDER BY ordinal_position',
    { context: { what: 'read the columns of', table, privileges: ['SELECT'] }, ...(signal === undefined ? {} : { signal }) },
  );
  if (rows.length === 0) {
    throw new AppError(
      'SQL_TABLE_NOT_FOUND',
      `${table.join('.')} has no columns to be seen: either there is no such table, then create it; ` +
        `or the service principal may not see it, then run: ${describeGrants(table, ['SELECT', 'MODIFY'])}`,
      { facts: { table: table.join('.') } },
    );
  }
  const read = rows.map((row) => {
    const [columnName, typeName] = [row['column_name'], row['full_data_type'] ?? row['data_type']];
    if (typeof columnName !== 'string' || typeof typeName !== 'string') {
      throw new AppError(
        'SQL_ANSWER_UNEXPECTED',
        `information_schema.columns gave a column of ${table.join('.')} without name or type`,
      );
    }
    // What does not say that null is allowed is taken to forbid it.
    return { name: columnName, typeName, type: parseColumnType(typeName), nullable: row['is_nullable']?.toUpperCase() === 'YES' };
  });
  return {
    columns: read.flatMap(({ name: columnName, type, nullable }) =>
      type === undefined ? [] : [{ name: columnName, type, nullable }],
    ),
    unsupported: read.flatMap(({ name: columnName, type, typeName, nullable }) =>
      type === undefined ? [{ name: columnName, typeName, nullable }] : [],
    ),
  };
}

/**
 * Why columns that rows cannot be written to are in the way of a view; empty when they are not: nobody fills them, and they may be null.
 *
 * @param filled names of the columns that are to be filled
 */
export function findUnsupportedProblems({ unsupported }: TableColumns, filled: readonly string[]): readonly string[] {
  const names = new Set(filled.map((name) => name.toLowerCase()));
  return unsupported.flatMap(({ name, typeName, nullable }) => {
    if (names.has(name.toLowerCase())) return [`column "${name}" is of type ${typeName}, which rows cannot be written to`];
    return nullable ? [] : [`column "${name}" of type ${typeName} is NOT NULL, but rows cannot be written to it`];
  });
}

/**
 * Adds columns to a table by one statement, all or none of them. Repeatable: when they are there already the answer is SQL_COLUMN_EXISTS.
 *
 * @throws AppError SQL_COLUMN_EXISTS or SQL_SCHEMA_DIFFERS when somebody else changed the table: read the columns again
 */
export async function addColumns(
  warehouse: Warehouse,
  table: TableName,
  columns: readonly Omit<TableColumn, 'nullable'>[],
  signal?: AbortSignal,
): Promise<void> {
  if (columns.length === 0) return;
  const added = columns.map(({ name, type }) => `${quoteName(name)} ${describeType(type)}`);
  await warehouse.execute(`ALTER TABLE ${quoteNames(table)} ADD COLUMNS (${added.join(', ')})`, {
    context: { what: 'add columns to', table, privileges: ['SELECT', 'MODIFY'] },
    repeatable: true,
    ...(signal === undefined ? {} : { signal }),
  });
}
