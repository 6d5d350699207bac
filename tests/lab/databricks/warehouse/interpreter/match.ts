import type { Cell } from '../../registry/cells.ts';
import type { Expression } from '../sql/syntax.ts';
import { compile, type Compiled, type ScopeColumn } from './compile.ts';
import type { Context } from './context.ts';
import { SqlError } from '../sql/sql-error.ts';
import { formatCell } from './format.ts';

/**
 * Finds whether a row of the source has a row of the target that fulfils the condition of a MERGE. Equalities between the two sides are
 * looked up, the rest is tried.
 */
export function makeMatcher(
  condition: Expression,
  target: { readonly columns: readonly ScopeColumn[]; readonly rows: readonly (readonly Cell[])[] },
  sourceColumns: readonly ScopeColumn[],
  context: Context,
): (sourceRow: readonly Cell[]) => boolean {
  const scope = [...target.columns, ...sourceColumns];
  const { read } = compile(condition, scope, context);
  const keys = listConjuncts(condition).flatMap((part) => {
    const key = readKey(part, target.columns, sourceColumns, context);
    return key === undefined ? [] : [key];
  });
  if (keys.length === 0) return (sourceRow) => target.rows.some((row) => read([...row, ...sourceRow]) === true);
  const index = new Map<string, (readonly Cell[])[]>();
  for (const row of target.rows) {
    const key = joinKey(
      keys.map(({ target: side }) => side),
      row,
    );
    if (key === undefined) continue;
    const bucket = index.get(key);
    if (bucket === undefined) index.set(key, [row]);
    else bucket.push(row);
  }
  return (sourceRow) => {
    const key = joinKey(
      keys.map(({ source: side }) => side),
      sourceRow,
    );
    return key !== undefined && (index.get(key) ?? []).some((row) => read([...row, ...sourceRow]) === true);
  };
}

interface Key {
  readonly target: Compiled;
  readonly source: Compiled;
}

function listConjuncts(condition: Expression): Expression[] {
  if (condition.kind !== 'operator' || condition.operator !== 'AND') return [condition];
  return condition.operands.flatMap(listConjuncts);
}

/** `t.a = s.b` in either order, when both sides have the same type so that equal values are equal texts. */
function readKey(
  part: Expression,
  target: readonly ScopeColumn[],
  source: readonly ScopeColumn[],
  context: Context,
): Key | undefined {
  if (part.kind !== 'operator' || part.operator !== '=') return undefined;
  const [left, right] = part.operands as [Expression, Expression];
  for (const [a, b] of [
    [left, right],
    [right, left],
  ] as const) {
    const key = { target: tryCompile(a, target, source, context), source: tryCompile(b, source, target, context) };
    const kinds = [key.target?.type.kind, key.source?.type.kind];
    if (key.target !== undefined && key.source !== undefined && kinds[0] === kinds[1] && isTextual(kinds[0])) {
      return { target: key.target, source: key.source };
    }
  }
  return undefined;
}

/** Undefined when the expression is not of this side alone. */
function tryCompile(
  expression: Expression,
  own: readonly ScopeColumn[],
  other: readonly ScopeColumn[],
  context: Context,
): Compiled | undefined {
  if (expression.kind !== 'column') return undefined;
  const compiled = attempt(() => compile(expression, own, context));
  return attempt(() => compile(expression, other, context)) === undefined ? compiled : undefined;
}

function attempt(work: () => Compiled): Compiled | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof SqlError) return undefined;
    throw error;
  }
}

function isTextual(kind: string | undefined): boolean {
  return ['string', 'byte', 'short', 'integer', 'long', 'date', 'timestamp', 'timestamp_ntz', 'boolean'].includes(kind ?? '');
}

/** Undefined: a NULL is in it, which equals nothing. */
function joinKey(parts: readonly Compiled[], row: readonly Cell[]): string | undefined {
  const texts: string[] = [];
  for (const { type, read } of parts) {
    const cell = read(row);
    if (cell === null) return undefined;
    const text = formatCell(cell, type);
    texts.push(`${text.length}:${text}`);
  }
  return texts.join('');
}
