import { SqlError } from '../sql/sql-error.ts';
import type { SqlType } from '../sql/sql-type.ts';
import type { Expression } from '../sql/syntax.ts';
import { castCell } from './cast.ts';
import { isCastable } from './castable.ts';
import { compile } from './compile.ts';
import type { Context } from './context.ts';
import type { Rows } from './relation.ts';

const WHOLE = ['byte', 'short', 'integer', 'long'];
/** Digits that a whole number may have. */
const DIGITS: Readonly<Record<string, number>> = { byte: 3, short: 5, integer: 10, long: 20 };

/** `VALUES (…), (…)`: columns `col1`, `col2`, … of the widest type of their values. @throws SqlError INVALID_INLINE_TABLE */
export function readInlineTable(rows: readonly (readonly Expression[])[], context: Context): Rows {
  const width = rows[0]?.length ?? 0;
  const compiled = rows.map((row, index) => {
    if (row.length === width) return row.map((expression) => compile(expression, [], context));
    const text = `Invalid inline table. Inline table expected ${width} columns but found ${row.length} columns in row ${index}. SQLSTATE: 42000`;
    throw new SqlError('INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH', '42000', text);
  });
  const types = Array.from({ length: width }, (_, index) => {
    const name = `col${index + 1}`;
    return compiled.map((row) => row[index]?.type ?? { kind: 'void' as const }).reduce((a, b) => widest(a, b, name));
  });
  return {
    columns: types.map((type, index) => ({ qualifier: [], name: `col${index + 1}`, type })),
    rows: compiled.map((row) =>
      row.map(({ type: from, read }, index) => {
        const to = types[index] as SqlType;
        return to.kind === 'void' ? null : castCell(read([]), from, to);
      }),
    ),
  };
}

function widest(a: SqlType, b: SqlType, column: string): SqlType {
  if (a.kind === 'void') return b;
  if (b.kind === 'void') return a;
  if (a.kind === 'decimal' || b.kind === 'decimal') {
    const [left, right] = [asDecimal(a), asDecimal(b)];
    if (left !== undefined && right !== undefined) {
      const scale = Math.max(left.scale, right.scale);
      return {
        kind: 'decimal',
        precision: Math.min(38, Math.max(left.precision - left.scale, right.precision - right.scale) + scale),
        scale,
      };
    }
  }
  if (WHOLE.includes(a.kind) && WHOLE.includes(b.kind)) return WHOLE.indexOf(a.kind) > WHOLE.indexOf(b.kind) ? a : b;
  if ([a, b].some(({ kind }) => kind === 'double' || kind === 'float') && isNumber(a) && isNumber(b)) return { kind: 'double' };
  if (a.kind === 'date' && b.kind.startsWith('timestamp')) return b;
  if (b.kind === 'date' && a.kind.startsWith('timestamp')) return a;
  if (a.kind === b.kind && isCastable(a, b)) return a;
  throw failTypes(column);
}

function asDecimal(type: SqlType): { readonly precision: number; readonly scale: number } | undefined {
  if (type.kind === 'decimal') return type;
  const precision = DIGITS[type.kind];
  return precision === undefined ? undefined : { precision, scale: 0 };
}

function isNumber({ kind }: SqlType): boolean {
  return WHOLE.includes(kind) || ['float', 'double', 'decimal'].includes(kind);
}

function failTypes(column: string): SqlError {
  const text = `Invalid inline table. Found incompatible types in the column \`${column}\` of the inline table. SQLSTATE: 42000`;
  return new SqlError('INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE', '42000', text);
}
