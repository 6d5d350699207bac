import type { Cell } from '../../registry/cells.ts';
import { nameType, printType, type DataType } from '../../registry/data-type.ts';
import type { Table } from '../../registry/table.ts';
import { canSee } from '../privileges.ts';
import { makeTableNotFound } from '../sql/sql-error.ts';
import type { ResultColumn } from '../engine.ts';
import type { Context } from './context.ts';

interface VirtualTable {
  readonly columns: readonly ResultColumn[];
  readonly rows: readonly (readonly Cell[])[];
}

const COLUMNS: readonly (readonly [string, 'string' | 'integer'])[] = [
  ['table_catalog', 'string'],
  ['table_schema', 'string'],
  ['table_name', 'string'],
  ['column_name', 'string'],
  ['ordinal_position', 'integer'],
  ['column_default', 'string'],
  ['is_nullable', 'string'],
  ['full_data_type', 'string'],
  ['data_type', 'string'],
  ['numeric_precision', 'integer'],
  ['numeric_scale', 'integer'],
  ['comment', 'string'],
];

const TABLES: readonly (readonly [string, 'string' | 'integer'])[] = [
  ['table_catalog', 'string'],
  ['table_schema', 'string'],
  ['table_name', 'string'],
  ['table_type', 'string'],
  ['table_owner', 'string'],
  ['comment', 'string'],
  ['data_source_format', 'string'],
  ['storage_path', 'string'],
];

/**
 * `catalog.information_schema.columns` and `.tables`, with what the principal may see. Undefined for names elsewhere. Names of catalogs,
 * schemas and tables are in lower case, as Unity Catalog keeps them.
 *
 * @throws SqlError TABLE_OR_VIEW_NOT_FOUND for its other tables
 */
export function readInformationSchema(fullName: string, context: Context): VirtualTable | undefined {
  const [catalog = '', schema = '', ...rest] = fullName.toLowerCase().split('.');
  if (schema !== 'information_schema') return undefined;
  const { registry, request } = context;
  const tables = registry.allTables.filter(
    ({ facts }) => facts.fullName.toLowerCase().startsWith(`${catalog}.`) && canSee(registry, request.principal, facts.fullName),
  );
  if (rest.join('.') === 'columns')
    return { columns: toColumns(COLUMNS), rows: tables.flatMap((table) => describeColumns(table, context)) };
  if (rest.join('.') === 'tables') return { columns: toColumns(TABLES), rows: tables.map(describeTable) };
  throw makeTableNotFound(fullName.split('.'));
}

function toColumns(columns: readonly (readonly [string, 'string' | 'integer'])[]): ResultColumn[] {
  return columns.map(([name, kind]) => ({ name, type: { kind } }));
}

function describeColumns({ facts, columns }: Table, { switches }: Context): Cell[][] {
  return columns.map(({ name, type, nullable, comment }, index) => {
    const dataType = type.kind === 'long' ? switches.bigintIs : nameType(type);
    const [precision, scale] = measure(type);
    const is = nullable ? 'YES' : 'NO';
    return [
      ...facts.fullName.toLowerCase().split('.'),
      name,
      index + 1,
      null,
      is,
      printType(type),
      dataType,
      precision,
      scale,
      comment ?? null,
    ];
  });
}

function measure(type: DataType): [number | null, number | null] {
  if (type.kind === 'decimal') return [type.precision, type.scale];
  const precision = { byte: 3, short: 5, integer: 10, long: 19, float: 24, double: 53 }[type.kind as string];
  return [precision ?? null, precision === undefined || type.kind === 'float' || type.kind === 'double' ? null : 0];
}

function describeTable({ facts }: Table): Cell[] {
  const name = facts.fullName.toLowerCase().split('.');
  return [...name, facts.type, facts.owner, facts.comment ?? null, facts.format, facts.storageLocation ?? null];
}
