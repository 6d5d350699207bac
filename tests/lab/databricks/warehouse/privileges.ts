import type { ObjectKind, Privilege } from '../registry/grants.ts';
import type { Registry } from '../registry/registry.ts';
import type { StatementRequest } from './engine.ts';
import { resolveName } from './resolve-name.ts';
import { parseStatement } from './sql/parse-statement.ts';
import { SqlError } from './sql/sql-error.ts';
import type { StatementFacts } from './sql/statement-facts.ts';

/**
 * Check that the principal may execute a statement (3.11 of the contract): USE CATALOG and USE SCHEMA around every table, SELECT on what is
 * read, MODIFY on what is written, CREATE TABLE on the schema, CREATE EXTERNAL TABLE on the external location, ownership or MANAGE for
 * DROP and GRANT.
 *
 * @throws SqlError INSUFFICIENT_PERMISSIONS
 */
export function checkPrivileges(registry: Registry, request: StatementRequest, facts: StatementFacts): void {
  const guard = new Guard(registry, request.principal);
  if (facts.kind === 'GRANT' || facts.kind === 'REVOKE') return checkGrant(guard, request);
  for (const { name, isWritten } of facts.tables) {
    const fullName = resolveName(request, name);
    const [catalog = '', schema = ''] = fullName.split('.');
    guard.demand('CATALOG', catalog, 'USE CATALOG');
    if (schema.toLowerCase() === 'information_schema') continue;
    guard.demand('SCHEMA', `${catalog}.${schema}`, 'USE SCHEMA');
    if (isWritten && facts.kind === 'CREATE TABLE') {
      guard.demand('SCHEMA', `${catalog}.${schema}`, 'CREATE TABLE');
      if (facts.location !== undefined) checkLocation(guard, registry, facts.location);
    } else if (registry.findTable(fullName) !== undefined) {
      if (isWritten && facts.kind === 'DROP TABLE') guard.demand('TABLE', fullName, 'MANAGE');
      else if (isWritten) guard.demand('TABLE', fullName, 'MODIFY');
      if (!isWritten || facts.kind === 'MERGE' || facts.kind === 'UPDATE' || facts.kind === 'DELETE')
        guard.demand('TABLE', fullName, 'SELECT');
    }
  }
}

/** Whether `information_schema` and `SHOW TABLES` show a table to a principal: any privilege on it will do. */
export function canSee(registry: Registry, principal: string, fullName: string): boolean {
  const guard = new Guard(registry, principal);
  const [catalog = '', schema = ''] = fullName.split('.');
  return (
    guard.may('CATALOG', catalog, 'USE CATALOG') &&
    guard.may('SCHEMA', `${catalog}.${schema}`, 'USE SCHEMA') &&
    (['SELECT', 'MODIFY', 'MANAGE'] as const).some((privilege) => guard.may('TABLE', fullName, privilege))
  );
}

class Guard {
  private readonly registry: Registry;
  private readonly principal: string;

  constructor(registry: Registry, principal: string) {
    this.registry = registry;
    this.principal = principal;
  }

  /** By a grant, or as owner of the object or of what holds it. */
  may(kind: ObjectKind, name: string, privilege: Privilege): boolean {
    return this.isOwner(kind, name) || this.registry.grants.has(this.principal, kind, name, privilege);
  }

  demand(kind: ObjectKind, name: string, privilege: Privilege): void {
    if (this.may(kind, name, privilege)) return;
    const words = kind.toLowerCase().replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
    const text = `Insufficient privileges:\nUser does not have ${privilege} on ${words} '${name}'. SQLSTATE: 42501`;
    throw new SqlError('INSUFFICIENT_PERMISSIONS', '42501', text);
  }

  private isOwner(kind: ObjectKind, name: string): boolean {
    const { registry, principal } = this;
    const [catalog = '', schema = ''] = name.toLowerCase().split('.');
    if (kind === 'EXTERNAL LOCATION')
      return registry.externalLocations.some((location) => location.name === name && location.owner === principal);
    if (registry.allCatalogs.some((entry) => entry.name.toLowerCase() === catalog && entry.owner === principal)) return true;
    if (kind === 'CATALOG') return false;
    if (registry.allSchemas.some((entry) => entry.fullName.toLowerCase() === `${catalog}.${schema}` && entry.owner === principal))
      return true;
    return kind === 'TABLE' && registry.findTable(name)?.facts.owner === principal;
  }
}

function checkGrant(guard: Guard, request: StatementRequest): void {
  const statement = parseStatement(request.text);
  if (statement.kind !== 'grant' && statement.kind !== 'revoke') return;
  const { kind, name } = statement.on;
  guard.demand(kind, kind === 'TABLE' ? resolveName(request, name) : name.join('.'), 'MANAGE');
}

function checkLocation(guard: Guard, registry: Registry, url: string): void {
  const parent = registry.externalLocations.find((location) => isBelow(url, location.url));
  if (parent === undefined) {
    const text = `Insufficient privileges:\nUser does not have CREATE EXTERNAL TABLE on any External Location that holds '${url}'. SQLSTATE: 42501`;
    throw new SqlError('INSUFFICIENT_PERMISSIONS', '42501', text);
  }
  guard.demand('EXTERNAL LOCATION', parent.name, 'CREATE EXTERNAL TABLE');
  const neighbour = registry.allTables.find(({ facts }) => {
    const other = facts.storageLocation;
    return other !== undefined && (isBelow(url, other) || isBelow(other, url));
  });
  if (neighbour !== undefined) {
    const text = `Input path url '${url}' overlaps with other external tables or volumes within 'CreateTable' call. SQLSTATE: 22KD1`;
    throw new SqlError('LOCATION_OVERLAP', '22KD1', text);
  }
}

function isBelow(url: string, folder: string): boolean {
  const [inner, outer] = [url, folder].map((text) => `${text.replace(/\/+$/, '')}/`);
  return (inner as string).startsWith(outer as string);
}
