import type { StructField } from '../../registry/data-type.ts';
import type { StatementResult } from '../engine.ts';
import { makeUnresolvedColumn, quoteName, SqlError } from '../sql/sql-error.ts';
import type { Insert } from '../sql/syntax.ts';
import { assignRow, makeAssignment } from './assign.ts';
import type { Context } from './context.ts';
import { runQuery } from './query.ts';
import { filesOf, findTable } from './relation.ts';

/** `INSERT INTO t [(columns)] query`. All rows land in one commit, or none. @throws SqlError */
export async function insertRows({ table: name, columns: listed, query }: Insert, context: Context): Promise<StatementResult> {
  const table = findTable(name, context);
  return context.registry.exclusively(table.facts.fullName, async () => {
    const files = filesOf(table);
    const { columns } = table;
    const targets = listed === undefined ? columns : findTargets(listed, columns);
    const source = await runQuery(query, context);
    if (source.columns.length !== targets.length) {
      const data = source.columns.map((column) => column.name);
      throw failArity(table.facts.fullName, targets, data, listed !== undefined);
    }
    const assigned = new Set(targets.map((column) => column.name));
    const missing = columns.find((column) => !column.nullable && !assigned.has(column.name));
    if (missing !== undefined)
      throw new SqlError('DELTA_INSERT_COLUMN_MISMATCH', '42802', `Column ${missing.name} is not specified in INSERT`);
    const { insertOverflow } = context.switches;
    const assignments = targets.map((column, index) =>
      makeAssignment(source.columns[index]?.type ?? { kind: 'void' }, column, insertOverflow),
    );
    const rows = source.rows.map((cells) => assignRow(cells, assignments, columns));
    files.append(rows);
    const count = BigInt(rows.length);
    const type = { kind: 'long' } as const;
    return {
      columns: [
        { name: 'num_affected_rows', type },
        { name: 'num_inserted_rows', type },
      ],
      rows: [[count, count]],
    };
  });
}

/** The columns of an INSERT list. @throws SqlError UNRESOLVED_COLUMN, COLUMN_ALREADY_EXISTS */
export function findTargets(names: readonly string[], columns: readonly StructField[]): StructField[] {
  const seen = new Set<string>();
  return names.map((name) => {
    const column = columns.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
    if (column === undefined)
      throw makeUnresolvedColumn(
        [name],
        columns.map((candidate) => candidate.name),
      );
    if (seen.has(column.name)) throw failRepeated(column.name);
    seen.add(column.name);
    return column;
  });
}

/** A column that is named twice. */
export function failRepeated(name: string): SqlError {
  const text = `The column ${quoteName([name.toLowerCase()])} already exists. Choose another name or rename the existing column. SQLSTATE: 42711`;
  return new SqlError('COLUMN_ALREADY_EXISTS', '42711', text);
}

function failArity(fullName: string, targets: readonly StructField[], data: readonly string[], isNamed: boolean): SqlError {
  const isShort = data.length < targets.length;
  if (!isNamed) {
    const [reason, counts] = [isShort ? 'not enough data columns' : 'too many data columns', [targets.length, data.length]];
    const text = `Cannot write to '${fullName}', ${reason}; target table has ${counts[0]} column(s) but the inserted data has ${counts[1]} column(s)`;
    return new SqlError('DELTA_INSERT_COLUMN_ARITY_MISMATCH', '42802', text);
  }
  const reason = isShort ? 'NOT_ENOUGH_DATA_COLUMNS' : 'TOO_MANY_DATA_COLUMNS';
  const words = isShort ? 'not enough data columns' : 'too many data columns';
  const lists = [targets.map((column) => column.name), data].map((names) => names.map((name) => quoteName([name])).join(', '));
  const text = `Cannot write to ${quoteName(fullName.split('.'))}, the reason is ${words}:\nTable columns: ${lists[0]}.\nData columns: ${lists[1]}. SQLSTATE: 21S01`;
  return new SqlError(`INSERT_COLUMN_ARITY_MISMATCH.${reason}`, '21S01', text);
}
