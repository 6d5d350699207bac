/** A node of a syntax tree, as far as literals and names need it. */
interface LiteralNode {
  readonly type: string;
  readonly text?: string;
  readonly children?: readonly LiteralNode[];
}

const ESCAPES: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', f: '\f' };

/** As fhirpath.js reads escapes: `\n` and its like, `\uXXXX`, any other character stands for itself. */
function unescapeString(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|.)/g, (_match, escape: string) =>
    escape.length > 1 ? String.fromCharCode(parseInt(escape.slice(1), 16)) : (ESCAPES[escape] ?? escape),
  );
}

/** A name without its quotes or backquotes. */
export function unquote(name: string): string {
  return /^[`'].*[`']$/s.test(name) ? unescapeString(name.slice(1, -1)) : name;
}

/** Value of an expression that is nothing but a string literal (with or without parentheses), or undefined. */
export function stringOf(node: LiteralNode): string | undefined {
  if (node.type === 'StringLiteral') return unescapeString((node.text ?? '').slice(1, -1));
  return node.children?.length === 1 && node.children[0] !== undefined ? stringOf(node.children[0]) : undefined;
}

/** Value of a string, boolean or number literal; undefined for others and for numbers that JavaScript writes in another way. */
export function readLiteral(term: LiteralNode): string | number | boolean | undefined {
  const [node] = term.children ?? [];
  if (node === undefined) return undefined;
  switch (node.type) {
    case 'StringLiteral':
      return stringOf(node);
    case 'BooleanLiteral':
      return node.text === 'true';
    case 'NumberLiteral': {
      const digits = (node.text ?? '').replace(/\.0*$|(\.\d*?)0+$/, '$1');
      return String(Number(digits)) === digits ? Number(digits) : undefined;
    }
    default:
      return undefined;
  }
}
