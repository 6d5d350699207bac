import type { DataType, StructField } from './data-type.ts';

/**
 * A value of a row, by the type of its column:
 * string → string · boolean → boolean · byte, short, integer → number · long → bigint · float, double → number (NaN and infinities too) ·
 * decimal → bigint, the digits without the point · date → number, days since 1970-01-01 · timestamp, timestamp_ntz → bigint, microseconds
 * since 1970-01-01 (UTC; ntz: the wall clock read as UTC) · binary → Uint8Array · array → Cell[] · map → [key, value][] ·
 * struct → an object by field name. `null` or nothing is NULL.
 */
export type Cell =
  string | boolean | number | bigint | Uint8Array | Cell[] | { readonly [field: string]: Cell | undefined } | null;

/** A row by column name. A column without an entry is NULL. */
export interface Row {
  readonly [column: string]: Cell | undefined;
}

const INTEGER_BITS = { byte: 8, short: 16, integer: 32 } as const;

/**
 * Check that a row fits the columns: no other names, no NULL where none may be, each value of its column's form and range.
 *
 * @throws Error that names the column
 */
export function checkRow(row: Row, columns: readonly StructField[]): void {
  for (const name of Object.keys(row)) {
    if (!columns.some((column) => column.name === name)) throw new Error(`the table has no column '${name}'`);
  }
  for (const column of columns) checkCell(row[column.name] ?? null, column.type, column.nullable, column.name);
}

function checkCell(cell: Cell, type: DataType, nullable: boolean, path: string): void {
  if (cell === null) {
    if (!nullable) throw new Error(`${path} is NOT NULL and got NULL`);
    return;
  }
  if (type.kind === 'array' && Array.isArray(cell)) {
    for (const item of cell) checkCell(item, type.element, type.containsNull, `${path}.element`);
  } else if (type.kind === 'map' && Array.isArray(cell)) {
    for (const [key, value] of cell as [Cell, Cell][]) {
      checkCell(key, type.key, false, `${path}.key`);
      checkCell(value, type.value, type.valueContainsNull, `${path}.value`);
    }
  } else if (type.kind === 'struct' && typeof cell === 'object' && !Array.isArray(cell) && !(cell instanceof Uint8Array)) {
    for (const field of type.fields) checkCell(cell[field.name] ?? null, field.type, field.nullable, `${path}.${field.name}`);
  } else if (!isScalar(cell, type)) {
    throw new Error(`${path} is of type ${type.kind} and got a value of another form or range (${typeof cell})`);
  }
}

function isScalar(cell: Cell, type: DataType): boolean {
  switch (type.kind) {
    case 'string':
    case 'boolean':
      return typeof cell === type.kind;
    case 'byte':
    case 'short':
    case 'integer': {
      const limit = 2 ** (INTEGER_BITS[type.kind] - 1);
      return Number.isInteger(cell) && (cell as number) >= -limit && (cell as number) < limit;
    }
    case 'date':
      return Number.isInteger(cell) && Math.abs(cell as number) < 2 ** 31;
    case 'long':
    case 'timestamp':
    case 'timestamp_ntz':
      return typeof cell === 'bigint' && BigInt.asIntN(64, cell) === cell;
    case 'decimal':
      return typeof cell === 'bigint' && (cell < 0n ? -cell : cell) < 10n ** BigInt(type.precision);
    case 'float':
    case 'double':
      return typeof cell === 'number';
    case 'binary':
      return cell instanceof Uint8Array;
    case 'array':
    case 'map':
    case 'struct':
    case 'variant':
      return false;
  }
}
