/** An identifier as Databricks SQL writes it: in backticks, those inside doubled. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** A name of several parts: `` `catalog`.`schema`.`table` ``. */
export function quoteNames(parts: readonly string[]): string {
  return parts.map(quoteName).join('.');
}

/**
 * A text literal of Databricks SQL. A doubled quote is no escape there (`'it''s'` is `its`), a backslash is. Variables are put into statements
 * before they are parsed, also inside of literals, so `${` is taken apart.
 */
export function quoteText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('${', '\\u0024{')}'`;
}
