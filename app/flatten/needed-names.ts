/** What a function reads by itself, beside the names in its arguments; functions that are not here may read anything. */
const FUNCTIONS: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    ['first', 'last', 'single', 'skip', 'take', 'tail', 'count', 'where', 'exists', 'empty', 'not'].map((name) => [name, []]),
  ),
  ...Object.fromEntries(
    ['ofType', 'join', 'substring', 'startsWith', 'endsWith', 'upper', 'lower', 'length', 'toString'].map((name) => [name, []]),
  ),
  extension: ['extension', 'url', 'value'],
  getResourceKey: ['id'],
  getReferenceKey: ['reference'],
  getAidboxTs: ['meta', 'lastUpdated'],
};
/** Words that compare or change whole objects. Elements of these names are taken for them, which costs speed only. */
const OPERATORS: ReadonlySet<string> = new Set(['in', 'contains', 'is', 'as', 'div', 'mod', 'implies', 'xor']);
/** Always kept: what a resource is called and how it is told from others. */
const ALWAYS = ['resourceType', 'id'];

const TOKEN = /('(?:[^'\\]|\\.)*')|(%[A-Za-z_]\w*)|(\$this\b)|([A-Za-z_]\w*)|(\d+(?:\.\d+)?)|(!=|<=|>=|[=<>])|([.,()[\]])/y;

/**
 * The names of all elements that a checked view can read, or undefined when that cannot be told from its expressions. It is told by their words: any name
 * in any expression counts at any depth, and only functions and operators that reach elements by name, and compare nothing but primitives, are let pass.
 */
export function findNeededNames(viewDefinition: unknown): ReadonlySet<string> | undefined {
  const names = new Set(ALWAYS);
  for (const expression of listExpressions(viewDefinition)) {
    if (!addNames(expression, names)) return undefined;
  }
  return names;
}

/** Expressions in `path`, `forEach`, `forEachOrNull` and `repeat`, wherever they stand. */
function listExpressions(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(listExpressions);
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]: [string, unknown]) => {
    if (key === 'path' || key === 'forEach' || key === 'forEachOrNull') return [String(value)];
    return key === 'repeat' && Array.isArray(value) ? value.map(String) : listExpressions(value);
  });
}

type TokenKind = 'literal' | 'name' | 'comparison' | 'other';

/** False when the expression may read more than its words tell. */
function addNames(expression: string, names: Set<string>): boolean {
  const kinds: TokenKind[] = [];
  for (let at = 0; at < expression.length;) {
    const space = /\s*/y;
    space.lastIndex = at;
    at += space.exec(expression)?.[0].length ?? 0;
    if (at >= expression.length) break;
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(expression);
    if (found === null) return false;
    at = TOKEN.lastIndex;
    const [, text, variable, , word, number, comparison] = found;
    if (word === undefined) {
      kinds.push((text ?? variable ?? number) ? 'literal' : comparison === undefined ? 'other' : 'comparison');
      continue;
    }
    if (word === 'true' || word === 'false') {
      kinds.push('literal');
      continue;
    }
    kinds.push('name');
    if (OPERATORS.has(word)) return false;
    if (/^\s*\(/.test(expression.slice(at))) {
      const read = Object.hasOwn(FUNCTIONS, word) ? FUNCTIONS[word] : undefined;
      // `and (` and `or (` are no calls.
      if (read === undefined && word !== 'and' && word !== 'or') return false;
      for (const name of read ?? []) names.add(name);
    } else {
      names.add(word);
    }
  }
  // Beside a literal, only a primitive can be equal or comparable.
  return kinds.every((kind, at) => kind !== 'comparison' || kinds[at - 1] === 'literal' || kinds[at + 1] === 'literal');
}
