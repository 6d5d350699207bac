import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { printType, type StructField } from '../../registry/data-type.ts';
import { DeltaTable } from '../../registry/delta-table.ts';
import { RegistryError } from '../../registry/registry.ts';
import type { StatementResult } from '../engine.ts';
import { makeTableNotFound, quoteName, SqlError } from '../sql/sql-error.ts';
import type { CreateTable, Name, NewColumn } from '../sql/syntax.ts';
import { resolveName } from '../resolve-name.ts';
import type { Context } from './context.ts';
import { failRepeated } from './insert.ts';
import { filesOf, findTable } from './relation.ts';

export const NO_RESULT: StatementResult = { columns: [], rows: [] };

/** @throws SqlError */
export function createTable(statement: CreateTable, context: Context): StatementResult {
  const { registry, request } = context;
  const fullName = resolveName(request, statement.table);
  if (registry.findTable(fullName) !== undefined) {
    if (statement.ifNotExists) return NO_RESULT;
    const text = `Cannot create table or view ${quoteName(statement.table)} because it already exists. SQLSTATE: 42P07`;
    throw new SqlError('TABLE_OR_VIEW_ALREADY_EXISTS', '42P07', text);
  }
  checkColumns(statement.columns);
  const { location, comment, properties, format } = statement;
  const columns = statement.columns.map(({ hasDefault: _, ...field }): StructField => field);
  const holdsTable = location !== undefined && checkLocation(location, columns);
  try {
    registry.createTable(fullName, {
      columns,
      type: location === undefined ? 'MANAGED' : 'EXTERNAL',
      format,
      owner: request.principal,
      ...(location !== undefined && { storageLocation: location }),
      ...(comment !== undefined && { comment }),
      properties,
      ...(holdsTable && { makeFiles: false }),
    });
  } catch (error) {
    throw translate(error, statement.table);
  }
  return NO_RESULT;
}

/** True when a table with these columns is there already. @throws SqlError when something else is there */
function checkLocation(location: string, columns: readonly StructField[]): boolean {
  if (!location.startsWith('file:')) return false;
  const directory = fileURLToPath(location);
  if (!existsSync(directory) || readdirSync(directory).length === 0) return false;
  if (!existsSync(join(directory, '_delta_log'))) {
    const text = `Cannot create table ('${location}'). The associated location is not empty and also not a Delta table.`;
    throw new SqlError('DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION', '42601', text);
  }
  const describe = (fields: readonly StructField[]): string =>
    fields.map(({ name, type, nullable }) => `${name} ${printType(type)} ${nullable}`).join('\n');
  if (describe(new DeltaTable(directory).read().columns) === describe(columns)) return true;
  throw new SqlError(
    'DELTA_CREATE_TABLE_SCHEME_MISMATCH',
    '42KD7',
    `The specified schema does not match the existing schema at ${location}.`,
  );
}

/** The files of the table stay. @throws SqlError TABLE_OR_VIEW_NOT_FOUND */
export function dropTable(table: Name, ifExists: boolean, { registry, request }: Context): StatementResult {
  const fullName = resolveName(request, table);
  if (registry.findTable(fullName) !== undefined) registry.dropTable(fullName);
  else if (!ifExists) throw makeTableNotFound(table);
  return NO_RESULT;
}

/** `ALTER TABLE … ADD COLUMNS`: one change of the metadata, for all or none. @throws SqlError */
export async function addColumns(name: Name, added: readonly NewColumn[], context: Context): Promise<StatementResult> {
  const table = findTable(name, context);
  checkColumns(added);
  for (const { nullable, hasDefault } of added) {
    if (!nullable) {
      const text = 'Operation not allowed: `NOT NULL in ALTER TABLE ADD COLUMNS` is not supported for Delta tables';
      throw new SqlError('DELTA_OPERATION_NOT_ALLOWED', '0AKDC', text);
    }
    if (hasDefault) {
      const text = 'DEFAULT values are not supported when adding new columns to previously existing Delta tables.';
      throw new SqlError('WRONG_COLUMN_DEFAULTS_FOR_DELTA_ALTER_TABLE_ADD_COLUMN_NOT_SUPPORTED', '0AKDC', text);
    }
  }
  return context.registry.exclusively(table.facts.fullName, async () => {
    const files = filesOf(table);
    const known = table.columns.map((column) => column.name.toLowerCase());
    const twice = added.find((column) => known.includes(column.name.toLowerCase()));
    if (twice !== undefined) {
      const text = `Cannot add column, because ${quoteName([twice.name])} already exists in "${table.facts.fullName}". SQLSTATE: 42710`;
      throw new SqlError('FIELD_ALREADY_EXISTS', '42710', text);
    }
    files.addColumns(added.map(({ hasDefault: _, ...field }): StructField => field));
    return NO_RESULT;
  });
}

function checkColumns(columns: readonly NewColumn[]): void {
  const names = columns.map((column) => column.name.toLowerCase());
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw failRepeated(repeated);
  const invalid = columns.filter((column) => /[ ,;{}()\n\t=]/.test(column.name));
  if (invalid.length > 0) {
    const text = `Found invalid character(s) among ' ,;{}()\\n\\t=' in the column names of your schema.\nInvalid column names: ${invalid.map((column) => column.name).join(', ')}.`;
    throw new SqlError('DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES', '42K05', text);
  }
}

function translate(error: unknown, table: Name): unknown {
  if (!(error instanceof RegistryError)) return error;
  if (error.reason === 'CATALOG_DOES_NOT_EXIST') {
    return new SqlError(
      'NO_SUCH_CATALOG_EXCEPTION',
      '42704',
      `Catalog ${quoteName(table.slice(0, 1))} was not found. SQLSTATE: 42704`,
    );
  }
  if (error.reason !== 'SCHEMA_DOES_NOT_EXIST') return error;
  return new SqlError('SCHEMA_NOT_FOUND', '42704', `The schema ${quoteName(table.slice(0, 2))} cannot be found. SQLSTATE: 42704`);
}
