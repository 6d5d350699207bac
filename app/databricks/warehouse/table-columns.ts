import { AppError } from '../../errors/app-error.ts';
import { quoteName, quoteNames, quoteText } from '../../rows/sql-quoting.ts';
import { describeType } from '../../rows/table-schema.ts';
import type { TableColumn } from '../../rows/table-type.ts';
import { parseColumnType } from './column-types.ts';
import { describeGrants } from './grants.ts';
import type { Warehouse } from './warehouse.ts';

/** Catalog, schema and table. */
export type TableName = readonly [catalog: string, schema: string, table: string];

/** A row of information_schema by its labels in small letters. */
type ColumnRow = ReadonlyMap<string, string | null>;

/** The columns of a table, in its order. */
export interface TableColumns {
  /** Those that rows can be written to. */
  readonly columns: readonly TableColumn[];
  /** Those of other types; they are left out of every statement, so they become null. */
  readonly unsupported: readonly { readonly name: string; readonly typeName: string; readonly nullable: boolean }[];
}

/**
 * Reads the columns of a table by one statement; by a second one when its name has capitals and is not found in small letters.
 *
 * @throws AppError SQL_TABLE_NOT_FOUND when the table is not there or not to be seen, and what `Warehouse.query` throws
 */
export async function readTableColumns(warehouse: Warehouse, table: TableName, signal?: AbortSignal): Promise<TableColumns> {
  // Unity Catalog keeps names of schemas and tables in small letters; a Hive metastore or another server may not.
  const spellings = [[table[1].toLowerCase(), table[2].toLowerCase()] as const, [table[1], table[2]] as const];
  let rows: readonly ColumnRow[] = [];
  for (const [index, [schema, name]] of spellings.entries()) {
    if (index > 0 && schema === spellings[0]?.[0] && name === spellings[0][1]) break;
    const found = await warehouse.query(
      // Only the catalog is quoted: that is how the documents of Databricks write it, and what every server understands.
      `SELECT column_name, data_type, full_data_type, is_nullable FROM ${quoteName(table[0])}.information_schema.columns ` +
        `WHERE table_schema = ${quoteText(schema)} AND table_name = ${quoteText(name)} ORDER BY ordinal_position`,
      { context: { what: 'read the columns of', table, privileges: ['SELECT'] }, ...(signal === undefined ? {} : { signal }) },
    );
    rows = found.map((row) => new Map(Object.entries(row).map(([label, value]) => [label.toLowerCase(), value])));
    if (rows.length > 0) break;
  }
  if (rows.length === 0) {
    throw new AppError(
      'SQL_TABLE_NOT_FOUND',
      `${table.join('.')} has no columns to be seen: either there is no such table, then create it; ` +
        `or the service principal may not see it, then run: ${describeGrants(table, ['SELECT', 'MODIFY'])}`,
      { facts: { table: table.join('.') } },
    );
  }
  const read = rows.map((row) => {
    const [columnName, typeName] = [row.get('column_name'), row.get('full_data_type') ?? row.get('data_type')];
    if (typeof columnName !== 'string' || typeof typeName !== 'string') {
      throw new AppError(
        'SQL_ANSWER_UNEXPECTED',
        `information_schema.columns gave a column of ${table.join('.')} without name or type`,
      );
    }
    // A server that says nothing of it refuses a null by itself; taking the column for NOT NULL would refuse good rows.
    const nullable = !/^(NO|FALSE)$/i.test(row.get('is_nullable') ?? '');
    return { name: columnName, typeName, type: parseColumnType(typeName), nullable };
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
