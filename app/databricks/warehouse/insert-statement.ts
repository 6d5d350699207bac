import { AppError } from '../../errors/app-error.ts';
import { quoteName, quoteNames } from '../../rows/sql-quoting.ts';
import { describeType } from '../../rows/table-schema.ts';
import type { PrimitiveType, TableColumn, TableType } from '../../rows/table-type.ts';
import { fieldName } from './sql-row.ts';

/** Name of the one parameter: the rows, as `joinSqlRows` makes them. */
export const ROWS_PARAMETER = 'rows';

/** One statement that writes a batch of rows. */
export interface InsertStatement {
  readonly sql: string;
  /** True when running it twice writes the rows once: the table tells events apart by `_event_id`. */
  readonly repeatable: boolean;
}

/**
 * The statement that writes rows into a table, whatever their number: `INSERT`, or an insert-only `MERGE` when `_event_id` is among the
 * columns. It reads the rows from a JSON text in one parameter, strictly, and casts each value to the type of its column (ADR 0012). A MERGE
 * does not compare the rows of one batch with each other.
 *
 * @param table catalog, schema and table
 * @param columns the columns that are filled; the others become null or their default
 */
export function makeInsertStatement(table: readonly string[], columns: readonly TableColumn[]): InsertStatement {
  if (columns.length === 0) throw new AppError('SQL_SCHEMA_DIFFERS', `no column of ${table.join('.')} is filled`);
  const names = columns.map(({ name }) => quoteName(name)).join(', ');
  const fields = columns.map(({ type }, index) => `${fieldName(index)}: ${readType(type)}`);
  const values = columns.map((column, index) => `${castExpression(column, fieldName(index))} AS ${fieldName(index)}`);
  const source =
    `SELECT ${values.join(', ')} FROM (SELECT inline(from_json(:${ROWS_PARAMETER}, ` +
    `'ARRAY<STRUCT<${fields.join(', ')}>>', map('mode', 'FAILFAST'))))`;

  const keys = ['_event_id', '_row_no'].map((key) => columns.findIndex(({ name }) => name.toLowerCase() === key));
  if (keys[0] === -1) return { sql: `INSERT INTO ${quoteNames(table)} (${names}) ${source}`, repeatable: false };
  const conditions = keys
    .filter((index) => index !== -1)
    .map((index) => `t.${quoteName(columns[index]?.name ?? '')} = s.${fieldName(index)}`);
  const sql =
    `MERGE INTO ${quoteNames(table)} AS t USING (${source}) AS s ON ${conditions.join(' AND ')} ` +
    `WHEN NOT MATCHED THEN INSERT (${names}) VALUES (${columns.map((_, index) => `s.${fieldName(index)}`).join(', ')})`;
  return { sql, repeatable: true };
}

/** What the JSON reader makes of a field; of base64 in a list it makes the bytes itself, since `unbase64` takes no list. */
function readType(type: TableType): string {
  if (type.kind !== 'array') return 'STRING';
  return type.element.kind === 'binary' ? 'ARRAY<BINARY>' : 'ARRAY<STRING>';
}

/** Reads a column from its text, or its list of texts. Fails on what does not fit, as long as the session is ANSI. */
function castExpression({ type }: TableColumn, field: string): string {
  const element: PrimitiveType = type.kind === 'array' ? type.element : type;
  if (element.kind === 'string') return field;
  if (element.kind !== 'binary') return `CAST(${field} AS ${describeType(type)})`;
  return type.kind === 'array' ? field : `unbase64(${field})`;
}
