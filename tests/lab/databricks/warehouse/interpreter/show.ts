import type { Cell } from '../../registry/cells.ts';
import { printType } from '../../registry/data-type.ts';
import type { Privilege } from '../../registry/grants.ts';
import type { ResultColumn, StatementResult } from '../engine.ts';
import { canSee } from '../privileges.ts';
import { SqlError } from '../sql/sql-error.ts';
import type { Grant, Name, Securable } from '../sql/syntax.ts';
import { resolveName } from '../resolve-name.ts';
import type { Context } from './context.ts';
import { NO_RESULT } from './ddl.ts';
import { findTable } from './relation.ts';

/** `DESCRIBE TABLE [EXTENDED]`. @throws SqlError TABLE_OR_VIEW_NOT_FOUND */
export function describeTable(name: Name, isExtended: boolean, context: Context): StatementResult {
  const { columns, facts, properties } = findTable(name, context);
  const rows: Cell[][] = columns.map((column) => [column.name, printType(column.type), column.comment ?? null]);
  if (isExtended) {
    const [catalog = '', schema = '', table = ''] = facts.fullName.split('.');
    const printed = Object.entries(properties).map(([key, value]) => `${key}=${value}`);
    rows.push(['', '', ''], ['# Detailed Table Information', '', '']);
    rows.push(['Catalog', catalog, ''], ['Database', schema, ''], ['Table', table, '']);
    rows.push(['Owner', facts.owner, ''], ['Type', facts.type, ''], ['Provider', facts.format.toLowerCase(), '']);
    if (facts.storageLocation !== undefined) rows.push(['Location', facts.storageLocation, '']);
    rows.push(['Table Properties', `[${printed.sort().join(',')}]`, '']);
  }
  return { columns: toTexts('col_name', 'data_type', 'comment'), rows };
}

/** `SHOW TABLES IN schema`: those that the principal may see. */
export function showTables(schema: Name, { registry, request }: Context): StatementResult {
  const [catalog, name] = schema.length === 1 ? [request.catalog ?? 'hive_metastore', schema[0]] : schema;
  const prefix = `${catalog}.${name}.`.toLowerCase();
  const tables = registry.allTables
    .map((table) => table.facts.fullName)
    .filter((fullName) => fullName.toLowerCase().startsWith(prefix));
  const rows = tables
    .filter((fullName) => canSee(registry, request.principal, fullName))
    .sort()
    .map((fullName): Cell[] => [fullName.split('.')[1] as string, fullName.split('.')[2] as string, false]);
  return { columns: [...toTexts('database', 'tableName'), { name: 'isTemporary', type: { kind: 'boolean' } }], rows };
}

/** `SHOW GRANTS [principal] ON object` */
export function showGrants(principal: string | undefined, on: Securable, context: Context): StatementResult {
  const { registry } = context;
  const name = nameOf(on, context);
  const principals = principal === undefined ? registry.grants.principalsOn(on.kind, name) : [principal];
  const rows = principals.flatMap((holder) =>
    registry.grants.list(holder, on.kind, name).map((privilege): Cell[] => [holder, privilege, on.kind, name]),
  );
  return { columns: toTexts('Principal', 'ActionType', 'ObjectType', 'ObjectKey'), rows };
}

/** `GRANT … ON … TO …` and `REVOKE … FROM …`. @throws SqlError for privileges that do not exist */
export function changeGrants(statement: Grant, context: Context): StatementResult {
  const { grants } = context.registry;
  const name = nameOf(statement.on, context);
  for (const privilege of statement.privileges) {
    if (!PRIVILEGES.has(privilege)) {
      throw new SqlError('PARSE_SYNTAX_ERROR', '42601', `Syntax error at or near '${privilege}'. SQLSTATE: 42601`);
    }
  }
  const privileges = statement.privileges as readonly Privilege[];
  if (statement.kind === 'grant') grants.grant(statement.principal, statement.on.kind, name, ...privileges);
  else grants.revoke(statement.principal, statement.on.kind, name, ...privileges);
  return NO_RESULT;
}

const PRIVILEGES: ReadonlySet<string> = new Set<Privilege>([
  'USE CATALOG',
  'USE SCHEMA',
  'SELECT',
  'MODIFY',
  'ALL PRIVILEGES',
  'CREATE SCHEMA',
  'CREATE TABLE',
  'EXTERNAL USE SCHEMA',
  'EXTERNAL USE LOCATION',
  'CREATE EXTERNAL TABLE',
  'READ FILES',
  'WRITE FILES',
  'MANAGE',
]);

function nameOf(on: Securable, { request }: Context): string {
  return on.kind === 'TABLE' ? resolveName(request, on.name) : on.name.join('.');
}

function toTexts(...names: readonly string[]): ResultColumn[] {
  return names.map((name) => ({ name, type: { kind: 'string' } }));
}
