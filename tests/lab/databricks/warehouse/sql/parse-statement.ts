import { readExpression } from './parse-expression.ts';
import { readQuery, readRelation } from './parse-query.ts';
import { readCreateTable, readNewColumn } from './parse-table.ts';
import { SqlError } from './sql-error.ts';
import type { Grant, Insert, Merge, Securable, Statement } from './syntax.ts';
import { TokenReader } from './token-reader.ts';

/**
 * Parse a statement of those that the interpreter knows.
 *
 * @throws SqlError PARSE_SYNTAX_ERROR for everything else
 */
export function parseStatement(text: string): Statement {
  const reader = new TokenReader(text);
  const statement = readStatement(reader);
  reader.expectEnd();
  return statement;
}

function readStatement(reader: TokenReader): Statement {
  if (reader.isAt('SELECT') || reader.isAt('VALUES') || reader.isAtSign('(')) return { kind: 'query', query: readQuery(reader) };
  if (reader.take('INSERT', 'INTO')) return readInsert(reader);
  if (reader.take('MERGE', 'INTO')) return readMerge(reader);
  if (reader.take('CREATE', 'TABLE')) return readCreateTable(reader);
  if (reader.take('DROP', 'TABLE')) {
    const ifExists = reader.take('IF', 'EXISTS');
    return { kind: 'drop-table', ifExists, table: reader.readName() };
  }
  if (reader.take('ALTER', 'TABLE')) return readAlter(reader);
  if (reader.take('DESCRIBE') || reader.take('DESC')) {
    reader.take('TABLE');
    const isExtended = reader.take('EXTENDED');
    return { kind: 'describe', isExtended, table: reader.readName() };
  }
  if (reader.take('SHOW', 'TABLES')) {
    if (!reader.take('IN')) reader.expect('FROM');
    return { kind: 'show-tables', schema: reader.readName() };
  }
  if (reader.take('SHOW', 'GRANTS') || reader.take('SHOW', 'GRANT')) {
    const principal = reader.isAt('ON') ? undefined : reader.readIdentifier();
    reader.expect('ON');
    return { kind: 'show-grants', principal, on: readSecurable(reader) };
  }
  if (reader.take('GRANT')) return readGrant(reader, 'grant');
  if (reader.take('REVOKE')) return readGrant(reader, 'revoke');
  throw reader.fail();
}

function readInsert(reader: TokenReader): Insert {
  reader.take('TABLE');
  const table = reader.readName();
  const hasColumns = reader.isAtSign('(') && reader.peek(1).value !== 'SELECT' && reader.peek(1).value !== 'VALUES';
  const columns = hasColumns ? reader.readList(() => reader.readIdentifier()) : undefined;
  return { kind: 'insert', table, columns, query: readQuery(reader) };
}

function readMerge(reader: TokenReader): Merge {
  const table = reader.readName();
  const alias = reader.readAlias();
  reader.expect('USING');
  const source = readRelation(reader);
  reader.expect('ON');
  const condition = readExpression(reader);
  reader.expect('WHEN', 'NOT', 'MATCHED');
  reader.take('BY', 'TARGET');
  reader.expect('THEN', 'INSERT');
  if (reader.takeSign('*')) return { kind: 'merge', table, alias, source, condition, insert: undefined };
  // A column may be written with the target's name before it.
  const columns = reader.readList(() => reader.readName().at(-1) as string);
  reader.expect('VALUES');
  const values = reader.readList(() => readExpression(reader));
  if (columns.length !== values.length) {
    throw new SqlError('PARSE_SYNTAX_ERROR', '42601', 'The number of inserted values cannot match the fields. SQLSTATE: 42601');
  }
  return { kind: 'merge', table, alias, source, condition, insert: { columns, values } };
}

function readAlter(reader: TokenReader): Statement {
  const table = reader.readName();
  reader.expect('ADD');
  if (!reader.take('COLUMNS')) reader.expect('COLUMN');
  const columns = reader.isAtSign('(') ? reader.readList(() => readNewColumn(reader)) : [readNewColumn(reader)];
  return { kind: 'add-columns', table, columns };
}

function readGrant(reader: TokenReader, kind: Grant['kind']): Grant {
  const privileges: string[] = [];
  do {
    const words: string[] = [];
    while (!reader.isAt('ON') && !reader.isAtSign(',')) words.push(reader.readIdentifier().toUpperCase());
    privileges.push(words.join(' '));
  } while (reader.takeSign(','));
  reader.expect('ON');
  const on = readSecurable(reader);
  reader.expect(kind === 'grant' ? 'TO' : 'FROM');
  return { kind, privileges, on, principal: reader.readIdentifier() };
}

function readSecurable(reader: TokenReader): Securable {
  if (reader.take('CATALOG')) return { kind: 'CATALOG', name: reader.readName() };
  if (reader.take('SCHEMA')) return { kind: 'SCHEMA', name: reader.readName() };
  if (reader.take('EXTERNAL', 'LOCATION')) return { kind: 'EXTERNAL LOCATION', name: reader.readName() };
  reader.take('TABLE');
  return { kind: 'TABLE', name: reader.readName() };
}
