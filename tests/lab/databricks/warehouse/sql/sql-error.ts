/**
 * A statement that failed, in the words of a warehouse: the class is the bracketed prefix of the message (3.5 and 7.3 of the contract).
 */
export class SqlError extends Error {
  readonly errorClass: string;
  readonly sqlState: string;

  /** `text` is the message without its bracketed class. */
  constructor(errorClass: string, sqlState: string, text: string) {
    super(`[${errorClass}] ${text}`);
    this.name = 'SqlError';
    this.errorClass = errorClass;
    this.sqlState = sqlState;
  }
}

/** `near` is the text of the token that does not fit, or undefined at the end of the statement. */
export function makeSyntaxError(near: string | undefined, at: { readonly line: number; readonly column: number }): SqlError {
  const where = near === undefined ? 'end of input' : `'${near}'`;
  return new SqlError(
    'PARSE_SYNTAX_ERROR',
    '42601',
    `Syntax error at or near ${where}. SQLSTATE: 42601 (line ${at.line}, pos ${at.column})`,
  );
}

export function makeTableNotFound(name: readonly string[]): SqlError {
  const text = `The table or view ${quoteName(name)} cannot be found. Verify the spelling and correctness of the schema and catalog. SQLSTATE: 42P01`;
  return new SqlError('TABLE_OR_VIEW_NOT_FOUND', '42P01', text);
}

export function makeUnresolvedColumn(path: readonly string[], known: readonly string[]): SqlError {
  const text = `A column, variable, or function parameter with name ${quoteName(path)} cannot be resolved.`;
  if (known.length === 0) return new SqlError('UNRESOLVED_COLUMN.WITHOUT_SUGGESTION', '42703', `${text} SQLSTATE: 42703`);
  const suggestion = known.slice(0, 5).map((name) => quoteName([name]));
  const words = `${text} Did you mean one of the following? [${suggestion.join(', ')}]. SQLSTATE: 42703`;
  return new SqlError('UNRESOLVED_COLUMN.WITH_SUGGESTION', '42703', words);
}

export function makeUnboundParameter(name: string): SqlError {
  return new SqlError('UNBOUND_SQL_PARAMETER', '42P02', `Found the unbound parameter: ${name}. SQLSTATE: 42P02`);
}

/** Backticks around each part. */
export function quoteName(parts: readonly string[]): string {
  return parts.map((part) => `\`${part.replaceAll('`', '``')}\``).join('.');
}
