import { failAt, readTokens, type Token } from './tokens.ts';
import type { SqlError } from './sql-error.ts';

/** Words that cannot be the alias of a table or column when they stand where one could. */
const NO_ALIAS: ReadonlySet<string> = new Set(
  'FROM WHERE ON USING WHEN GROUP HAVING ORDER LIMIT QUALIFY UNION JOIN INNER LEFT RIGHT FULL CROSS LATERAL AS SET VALUES SELECT THEN AND OR NOT IS IN LIKE BETWEEN OVER'.split(
    ' ',
  ),
);

/** Reads the tokens of one statement from left to right. */
export class TokenReader {
  readonly text: string;
  private readonly tokens: readonly Token[];
  private at = 0;
  private markers = 0;

  /** @throws SqlError PARSE_SYNTAX_ERROR */
  constructor(text: string) {
    this.text = text;
    this.tokens = readTokens(text);
  }

  peek(ahead = 0): Token {
    return this.tokens[Math.min(this.at + ahead, this.tokens.length - 1)] as Token;
  }

  next(): Token {
    const token = this.peek();
    this.at++;
    return token;
  }

  /** True when the next tokens are these words (upper case). */
  isAt(...words: readonly string[]): boolean {
    return words.every((word, ahead) => this.peek(ahead).kind === 'word' && this.peek(ahead).value === word);
  }

  /** Read these words if they come next. */
  take(...words: readonly string[]): boolean {
    const found = this.isAt(...words);
    if (found) this.at += words.length;
    return found;
  }

  isAtSign(sign: string): boolean {
    return this.peek().kind === 'sign' && this.peek().value === sign;
  }

  takeSign(sign: string): boolean {
    const found = this.isAtSign(sign);
    if (found) this.at++;
    return found;
  }

  expect(...words: readonly string[]): void {
    if (!this.take(...words)) throw this.fail();
  }

  expectSign(sign: string): void {
    if (!this.takeSign(sign)) throw this.fail();
  }

  expectEnd(): void {
    this.takeSign(';');
    if (this.peek().kind !== 'end') throw this.fail();
  }

  /** The number of the next `?`, from 0. */
  nextMarker(): number {
    return this.markers++;
  }

  readIdentifier(): string {
    const token = this.next();
    if (token.kind === 'name') return token.value;
    if (token.kind === 'word') return token.source;
    this.at--;
    throw this.fail();
  }

  /** `a.b.c` */
  readName(): string[] {
    const parts = [this.readIdentifier()];
    while (this.takeSign('.')) parts.push(this.readIdentifier());
    return parts;
  }

  readText(): string {
    if (this.peek().kind !== 'text') throw this.fail();
    return this.next().value;
  }

  /** `[AS] alias`, if there is one. */
  readAlias(): string | undefined {
    if (this.take('AS')) return this.readIdentifier();
    const { kind, value } = this.peek();
    if (kind === 'name' || (kind === 'word' && !NO_ALIAS.has(value))) return this.readIdentifier();
    return undefined;
  }

  /** `( item, item )`, at least one. */
  readList<T>(readItem: () => T): T[] {
    this.expectSign('(');
    const items = [readItem()];
    while (this.takeSign(',')) items.push(readItem());
    this.expectSign(')');
    return items;
  }

  /** A syntax error at the next token. */
  fail(): SqlError {
    const { kind, start, source } = this.peek();
    return failAt(this.text, start, kind === 'end' ? undefined : source);
  }
}
