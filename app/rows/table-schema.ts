import type { CompiledView, ViewColumn } from '../view/compiled-view.ts';
import { parseAnsiType } from './ansi-type.ts';
import type { PrimitiveType, TableColumn, TableType } from './table-type.ts';

/** The column that tells a deletion (1) from a write (0); every target table has it. */
export const IS_DELETED = 'is_deleted';

/** Table type of each FHIR type that is not text (S0: type mapping ViewDefinition → SQL). */
const TABLE_TYPES: Readonly<Record<string, Exclude<PrimitiveType['kind'], 'decimal'>>> = {
  date: 'date',
  dateTime: 'timestamp',
  instant: 'timestamp',
  integer: 'integer',
  positiveInt: 'integer',
  unsignedInt: 'integer',
  integer64: 'long',
  decimal: 'double',
  boolean: 'boolean',
  base64Binary: 'binary',
};

/** Type of the table column that we make for a column of a view: what its tag `ansi/type` asks for, else what fits its FHIR type. */
export function tableTypeFor({ fhirType, collection, ansiType }: Omit<ViewColumn, 'name'>): TableType {
  const kind = (Object.hasOwn(TABLE_TYPES, fhirType) ? TABLE_TYPES[fhirType] : undefined) ?? 'string';
  const type = (ansiType === undefined ? undefined : parseAnsiType(ansiType)) ?? { kind };
  return collection ? { kind: 'array', element: type, containsNull: true } : type;
}

/** The columns of a table made for a view: those of the view, all nullable, then `is_deleted`. */
export function tableColumnsForView(view: Pick<CompiledView, 'columns'>): readonly TableColumn[] {
  const columns = view.columns.map((column) => ({ name: column.name, type: tableTypeFor(column), nullable: true }));
  return [...columns, { name: IS_DELETED, type: { kind: 'integer' }, nullable: true }];
}

/** Columns as Databricks SQL writes them: `id STRING, birth_date DATE, tags ARRAY<STRING>`. */
export function describeColumns(columns: readonly TableColumn[]): string {
  return columns.map(describeColumn).join(', ');
}

function describeColumn({ name, type, nullable }: TableColumn): string {
  const quoted = /^\w+$/.test(name) ? name : `\`${name.replaceAll('`', '``')}\``;
  return `${quoted} ${describeType(type)}${nullable ? '' : ' NOT NULL'}`;
}

const SQL_NAMES: Readonly<Record<Exclude<PrimitiveType['kind'], 'decimal'>, string>> = {
  string: 'STRING',
  boolean: 'BOOLEAN',
  byte: 'TINYINT',
  short: 'SMALLINT',
  integer: 'INT',
  long: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
  timestamp_ntz: 'TIMESTAMP_NTZ',
  binary: 'BINARY',
};

/** A type as Databricks SQL writes it: `DECIMAL(10,2)`, `ARRAY<STRING>`. */
export function describeType(type: TableType): string {
  if (type.kind === 'array') return `ARRAY<${describeType(type.element)}>`;
  return type.kind === 'decimal' ? `DECIMAL(${type.precision},${type.scale})` : SQL_NAMES[type.kind];
}
