import type { Cell } from '../../registry/cells.ts';
import { formatDate, formatTimestamp } from '../sql/instants.ts';
import type { SqlType } from '../sql/sql-type.ts';
import { formatDouble, formatExact } from './numbers.ts';

/** A value as `CAST(… AS STRING)` writes it. */
export function formatCell(cell: Cell, type: SqlType): string {
  if (cell === null) return 'null';
  switch (type.kind) {
    case 'float':
    case 'double':
      return formatDouble(cell as number, type.kind);
    case 'decimal':
      return formatExact({ unscaled: cell as bigint, scale: type.scale });
    case 'date':
      return formatDate(cell as number);
    case 'timestamp':
    case 'timestamp_ntz':
      return formatTimestamp(cell as bigint);
    case 'binary':
      return new TextDecoder().decode(cell as Uint8Array);
    case 'array':
      return `[${(cell as Cell[]).map((item) => formatCell(item, type.element)).join(', ')}]`;
    case 'map': {
      const entries = cell as [Cell, Cell][];
      return `{${entries.map(([key, value]) => `${formatCell(key, type.key)} -> ${formatCell(value, type.value)}`).join(', ')}}`;
    }
    case 'struct': {
      const values = cell as Readonly<Record<string, Cell>>;
      return `{${type.fields.map((field) => formatCell(values[field.name] ?? null, field.type)).join(', ')}}`;
    }
    case 'void':
    case 'variant':
    case 'string':
    case 'boolean':
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
      return typeof cell === 'object' ? '' : String(cell);
  }
}

/** A value as JSON, the form in which arrays, maps and structs reach a client through column sets. */
export function toJsonText(cell: Cell, type: SqlType): string {
  if (cell === null) return 'null';
  switch (type.kind) {
    case 'array':
      return `[${(cell as Cell[]).map((item) => toJsonText(item, type.element)).join(',')}]`;
    case 'map': {
      const entries = cell as [Cell, Cell][];
      const members = entries.map(
        ([key, value]) => `${JSON.stringify(formatCell(key, type.key))}:${toJsonText(value, type.value)}`,
      );
      return `{${members.join(',')}}`;
    }
    case 'struct': {
      const values = cell as Readonly<Record<string, Cell>>;
      const members = type.fields.map(
        (field) => `${JSON.stringify(field.name)}:${toJsonText(values[field.name] ?? null, field.type)}`,
      );
      return `{${members.join(',')}}`;
    }
    case 'boolean':
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
    case 'decimal':
    case 'float':
    case 'double':
      return typeof cell === 'number' && !Number.isFinite(cell) ? JSON.stringify(formatCell(cell, type)) : formatCell(cell, type);
    case 'binary':
      return JSON.stringify(Buffer.from(cell as Uint8Array).toString('base64'));
    case 'void':
    case 'variant':
    case 'string':
    case 'date':
    case 'timestamp':
    case 'timestamp_ntz':
      return JSON.stringify(formatCell(cell, type));
  }
}
