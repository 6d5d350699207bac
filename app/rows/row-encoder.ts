import { AppError } from '../errors/app-error.ts';
import type { CompiledView, FlatValue } from '../view/compiled-view.ts';
import { findTypeConflict, keepsDigits, makeConverter } from './convert.ts';
import { parseAnsiType } from './ansi-type.ts';
import { describeColumns, IS_DELETED, tableColumnsForView, tableTypeFor } from './table-schema.ts';
import type { Row, TableColumn, TableValue } from './table-type.ts';

/** What is known of an event beside its rows; goes into the system columns that the table has. */
export interface RowContext {
  /** Key of the event (design E1), 16 characters. */
  readonly eventKey: string;
  readonly versionId: string | undefined;
  /** `write`: a create or an update that the notification does not tell apart. */
  readonly action: 'create' | 'update' | 'delete' | 'write';
  /** Reception by our clock, epoch milliseconds. */
  readonly receivedAtMs: number;
  readonly correlationId: string | undefined;
}

/** Turns the rows of a view into rows of a table. */
export interface RowEncoder {
  /** The table columns that are filled, in table order; values of a row stand in this order. */
  readonly columns: readonly TableColumn[];
  /** True when digits of decimals reach the table that JSON.parse would lose: read resources with `parseExactly` then. */
  readonly needsExactDecimals: boolean;
  /**
   * The rows of one event, values in the shape of their table types.
   * @throws AppError VALUE_NOT_CONVERTIBLE naming the column, never the value; then no row of the event can be written
   */
  encode(rows: readonly (readonly FlatValue[])[], context: RowContext): Row[];
}

/** One reason why the rows of a view cannot go into a table. */
export interface TableProblem {
  readonly code: 'VIEW_WITHOUT_ID' | 'TABLE_COLUMNS_MISSING' | 'TABLE_COLUMNS_UNFIT';
  readonly column: string;
  readonly message: string;
}

/** Columns that we fill when the table has them (design §4); `rowNo` counts the rows of one event from 1. */
const SYSTEM_COLUMNS: Readonly<Record<string, { readonly fhirType: string; readonly value: SystemValue }>> = {
  [IS_DELETED]: { fhirType: 'integer', value: ({ action }) => (action === 'delete' ? 1 : 0) },
  _event_id: { fhirType: 'string', value: ({ eventKey }) => eventKey },
  _version_id: { fhirType: 'string', value: ({ versionId }) => versionId ?? null },
  _action: { fhirType: 'code', value: ({ action }) => action },
  _row_no: { fhirType: 'integer', value: (_context, rowNo) => rowNo },
  _row_count: { fhirType: 'integer', value: (_context, _rowNo, rowCount) => rowCount },
  _received_at: { fhirType: 'instant', value: ({ receivedAtMs }) => new Date(receivedAtMs).toISOString() },
  _correlation_id: { fhirType: 'string', value: ({ correlationId }) => correlationId ?? null },
};

type SystemValue = (context: RowContext, rowNo: number, rowCount: number) => FlatValue;

/** Where the value of one table column comes from. */
type Source =
  | { readonly kind: 'view'; readonly index: number; readonly fhirType: string; readonly collection: boolean }
  | { readonly kind: 'system'; readonly fhirType: string; readonly value: SystemValue };

/**
 * Makes the encoder of a view for a table. Columns are matched by name without regard to case, as Delta does; table columns that neither
 * the view nor we yield are left out, so they become null.
 *
 * @throws AppError VIEW_WITHOUT_ID, TABLE_COLUMNS_MISSING or TABLE_COLUMNS_UNFIT listing all that `findTableProblems` finds
 */
export function makeRowEncoder(view: CompiledView, tableColumns: readonly TableColumn[]): RowEncoder {
  const problems = findTableProblems(view, tableColumns);
  const [first] = problems;
  if (first !== undefined) {
    const table = describeColumns(tableColumns);
    const message = `view ${view.name} and its table do not match: ${problems.map((problem) => problem.message).join('; ')} (the table has ${table})`;
    throw new AppError(first.code, message, {
      facts: { view: view.name, columns: problems.map(({ column }) => column).join(', ') },
    });
  }
  const filled = tableColumns.flatMap((column) => {
    const source = findSource(view, column.name);
    return source === undefined ? [] : [{ column, source, convert: makeSourceConverter(column, source) }];
  });
  const encodeRow = (row: readonly FlatValue[], context: RowContext, rowNo: number, rowCount: number): Row =>
    filled.map(({ source, convert }) =>
      convert(source.kind === 'view' ? (row[source.index] ?? null) : source.value(context, rowNo, rowCount)),
    );
  return {
    columns: filled.map(({ column }) => column),
    needsExactDecimals:
      view.needsExactDecimals === true || filled.some(({ column, source }) => keepsDigits(column, source.fhirType)),
    encode: (rows, context) => rows.map((row, index) => encodeRow(row, context, index + 1, rows.length)),
  };
}

/** The columns that a table may have beside those of a view, `is_deleted` aside. */
export function systemColumns(): readonly TableColumn[] {
  return Object.entries(SYSTEM_COLUMNS)
    .filter(([name]) => name !== IS_DELETED)
    .map(([name, { fhirType }]) => ({ name, type: tableTypeFor({ fhirType, collection: false }), nullable: true }));
}

/** The columns of the view, and `is_deleted`, that a table lacks, as it should have them. */
export function findMissingColumns(
  view: Pick<CompiledView, 'columns'>,
  tableColumns: readonly TableColumn[],
): readonly TableColumn[] {
  const inTable = new Set(tableColumns.map(({ name }) => name.toLowerCase()));
  return tableColumnsForView(view).filter(({ name }) => !inTable.has(name.toLowerCase()));
}

/** Everything that keeps the rows of a view out of a table; empty when they fit. Writes and reads nothing. */
export function findTableProblems(view: CompiledView, tableColumns: readonly TableColumn[]): readonly TableProblem[] {
  const problems: TableProblem[] = [];
  if (!hasIdColumn(view)) {
    problems.push({
      code: 'VIEW_WITHOUT_ID',
      column: 'id',
      message: 'the view has no column "id" with the path id or getResourceKey()',
    });
  }
  for (const column of findMissingColumns(view, tableColumns)) {
    problems.push({
      code: 'TABLE_COLUMNS_MISSING',
      column: column.name,
      message: `the table has no column ${describeColumns([column])}`,
    });
  }
  for (const column of tableColumns) problems.push(...findColumnProblem(view, column));
  for (const { name } of view.columns) {
    if (findSystemColumn(name) === undefined) continue;
    problems.push({
      code: 'TABLE_COLUMNS_UNFIT',
      column: name,
      message: `column "${name}" is filled by the service; the view must not yield it`,
    });
  }
  return problems;
}

function findColumnProblem(view: CompiledView, column: TableColumn): readonly TableProblem[] {
  const source = findSource(view, column.name);
  if (source === undefined) {
    if (column.nullable) return [];
    const message = `column "${column.name}" is NOT NULL, but the view does not yield it`;
    return [{ code: 'TABLE_COLUMNS_UNFIT', column: column.name, message }];
  }
  const conflict = findTypeConflict(source.fhirType, source.kind === 'view' && source.collection, column);
  return conflict === undefined
    ? []
    : [{ code: 'TABLE_COLUMNS_UNFIT', column: column.name, message: `column "${column.name}": ${conflict}` }];
}

/**
 * What a user should know of a view and a table that do match: without a time or a version of the resource in either, nobody can tell which
 * of the rows of a resource is the latest.
 */
export function findWarnings(view: CompiledView, tableColumns: readonly TableColumn[]): readonly string[] {
  const ordering = ['meta.lastUpdated', 'meta.versionId', 'getAidboxTs()'];
  const inView = view.columns.some(({ path }) => ordering.includes(plainPath(view, path)));
  const inTable = tableColumns.some(({ name }) => ['_version_id', '_received_at'].includes(name.toLowerCase()));
  const unknownTypes = view.columns.flatMap(({ name, ansiType }) =>
    ansiType === undefined || parseAnsiType(ansiType) !== undefined
      ? []
      : [
          `column "${name}": the tag ansi/type names no type that a table can have (for example DECIMAL(18,2)), so it has no effect`,
        ],
  );
  if (inView || inTable) return unknownTypes;
  return [
    ...unknownTypes,
    `neither view ${view.name} nor its table has a time or version of the resource, so the latest row of a resource cannot be found: ` +
      'add a column with the path meta.lastUpdated (for example "ts") to view and table',
  ];
}

function hasIdColumn(view: CompiledView): boolean {
  return view.columns.some(
    ({ name, path, collection }) =>
      name.toLowerCase() === 'id' && !collection && ['id', 'getResourceKey()'].includes(plainPath(view, path)),
  );
}

/** A path without white space and without what only names the resource itself. */
function plainPath(view: CompiledView, path: string | undefined): string {
  const compact = (path ?? '').replace(/\s+/g, '');
  const prefix =
    [`${view.resourceType}.`, '%resource.', '%rootResource.', '$this.'].find((each) => compact.startsWith(each)) ?? '';
  return compact.slice(prefix.length);
}

function findSource(view: CompiledView, columnName: string): Source | undefined {
  const system = findSystemColumn(columnName);
  if (system !== undefined) return { kind: 'system', ...system };
  const index = view.columns.findIndex(({ name }) => name.toLowerCase() === columnName.toLowerCase());
  const column = view.columns[index];
  return column === undefined ? undefined : { kind: 'view', index, fhirType: column.fhirType, collection: column.collection };
}

function findSystemColumn(name: string): { readonly fhirType: string; readonly value: SystemValue } | undefined {
  const key = name.toLowerCase();
  return Object.hasOwn(SYSTEM_COLUMNS, key) ? SYSTEM_COLUMNS[key] : undefined;
}

function makeSourceConverter(column: TableColumn, source: Source): (value: FlatValue) => TableValue {
  return makeConverter(source.fhirType, source.kind === 'view' && source.collection, column);
}
