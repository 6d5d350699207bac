import type { Cell } from '../../registry/cells.ts';
import { SqlError } from '../sql/sql-error.ts';
import type { Expression, SortKey } from '../sql/syntax.ts';
import { compile, type ScopeColumn } from './compile.ts';
import { makeComparison } from './compare.ts';
import type { Context } from './context.ts';

/** `row_number() OVER (…)` taken out of expressions; each becomes a column behind the columns of the rows. */
export interface Lifted {
  readonly expression: Expression;
  readonly calls: readonly (Expression & { readonly kind: 'call' })[];
}

/** Put columns in the place of window calls. They are numbered on from `first`. @throws SqlError for other window functions */
export function liftWindows(expression: Expression, first: number): Lifted {
  const calls: (Expression & { readonly kind: 'call' })[] = [];
  const lift = (part: Expression): Expression => {
    if (part.kind === 'call' && part.window !== undefined) {
      if (part.name !== 'row_number') {
        throw new SqlError(
          'UNRESOLVED_ROUTINE',
          '42883',
          `The stand-in knows no window function \`${part.name}\`. SQLSTATE: 42883`,
        );
      }
      calls.push(part);
      return { kind: 'column', path: [nameWindow(first + calls.length - 1)], text: part.text };
    }
    if (part.kind === 'call' || part.kind === 'operator') return { ...part, operands: part.operands.map(lift) };
    return part.kind === 'cast' ? { ...part, operand: lift(part.operand) } : part;
  };
  return { expression: lift(expression), calls };
}

/** The name of a lifted column: none that an identifier could have by accident. */
export function nameWindow(index: number): string {
  return `\u0000window${index}`;
}

/** The row numbers of a window call, in the order of `rows`. */
export function numberRows(
  { window }: Expression & { readonly kind: 'call' },
  scope: readonly ScopeColumn[],
  rows: readonly (readonly Cell[])[],
  context: Context,
): number[] {
  const keys = (window?.partitionBy ?? []).map((expression) => ({ expression, isDescending: false }));
  const compareParts = makeOrder(keys, scope, context);
  const compareRows = makeOrder(window?.orderBy ?? [], scope, context);
  const order = rows.map((_, index) => index);
  const at = (index: number): readonly Cell[] => rows[index] as readonly Cell[];
  order.sort((a, b) => compareParts(at(a), at(b)) || compareRows(at(a), at(b)) || a - b);
  const numbers = new Array<number>(rows.length).fill(1);
  for (const [place, index] of order.entries()) {
    const before = order[place - 1];
    if (before !== undefined && compareParts(at(before), at(index)) === 0) numbers[index] = (numbers[before] as number) + 1;
  }
  return numbers;
}

/** How rows are sorted by keys; NULLs come first, with DESC last. */
export function makeOrder(
  keys: readonly SortKey[],
  scope: readonly ScopeColumn[],
  context: Context,
): (a: readonly Cell[], b: readonly Cell[]) => number {
  const compiled = keys.map(({ expression, isDescending }) => {
    const { type, read } = compile(expression, scope, context);
    const { compare } = makeComparison(type, type);
    const sign = isDescending ? -1 : 1;
    return (left: readonly Cell[], right: readonly Cell[]): number => {
      const [a, b] = [read(left), read(right)];
      if (a === null || b === null) return sign * (Number(b === null) - Number(a === null));
      return sign * compare(a, b);
    };
  });
  return (a, b) => {
    for (const compare of compiled) {
      const order = compare(a, b);
      if (order !== 0) return order;
    }
    return 0;
  };
}
