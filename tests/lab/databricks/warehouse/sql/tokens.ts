import { makeSyntaxError, type SqlError } from './sql-error.ts';
import { unescapeLiteral } from './string-literal.ts';

export interface Token {
  /** `word`: unquoted identifier or keyword. `name`: identifier in backticks. `parameter`: `:name`. `marker`: `?`. */
  readonly kind: 'word' | 'name' | 'text' | 'number' | 'parameter' | 'marker' | 'sign' | 'end';
  /** The token as it was written. */
  readonly source: string;
  /** Words in upper case, identifiers without backticks, literals unescaped, parameters without the colon; else as written. */
  readonly value: string;
  /** Character offsets in the statement. */
  readonly start: number;
  readonly end: number;
}

const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?:BD|bd|[LlSsYyFfDd])?(?![A-Za-z0-9_])/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const NAME = /`((?:[^`]|``)+)`/y;
const TEXT = /'((?:[^'\\]|\\[^])*)'|"((?:[^"\\]|\\[^])*)"/y;
const RAW_TEXT = /[rR](?:'([^']*)'|"([^"]*)")/y;
const PARAMETER = /:([A-Za-z_][A-Za-z0-9_]*)/y;
const SIGN = /<=>|<>|!=|<=|>=|==|::|\|\||[-+*/%(),.<>=;:[\]]/y;
const SPACE = /(?:\s|--[^\n]*|\/\*[^]*?\*\/)+/y;

/**
 * Cut a statement into tokens by Spark's rules. The last token is of kind `end`.
 *
 * @throws SqlError PARSE_SYNTAX_ERROR for characters that begin no token, and for literals that do not end
 */
export function readTokens(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  for (;;) {
    at += match(SPACE)?.[0].length ?? 0;
    if (at >= text.length) break;
    const [kind, found, value] = readToken(match) ?? [];
    if (kind === undefined || found === undefined || value === undefined) throw failAt(text, at, text[at]);
    tokens.push({ kind, source: found, value, start: at, end: at + found.length });
    at += found.length;
  }
  return [...joinTexts(tokens), { kind: 'end', source: '', value: '', start: text.length, end: text.length }];
}

type Match = (pattern: RegExp) => RegExpExecArray | null;

function readToken(match: Match): readonly [Token['kind'], string, string] | undefined {
  const raw = match(RAW_TEXT);
  if (raw !== null) return ['text', raw[0], raw[1] ?? raw[2] ?? ''];
  const text = match(TEXT);
  if (text !== null) return ['text', text[0], unescapeLiteral(text[1] ?? text[2] ?? '')];
  const name = match(NAME);
  if (name !== null) return ['name', name[0], (name[1] as string).replaceAll('``', '`')];
  const number = match(NUMBER);
  if (number !== null) return ['number', number[0], number[0].toUpperCase()];
  const word = match(WORD);
  if (word !== null) return ['word', word[0], word[0].toUpperCase()];
  const parameter = match(PARAMETER);
  if (parameter !== null) return ['parameter', parameter[0], parameter[1] as string];
  const marker = match(/\?/y);
  if (marker !== null) return ['marker', marker[0], '?'];
  const sign = match(SIGN);
  return sign === null ? undefined : ['sign', sign[0], sign[0]];
}

/** Literals beside each other are one: `'it''s'` is `its`. */
function joinTexts(tokens: readonly Token[]): Token[] {
  const joined: Token[] = [];
  for (const token of tokens) {
    const last = joined.at(-1);
    if (token.kind === 'text' && last?.kind === 'text') {
      joined[joined.length - 1] = {
        ...last,
        source: last.source + token.source,
        value: last.value + token.value,
        end: token.end,
      };
    } else joined.push(token);
  }
  return joined;
}

/** A syntax error at an offset of the statement. */
export function failAt(text: string, offset: number, near: string | undefined): SqlError {
  const before = text.slice(0, offset).split('\n');
  return makeSyntaxError(near, { line: before.length, column: before.at(-1)?.length ?? 0 });
}
