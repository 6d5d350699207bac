import { z } from 'zod';
import { AppError } from '../errors/app-error.ts';
import type { PrimitiveType, TableColumn, TableType } from '../rows/table-type.ts';
import type { MetaData } from './actions.ts';

/** One top-level column of a table. */
export interface SchemaField {
  readonly name: string;
  /** Its name in data files and statistics: the same, unless the table uses column mapping. */
  readonly physicalName: string;
  /** Its `field_id` in data files, with column mapping. */
  readonly fieldId: number | undefined;
  /** Undefined when rows cannot be written to it (struct, map, nested array, void, variant, interval); it is then left out of data files. */
  readonly type: TableType | undefined;
  /** As the protocol spells it: `decimal(10,2)`, `array<string>`, `struct`. */
  readonly typeName: string;
  readonly nullable: boolean;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The column itself and, for a struct, every field below it, with dotted names: for checks that look at all of them. */
  readonly nodes: readonly SchemaNode[];
  /** How many of the columns that the limit on statistics counts it stands for. */
  readonly leafCount: number;
}

export interface SchemaNode {
  readonly name: string;
  readonly typeName: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface TableSchema {
  readonly fields: readonly SchemaField[];
}

interface RawField {
  name: string;
  type: unknown;
  nullable: boolean;
  metadata: Record<string, unknown>;
}

const rawField: z.ZodType<RawField> = z.object({
  name: z.string(),
  type: z.unknown(),
  nullable: z.boolean(),
  metadata: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((metadata) => metadata ?? {}),
});
const rawStruct = z.object({ type: z.literal('struct'), fields: z.array(rawField) });
const rawArray = z.object({ type: z.literal('array'), elementType: z.unknown(), containsNull: z.boolean() });
const rawMap = z.object({ type: z.literal('map'), keyType: z.unknown(), valueType: z.unknown() });

const SIMPLE_KINDS = [
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
] as const;

/**
 * Reads the schema of a table, with the physical names when it maps columns. A missing `schemaString` is a table without columns.
 *
 * @throws AppError DELTA_SCHEMA_INVALID when the text is no schema, or two columns differ in case only
 */
export function parseSchema(metaData: MetaData): TableSchema {
  if (metaData.schemaString === undefined) return { fields: [] };
  let json: unknown;
  try {
    json = JSON.parse(metaData.schemaString);
  } catch (error) {
    throw new AppError('DELTA_SCHEMA_INVALID', 'the schemaString of the table is not JSON', { cause: error });
  }
  const struct = rawStruct.safeParse(json);
  if (!struct.success) {
    const at = struct.error.issues.map((issue) => issue.path.join('.') || 'type').join(', ');
    throw new AppError(
      'DELTA_SCHEMA_INVALID',
      `the schemaString of the table is not a struct with named fields; wrong at: ${at}`,
    );
  }
  const isMapped = ['name', 'id'].includes((metaData.configuration['delta.columnMapping.mode'] ?? 'none').toLowerCase());
  const fields = struct.data.fields.map((field) => makeField(field, isMapped));
  assertUniqueNames(fields.map((field) => field.name));
  return { fields };
}

/** The columns that rows can be written to, in table order. */
export function tableColumns(table: { readonly schema: TableSchema }): TableColumn[] {
  return table.schema.fields.flatMap(({ name, type, nullable }) => (type === undefined ? [] : [{ name, type, nullable }]));
}

/** The columns that rows cannot be written to; data files leave them out and readers see null. */
export function unsupportedColumns(table: { readonly schema: TableSchema }): SchemaField[] {
  return table.schema.fields.filter((field) => field.type === undefined);
}

/**
 * The `schemaString` of a new table.
 *
 * @throws AppError DELTA_SCHEMA_INVALID for names that Delta refuses, all of them listed, or an impossible decimal
 */
export function columnsToSchemaString(columns: readonly TableColumn[]): string {
  if (columns.length === 0) throw new AppError('DELTA_SCHEMA_INVALID', 'a table needs at least one column');
  assertUniqueNames(columns.map((column) => column.name));
  // Without column mapping Spark refuses these characters in names.
  const bad = columns.map((column) => column.name).filter((name) => name === '' || /[ ,;{}()\n\t=]|\p{Cs}/u.test(name));
  if (bad.length > 0) {
    throw new AppError(
      'DELTA_SCHEMA_INVALID',
      `column names may not be empty nor hold any of space , ; { } ( ) tab newline =, but found: ${quoteAll(bad)}`,
    );
  }
  const fields = columns.map(({ name, type, nullable }) => ({ name, type: typeToJson(type), nullable, metadata: {} }));
  return JSON.stringify({ type: 'struct', fields });
}

/** A type as the protocol spells it; arrays as `array<element>`. */
export function typeName(type: TableType): string {
  if (type.kind === 'decimal') return `decimal(${type.precision},${type.scale})`;
  if (type.kind === 'array') return `array<${typeName(type.element)}>`;
  return type.kind;
}

/** How the columns that somebody wants differ from those of a table. */
export interface SchemaDifference {
  readonly missing: readonly string[];
  readonly mismatched: readonly { readonly name: string; readonly wanted: string; readonly found: string }[];
  /** Columns that are there, in other letters; Delta takes them for the same, so rows go to the table's spelling. */
  readonly spelledDifferently: readonly { readonly wanted: string; readonly found: string }[];
}

/** Compares by names without case, as Delta demands, and by exact type (whether array elements may be null is not compared). */
export function compareSchema(
  wanted: readonly { readonly name: string; readonly type: TableType }[],
  table: { readonly schema: TableSchema },
): SchemaDifference {
  const byName = new Map(table.schema.fields.map((field) => [field.name.toLowerCase(), field]));
  const missing: string[] = [];
  const mismatched: { name: string; wanted: string; found: string }[] = [];
  const spelledDifferently: { wanted: string; found: string }[] = [];
  for (const { name, type } of wanted) {
    const field = byName.get(name.toLowerCase());
    if (field === undefined) {
      missing.push(name);
      continue;
    }
    if (field.name !== name) spelledDifferently.push({ wanted: name, found: field.name });
    if (field.typeName !== typeName(type)) mismatched.push({ name, wanted: typeName(type), found: field.typeName });
  }
  return { missing, mismatched, spelledDifferently };
}

function makeField(field: RawField, isMapped: boolean): SchemaField {
  const physicalName = field.metadata['delta.columnMapping.physicalName'];
  const fieldId = field.metadata['delta.columnMapping.id'];
  if (isMapped && (typeof physicalName !== 'string' || typeof fieldId !== 'number')) {
    throw new AppError(
      'DELTA_SCHEMA_INVALID',
      `the table maps columns, but column "${field.name}" has no physical name or no id`,
    );
  }
  const nodes = collectNodes(field.name, field);
  return {
    name: field.name,
    physicalName: isMapped ? (physicalName as string) : field.name,
    fieldId: isMapped ? (fieldId as number) : undefined,
    type: parseType(field.type),
    typeName: rawTypeName(field.type),
    nullable: field.nullable,
    metadata: field.metadata,
    nodes,
    leafCount: countLeaves(field.type),
  };
}

function parseType(raw: unknown): TableType | undefined {
  const primitive = parsePrimitive(raw);
  if (primitive !== undefined) return primitive;
  const array = rawArray.safeParse(raw);
  const element = array.success ? parsePrimitive(array.data.elementType) : undefined;
  return array.success && element !== undefined ? { kind: 'array', element, containsNull: array.data.containsNull } : undefined;
}

function parsePrimitive(raw: unknown): PrimitiveType | undefined {
  if (typeof raw !== 'string') return undefined;
  const kind = SIMPLE_KINDS.find((simple) => simple === raw);
  if (kind !== undefined) return { kind };
  const decimal = /^decimal(?:\(\s*(\d+)\s*,\s*(\d+)\s*\))?$/.exec(raw);
  if (!decimal) return undefined;
  // A bare `decimal` is decimal(10,0) in the schemas of Spark.
  const type = { kind: 'decimal', precision: Number(decimal[1] ?? 10), scale: Number(decimal[2] ?? 0) } as const;
  return isPossibleDecimal(type) ? type : undefined;
}

function isPossibleDecimal(type: { readonly precision: number; readonly scale: number }): boolean {
  const { precision, scale } = type;
  return (
    Number.isInteger(precision) &&
    Number.isInteger(scale) &&
    precision >= 1 &&
    precision <= 38 &&
    scale >= 0 &&
    scale <= precision
  );
}

function typeToJson(type: TableType): unknown {
  const primitive = type.kind === 'array' ? type.element : type;
  if (primitive.kind === 'decimal' && !isPossibleDecimal(primitive)) {
    throw new AppError(
      'DELTA_SCHEMA_INVALID',
      `${typeName(type)} is impossible: 1 to 38 digits, of which 0 to all after the point`,
    );
  }
  return type.kind === 'array'
    ? { type: 'array', elementType: typeName(type.element), containsNull: type.containsNull }
    : typeName(type);
}

function rawTypeName(raw: unknown): string {
  const type = parseType(raw);
  if (type !== undefined) return typeName(type);
  if (typeof raw === 'string') return raw;
  const kind = (raw as { type?: unknown } | null)?.type;
  return typeof kind === 'string' ? kind : 'unknown';
}

/** Every named field at and below `field`, through arrays and maps, and the unnamed parts of arrays and maps. */
function collectNodes(
  name: string,
  field: { readonly type: unknown; readonly metadata: Readonly<Record<string, unknown>> },
): SchemaNode[] {
  const own = { name, typeName: rawTypeName(field.type), metadata: field.metadata };
  return [own, ...innerTypes(field.type).flatMap((inner) => collectNodes(`${name}.${inner.name}`, inner))];
}

function innerTypes(raw: unknown): { name: string; type: unknown; metadata: Record<string, unknown> }[] {
  const struct = rawStruct.safeParse(raw);
  if (struct.success) return struct.data.fields;
  const array = rawArray.safeParse(raw);
  if (array.success) return [{ name: 'element', type: array.data.elementType, metadata: {} }];
  const map = rawMap.safeParse(raw);
  if (!map.success) return [];
  return [
    { name: 'key', type: map.data.keyType, metadata: {} },
    { name: 'value', type: map.data.valueType, metadata: {} },
  ];
}

function countLeaves(raw: unknown): number {
  const struct = rawStruct.safeParse(raw);
  return struct.success ? struct.data.fields.reduce((sum, field) => sum + countLeaves(field.type), 0) : 1;
}

function assertUniqueNames(names: readonly string[]): void {
  const seen = new Set<string>();
  const doubled = names.filter((name) => seen.has(name.toLowerCase()) || !seen.add(name.toLowerCase()));
  if (doubled.length > 0) {
    throw new AppError(
      'DELTA_SCHEMA_INVALID',
      `column names must differ by more than case, but these come twice: ${quoteAll(doubled)}`,
    );
  }
}

function quoteAll(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(', ');
}
