import type { Cell } from '../../registry/cells.ts';
import { SqlError } from '../sql/sql-error.ts';
import type { Expression, Query, SelectItem } from '../sql/syntax.ts';
import { compileAggregate, isAggregate } from './aggregate.ts';
import { compile, type Compiled, type ScopeColumn } from './compile.ts';
import type { Context } from './context.ts';
import { readInlineTable } from './inline-table.ts';
import { readRelation, type Rows } from './relation.ts';
import { liftWindows, makeOrder, nameWindow, numberRows } from './window.ts';

type Select = Query & { readonly kind: 'select' };
type Call = Expression & { readonly kind: 'call' };

/** @throws SqlError */
export async function runQuery(query: Query, context: Context): Promise<Rows> {
  if (query.kind === 'values') return readInlineTable(query.rows, context);
  const source = query.from === undefined ? { columns: [], rows: [[]] } : await readRelation(query.from, context);
  const { where } = query;
  const filtered = where === undefined ? source : filter(source, where, context);
  if (query.items.some((item) => item.kind === 'expression' && isAggregate(item.expression)))
    return aggregate(query, filtered, context);
  const inline = query.items.find((item) => item.kind === 'expression' && isInline(item.expression));
  if (inline !== undefined) return expand(query, filtered, context);
  return project(query, filtered, context);
}

function filter({ columns, rows }: Rows, condition: Expression, context: Context): Rows {
  const { read } = compile(condition, columns, context);
  return { columns, rows: rows.filter((row) => read(row) === true) };
}

function aggregate({ items, from }: Select, { columns, rows }: Rows, context: Context): Rows {
  const aggregates = items.map((item) => {
    if (item.kind === 'expression' && isAggregate(item.expression)) {
      return { ...compileAggregate(item.expression, columns, context), name: item.alias ?? item.expression.text };
    }
    const text = `The expression is neither an aggregate function nor in GROUP BY, which the stand-in does not know. SQLSTATE: 42803`;
    throw new SqlError(from === undefined ? 'MISSING_GROUP_BY' : 'MISSING_AGGREGATION', '42803', text);
  });
  return {
    columns: aggregates.map(({ name, type }) => ({ qualifier: [], name, type })),
    rows: [aggregates.map(({ readAll }) => readAll(rows))],
  };
}

function isInline(expression: Expression): expression is Call {
  return expression.kind === 'call' && expression.name === 'inline';
}

/** `SELECT inline(array of structs)`: a row for each struct, a column for each field. */
function expand({ items }: Select, { columns, rows }: Rows, context: Context): Rows {
  const [item] = items;
  const call = item?.kind === 'expression' && isInline(item.expression) ? item.expression : undefined;
  const [operand] = call?.operands ?? [];
  if (items.length > 1 || operand === undefined) {
    throw new SqlError(
      'UNSUPPORTED_GENERATOR.MULTI_GENERATOR',
      '42K0E',
      'The stand-in takes inline() as the only item. SQLSTATE: 42K0E',
    );
  }
  const { type, read } = compile(operand, columns, context);
  if (type.kind !== 'array' || type.element.kind !== 'struct') {
    throw new SqlError(
      'DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE',
      '42K09',
      'inline() requires an array of structs. SQLSTATE: 42K09',
    );
  }
  const { fields } = type.element;
  const expanded = rows.flatMap((row) => (read(row) ?? []) as (Readonly<Record<string, Cell>> | null)[]);
  return {
    columns: fields.map((field) => ({ qualifier: [], name: field.name, type: field.type })),
    rows: expanded.map((struct) => fields.map((field) => struct?.[field.name] ?? null)),
  };
}

function project(query: Select, source: Rows, context: Context): Rows {
  const lifted = liftAll(query, source, context);
  const { columns, rows } = lifted.source;
  const kept = lifted.qualify === undefined ? rows : filter({ columns, rows }, lifted.qualify, context).rows;
  const outputs = lifted.items.flatMap((item) => readOutputs(item, columns, source.columns.length, context));
  const outputColumns = outputs.map(({ name, type }) => ({ qualifier: [], name, type }));
  let pairs = kept.map((row) => ({ row, output: outputs.map(({ read }) => read(row)) }));
  if (query.orderBy.length > 0) {
    // Keys may name what is selected, or what it is selected from; the former hides the latter.
    const hidden = new Set(outputColumns.map((column) => column.name.toLowerCase()));
    const scope: ScopeColumn[] = [
      ...outputColumns,
      ...columns.map((column) =>
        hidden.has(column.name.toLowerCase()) ? { ...column, name: `${nameWindow(-1)}${column.name}` } : column,
      ),
    ];
    const compare = makeOrder(query.orderBy, scope, context);
    pairs = pairs.map((pair) => ({ ...pair, all: [...pair.output, ...pair.row] })).sort((a, b) => compare(a.all, b.all));
  }
  return { columns: outputColumns, rows: pairs.slice(0, query.limit ?? pairs.length).map(({ output }) => output) };
}

interface LiftedQuery {
  readonly items: readonly SelectItem[];
  readonly qualify: Expression | undefined;
  /** With a column for each window call behind those that were there. */
  readonly source: Rows;
}

function liftAll({ items, qualify }: Select, source: Rows, context: Context): LiftedQuery {
  const calls: Call[] = [];
  const lift = (expression: Expression): Expression => {
    const lifted = liftWindows(expression, calls.length);
    calls.push(...lifted.calls);
    return lifted.expression;
  };
  const liftedItems = items.map((item) =>
    item.kind === 'star' ? item : { ...item, expression: lift(item.expression), alias: item.alias ?? nameOf(item.expression) },
  );
  // QUALIFY may name an item by its alias.
  const aliases = new Map(
    liftedItems.flatMap((item) => (item.kind === 'star' ? [] : [[item.alias.toLowerCase(), item.expression] as const])),
  );
  const liftedQualify = qualify === undefined ? undefined : lift(replaceAliases(qualify, aliases, source.columns));
  const numbers = calls.map((call) => numberRows(call, source.columns, source.rows, context));
  const added = calls.map((_, index): ScopeColumn => ({ qualifier: [], name: nameWindow(index), type: { kind: 'integer' } }));
  const rows = source.rows.map((row, index) => [...row, ...numbers.map((column) => column[index] as number)]);
  return { items: liftedItems, qualify: liftedQualify, source: { columns: [...source.columns, ...added], rows } };
}

function replaceAliases(
  expression: Expression,
  aliases: ReadonlyMap<string, Expression>,
  scope: readonly ScopeColumn[],
): Expression {
  const replace = (part: Expression): Expression => {
    if (part.kind === 'column' && part.path.length === 1) {
      const name = (part.path[0] as string).toLowerCase();
      return scope.some((column) => column.name.toLowerCase() === name) ? part : (aliases.get(name) ?? part);
    }
    if (part.kind === 'call' || part.kind === 'operator') return { ...part, operands: part.operands.map(replace) };
    return part.kind === 'cast' ? { ...part, operand: replace(part.operand) } : part;
  };
  return replace(expression);
}

function readOutputs(
  item: SelectItem,
  columns: readonly ScopeColumn[],
  visible: number,
  context: Context,
): (Compiled & { readonly name: string })[] {
  if (item.kind === 'expression') {
    return [{ ...compile(item.expression, columns, context), name: item.alias ?? nameOf(item.expression) }];
  }
  const wanted = item.qualifier.join('.').toLowerCase();
  const found = columns.slice(0, visible).flatMap(({ qualifier, name, type }, index) => {
    const own = qualifier
      .slice(qualifier.length - item.qualifier.length)
      .join('.')
      .toLowerCase();
    return own === wanted || wanted === '' ? [{ name, type, read: (row: readonly Cell[]) => row[index] ?? null }] : [];
  });
  if (found.length > 0) return found;
  throw new SqlError(
    'CANNOT_RESOLVE_STAR_EXPAND',
    '42704',
    `Cannot resolve ${[...item.qualifier, '*'].join('.')}. SQLSTATE: 42704`,
  );
}

function nameOf(expression: Expression): string {
  return expression.kind === 'column' ? (expression.path.at(-1) as string) : expression.text;
}
