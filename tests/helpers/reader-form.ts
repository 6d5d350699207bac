import type { PrimitiveType, TableType, TableValue } from '../../app/rows/table-type.ts';

/** A value as the Python readers print it (tests/helpers/python/json_rows.py). */
export function toReaderForm(type: TableType, value: TableValue): unknown {
  if (value === null) return null;
  if (type.kind === 'array') return (value as readonly TableValue[]).map((item) => toReaderForm(type.element, item));
  return primitiveForm(type, value);
}

function primitiveForm(type: PrimitiveType, value: TableValue): unknown {
  switch (type.kind) {
    case 'string':
    case 'boolean':
    case 'byte':
    case 'short':
    case 'integer':
      return value;
    case 'long':
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    case 'float':
    case 'double': {
      const number = (type.kind === 'float' ? Math.fround(value as number) : (value as number)) + 0;
      return Number.isFinite(number) ? number : String(number);
    }
    case 'date':
      return new Date((value as number) * 86_400_000).toISOString().slice(0, 10);
    case 'timestamp':
    case 'timestamp_ntz': {
      const micros = BigInt.asUintN(64, (((value as bigint) % 1_000_000n) + 1_000_000n) % 1_000_000n);
      const second = new Date(Number(((value as bigint) - micros) / 1000n)).toISOString().slice(0, 19);
      return `${second}.${String(micros).padStart(6, '0')}${type.kind === 'timestamp' ? 'Z' : ''}`;
    }
    case 'binary':
      return Buffer.from(value as Uint8Array).toString('base64');
    case 'decimal': {
      const unscaled = value as bigint;
      const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(type.scale + 1, '0');
      const point = digits.length - type.scale;
      return `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}${type.scale === 0 ? '' : `.${digits.slice(point)}`}`;
    }
  }
}
