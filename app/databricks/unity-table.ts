import { AppError } from '../errors/app-error.ts';
import { asArray, asObject, asText, type Json } from '../lib/json.ts';
import type { TableType } from '../rows/table-type.ts';
import { parseJson } from './answers.ts';
import { parseColumnType } from './warehouse/column-types.ts';

/** A column as Unity Catalog knows it. */
export interface UnityColumn {
  readonly name: string;
  /** As Databricks writes it: `decimal(10,2)`. */
  readonly typeText: string;
  /** Undefined when rows cannot be written to it. */
  readonly type: TableType | undefined;
  readonly nullable: boolean;
}

/** A table as Unity Catalog knows it (contract §4.1): the members that this product needs. */
export interface UnityTable {
  readonly fullName: string;
  /** Changes when the table is made again. */
  readonly tableId: string;
  /** MANAGED, EXTERNAL, VIEW, … */
  readonly tableType: string;
  /** DELTA, PARQUET, …; empty for views. */
  readonly format: string;
  readonly storageLocation: string | undefined;
  /** In the order of their positions. For an external table the Delta log may know newer ones. */
  readonly columns: readonly UnityColumn[];
  /** Properties of the table and those of its Delta log, as far as they are told. */
  readonly properties: Readonly<Record<string, string>>;
  /** A row filter, or a mask on a column: nobody gets credentials for it. */
  readonly isFiltered: boolean;
  /** Whether Databricks optimizes it: ENABLE, DISABLE, INHERIT; undefined when it is not told. */
  readonly predictiveOptimization: string | undefined;
}

/** @throws AppError DATABRICKS_WRONG_ADDRESS for an answer that describes no table */
export function readUnityTable(body: Json, name: string): UnityTable {
  const tableId = asText(body['table_id']);
  const tableType = asText(body['table_type']);
  if (tableId === undefined || tableType === undefined)
    throw new AppError(
      'DATABRICKS_WRONG_ADDRESS',
      `the answer for table ${name} has no table_id and table_type; both were expected`,
    );
  const columns = asArray(body['columns'])
    .map(asObject)
    .filter((column) => column !== undefined);
  const runtime = asObject(asObject(body['delta_runtime_properties_kvpairs'])?.['delta_runtime_properties']);
  return {
    fullName: asText(body['full_name']) ?? name,
    tableId,
    tableType,
    format: asText(body['data_source_format']) ?? '',
    storageLocation: asText(body['storage_location']),
    columns: [...columns].sort((a, b) => positionOf(a) - positionOf(b)).map(readColumn),
    properties: { ...textsOf(runtime), ...textsOf(asObject(body['properties'])) },
    isFiltered: asObject(body['row_filter']) !== undefined || columns.some((column) => asObject(column['mask']) !== undefined),
    predictiveOptimization: asText(asObject(body['effective_predictive_optimization_flag'])?.['value']),
  };
}

function positionOf(column: Json): number {
  const position = column['position'];
  return typeof position === 'number' ? position : Number.MAX_SAFE_INTEGER;
}

function readColumn(column: Json): UnityColumn {
  const typeText = asText(column['type_text']) ?? '';
  return {
    name: asText(column['name']) ?? '',
    typeText,
    type: readTypeJson(column['type_json']) ?? parseColumnType(typeText),
    nullable: column['nullable'] !== false,
  };
}

/** The type in `type_json`, which holds Spark's JSON either of the type alone or of the whole field (contract §4.1). */
function readTypeJson(text: unknown): TableType | undefined {
  const json = typeof text === 'string' ? (parseJson(text) ?? text) : undefined;
  const field = asObject(json);
  // Of an array `type` is the text "array"; a field has a name beside it.
  const type = field !== undefined && typeof field['name'] === 'string' ? field['type'] : json;
  if (typeof type === 'string') return parseColumnType(type);
  const array = asObject(type);
  if (array?.['type'] !== 'array' || typeof array['elementType'] !== 'string') return undefined;
  const element = parseColumnType(array['elementType']);
  return element === undefined || element.kind === 'array'
    ? undefined
    : { kind: 'array', element, containsNull: array['containsNull'] !== false };
}

function textsOf(object: Json | undefined): Record<string, string> {
  const entries = Object.entries(object ?? {});
  return Object.fromEntries(entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
}
