/**
 * What the inside of a Spark string literal means. Backslash escapes; `\%` and `\_` keep their backslash (they are for LIKE); any other
 * escaped character stands for itself. A doubled quote is no escape: it ends one literal and begins the next.
 */
export function unescapeLiteral(inside: string): string {
  return inside.replace(/\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[01][0-7][0-7]|[^])/g, (_, escape: string) => unescape(escape));
}

const LETTERS: Readonly<Record<string, string>> = {
  '0': '\0',
  b: '\b',
  n: '\n',
  r: '\r',
  t: '\t',
  Z: '\x1a',
  '%': '\\%',
  _: '\\_',
};

function unescape(escape: string): string {
  if (escape.length === 1) return LETTERS[escape] ?? escape;
  if (/^[uU]/.test(escape)) return fromCodePoint(Number.parseInt(escape.slice(1), 16));
  return String.fromCharCode(Number.parseInt(escape, 8));
}

function fromCodePoint(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : '�';
}
