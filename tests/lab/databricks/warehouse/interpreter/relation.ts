import type { Cell } from '../../registry/cells.ts';
import type { Table } from '../../registry/table.ts';
import type { DeltaTable } from '../../registry/delta-table.ts';
import { makeTableNotFound, SqlError } from '../sql/sql-error.ts';
import type { Name, Relation } from '../sql/syntax.ts';
import type { ScopeColumn } from './compile.ts';
import { resolveName } from '../resolve-name.ts';
import type { Context } from './context.ts';
import { readInformationSchema } from './information-schema.ts';
import { runQuery } from './query.ts';
import { readRows } from './read-table.ts';

/** Rows with the columns that expressions may name. */
export interface Rows {
  readonly columns: readonly ScopeColumn[];
  readonly rows: readonly (readonly Cell[])[];
}

/** A FROM or USING clause. @throws SqlError */
export async function readRelation(relation: Relation, context: Context): Promise<Rows> {
  if (relation.kind === 'subquery') {
    const { columns, rows } = await runQuery(relation.query, context);
    const qualifier = relation.alias === undefined ? [] : [relation.alias];
    return { columns: columns.map((column) => ({ ...column, qualifier })), rows };
  }
  const fullName = resolveName(context.request, relation.name);
  const qualifier = relation.alias === undefined ? fullName.split('.') : [relation.alias];
  const virtual = readInformationSchema(fullName, context);
  if (virtual !== undefined) return { columns: virtual.columns.map((column) => ({ ...column, qualifier })), rows: virtual.rows };
  const table = findTable(relation.name, context);
  const rows = await readRows(filesOf(table));
  return {
    columns: table.columns.map(({ name, type }) => ({ qualifier, name, type })),
    rows: rows.map((row) => table.columns.map(({ name }) => row[name] ?? null)),
  };
}

/** @throws SqlError TABLE_OR_VIEW_NOT_FOUND */
export function findTable(name: Name, { registry, request }: Context): Table {
  const table = registry.findTable(resolveName(request, name));
  if (table === undefined) throw makeTableNotFound(name);
  return table;
}

/** @throws SqlError for what has no files on this machine, or none yet */
export function filesOf({ delta, facts }: Table): DeltaTable {
  if (delta === undefined)
    throw new SqlError('UNSUPPORTED_FEATURE', '0A000', `The files of ${facts.fullName} are not on the stand-in's machine.`);
  if (!delta.exists()) {
    throw new SqlError(
      'DELTA_PATH_DOES_NOT_EXIST',
      '42K03',
      `${facts.storageLocation ?? facts.fullName} doesn't exist, or is not a Delta table.`,
    );
  }
  return delta;
}
