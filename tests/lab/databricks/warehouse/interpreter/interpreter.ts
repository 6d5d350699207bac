import type { Registry } from '../../registry/registry.ts';
import type { Engine, StatementRequest, StatementResult } from '../engine.ts';
import { parseStatement } from '../sql/parse-statement.ts';
import { makeContext, type SqlSwitches } from './context.ts';
import { addColumns, createTable, dropTable } from './ddl.ts';
import { insertRows } from './insert.ts';
import { mergeRows } from './merge.ts';
import { runQuery } from './query.ts';
import { changeGrants, describeTable, showGrants, showTables } from './show.ts';

/** The engine without Spark: the statements that a client of the contract sends, with real effects on the registry's tables. */
export function makeInterpreter(registry: Registry, switches: SqlSwitches): Engine {
  return {
    name: 'interpreter',
    execute: (request) => interpret(registry, switches, request),
    close: async () => undefined,
  };
}

async function interpret(registry: Registry, switches: SqlSwitches, request: StatementRequest): Promise<StatementResult> {
  const statement = parseStatement(request.text);
  const context = makeContext(registry, switches, request);
  switch (statement.kind) {
    case 'query':
      return runQuery(statement.query, context);
    case 'insert':
      return insertRows(statement, context);
    case 'merge':
      return mergeRows(statement, context);
    case 'create-table':
      return createTable(statement, context);
    case 'drop-table':
      return dropTable(statement.table, statement.ifExists, context);
    case 'add-columns':
      return addColumns(statement.table, statement.columns, context);
    case 'describe':
      return describeTable(statement.table, statement.isExtended, context);
    case 'show-tables':
      return showTables(statement.schema, context);
    case 'show-grants':
      return showGrants(statement.principal, statement.on, context);
    case 'grant':
    case 'revoke':
      return changeGrants(statement, context);
  }
}
