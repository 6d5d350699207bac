import { ok, unityError, type Answer } from '../errors.ts';
import type { Findings } from '../http/exchange.ts';
import type { LabRequest } from '../http/server.ts';
import { RegistryError } from '../registry/registry.ts';
import { Caller, readCaller, Refusal, toAnswer, type UnityParts } from './access.ts';
import { vendForPath, vendForTable } from './credentials.ts';
import { getPermissions, patchPermissions } from './permissions.ts';
import { getMe, getMetastore, listExternalLocations } from './surroundings.ts';
import { createTable, deleteTable, getTable, tableExists } from './tables.ts';

const ROUTE = /^\/api\/(2\.[01])\/unity-catalog\/(.*)$/;

/** Unity Catalog's REST API (4). Tables are on 2.1, temporary credentials on 2.0 and 2.1. */
export function answerUnity(parts: UnityParts, request: LabRequest, findings: Findings): Answer {
  const [, version = '', rest = ''] = ROUTE.exec(request.path) ?? [];
  try {
    const caller = new Caller(parts.registry, readCaller(parts, request.headers.authorization, findings));
    if (request.method === 'GET' && request.path === '/api/2.0/preview/scim/v2/Me') return getMe(parts, caller);
    return (
      route(parts, caller, request, version, rest) ??
      unityError(404, 'ENDPOINT_NOT_FOUND', `No API found for '${request.method} ${request.path}'`)
    );
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    if (error instanceof RegistryError) return toAnswer(error, parts.switches);
    throw error;
  }
}

function route(parts: UnityParts, caller: Caller, request: LabRequest, version: string, rest: string): Answer | undefined {
  const call = `${request.method} ${rest}`;
  if (parts.switches.credentialPaths.includes(version)) {
    if (call === 'POST temporary-table-credentials') return vendForTable(parts, caller, readJson(request));
    if (call === 'POST temporary-path-credentials') return vendForPath(parts, caller, readJson(request));
  }
  if (version !== '2.1') return undefined;
  if (call === 'GET metastore_summary') return getMetastore(parts);
  if (call === 'GET external-locations') return listExternalLocations(parts, caller, request.query);
  if (call === 'POST tables') return createTable(parts, caller, readJson(request));
  const [, exists] = /^GET tables\/([^/]+)\/exists$/.exec(call) ?? [];
  if (exists !== undefined) return tableExists(parts, caller, readName(exists, 3));
  const [, verb, table] = /^(GET|DELETE) tables\/([^/]+)$/.exec(call) ?? [];
  if (table !== undefined) {
    const name = readName(table, 3);
    return verb === 'GET' ? getTable(parts, caller, name, request) : deleteTable(parts, caller, name);
  }
  const [, which, kind, name] = /^GET (permissions|effective-permissions)\/([^/]+)\/([^/]+)$/.exec(call) ?? [];
  if (kind !== undefined && name !== undefined) {
    return getPermissions(parts, caller, [kind, readName(name)], request.query, which === 'effective-permissions');
  }
  const [, patched, patchedName] = /^PATCH permissions\/([^/]+)\/([^/]+)$/.exec(call) ?? [];
  if (patched !== undefined && patchedName !== undefined) {
    return patchPermissions(parts, caller, [patched, readName(patchedName)], readJson(request));
  }
  return getContainer(parts, caller, call);
}

/** Catalogs and schemas: name, owner and storage root. */
function getContainer({ registry }: UnityParts, caller: Caller, call: string): Answer | undefined {
  const [, catalogName] = /^GET catalogs\/([^/]+)$/.exec(call) ?? [];
  if (catalogName !== undefined) {
    const catalog = registry.catalogOf(readName(catalogName, 1));
    caller.need('CATALOG', catalog.name, 'USE CATALOG');
    const { name, owner, storageRoot } = catalog;
    return ok({ name, owner, catalog_type: 'MANAGED_CATALOG', ...(storageRoot !== undefined && { storage_root: storageRoot }) });
  }
  const [, schemaName] = /^GET schemas\/([^/]+)$/.exec(call) ?? [];
  if (schemaName === undefined) return undefined;
  const schema = registry.schemaOf(readName(schemaName, 2));
  const [catalog, name] = schema.fullName.split('.');
  caller.need('CATALOG', catalog ?? '', 'USE CATALOG');
  caller.need('SCHEMA', schema.fullName, 'USE SCHEMA');
  const root = schema.storageRoot === undefined ? {} : { storage_root: schema.storageRoot };
  return ok({ name, catalog_name: catalog, full_name: schema.fullName, owner: schema.owner, ...root });
}

/** A name of a path, decoded. @throws Refusal when it has another number of parts */
function readName(text: string, parts?: number): string {
  let name = '';
  try {
    name = decodeURIComponent(text);
  } catch {
    // stays without parts
  }
  const found = name.split('.');
  if (found.some((part) => part === '') || (parts !== undefined && found.length !== parts)) {
    throw new Refusal(unityError(400, 'INVALID_PARAMETER_VALUE', `'${name}' is not a name of ${parts ?? 'some'} parts.`));
  }
  return name;
}

function readJson(request: LabRequest): Record<string, unknown> {
  const isJson = /^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '');
  try {
    const body: unknown = isJson ? JSON.parse(request.body?.toString('utf8') ?? '') : undefined;
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  } catch {
    // answered below
  }
  throw new Refusal(unityError(400, 'MALFORMED_REQUEST', 'The body is not a JSON object of the type application/json.'));
}
