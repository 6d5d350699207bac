import type { LabSwitches } from '../options.ts';
import { nameType, printType, type StructField } from '../registry/data-type.ts';
import type { Registry } from '../registry/registry.ts';
import { toFieldJson, toTypeJson } from '../registry/spark-json.ts';
import type { Table } from '../registry/table.ts';

/** A table as `GET /tables/{full_name}` shows it (4.1). */
export function makeTableInfo(
  registry: Registry,
  table: Table,
  switches: LabSwitches,
  query: URLSearchParams,
): Record<string, unknown> {
  const { facts } = table;
  const [catalog, schema, name] = facts.fullName.split('.');
  const columns = table.columns.map((column, position) => makeColumnInfo(column, position, switches));
  const properties = table.properties;
  return {
    name,
    catalog_name: catalog,
    schema_name: schema,
    full_name: facts.fullName,
    table_type: facts.type,
    ...(facts.type !== 'VIEW' && facts.type !== 'METRIC_VIEW' && { data_source_format: facts.format }),
    columns: switches.shuffledColumns ? shuffle(columns) : columns,
    ...(facts.storageLocation !== undefined && { storage_location: facts.storageLocation }),
    owner: facts.owner,
    ...(facts.comment !== undefined && { comment: facts.comment }),
    properties: facts.isCatalogManaged ? { ...properties, 'delta.feature.catalogManaged': 'supported' } : properties,
    ...(facts.hasRowFilter && { row_filter: { function_name: `${catalog}.${schema}.row_filter`, input_column_names: [] } }),
    metastore_id: registry.metastoreId,
    table_id: facts.tableId,
    created_at: facts.createdAtMs,
    updated_at: facts.createdAtMs,
    created_by: facts.owner,
    updated_by: facts.owner,
    effective_predictive_optimization_flag: { value: facts.type === 'MANAGED' ? 'ENABLE' : 'DISABLE' },
    securable_kind: kindOf(table),
    ...(query.get('include_delta_metadata') === 'true' && {
      delta_runtime_properties_kvpairs: { delta_runtime_properties: readRuntimeProperties(table) },
    }),
    ...(query.get('include_manifest_capabilities') === 'true' && {
      securable_kind_manifest: { securable_kind: kindOf(table), capabilities: [] },
    }),
  };
}

/** `TABLE_DELTA`, `TABLE_DELTA_EXTERNAL`: the words of 4.6. */
export function kindOf(table: Table): string {
  const { type, format } = table.facts;
  if (type === 'EXTERNAL') return `TABLE_${format}_EXTERNAL`;
  return type === 'MANAGED' ? `TABLE_${format}` : `TABLE_${type}`;
}

function makeColumnInfo(column: StructField, position: number, switches: LabSwitches): Record<string, unknown> {
  const { name, type, nullable, comment } = column;
  const isBare = switches.typeJson === 'bare' || (switches.typeJson === 'mixed' && position % 2 === 0);
  return {
    name,
    type_text: printType(type),
    type_name: nameType(type),
    type_json: JSON.stringify(isBare ? toTypeJson(type) : toFieldJson(column)),
    ...(type.kind === 'decimal'
      ? { type_precision: type.precision, type_scale: type.scale }
      : { type_precision: 0, type_scale: 0 }),
    position,
    nullable,
    ...(comment !== undefined && { comment }),
  };
}

function readRuntimeProperties(table: Table): Record<string, string> {
  if (table.delta?.exists() !== true) return {};
  const { version, protocol } = table.delta.read();
  const features = (protocol.writerFeatures ?? []).map((feature) => [`delta.feature.${feature}`, 'supported'] as const);
  return {
    'delta.lastUpdateVersion': String(version),
    'delta.minReaderVersion': String(protocol.minReaderVersion),
    'delta.minWriterVersion': String(protocol.minWriterVersion),
    ...Object.fromEntries(features),
  };
}

/** The same other order each time: those at odd places first, backwards. */
function shuffle<T>(items: readonly T[]): T[] {
  const odd = items.filter((_, index) => index % 2 === 1);
  return [...odd.reverse(), ...items.filter((_, index) => index % 2 === 0)];
}
