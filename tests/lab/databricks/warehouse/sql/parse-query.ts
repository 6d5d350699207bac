import { readExpression, readSortKeys } from './parse-expression.ts';
import type { Expression, Name, Query, Relation, SelectItem } from './syntax.ts';
import type { TokenReader } from './token-reader.ts';

/** `SELECT …`, `VALUES …`, or either in parentheses. @throws SqlError PARSE_SYNTAX_ERROR */
export function readQuery(reader: TokenReader): Query {
  if (reader.takeSign('(')) {
    const query = readQuery(reader);
    reader.expectSign(')');
    return query;
  }
  if (reader.take('VALUES')) return { kind: 'values', rows: readRows(reader) };
  reader.expect('SELECT');
  const items = [readItem(reader)];
  while (reader.takeSign(',')) items.push(readItem(reader));
  const from = reader.take('FROM') ? readRelation(reader) : undefined;
  const where = reader.take('WHERE') ? readExpression(reader) : undefined;
  const qualify = reader.take('QUALIFY') ? readExpression(reader) : undefined;
  const orderBy = reader.take('ORDER', 'BY') ? readSortKeys(reader) : [];
  const limit = reader.take('LIMIT') ? readCount(reader) : undefined;
  return { kind: 'select', items, from, where, qualify, orderBy, limit };
}

/** A table or a query in parentheses, with its alias. */
export function readRelation(reader: TokenReader): Relation {
  if (!reader.isAtSign('(')) return { kind: 'table', name: reader.readName(), alias: reader.readAlias() };
  reader.expectSign('(');
  const query = readQuery(reader);
  reader.expectSign(')');
  return { kind: 'subquery', query, alias: reader.readAlias() };
}

function readRows(reader: TokenReader): Expression[][] {
  const rows: Expression[][] = [];
  do rows.push(reader.isAtSign('(') ? reader.readList(() => readExpression(reader)) : [readExpression(reader)]);
  while (reader.takeSign(','));
  return rows;
}

function readItem(reader: TokenReader): SelectItem {
  const qualifier = readStar(reader);
  if (qualifier !== undefined) return { kind: 'star', qualifier };
  return { kind: 'expression', expression: readExpression(reader), alias: reader.readAlias() };
}

/** `*` or `a.b.*`: its qualifier. */
function readStar(reader: TokenReader): Name | undefined {
  let ahead = 0;
  while (['word', 'name'].includes(reader.peek(ahead).kind) && reader.peek(ahead + 1).value === '.') ahead += 2;
  if (reader.peek(ahead).kind !== 'sign' || reader.peek(ahead).value !== '*') return undefined;
  const qualifier: string[] = [];
  for (; ahead > 0; ahead -= 2) {
    qualifier.push(reader.readIdentifier());
    reader.expectSign('.');
  }
  reader.expectSign('*');
  return qualifier;
}

function readCount(reader: TokenReader): number {
  const token = reader.peek();
  if (token.kind !== 'number' || !/^\d+$/.test(token.value)) throw reader.fail();
  return Number(reader.next().value);
}
