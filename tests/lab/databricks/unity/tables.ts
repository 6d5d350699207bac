import { ok, unityError, type Answer } from '../errors.ts';
import type { LabRequest } from '../http/server.ts';
import { parseType, printType, type StructField } from '../registry/data-type.ts';
import { fromFieldJson, fromTypeJson } from '../registry/spark-json.ts';
import { Caller, Refusal, type UnityParts } from './access.ts';
import { findExternalLocation, refuseManagedStorage, refuseOverlap } from './locations.ts';
import { makeTableInfo } from './table-info.ts';

/** `GET /tables/{full_name}` (4.1). */
export function getTable({ registry, switches }: UnityParts, caller: Caller, fullName: string, request: LabRequest): Answer {
  const table = registry.table(fullName);
  caller.needPath(fullName);
  if (!['SELECT', 'MODIFY'].some((privilege) => caller.has('TABLE', fullName, privilege as 'SELECT')))
    caller.need('TABLE', fullName, 'SELECT');
  return ok(makeTableInfo(registry, table, switches, request.query));
}

/** `GET /tables/{full_name}/exists` (4.1). */
export function tableExists({ registry }: UnityParts, caller: Caller, fullName: string): Answer {
  registry.schemaOf(fullName);
  caller.needPath(fullName);
  return ok({ table_exists: registry.findTable(fullName) !== undefined });
}

/** `DELETE /tables/{full_name}` (4.5): the files of external tables stay. */
export function deleteTable({ registry }: UnityParts, caller: Caller, fullName: string): Answer {
  registry.table(fullName);
  caller.needPath(fullName);
  if (!caller.owns('TABLE', fullName)) caller.need('TABLE', fullName, 'MANAGE');
  registry.dropTable(fullName);
  return ok({});
}

/** `POST /tables` (4.5). */
export function createTable({ registry, switches }: UnityParts, caller: Caller, body: Readonly<Record<string, unknown>>): Answer {
  const text = (name: string): string => {
    const value = body[name];
    if (typeof value !== 'string' || value === '') throw invalid(`CreateTable Missing required field: ${name}`);
    return value;
  };
  const fullName = [text('catalog_name'), text('schema_name'), text('name')].join('.');
  const schemaName = fullName.split('.').slice(0, 2).join('.');
  if (text('table_type') !== 'EXTERNAL') throw invalid('Only external tables can be created by external clients.');
  if (text('data_source_format') !== 'DELTA') throw invalid('Only Delta tables can be created by external clients.');
  const location = text('storage_location');
  const columns = readColumns(body['columns']);
  const properties = readProperties(body['properties']);
  const comment = body['comment'];
  if (comment !== undefined && typeof comment !== 'string') throw invalid('comment is not a text');
  registry.schemaOf(fullName);
  caller.needPath(fullName);
  caller.need('SCHEMA', schemaName, 'CREATE TABLE', 'EXTERNAL USE SCHEMA');
  refuseManagedStorage(registry, location, 'CreateTable', switches);
  const external = findExternalLocation(registry, location);
  if (external === undefined) throw new Refusal(noLocation(location));
  caller.need('EXTERNAL LOCATION', external.name, 'CREATE EXTERNAL TABLE');
  if (switches.externalUseLocationNeeded) caller.need('EXTERNAL LOCATION', external.name, 'EXTERNAL USE LOCATION');
  if (registry.findTable(fullName) === undefined) refuseOverlap(registry, location, switches);
  const table = registry.createTable(fullName, {
    columns,
    properties,
    type: 'EXTERNAL',
    owner: caller.principal,
    storageLocation: location,
    makeFiles: false, // "the service does not check them against the files"
    ...(comment !== undefined && { comment }),
  });
  return ok(makeTableInfo(registry, table, switches, new URLSearchParams()));
}

export function noLocation(url: string): Answer {
  return unityError(403, 'PERMISSION_DENIED', `No external location holds the path '${url}', or the user may not use it.`);
}

function readColumns(value: unknown): StructField[] {
  if (!Array.isArray(value)) throw invalid('columns is not a list');
  const infos = value as Record<string, unknown>[];
  if (infos.some((info, index) => !infos.some((other) => other['position'] === index) || typeof info !== 'object')) {
    throw invalid('columns need the positions 0, 1, 2 …');
  }
  return infos.sort((a, b) => Number(a['position']) - Number(b['position'])).map(readColumn);
}

/** A column, whose three spellings of the type must say the same. */
function readColumn(info: Record<string, unknown>): StructField {
  const { name, type_text: text, type_json: json, type_name: typeName, nullable = true, comment } = info;
  if (typeof name !== 'string' || typeof text !== 'string' || typeof json !== 'string' || typeof typeName !== 'string') {
    throw invalid('a column needs name, type_text, type_json and type_name');
  }
  if (typeof nullable !== 'boolean') throw invalid(`column '${name}': nullable is not a boolean`);
  try {
    const parsed: unknown = JSON.parse(json);
    const isField = typeof parsed === 'object' && parsed !== null && 'name' in parsed;
    const type = isField ? fromFieldJson(parsed).type : fromTypeJson(parsed);
    if (printType(parseType(text)) !== printType(type)) throw new Error(`type_text ${text} and type_json ${json} differ`);
    return { name, type, nullable, ...(typeof comment === 'string' && { comment }) };
  } catch (error) {
    throw invalid(`column '${name}': ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readProperties(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Object.values(value).some((item) => typeof item !== 'string')) {
    throw invalid('properties are not texts by name');
  }
  return value as Record<string, string>;
}

function invalid(message: string): Refusal {
  return new Refusal(unityError(400, 'INVALID_PARAMETER_VALUE', message));
}
