import { ok, unityError, type Answer } from '../errors.ts';
import type { ObjectKind, Privilege } from '../registry/grants.ts';
import type { Registry } from '../registry/registry.ts';
import { Refusal, type Caller, type UnityParts } from './access.ts';

const KINDS: Readonly<Record<string, ObjectKind>> = {
  catalog: 'CATALOG',
  schema: 'SCHEMA',
  table: 'TABLE',
  external_location: 'EXTERNAL LOCATION',
};

/** What each kind of object takes. */
const APPLICABLE: Readonly<Record<string, readonly Privilege[]>> = {
  CATALOG: [
    'USE CATALOG',
    'USE SCHEMA',
    'CREATE SCHEMA',
    'CREATE TABLE',
    'SELECT',
    'MODIFY',
    'ALL PRIVILEGES',
    'MANAGE',
    'EXTERNAL USE SCHEMA',
  ],
  SCHEMA: ['USE SCHEMA', 'CREATE TABLE', 'SELECT', 'MODIFY', 'ALL PRIVILEGES', 'MANAGE', 'EXTERNAL USE SCHEMA'],
  TABLE: ['SELECT', 'MODIFY', 'ALL PRIVILEGES', 'MANAGE'],
  'EXTERNAL LOCATION': [
    'READ FILES',
    'WRITE FILES',
    'CREATE EXTERNAL TABLE',
    'EXTERNAL USE LOCATION',
    'ALL PRIVILEGES',
    'MANAGE',
  ],
};

/** `GET /permissions/{type}/{name}` and `/effective-permissions/…`: what is granted to a principal (`?principal=`, default: the caller). */
export function getPermissions(
  { registry, switches }: UnityParts,
  caller: Caller,
  [typeText, name]: readonly [string, string],
  query: URLSearchParams,
  isEffective: boolean,
): Answer {
  const kind = findObject(registry, typeText, name);
  const principal = query.get('principal') ?? caller.principal;
  const isOwnMatter = principal === caller.principal || switches.groups.includes(principal);
  if (!(isOwnMatter && switches.tellsOwnGrants) && !mayManage(caller, kind, name))
    throw refuse(403, 'PERMISSION_DENIED', `User is not an owner of '${name}'.`);
  const direct = registry.grants.list(principal, kind, name);
  const privileges = isEffective
    ? (APPLICABLE[kind] ?? []).filter((privilege) => registry.grants.has(principal, kind, name, privilege))
    : direct;
  const shown = privileges.map((privilege) => {
    const text = privilege.replaceAll(' ', '_'); // the spelling of this API
    return isEffective ? { privilege: text, ...inheritance(registry, principal, kind, name, privilege) } : text;
  });
  return ok({ privilege_assignments: shown.length === 0 ? [] : [{ principal, privileges: shown }] });
}

/** Where a privilege comes from that is not granted on the object itself. */
function inheritance(
  registry: Registry,
  principal: string,
  kind: ObjectKind,
  name: string,
  privilege: Privilege,
): Record<string, string> {
  const isGrantedOn = (holder: ObjectKind, holderName: string): boolean =>
    registry.grants.hasDirectly(principal, holder, holderName, privilege) ||
    registry.grants.hasDirectly(principal, holder, holderName, 'ALL PRIVILEGES');
  if (isGrantedOn(kind, name)) return {};
  const schema = name.split('.').slice(0, 2).join('.');
  const isOfSchema = kind === 'TABLE' && isGrantedOn('SCHEMA', schema);
  return isOfSchema
    ? { inherited_from_type: 'SCHEMA', inherited_from_name: schema }
    : { inherited_from_type: 'CATALOG', inherited_from_name: name.split('.')[0] ?? '' };
}

/** `PATCH /permissions/{type}/{name}`: `{"changes":[{"principal","add":[…],"remove":[…]}]}`. */
export function patchPermissions(
  { registry }: UnityParts,
  caller: Caller,
  [typeText, name]: readonly [string, string],
  body: Readonly<Record<string, unknown>>,
): Answer {
  const kind = findObject(registry, typeText, name);
  if (!mayManage(caller, kind, name)) throw refuse(403, 'PERMISSION_DENIED', `User is not an owner of '${name}'.`);
  if (!Array.isArray(body['changes'])) throw refuse(400, 'INVALID_PARAMETER_VALUE', 'changes is not a list');
  for (const { principal, add = [], remove = [] } of body['changes'] as {
    principal: string;
    add?: string[];
    remove?: string[];
  }[]) {
    const added = add.map((text) => text.replaceAll('_', ' ') as Privilege);
    for (const privilege of added) checkApplicable(registry, caller, kind, name, privilege);
    if (added.length > 0) registry.grants.grant(principal, kind, name, ...added);
    const removed = remove.map((text) => text.replaceAll('_', ' ') as Privilege);
    if (removed.length > 0) registry.grants.revoke(principal, kind, name, ...removed);
  }
  return ok({ privilege_assignments: [] });
}

/** 4.2, 4.6: EXTERNAL USE SCHEMA is granted by the owner of the catalog, on schemas with a storage root of their own. */
function checkApplicable(registry: Registry, caller: Caller, kind: ObjectKind, name: string, privilege: Privilege): void {
  const isManagedSchema =
    kind === 'SCHEMA' && privilege === 'EXTERNAL USE SCHEMA' && registry.schemaOf(name).storageRoot === undefined;
  if (isManagedSchema || APPLICABLE[kind]?.includes(privilege) !== true) {
    throw refuse(400, 'INVALID_PARAMETER_VALUE', `Privilege ${privilege} is not applicable to this entity.`);
  }
  if (privilege === 'EXTERNAL USE SCHEMA' && !caller.owns('CATALOG', name)) {
    throw refuse(403, 'PERMISSION_DENIED', 'Only the owner of the catalog grants EXTERNAL USE SCHEMA.');
  }
}

function mayManage(caller: Caller, kind: ObjectKind, name: string): boolean {
  return caller.owns(kind, name) || caller.has(kind, name, 'MANAGE');
}

/** @throws Refusal, RegistryError */
function findObject(registry: Registry, typeText: string, name: string): ObjectKind {
  const kind = KINDS[typeText.toLowerCase()];
  if (kind === undefined) throw refuse(400, 'INVALID_PARAMETER_VALUE', `'${typeText}' is not a kind of object`);
  if (kind === 'CATALOG') registry.catalogOf(name);
  if (kind === 'SCHEMA') registry.schemaOf(name);
  if (kind === 'TABLE') registry.table(name);
  if (kind === 'EXTERNAL LOCATION' && !registry.externalLocations.some((location) => location.name === name)) {
    throw refuse(404, 'EXTERNAL_LOCATION_DOES_NOT_EXIST', `External Location '${name}' does not exist.`);
  }
  return kind;
}

function refuse(status: number, code: string, message: string): Refusal {
  return new Refusal(unityError(status, code, message));
}
