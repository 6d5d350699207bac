import type { Cell } from '../../registry/cells.ts';
import type { Expression } from '../sql/syntax.ts';
import { compile, type Compiled, type ScopeColumn } from './compile.ts';
import { makeComparison } from './compare.ts';
import type { Context } from './context.ts';

const NAMES: ReadonlySet<string> = new Set(['count', 'min', 'max']);

/** Whether an item is an aggregate over all rows: the only place where the interpreter takes one. */
export function isAggregate(expression: Expression): expression is Expression & { readonly kind: 'call' } {
  return expression.kind === 'call' && expression.window === undefined && NAMES.has(expression.name);
}

/** `count(*)`, `count(x)`, `min(x)`, `max(x)` over rows. */
export function compileAggregate(
  call: Expression & { readonly kind: 'call' },
  scope: readonly ScopeColumn[],
  context: Context,
): { readonly type: Compiled['type']; readonly readAll: (rows: readonly (readonly Cell[])[]) => Cell } {
  const operand = compile(
    call.operands[0] ?? { kind: 'literal', type: { kind: 'void' }, value: null, text: 'NULL' },
    scope,
    context,
  );
  const cellsOf = (rows: readonly (readonly Cell[])[]): Cell[] => rows.map(operand.read).filter((cell) => cell !== null);
  if (call.name === 'count') return { type: { kind: 'long' }, readAll: (rows) => BigInt(cellsOf(rows).length) };
  const { compare } = makeComparison(operand.type, operand.type);
  const sign = call.name === 'min' ? 1 : -1;
  const better = (a: Cell, b: Cell): Cell => (sign * compare(a, b) <= 0 ? a : b);
  return {
    type: operand.type,
    readAll: (rows) => {
      const cells = cellsOf(rows);
      return cells.length === 0 ? null : cells.reduce(better);
    },
  };
}
