import type { Cell } from '../../registry/cells.ts';
import type { DataType } from '../../registry/data-type.ts';
import type { SqlType } from '../sql/sql-type.ts';

/** A value as `spark_sql.py` encodes it. */
export function readSparkCell(value: unknown, type: SqlType): Cell {
  if (value === null || value === undefined || type.kind === 'void') return null;
  switch (type.kind) {
    case 'long':
    case 'decimal':
    case 'timestamp':
    case 'timestamp_ntz':
      return BigInt(value as string);
    case 'float':
    case 'double':
      return Number(value);
    case 'binary':
      return Uint8Array.from(Buffer.from(value as string, 'base64'));
    case 'array':
      return (value as unknown[]).map((item) => readSparkCell(item, type.element));
    case 'map':
      return (value as [unknown, unknown][]).map(([key, item]) => [
        readSparkCell(key, type.key),
        readSparkCell(item, type.value),
      ]);
    case 'struct':
      return readStruct(value as unknown[], type);
    case 'string':
    case 'boolean':
    case 'byte':
    case 'short':
    case 'integer':
    case 'date':
    case 'variant':
      return value as Cell;
  }
}

function readStruct(values: readonly unknown[], { fields }: DataType & { kind: 'struct' }): Cell {
  return Object.fromEntries(fields.map((field, index) => [field.name, readSparkCell(values[index], field.type)]));
}
