import { randomUUID } from 'node:crypto';
import { AppError } from '../errors/app-error.ts';
import type { Clock } from '../lib/clock.ts';
import { Turns } from '../lib/turns.ts';
import type { Row, TableColumn, TableValue } from '../rows/table-type.ts';
import { encodeParquetParts } from '../parquet/parquet-file.ts';
import type { FileColumn } from '../parquet/parquet-schema.ts';
import { makeRowCheck } from './row-check.ts';
import { typeName } from './schema.ts';
import type { Snapshot } from './snapshot.ts';
import { describeColumn, selectIndexedFields } from './statistics.ts';

export interface DataFile {
  readonly bytes: Uint8Array;
  readonly numRecords: number;
  /** JSON text for the `stats` of its `add` action. */
  readonly stats: string;
}

/** The parts of a snapshot that decide how a data file looks. */
export type DataFileTable = Pick<Snapshot, 'schema' | 'metaData' | 'domains'>;

/** A fresh name for a data file, relative to the table. */
export function makeDataFilePath(): string {
  return `part-00000-${randomUUID()}-c000.snappy.parquet`;
}

/**
 * Encodes rows as one Parquet file of the table, with its statistics. Columns of the table that are not in `columns` are left out, which
 * readers see as null.
 *
 * @param columns the columns that the values of a row belong to, in order, as `tableColumns` gave them
 * @throws AppError DELTA_VALUE_NULL, DELTA_VALUE_OUT_OF_RANGE or DELTA_VALUE_INVALID for the first value that does not fit, with the
 *   index of its row in the facts; DELTA_SCHEMA_MISMATCH when `columns` are not columns of the table, or leave out one that is NOT NULL
 */
export function encodeDataFile(table: DataFileTable, columns: readonly TableColumn[], rows: readonly Row[]): DataFile {
  const parts = encodeParts(table, columns, rows);
  for (;;) {
    const part = parts.next();
    if (part.done === true) return part.value;
  }
}

/** The same, letting others run between parts of the work, as 100,000 rows take half a second. @throws what `encodeDataFile` throws */
export async function encodeDataFileInTurns(
  table: DataFileTable,
  columns: readonly TableColumn[],
  rows: readonly Row[],
  clock: Clock,
): Promise<DataFile> {
  const turns = new Turns(clock, rows.length * columns.length > LARGE_VALUES ? LARGE_TURN_MS : TURN_MS);
  const parts = encodeParts(table, columns, rows);
  for (;;) {
    const part = parts.next();
    if (part.done === true) return part.value;
    if (turns.isOver) await turns.next();
  }
}

/** How long is worked in one go. An event of another destination needs some ten turns, so a long work has to be cut smaller. */
const TURN_MS = 15;
const LARGE_TURN_MS = 4;
const LARGE_VALUES = 200_000;
/** Values that are checked or encoded in one part: about half a millisecond. */
const VALUES_PER_PART = 4_000;

function* encodeParts(table: DataFileTable, columns: readonly TableColumn[], rows: readonly Row[]): Generator<void, DataFile> {
  const fileColumns = bindColumns(table, columns);
  const rowsPerPart = Math.max(1, Math.floor(VALUES_PER_PART / columns.length));
  yield* checkRows(columns, rows, rowsPerPart);
  const bytes = yield* encodeParquetParts(fileColumns, rows, rowsPerPart);
  return { bytes, numRecords: rows.length, stats: yield* makeStats(table, columns, fileColumns, rows) };
}

function bindColumns({ schema }: DataFileTable, columns: readonly TableColumn[]): FileColumn[] {
  const byName = new Map(schema.fields.map((field) => [field.name, field]));
  const bound = columns.map((column) => {
    const field = byName.get(column.name);
    if (field?.type === undefined || field.typeName !== typeName(column.type) || field.nullable !== column.nullable) {
      const found = field === undefined ? 'has no such column' : `has ${field.typeName}${field.nullable ? '' : ' NOT NULL'}`;
      throw new AppError(
        'DELTA_SCHEMA_MISMATCH',
        `rows bring column ${column.name} as ${typeName(column.type)}${column.nullable ? '' : ' NOT NULL'}, the table ${found}`,
      );
    }
    byName.delete(column.name);
    return { ...column, type: field.type, physicalName: field.physicalName, fieldId: field.fieldId };
  });
  const unfilled = [...byName.values()].filter((field) => !field.nullable).map((field) => field.name);
  if (bound.length === 0 || unfilled.length > 0) {
    throw new AppError(
      'DELTA_SCHEMA_MISMATCH',
      `rows bring ${bound.length} columns and no value for NOT NULL columns: ${unfilled.join(', ') || 'none'}`,
    );
  }
  return bound;
}

function* checkRows(columns: readonly TableColumn[], rows: readonly Row[], rowsPerPart: number): Generator<void, void> {
  const check = makeRowCheck(columns);
  for (const [index, row] of rows.entries()) {
    const problem = check(row);
    if (problem)
      throw new AppError(problem.code, `${problem.message} (row ${index})`, { facts: { ...problem.facts, row: index } });
    if (index % rowsPerPart === rowsPerPart - 1) yield;
  }
}

/** The values of one column as the file stores them: floats rounded to 32 bits, minus zero as zero (engines order the two differently). */
function makeColumnValues({ type }: TableColumn, rows: readonly Row[], at: number): TableValue[] {
  const kind = type.kind === 'array' ? type.element.kind : type.kind;
  const stored = (value: TableValue): TableValue => {
    if (value === null || value === undefined) return null;
    if (typeof value === 'number') return (kind === 'float' ? Math.fround(value) : value) + 0;
    return Array.isArray(value) && (kind === 'float' || kind === 'double') ? (value as TableValue[]).map(stored) : value;
  };
  return rows.map((row) => stored(row[at] as TableValue));
}

function* makeStats(
  table: DataFileTable,
  columns: readonly TableColumn[],
  fileColumns: readonly FileColumn[],
  rows: readonly Row[],
): Generator<void, string> {
  const indexed = new Set([...selectIndexedFields(table)].map((field) => field.physicalName));
  const min: string[] = [];
  const max: string[] = [];
  const nulls: string[] = [];
  for (const [at, { physicalName, type }] of fileColumns.entries()) {
    if (!indexed.has(physicalName)) continue;
    yield;
    const values = makeColumnValues(columns[at] as TableColumn, rows, at);
    const column = describeColumn(type.kind === 'array' ? undefined : type, values);
    const key = JSON.stringify(physicalName);
    if (column.min !== undefined) min.push(`${key}:${column.min}`);
    if (column.max !== undefined) max.push(`${key}:${column.max}`);
    nulls.push(`${key}:${column.nullCount}`);
  }
  // Joined by hand: 64-bit and decimal bounds have digits that JSON.stringify cannot write.
  return `{"numRecords":${rows.length},"minValues":{${min.join(',')}},"maxValues":{${max.join(',')}},"nullCount":{${nulls.join(',')}}}`;
}
