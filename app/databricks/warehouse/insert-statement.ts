import { AppError } from '../../errors/app-error.ts';
import { quoteName, quoteNames } from '../../rows/sql-quoting.ts';
import { describeType } from '../../rows/table-schema.ts';
import type { PrimitiveType, TableColumn, TableType } from '../../rows/table-type.ts';
import { makeLiteralRow } from './sql-literal.ts';
import { fieldName, joinSqlRows } from './sql-row.ts';

/** Name of the one parameter of the form for large batches: the rows, as `joinSqlRows` makes them. */
const ROWS_PARAMETER = 'rows';
/** Batches up to this size are written as `VALUES`; larger ones are faster from JSON (ADR 0012). */
const MAX_LITERAL_ROWS = 1_000;
const MAX_LITERAL_BYTES = 1024 * 1024;

/** One statement that writes a batch of rows. */
export interface InsertStatement {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** True when running it twice writes the rows once: the table tells events apart by `_event_id`. */
  readonly repeatable: boolean;
}

/** How the rows travel: as literals of the statement, or as a JSON text in a parameter. */
export type InsertForm = 'literals' | 'json';

/**
 * The statement that writes rows into a table: `INSERT`, or an insert-only `MERGE` when `_event_id` is among the columns. A MERGE does not compare
 * the rows of one batch with each other. Up to 1,000 rows and 1 MiB of text the rows are `VALUES`; more are read from a JSON text in one
 * parameter, strictly, each value cast to the type of its column (ADR 0012).
 *
 * @param table catalog, schema and table
 * @param columns the columns that are filled; the others become null or their default
 * @param rows at least one, as `makeSqlRowEncoder` makes them for these columns
 * @param form instead of the one that the size of the batch suggests
 */
export function makeInsertStatement(
  table: readonly string[],
  columns: readonly TableColumn[],
  rows: readonly string[],
  form?: InsertForm,
): InsertStatement {
  if (columns.length === 0) throw new AppError('SQL_SCHEMA_DIFFERS', `no column of ${table.join('.')} is filled`);
  if (form !== 'json') {
    const statement = makeLiteralStatement(table, columns, rows, form === 'literals');
    if (statement !== undefined) return statement;
  }
  return makeJsonStatement(table, columns, rows);
}

/** True when the statement for these columns is a MERGE: running it twice writes the rows once. */
export function isRepeatable(columns: readonly TableColumn[]): boolean {
  return columns.some(({ name }) => name.toLowerCase() === '_event_id');
}

/** Undefined when the batch is too large for this form. */
function makeLiteralStatement(
  table: readonly string[],
  columns: readonly TableColumn[],
  rows: readonly string[],
  isOfAnySize: boolean,
): InsertStatement | undefined {
  const isLarge = (texts: readonly string[]): boolean =>
    !isOfAnySize && texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) > MAX_LITERAL_BYTES;
  if ((!isOfAnySize && rows.length > MAX_LITERAL_ROWS) || isLarge(rows)) return undefined;
  const values = `VALUES ${rows.map(makeLiteralRow(columns)).join(', ')}`;
  // MERGE takes no names of columns behind the alias, so they have those that VALUES gives them.
  const statement = makeStatement(table, columns, values, (index) => `col${index + 1}`);
  return isLarge([statement.sql]) ? undefined : { ...statement, parameters: {} };
}

function makeJsonStatement(table: readonly string[], columns: readonly TableColumn[], rows: readonly string[]): InsertStatement {
  const fields = columns.map(({ type }, index) => `${fieldName(index)}: ${readType(type)}`);
  const values = columns.map((column, index) => `${castExpression(column, fieldName(index))} AS ${fieldName(index)}`);
  const source =
    `SELECT ${values.join(', ')} FROM (SELECT inline(from_json(:${ROWS_PARAMETER}, ` +
    `'ARRAY<STRUCT<${fields.join(', ')}>>', map('mode', 'FAILFAST'))))`;
  return { ...makeStatement(table, columns, source, fieldName), parameters: { [ROWS_PARAMETER]: joinSqlRows(rows) } };
}

/** @param query yields the values in the order of the columns; @param nameOf what it calls column number `index` */
function makeStatement(
  table: readonly string[],
  columns: readonly TableColumn[],
  query: string,
  nameOf: (index: number) => string,
): Omit<InsertStatement, 'parameters'> {
  const names = columns.map(({ name }) => quoteName(name)).join(', ');
  if (!isRepeatable(columns)) return { sql: `INSERT INTO ${quoteNames(table)} (${names}) ${query}`, repeatable: false };
  const keys = ['_event_id', '_row_no'].map((key) => columns.findIndex(({ name }) => name.toLowerCase() === key));
  const conditions = keys
    .filter((index) => index !== -1)
    .map((index) => `t.${quoteName(columns[index]?.name ?? '')} = s.${nameOf(index)}`);
  const sql =
    `MERGE INTO ${quoteNames(table)} AS t USING (${query}) AS s ON ${conditions.join(' AND ')} ` +
    `WHEN NOT MATCHED THEN INSERT (${names}) VALUES (${columns.map((_, index) => `s.${nameOf(index)}`).join(', ')})`;
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
