import type { Cell, Row } from '../../registry/cells.ts';
import type { StructField } from '../../registry/data-type.ts';
import type { StatementResult } from '../engine.ts';
import { quoteName, SqlError } from '../sql/sql-error.ts';
import type { SqlType } from '../sql/sql-type.ts';
import type { Merge } from '../sql/syntax.ts';
import { assignRow, makeAssignment } from './assign.ts';
import { compile, findColumn, type Compiled, type ScopeColumn } from './compile.ts';
import type { Context } from './context.ts';
import { failRepeated } from './insert.ts';
import { makeMatcher } from './match.ts';
import { readRows } from './read-table.ts';
import { filesOf, findTable, readRelation } from './relation.ts';

const COUNT: SqlType = { kind: 'long' };

/** `MERGE … WHEN NOT MATCHED THEN INSERT`. Rows of the source are not compared with each other (6.3 of the contract). @throws SqlError */
export async function mergeRows(statement: Merge, context: Context): Promise<StatementResult> {
  const table = findTable(statement.table, context);
  return context.registry.exclusively(table.facts.fullName, async () => {
    const files = filesOf(table);
    const { columns } = table;
    const source = await readRelation(statement.source, context);
    const qualifier = statement.alias === undefined ? table.facts.fullName.split('.') : [statement.alias];
    const targetColumns = columns.map(({ name, type }): ScopeColumn => ({ qualifier, name, type }));
    const [condition, inserts] = asMergeErrors(() => {
      compile(statement.condition, [...targetColumns, ...source.columns], context);
      return [statement.condition, readInserts(statement, columns, source.columns, context)] as const;
    });
    const assignments = inserts.map(({ column, value }) =>
      makeAssignment(value.type, column, 'DELTA_CAST_OVERFLOW_IN_TABLE_WRITE'),
    );
    const stored = await readRows(files);
    const target = { columns: targetColumns, rows: stored.map((row) => columns.map(({ name }): Cell => row[name] ?? null)) };
    const isMatched = makeMatcher(condition, target, source.columns, context);
    const rows = source.rows
      .filter((row) => !isMatched(row))
      .map((row): Row =>
        assignRow(
          inserts.map(({ value }) => value.read(row)),
          assignments,
          columns,
        ),
      );
    files.append(rows, 'MERGE');
    const inserted = BigInt(rows.length);
    return {
      columns: ['num_affected_rows', 'num_updated_rows', 'num_deleted_rows', 'num_inserted_rows'].map((name) => ({
        name,
        type: COUNT,
      })),
      rows: [[inserted, 0n, 0n, inserted]],
    };
  });
}

interface InsertedColumn {
  readonly column: StructField;
  readonly value: Compiled;
}

function readInserts(
  { insert }: Merge,
  columns: readonly StructField[],
  source: readonly ScopeColumn[],
  context: Context,
): InsertedColumn[] {
  if (insert === undefined) {
    // Every column of the target must be in the source by name; more columns there are ignored.
    return columns.map((column) => {
      const index = findColumn([column.name], source);
      return { column, value: { type: (source[index] as ScopeColumn).type, read: (row) => row[index] ?? null } };
    });
  }
  const seen = new Set<string>();
  return insert.columns.map((name, index) => {
    const column = columns[
      findColumn(
        [name],
        columns.map((field) => ({ ...field, qualifier: [] })),
      )
    ] as StructField;
    if (seen.has(column.name)) throw failRepeated(column.name);
    seen.add(column.name);
    const expression = insert.values[index] as (typeof insert.values)[number];
    return { column, value: compile(expression, source, context) };
  });
}

/** MERGE has its own class for names that do not exist. */
function asMergeErrors<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SqlError) || !error.errorClass.startsWith('UNRESOLVED_COLUMN')) throw error;
    const name = /`([^`]+)`/.exec(error.message)?.[1] ?? '';
    throw new SqlError('DELTA_MERGE_UNRESOLVED_EXPRESSION', '42601', `Cannot resolve ${quoteName([name])} in clause of MERGE.`);
  }
}
