import { asArray, asObject, asText, type Json } from '../lib/json.ts';
import { readUnityTable, type UnityTable } from './unity-table.ts';
import { makeWorkspaceRest, type WorkspaceRestOptions } from './workspace-rest.ts';

/** Kinds of objects on which privileges are granted, as the REST interface spells them. */
export type SecurableKind = 'catalog' | 'schema' | 'table' | 'external_location';

export interface UnityPrivilege {
  /** With blanks: `USE CATALOG`. */
  readonly privilege: string;
  /** Granted on the object itself, not on one that holds it. */
  readonly isDirect: boolean;
}

/** A catalog or a schema. */
export interface UnityContainer {
  readonly name: string;
  /** Where its managed tables lie, when it has such a place of its own. */
  readonly storageRoot: string | undefined;
}

export interface UnityLocation {
  readonly name: string;
  readonly url: string;
}

export interface UnityMetastore {
  readonly region: string | undefined;
  readonly storageRoot: string | undefined;
  /** Undefined when it is not told. */
  readonly allowsExternalAccess: boolean | undefined;
}

export interface UnityCaller {
  /** As it stands in grants: client id of a service principal, or name of a user. */
  readonly principal: string | undefined;
  readonly groups: readonly string[];
  /** Number of the workspace; undefined when it does not tell. */
  readonly workspaceId: string | undefined;
}

export interface Warehouse {
  readonly name: string;
  /** STARTING, RUNNING, STOPPING, STOPPED, DELETING, DELETED. */
  readonly state: string;
}

/**
 * What a workspace says about its objects. Nothing here changes anything. Every function throws AppError DATABRICKS_… and UNITY_…;
 * all but `getTable` and `proveCredentials` UNITY_CALL_ABSENT too, as the product does without them.
 */
export interface UnityClient {
  getTable(fullName: string): Promise<UnityTable>;
  getCatalog(name: string): Promise<UnityContainer>;
  /** @param fullName `catalog.schema` */
  getSchema(fullName: string): Promise<UnityContainer>;
  getMetastore(): Promise<UnityMetastore>;
  /** Those that the principal may see. */
  listExternalLocations(): Promise<readonly UnityLocation[]>;
  /** What a principal may do with an object, by grants on it and on what holds it. */
  listPrivileges(kind: SecurableKind, fullName: string, principal: string): Promise<readonly UnityPrivilege[]>;
  /** Asks for credentials to write to the table's files, and forgets them: proof that they are given. */
  proveCredentials(tableId: string, object: string): Promise<void>;
  getWarehouse(id: string): Promise<Warehouse>;
  /** Who calls, and where. */
  getCaller(): Promise<UnityCaller>;
}

const UNITY = '/api/2.1/unity-catalog';
/** A list that has not ended by then is not read on. */
const MAX_PAGES = 100;

export function makeUnityClient(options: WorkspaceRestOptions): UnityClient {
  const rest = makeWorkspaceRest(options);
  /** A call that only the doctor makes. */
  const look = async (path: string, object: string): Promise<Json> =>
    (await rest.call({ method: 'GET', path, mayBeAbsent: true }, object)).body;
  /** Pages may be empty and still have a next one. */
  const list = async (path: string, member: string, object: string): Promise<readonly Json[]> => {
    const items: Json[] = [];
    let pageToken: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const separator = path.includes('?') ? '&' : '?';
      const next = pageToken === undefined ? '' : `${separator}max_results=0&page_token=${encodeURIComponent(pageToken)}`;
      const body = await look(`${path}${next}`, object);
      items.push(
        ...asArray(body[member])
          .map(asObject)
          .filter((item) => item !== undefined),
      );
      pageToken = asText(body['next_page_token']);
      if (pageToken === undefined) break;
    }
    return items;
  };
  const container = async (kind: 'catalog' | 'schema', name: string): Promise<UnityContainer> => {
    const body = await look(`${UNITY}/${kind}s/${encodeURIComponent(name)}`, `${kind} ${name}`);
    return { name, storageRoot: asText(body['storage_root']) };
  };
  return {
    async getTable(name) {
      const path = `${UNITY}/tables/${encodeURIComponent(name)}?include_delta_metadata=true`;
      return readUnityTable((await rest.call({ method: 'GET', path }, `table ${name}`)).body, name);
    },
    getCatalog: (name) => container('catalog', name),
    getSchema: (name) => container('schema', name),
    async getMetastore() {
      const body = await look(`${UNITY}/metastore_summary`, 'the metastore');
      const flag = body['external_access_enabled'];
      return {
        region: asText(body['region']),
        storageRoot: asText(body['storage_root']),
        allowsExternalAccess: typeof flag === 'boolean' ? flag : undefined,
      };
    },
    async listExternalLocations() {
      const items = await list(`${UNITY}/external-locations`, 'external_locations', 'external locations');
      return items.map((item) => ({ name: asText(item['name']) ?? '', url: asText(item['url']) ?? '' }));
    },
    async listPrivileges(kind, fullName, principal) {
      const path = `${UNITY}/effective-permissions/${kind}/${encodeURIComponent(fullName)}?principal=${encodeURIComponent(principal)}`;
      const assignments = await list(path, 'privilege_assignments', `privileges on ${kind.replace('_', ' ')} ${fullName}`);
      return assignments.filter((each) => each['principal'] === principal).flatMap(readPrivileges);
    },
    async proveCredentials(tableId, object) {
      const body = { table_id: tableId, operation: 'READ_WRITE' };
      await rest.call({ method: 'POST', path: `${UNITY}/temporary-table-credentials`, body }, object);
    },
    async getWarehouse(id) {
      const body = await look(`/api/2.0/sql/warehouses/${encodeURIComponent(id)}`, `SQL warehouse ${id}`);
      return { name: asText(body['name']) ?? id, state: asText(body['state']) ?? 'UNKNOWN' };
    },
    async getCaller() {
      const path = '/api/2.0/preview/scim/v2/Me';
      const { body, answer } = await rest.call({ method: 'GET', path, mayBeAbsent: true }, 'the caller itself');
      const id = answer.headers['x-databricks-org-id'];
      const groups = asArray(body['groups']).map((group) => asText(asObject(group)?.['display']));
      return {
        principal: asText(body['userName']),
        groups: groups.filter((group) => group !== undefined),
        workspaceId: id !== undefined && /^\d{1,20}$/.test(id) ? id : undefined,
      };
    },
  };
}

function readPrivileges(assignment: Json): UnityPrivilege[] {
  return asArray(assignment['privileges'])
    .map(asObject)
    .flatMap((each) => {
      const privilege = asText(each?.['privilege']);
      if (privilege === undefined) return [];
      return [
        {
          privilege: privilege.replaceAll('_', ' '),
          isDirect: each?.['inherited_from_name'] === undefined && each?.['inherited_from_type'] === undefined,
        },
      ];
    });
}
