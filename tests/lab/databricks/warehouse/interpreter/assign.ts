import type { Cell, Row } from '../../registry/cells.ts';
import type { DataType, StructField } from '../../registry/data-type.ts';
import { SqlError } from '../sql/sql-error.ts';
import { spellType, type SqlType } from '../sql/sql-type.ts';
import { castCell } from './cast.ts';
import { checkCastable } from './castable.ts';

export type OverflowClass = 'CAST_OVERFLOW_IN_TABLE_INSERT' | 'DELTA_CAST_OVERFLOW_IN_TABLE_WRITE';

/** How values of a query go into a column: the ANSI cast, with its own words for an overflow. */
export interface Assignment {
  readonly column: StructField;
  readonly assign: (cell: Cell) => Cell;
}

/** @throws SqlError DATATYPE_MISMATCH */
export function makeAssignment(from: SqlType, column: StructField, overflow: OverflowClass): Assignment {
  const { name, type } = column;
  checkCastable(from, type, name);
  return {
    column,
    assign: (cell) => {
      try {
        return castCell(cell, from, type);
      } catch (error) {
        const isOverflow = error instanceof SqlError && error.sqlState === '22003';
        throw isOverflow ? makeOverflow(from, type, name, overflow) : error;
      }
    },
  };
}

/** One row, with NULL in the columns that are not assigned. @throws SqlError DELTA_NOT_NULL_CONSTRAINT_VIOLATED */
export function assignRow(cells: readonly Cell[], assignments: readonly Assignment[], columns: readonly StructField[]): Row {
  const row = Object.fromEntries(assignments.map(({ column, assign }, index) => [column.name, assign(cells[index] ?? null)]));
  for (const column of columns) checkNotNull(row[column.name] ?? null, column.type, column.nullable, column.name);
  return row;
}

function checkNotNull(cell: Cell, type: DataType, nullable: boolean, path: string): void {
  if (cell === null && !nullable) {
    throw new SqlError('DELTA_NOT_NULL_CONSTRAINT_VIOLATED', '23502', `NOT NULL constraint violated for column: ${path}.\n`);
  }
  if (cell === null || type.kind !== 'struct') return;
  const values = cell as Readonly<Record<string, Cell>>;
  for (const field of type.fields) checkNotNull(values[field.name] ?? null, field.type, field.nullable, `${path}.${field.name}`);
}

function makeOverflow(from: SqlType, to: DataType, column: string, overflow: OverflowClass): SqlError {
  const what =
    overflow === 'CAST_OVERFLOW_IN_TABLE_INSERT'
      ? `Fail to assign a value of "${spellType(from)}" type to the "${spellType(to)}" type column or variable \`${column}\` due to an overflow.`
      : `Failed to write a value of "${spellType(from)}" type into the "${spellType(to)}" type column \`${column}\` due to an overflow.`;
  return new SqlError(
    overflow,
    '22003',
    `${what}\nUse \`try_cast\` on the input value to tolerate overflow and return NULL instead. SQLSTATE: 22003`,
  );
}
