import { readExpression } from './parse-expression.ts';
import { SqlError } from './sql-error.ts';
import { readSqlType } from './sql-type.ts';
import type { CreateTable, NewColumn } from './syntax.ts';
import type { TokenReader } from './token-reader.ts';

/** What follows `CREATE TABLE`. @throws SqlError PARSE_SYNTAX_ERROR, and for parameter markers UNSUPPORTED_FEATURE (10.4 of the contract) */
export function readCreateTable(reader: TokenReader): CreateTable {
  const ifNotExists = reader.take('IF', 'NOT', 'EXISTS');
  const table = reader.readName();
  const columns = reader.readList(() => readNewColumn(reader));
  let [format, location, comment]: (string | undefined)[] = [];
  let properties: Record<string, string> | undefined;
  for (;;) {
    if (format === undefined && reader.take('USING')) format = reader.readIdentifier().toUpperCase();
    else if (location === undefined && reader.take('LOCATION')) location = readConstant(reader);
    else if (comment === undefined && reader.take('COMMENT')) comment = readConstant(reader);
    else if (properties === undefined && reader.take('TBLPROPERTIES')) {
      properties = Object.fromEntries(reader.readList(() => readProperty(reader)));
    } else break;
  }
  return {
    kind: 'create-table',
    table,
    ifNotExists,
    columns,
    format: format ?? 'DELTA',
    location,
    comment,
    properties: properties ?? {},
  };
}

/** `name TYPE [NOT NULL] [COMMENT '…'] [DEFAULT …]` */
export function readNewColumn(reader: TokenReader): NewColumn {
  const name = reader.readIdentifier();
  const type = readSqlType(reader);
  let nullable = true;
  let comment: string | undefined;
  let hasDefault = false;
  for (;;) {
    if (reader.take('NOT', 'NULL')) nullable = false;
    else if (reader.take('COMMENT')) comment = readConstant(reader);
    else if (reader.take('DEFAULT')) {
      readExpression(reader);
      hasDefault = true;
    } else break;
  }
  return { name, type, nullable, hasDefault, ...(comment !== undefined && { comment }) };
}

function readProperty(reader: TokenReader): [string, string] {
  const name = reader.peek().kind === 'text' ? reader.readText() : reader.readName().join('.');
  reader.takeSign('=');
  const { kind, value } = reader.peek();
  if (kind === 'text') return [name, reader.readText()];
  if (kind !== 'number' && value !== 'TRUE' && value !== 'FALSE') throw reader.fail();
  return [name, reader.next().source.toLowerCase()];
}

function readConstant(reader: TokenReader): string {
  const { kind } = reader.peek();
  if (kind === 'parameter' || kind === 'marker') {
    throw new SqlError(
      'UNSUPPORTED_FEATURE.PARAMETER_MARKER_IN_UNEXPECTED_STATEMENT',
      '0A000',
      'Parameter markers are not allowed in DDL. SQLSTATE: 0A000',
    );
  }
  return reader.readText();
}
