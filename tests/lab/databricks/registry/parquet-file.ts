import { parquetWriteBuffer, type SchemaElement } from 'hyparquet-writer';
import type { Cell, Row } from './cells.ts';
import type { DataType, StructField } from './data-type.ts';

/**
 * Rows as one Parquet file, written by hyparquet-writer alone.
 *
 * @throws Error for VARIANT, which the lab does not write
 */
export function writeParquet(columns: readonly StructField[], rows: readonly Row[]): Uint8Array {
  const schema: SchemaElement[] = [{ name: 'spark_schema', num_children: columns.length }];
  for (const column of columns) schema.push(...toElements(column.name, column.type, column.nullable));
  const columnData = columns.map((column) => ({
    name: column.name,
    data: rows.map((row) => toParquet(row[column.name] ?? null, column.type)),
  }));
  // Only complete bounds: a reader that skips files by cut ones would need to know that they are cut.
  return new Uint8Array(parquetWriteBuffer({ schema, columnData, statistics: false, rowGroupSize: 100_000 }));
}

function toElements(name: string, type: DataType, nullable: boolean): SchemaElement[] {
  const repetition_type = nullable ? 'OPTIONAL' : 'REQUIRED';
  if (type.kind === 'array') {
    return [
      { name, repetition_type, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      ...toElements('element', type.element, type.containsNull),
    ];
  }
  if (type.kind === 'map') {
    return [
      { name, repetition_type, num_children: 1, converted_type: 'MAP', logical_type: { type: 'MAP' } },
      { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
      ...toElements('key', type.key, false),
      ...toElements('value', type.value, type.valueContainsNull),
    ];
  }
  if (type.kind === 'struct') {
    return [
      { name, repetition_type, num_children: type.fields.length },
      ...type.fields.flatMap((field) => toElements(field.name, field.type, field.nullable)),
    ];
  }
  return [{ name, repetition_type, ...toPrimitive(type) }];
}

function toPrimitive(type: DataType): Omit<SchemaElement, 'name'> {
  switch (type.kind) {
    case 'string':
      return { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } };
    case 'boolean':
      return { type: 'BOOLEAN' };
    case 'byte':
      return { type: 'INT32', converted_type: 'INT_8' };
    case 'short':
      return { type: 'INT32', converted_type: 'INT_16' };
    case 'integer':
      return { type: 'INT32' };
    case 'long':
      return { type: 'INT64' };
    case 'float':
      return { type: 'FLOAT' };
    case 'double':
      return { type: 'DOUBLE' };
    case 'date':
      return { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } };
    case 'timestamp':
      return {
        type: 'INT64',
        converted_type: 'TIMESTAMP_MICROS',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
      };
    case 'timestamp_ntz': // the old annotation means "UTC", so it must be absent
      return { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' } };
    case 'binary':
      return { type: 'BYTE_ARRAY' };
    case 'decimal':
      return toDecimal(type.precision, type.scale);
    case 'array':
    case 'map':
    case 'struct':
    case 'variant':
      throw new Error(`the lab does not write ${type.kind}`);
  }
}

/** Spark's choice: the smallest physical type that holds the digits. */
function toDecimal(precision: number, scale: number): Omit<SchemaElement, 'name'> {
  const annotation = {
    converted_type: 'DECIMAL',
    logical_type: { type: 'DECIMAL', precision, scale },
    precision,
    scale,
  } as const;
  if (precision <= 9) return { type: 'INT32', ...annotation };
  if (precision <= 18) return { type: 'INT64', ...annotation };
  let type_length = 9;
  while (2n ** BigInt(8 * type_length - 1) < 10n ** BigInt(precision)) type_length++;
  return { type: 'FIXED_LEN_BYTE_ARRAY', type_length, ...annotation };
}

/** What hyparquet-writer wants: maps are lists of `{key, value}`. */
function toParquet(cell: Cell, type: DataType): unknown {
  if (cell === null) return null;
  if (type.kind === 'array') return (cell as Cell[]).map((item) => toParquet(item, type.element));
  if (type.kind === 'map') {
    return (cell as [Cell, Cell][]).map(([key, value]) => ({
      key: toParquet(key, type.key),
      value: toParquet(value, type.value),
    }));
  }
  if (type.kind === 'struct') {
    const fields = cell as { readonly [field: string]: Cell | undefined };
    return Object.fromEntries(type.fields.map((field) => [field.name, toParquet(fields[field.name] ?? null, field.type)]));
  }
  return cell;
}
