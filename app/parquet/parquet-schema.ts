import type { SchemaElement } from 'hyparquet';
import type { PrimitiveType, TableColumn } from '../rows/table-type.ts';

/** A column as a data file names it. */
export interface FileColumn extends TableColumn {
  readonly physicalName: string;
  readonly fieldId: number | undefined;
}

/** The Parquet schema of a data file: the physical types that the Delta protocol prescribes, arrays as three-level lists. */
export function makeParquetSchema(columns: readonly FileColumn[]): SchemaElement[] {
  return [{ name: 'root', num_children: columns.length }, ...columns.flatMap(columnElements)];
}

function columnElements({ physicalName, fieldId, type, nullable }: FileColumn): SchemaElement[] {
  const base = {
    name: physicalName,
    repetition_type: nullable ? 'OPTIONAL' : 'REQUIRED',
    ...(fieldId === undefined ? {} : { field_id: fieldId }),
  } as const;
  if (type.kind !== 'array') return [{ ...base, ...physicalType(type) }];
  return [
    { ...base, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: type.containsNull ? 'OPTIONAL' : 'REQUIRED', ...physicalType(type.element) },
  ];
}

function physicalType(type: PrimitiveType): Omit<SchemaElement, 'name'> {
  switch (type.kind) {
    case 'string':
      return { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } };
    case 'binary':
      return { type: 'BYTE_ARRAY' };
    case 'boolean':
      return { type: 'BOOLEAN' };
    // No logical type here: hyparquet-writer 0.17 doubles its bit width, and other readers then refuse the file.
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
    case 'timestamp_ntz':
      // No converted type: the old annotation means UTC.
      return { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' } };
    case 'decimal': {
      const { precision, scale } = type;
      const annotation = {
        converted_type: 'DECIMAL',
        precision,
        scale,
        logical_type: { type: 'DECIMAL', precision, scale },
      } as const;
      if (precision <= 9) return { type: 'INT32', ...annotation };
      if (precision <= 18) return { type: 'INT64', ...annotation };
      return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: decimalByteLength(precision), ...annotation };
    }
  }
}

/** Fewest bytes that hold every number of `precision` digits in two's complement; readers of Delta expect just this length. */
export function decimalByteLength(precision: number): number {
  const limit = 10n ** BigInt(precision);
  let length = 1;
  while (2n ** BigInt(8 * length - 1) < limit) length++;
  return length;
}
