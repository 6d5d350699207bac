import type { Cell } from '../../registry/cells.ts';
import { makeUnresolvedColumn, SqlError } from '../sql/sql-error.ts';
import type { SqlType } from '../sql/sql-type.ts';
import type { Expression, Name } from '../sql/syntax.ts';
import { castCell } from './cast.ts';
import { checkCastable } from './castable.ts';
import { makeComparison } from './compare.ts';
import { findParameter, type Context } from './context.ts';
import { compileCall } from './functions.ts';

/** A column that expressions may name. `qualifier` is the alias of its relation, or the parts of the table's name. */
export interface ScopeColumn {
  readonly qualifier: Name;
  readonly name: string;
  readonly type: SqlType;
}

/** An expression over rows of a scope. */
export interface Compiled {
  readonly type: SqlType;
  readonly read: (row: readonly Cell[]) => Cell;
}

const BOOLEAN: SqlType = { kind: 'boolean' };

/** @throws SqlError for unknown columns, parameters and functions, and for types that do not go together */
export function compile(expression: Expression, scope: readonly ScopeColumn[], context: Context): Compiled {
  const inner = (operand: Expression): Compiled => compile(operand, scope, context);
  switch (expression.kind) {
    case 'literal':
      return { type: expression.type, read: () => expression.value };
    case 'parameter': {
      const { type, value } = findParameter(context, expression.key);
      return { type, read: () => value };
    }
    case 'column': {
      const index = findColumn(expression.path, scope);
      return { type: (scope[index] as ScopeColumn).type, read: (row) => row[index] ?? null };
    }
    case 'cast': {
      const { operand, type, isTry } = expression;
      const { type: from, read } = inner(operand);
      checkCastable(from, type, expression.text);
      return {
        type,
        read: isTry ? (row) => tryCast(() => castCell(read(row), from, type)) : (row) => castCell(read(row), from, type),
      };
    }
    case 'call':
      return compileCall(expression, expression.operands.map(inner), context);
    case 'operator':
      return compileOperator(expression, expression.operands.map(inner));
  }
}

function tryCast(cast: () => Cell): Cell {
  try {
    return cast();
  } catch (error) {
    if (error instanceof SqlError) return null;
    throw error;
  }
}

/** The place of a column in its scope. Names are compared without case. @throws SqlError UNRESOLVED_COLUMN, AMBIGUOUS_REFERENCE */
export function findColumn(path: Name, scope: readonly ScopeColumn[]): number {
  const name = (path.at(-1) as string).toLowerCase();
  const qualifier = path.slice(0, -1).map((part) => part.toLowerCase());
  const found = scope.flatMap((column, index) => {
    const ends = column.qualifier.slice(column.qualifier.length - qualifier.length).map((part) => part.toLowerCase());
    const isMeant =
      column.name.toLowerCase() === name && qualifier.length <= column.qualifier.length && ends.join('.') === qualifier.join('.');
    return isMeant ? [index] : [];
  });
  if (found.length > 1) {
    throw new SqlError('AMBIGUOUS_REFERENCE', '42704', `Reference \`${path.join('.')}\` is ambiguous. SQLSTATE: 42704`);
  }
  if (found[0] === undefined)
    throw makeUnresolvedColumn(
      path,
      scope.map((column) => column.name),
    );
  return found[0];
}

function compileOperator({ operator, text }: Expression & { kind: 'operator' }, operands: readonly Compiled[]): Compiled {
  const [left, right] = operands as [Compiled, Compiled];
  switch (operator) {
    case 'AND':
    case 'OR': {
      checkBoolean(left, text);
      checkBoolean(right, text);
      const decides = operator === 'OR';
      return {
        type: BOOLEAN,
        read: (row) => {
          const [a, b] = [left.read(row), right.read(row)];
          return a === decides || b === decides ? decides : a === null || b === null ? null : !decides;
        },
      };
    }
    case 'NOT':
      checkBoolean(left, text);
      return { type: BOOLEAN, read: (row) => negate(left.read(row)) };
    case 'IS NULL':
      return { type: BOOLEAN, read: (row) => left.read(row) === null };
    case '-':
      return { type: left.type, read: (row) => minus(left.read(row)) };
    case 'LIKE':
      return { type: BOOLEAN, read: (row) => matchesPattern(left.read(row), right.read(row)) };
    case 'IN': {
      const tests = operands.slice(1).map((option) => compileComparison('=', left, option));
      return {
        type: BOOLEAN,
        read: (row) => {
          const answers = tests.map((test) => test(row));
          return answers.includes(true) ? true : answers.includes(null) ? null : false;
        },
      };
    }
    case '=':
    case '<=>':
    case '<>':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return { type: BOOLEAN, read: compileComparison(operator, left, right) };
  }
}

type ComparisonOperator = '=' | '<=>' | '<>' | '<' | '<=' | '>' | '>=';

function compileComparison(operator: ComparisonOperator, left: Compiled, right: Compiled): (row: readonly Cell[]) => Cell {
  const { compare } = makeComparison(left.type, right.type);
  return (row) => {
    const [a, b] = [left.read(row), right.read(row)];
    if (a === null || b === null) return operator === '<=>' ? a === b : null;
    const order = compare(a, b);
    switch (operator) {
      case '=':
      case '<=>':
        return order === 0;
      case '<>':
        return order !== 0;
      case '<':
        return order < 0;
      case '<=':
        return order <= 0;
      case '>':
        return order > 0;
      case '>=':
        return order >= 0;
    }
  };
}

function checkBoolean({ type }: Compiled, text: string): void {
  if (type.kind === 'boolean' || type.kind === 'void') return;
  const message = `Cannot resolve "${text}" due to data type mismatch: a condition must be BOOLEAN. SQLSTATE: 42K09`;
  throw new SqlError('DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE', '42K09', message);
}

function negate(cell: Cell): Cell {
  return cell === null ? null : cell !== true;
}

function minus(cell: Cell): Cell {
  return typeof cell === 'number' || typeof cell === 'bigint' ? -cell : cell;
}

function matchesPattern(text: Cell, pattern: Cell): Cell {
  if (typeof text !== 'string' || typeof pattern !== 'string') return null;
  const source = pattern.replace(/\\(.)|[.*+?^${}()|[\]\\]|%|_/g, (sign, escaped: string | undefined) => {
    if (escaped !== undefined) return escaped.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return sign === '%' ? '[^]*' : sign === '_' ? '[^]' : `\\${sign}`;
  });
  return new RegExp(`^${source}$`).test(text);
}
