import type { Name } from './syntax.ts';
import { readTokens, type Token } from './tokens.ts';

export type StatementKind =
  | 'SELECT'
  | 'INSERT'
  | 'MERGE'
  | 'UPDATE'
  | 'DELETE'
  | 'CREATE TABLE'
  | 'DROP TABLE'
  | 'ALTER TABLE'
  | 'DESCRIBE'
  | 'SHOW'
  | 'GRANT'
  | 'REVOKE'
  | 'OTHER';

/** A table that a statement names, and where in its text. */
export interface TableMention {
  readonly name: Name;
  readonly start: number;
  readonly end: number;
  readonly isWritten: boolean;
}

/** What can be said of a statement without understanding all of it. */
export interface StatementFacts {
  readonly kind: StatementKind;
  readonly tables: readonly TableMention[];
  /** The text behind LOCATION in CREATE TABLE. */
  readonly location: string | undefined;
}

const KINDS: Readonly<Record<string, StatementKind>> = {
  SELECT: 'SELECT',
  VALUES: 'SELECT',
  WITH: 'SELECT',
  INSERT: 'INSERT',
  MERGE: 'MERGE',
  UPDATE: 'UPDATE',
  DELETE: 'DELETE',
  DESCRIBE: 'DESCRIBE',
  DESC: 'DESCRIBE',
  SHOW: 'SHOW',
  GRANT: 'GRANT',
  REVOKE: 'REVOKE',
};

/** @throws SqlError PARSE_SYNTAX_ERROR for text that cannot be cut into tokens */
export function readFacts(text: string): StatementFacts {
  const tokens = readTokens(text).filter((token) => token.kind !== 'end');
  const kind = readKind(tokens);
  const tables: TableMention[] = [];
  let location: string | undefined;
  for (let at = 0; at < tokens.length; at++) {
    const word = wordAt(tokens, at);
    if (word === 'LOCATION' && kind === 'CREATE TABLE' && tokens[at + 1]?.kind === 'text') location = tokens[at + 1]?.value;
    const nameAt = placeOfName(tokens, at, kind);
    const mention = nameAt === undefined ? undefined : readMention(tokens, nameAt);
    if (mention === undefined) continue;
    const isWritten = tables.length === 0 && kind !== 'SELECT' && kind !== 'DESCRIBE' && kind !== 'SHOW';
    tables.push({ ...mention, isWritten });
    at = mention.last;
  }
  return { kind, tables, location };
}

function readKind(tokens: readonly Token[]): StatementKind {
  const first = tokens.find((token) => token.value !== '(');
  const word = first?.kind === 'word' ? first.value : '';
  const isTable = wordAt(tokens, 1) === 'TABLE';
  if (isTable && (word === 'CREATE' || word === 'DROP' || word === 'ALTER')) return `${word} TABLE`;
  return KINDS[word] ?? 'OTHER';
}

/** Where a table's name begins when the word at a place introduces one. */
function placeOfName(tokens: readonly Token[], at: number, kind: StatementKind): number | undefined {
  const word = wordAt(tokens, at);
  if (word === 'INTO') return wordAt(tokens, at + 1) === 'TABLE' ? undefined : at + 1;
  if (word === 'FROM') return kind === 'SHOW' || kind === 'REVOKE' ? undefined : at + 1;
  if (word === 'JOIN' || (word === 'USING' && kind === 'MERGE') || (word === 'UPDATE' && at === 0)) return at + 1;
  if (word === 'TABLE') {
    let next = at + 1;
    for (const filler of ['IF', 'NOT', 'EXISTS', 'EXTENDED']) if (wordAt(tokens, next) === filler) next++;
    return next;
  }
  if ((word !== 'DESCRIBE' && word !== 'DESC') || at > 0 || wordAt(tokens, 1) === 'TABLE') return undefined;
  return wordAt(tokens, 1) === 'EXTENDED' ? 2 : 1;
}

function readMention(
  tokens: readonly Token[],
  first: number,
): (Omit<TableMention, 'isWritten'> & { readonly last: number }) | undefined {
  const name: string[] = [];
  let last = first;
  for (let at = first; ; at += 2) {
    const token = tokens[at];
    if (token === undefined || (token.kind !== 'word' && token.kind !== 'name')) break;
    name.push(token.kind === 'name' ? token.value : token.source);
    last = at;
    if (tokens[at + 1]?.value !== '.') break;
  }
  const [start, end] = [tokens[first], tokens[last]];
  return name.length === 0 || start === undefined || end === undefined
    ? undefined
    : { name, start: start.start, end: end.end, last };
}

function wordAt(tokens: readonly Token[], at: number): string | undefined {
  const token = tokens[at];
  return token?.kind === 'word' ? token.value : undefined;
}
