import type { DataType, SimpleName, StructField } from './data-type.ts';

/** The JSON spelling of types: `schemaString` of the Delta log, `type_json` of Unity Catalog. */
export type TypeJson = string | { readonly [name: string]: unknown };

const SIMPLE: ReadonlySet<string> = new Set<SimpleName>([
  'string',
  'boolean',
  'byte',
  'short',
  'integer',
  'long',
  'float',
  'double',
  'date',
  'timestamp',
  'timestamp_ntz',
  'binary',
  'variant',
]);

export function toTypeJson(type: DataType): TypeJson {
  if (type.kind === 'decimal') return `decimal(${type.precision},${type.scale})`;
  if (type.kind === 'array') {
    return { type: 'array', elementType: toTypeJson(type.element), containsNull: type.containsNull };
  }
  if (type.kind === 'map') {
    const { key, value, valueContainsNull } = type;
    return { type: 'map', keyType: toTypeJson(key), valueType: toTypeJson(value), valueContainsNull };
  }
  if (type.kind === 'struct') return { type: 'struct', fields: type.fields.map((field) => toFieldJson(field)) };
  return type.kind;
}

export function toFieldJson(field: StructField): { readonly [name: string]: unknown } {
  return {
    name: field.name,
    type: toTypeJson(field.type),
    nullable: field.nullable,
    metadata: field.comment === undefined ? {} : { comment: field.comment },
  };
}

/** @throws Error for what is no type */
export function fromTypeJson(json: unknown): DataType {
  if (typeof json === 'string') {
    if (SIMPLE.has(json)) return { kind: json as SimpleName };
    const decimal = /^decimal\((\d+),\s*(-?\d+)\)$/.exec(json);
    if (decimal) return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) };
  } else if (isObject(json)) {
    if (json['type'] === 'array') {
      return { kind: 'array', element: fromTypeJson(json['elementType']), containsNull: json['containsNull'] !== false };
    }
    if (json['type'] === 'map') {
      const valueContainsNull = json['valueContainsNull'] !== false;
      return { kind: 'map', key: fromTypeJson(json['keyType']), value: fromTypeJson(json['valueType']), valueContainsNull };
    }
    if (json['type'] === 'struct' && Array.isArray(json['fields'])) {
      return { kind: 'struct', fields: json['fields'].map((field) => fromFieldJson(field)) };
    }
  }
  throw new Error(`${JSON.stringify(json)} is not a type of the Delta protocol that the lab knows`);
}

/** @throws Error for what is no field */
export function fromFieldJson(json: unknown): StructField {
  if (!isObject(json) || typeof json['name'] !== 'string') throw new Error(`${JSON.stringify(json)} is not a field`);
  const comment = isObject(json['metadata']) ? json['metadata']['comment'] : undefined;
  return {
    name: json['name'],
    type: fromTypeJson(json['type']),
    nullable: json['nullable'] !== false,
    ...(typeof comment === 'string' && { comment }),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
