import { AppError } from '../errors/app-error.ts';
import { describeType } from '../rows/table-schema.ts';
import type { PrimitiveType, Row, TableColumn, TableValue } from '../rows/table-type.ts';
import { formatUnscaled } from '../rows/numeric.ts';

/** Names that Zerobus takes (contract §2.4). */
const NAME = /^[A-Za-z0-9_]+$/;
const MAX_COLUMNS = 2_000;

/** @throws AppError DATABRICKS_TABLE_UNFIT naming what Zerobus does not take */
export function checkZerobusNames(table: readonly string[], columns: readonly TableColumn[]): void {
  const bad = [...table, ...columns.map(({ name }) => name)].filter((name) => !NAME.test(name));
  if (bad.length > 0)
    throw new AppError(
      'DATABRICKS_TABLE_UNFIT',
      `${table.join('.')}: found the names ${bad
        .slice(0, 5)
        .map((name) => JSON.stringify(name))
        .join(', ')}${bad.length > 5 ? ` and ${bad.length - 5} more` : ''}, expected ASCII letters, digits and underscores`,
    );
  if (columns.length > MAX_COLUMNS)
    throw new AppError(
      'DATABRICKS_TABLE_UNFIT',
      `${table.join('.')}: found ${columns.length} columns, expected at most ${MAX_COLUMNS}`,
    );
}

/**
 * Makes the encoder of rows as Zerobus reads them (contract §2.5): one JSON object, nulls left out, DATE as days and TIMESTAMP as
 * microseconds since the epoch, DECIMAL as text, BIGINT with all its digits, BINARY in base64.
 *
 * The encoder throws AppError VALUE_NOT_CONVERTIBLE, naming the column, for a list that holds null: Zerobus has no form for it.
 */
export function makeZerobusRowEncoder(columns: readonly TableColumn[]): (row: Row) => string {
  const fields = columns.map((column) => ({ key: `${JSON.stringify(column.name)}:`, encode: makeValueEncoder(column) }));
  return (row) => {
    let text = '';
    for (let index = 0; index < fields.length; index++) {
      const value = row[index];
      if (value === null || value === undefined) continue;
      const { key, encode } = fields[index]!;
      text += `${text === '' ? '' : ','}${key}${encode(value)}`;
    }
    return `{${text}}`;
  };
}

type Encode = (value: NonNullable<TableValue>) => string;

function makeValueEncoder({ name, type }: TableColumn): Encode {
  if (type.kind !== 'array') return makePrimitiveEncoder(type);
  const encodeItem = makePrimitiveEncoder(type.element);
  return (value) => {
    const items = (value as readonly TableValue[]).map((item) => {
      if (item === null)
        throw new AppError(
          'VALUE_NOT_CONVERTIBLE',
          `column "${name}": a list with null does not fit ${describeType(type)} in Zerobus`,
          { facts: { column: name, tableType: describeType(type) } },
        );
      return encodeItem(item);
    });
    return `[${items.join(',')}]`;
  };
}

function makePrimitiveEncoder(type: PrimitiveType): Encode {
  switch (type.kind) {
    case 'string':
      return (value) => JSON.stringify(value);
    case 'boolean':
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
    case 'date':
    case 'timestamp':
    case 'timestamp_ntz':
      return String;
    case 'float':
    case 'double':
      return (value) => (Object.is(value, -0) ? '-0.0' : String(value));
    case 'decimal':
      return (value) => `"${formatUnscaled(value as bigint, type.scale)}"`;
    case 'binary':
      return (value) => `"${Buffer.from(value as Uint8Array).toString('base64')}"`;
  }
}
