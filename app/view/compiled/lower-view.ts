import type { AstNode } from '../expression-types.ts';
import type { ViewExpression } from '../view-definition.ts';
import type { PlannedColumn, PlannedSelect, ViewPlan } from '../view-plan.ts';
import { elementOf, isComputed, type Node } from './ir.ts';
import { lowerExpression } from './lower-expression.ts';
import { Unsupported, type LoweringScope } from './lowering.ts';
import { resourceElementType, type ElementType } from './element-type.ts';
import type { ViewFallback } from '../compiled-view.ts';

/** An expression that compiled code evaluates, or one that it gives to fhirpath.js. */
export type Lowered<T> = { readonly node: Node } | { readonly fallback: T };

/** `slot` holds the item while its rows are made. */
export type LoweredIteration =
  | { readonly kind: 'none' }
  | { readonly kind: 'each'; readonly slot: number; readonly orNull: boolean; readonly items: Lowered<ViewExpression> }
  /** `walk`: undefined when the steps are left to fhirpath.js. */
  | {
      readonly kind: 'repeat';
      readonly slot: number;
      readonly walk: Walk | undefined;
      readonly expressions: readonly ViewExpression[];
    };

/** Steps of `repeat` from where it begins, and from the items it reaches, which all have one type. */
export interface Walk {
  readonly slot: number;
  readonly first: readonly Node[];
  readonly next: readonly Node[];
  readonly item: ElementType;
}

export interface LoweredColumn {
  readonly column: PlannedColumn;
  /** Place among all columns of the view. */
  readonly index: number;
  readonly value: Lowered<PlannedColumn>;
}

export interface LoweredSelect {
  readonly iteration: LoweredIteration;
  readonly columns: readonly LoweredColumn[];
  readonly selects: readonly LoweredSelect[];
  readonly unionAll: readonly LoweredSelect[];
  /** Columns that it yields: `count` of them from `index` on. */
  readonly index: number;
  readonly count: number;
  readonly output: readonly PlannedColumn[];
}

export interface LoweredView {
  readonly conditions: readonly Lowered<ViewExpression>[];
  readonly selects: readonly LoweredSelect[];
  readonly fallbacks: readonly ViewFallback[];
  /** All expressions of the view. */
  readonly expressionCount: number;
}

interface Lowering {
  readonly trees: ViewPlan['trees'];
  readonly scope: Omit<LoweringScope, 'self' | 'nextSlot'>;
  readonly fallbacks: ViewFallback[];
  expressionCount: number;
}

/** What bare names stand on: the item in the slot of the innermost iteration. `self` is undefined when only fhirpath.js knows its type. */
interface Focus {
  readonly self: Node | undefined;
  readonly slot: number;
}

/** Translates what can be translated, and lists the rest with its reasons. */
export function lowerView(plan: ViewPlan, createdAtUrls: readonly string[]): LoweredView {
  const { definition } = plan;
  const root = makeSlot(0, resourceElementType(definition.resourceType));
  const lowering: Lowering = {
    trees: plan.trees,
    scope: {
      model: definition.model,
      lower: lowerExpression,
      root,
      constants: new Map(definition.constants.map(({ name, value }) => [name, value])),
      createdAtUrls,
      lenient: false,
    },
    fallbacks: [],
    expressionCount: 0,
  };
  const conditions = definition.where.map((condition) =>
    lower(lowering, { self: root, slot: 0 }, condition, condition, (node) => {
      if (node.kind !== 'boolean' || node.many) throw new Unsupported('a condition that is not one boolean');
    }),
  );
  const selects = lowerSelects(lowering, plan.selects, { self: root, slot: 0 }, 0);
  return { conditions, selects, fallbacks: lowering.fallbacks, expressionCount: lowering.expressionCount };
}

function makeSlot(slot: number, element: ElementType | undefined, kind: Node['kind'] = 'object'): Node {
  return { op: 'slot', slot, element, kind, many: false, mayFail: false };
}

function lowerSelects(
  lowering: Lowering,
  selects: readonly PlannedSelect[],
  focus: Focus,
  from: number,
): readonly LoweredSelect[] {
  let index = from;
  return selects.map((select) => {
    const lowered = lowerSelect(lowering, select, focus, index);
    index += lowered.count;
    return lowered;
  });
}

function lowerSelect(lowering: Lowering, select: PlannedSelect, outer: Focus, index: number): LoweredSelect {
  const { iteration, focus } = lowerIteration(lowering, select, outer);
  const columns = select.columns.map((column, place): LoweredColumn => {
    const expression = { path: `${column.at}.path`, text: column.path };
    return { column, index: index + place, value: lower(lowering, focus, expression, column, checkColumn, column.name) };
  });
  const selects = lowerSelects(lowering, select.selects, focus, index + columns.length);
  const unionIndex = selects.reduce((sum, { count }) => sum + count, index + columns.length);
  const unionAll = select.unionAll.map((branch) => lowerSelect(lowering, branch, focus, unionIndex));
  return { iteration, columns, selects, unionAll, index, count: select.output.length, output: select.output };
}

function checkColumn(node: Node): void {
  if (node.kind === 'object') throw new Unsupported('a column of objects');
}

function lowerIteration(
  lowering: Lowering,
  select: PlannedSelect,
  outer: Focus,
): { readonly iteration: LoweredIteration; readonly focus: Focus } {
  const { iteration } = select;
  if (iteration.kind === 'none') return { iteration, focus: outer };
  const slot = outer.slot + 1;
  if (iteration.kind === 'repeat') {
    const walk = lowerWalk(lowering, iteration.expressions, outer);
    const focus = { self: walk === undefined ? undefined : makeSlot(slot, walk.item), slot };
    return { iteration: { kind: 'repeat', slot, walk, expressions: iteration.expressions }, focus };
  }
  const { expression } = iteration;
  const items = lower(lowering, outer, expression, expression, (node) => {
    const element = elementOf(node);
    if (!isComputed(node) && (element === undefined || element.isBase === true))
      throw new Unsupported('iteration over items that have no one known type');
  });
  const focus = { self: 'node' in items ? makeSlot(slot, elementOf(items.node), items.node.kind) : undefined, slot };
  return { iteration: { kind: 'each', slot, orNull: iteration.kind === 'forEachOrNull', items }, focus };
}

/** Translates one expression; `check` may refuse what came out, and `fallback` is what the interpreter needs instead. */
function lower<T>(
  lowering: Lowering,
  focus: Focus,
  { path, text }: ViewExpression,
  fallback: T,
  check: (node: Node) => void,
  column?: string,
): Lowered<T> {
  lowering.expressionCount++;
  const reason = attempt(() => {
    const node = lowerExpression(treeOf(lowering, text), { ...lowering.scope, self: known(focus), nextSlot: focus.slot + 1 });
    check(node);
    return node;
  });
  if (typeof reason !== 'string') return { node: reason };
  lowering.fallbacks.push({ path, expression: text, reason, ...(column !== undefined && { column }) });
  return { fallback };
}

function known({ self }: Focus): Node {
  if (self === undefined) throw new Unsupported('what it stands on is left to fhirpath.js');
  return self;
}

/** The result, or the reason why there is none. */
function attempt<T extends object>(translate: () => T): T | string {
  try {
    return translate();
  } catch (error) {
    if (error instanceof Unsupported) return error.message;
    if (error instanceof RangeError) return 'it is nested too deeply';
    throw error;
  }
}

function treeOf({ trees }: Lowering, text: string): AstNode {
  const tree = trees.get(text);
  if (tree === undefined) throw new Unsupported('it does not parse');
  return tree;
}

/** All steps of a `repeat`, or undefined when one of them needs fhirpath.js: then all are left to it. */
function lowerWalk(lowering: Lowering, expressions: readonly ViewExpression[], outer: Focus): Walk | undefined {
  lowering.expressionCount += expressions.length;
  const slot = 1;
  const walk = attempt((): Walk => {
    const stepsFrom = (element: ElementType | undefined): readonly Node[] =>
      expressions.map(({ text }) =>
        checkStep(
          lowerExpression(treeOf(lowering, text), {
            ...lowering.scope,
            self: makeSlot(slot, element),
            nextSlot: slot + 1,
            lenient: true,
          }),
        ),
      );
    const first = stepsFrom(elementOf(known(outer)));
    const [item] = reachedBy(first);
    const next = stepsFrom(item);
    if (item === undefined || [...reachedBy(first), ...reachedBy(next)].some(({ path }) => path !== item.path)) {
      throw new Unsupported('repeat over elements of several types');
    }
    return { slot, first, next, item };
  });
  if (typeof walk !== 'string') return walk;
  for (const { path, text } of expressions) lowering.fallbacks.push({ path, expression: text, reason: walk });
  return undefined;
}

function checkStep(node: Node): Node {
  if (node.kind !== 'object' || mentionsRowIndexOrRoot(node)) throw new Unsupported('a step of repeat that is more than a path');
  return node;
}

/** Steps are generated as functions of their own, which see neither. */
function mentionsRowIndexOrRoot(node: Node): boolean {
  if (node.op === 'rowIndex' || (node.op === 'slot' && node.slot === 0)) return true;
  return Object.values(node).some(
    (part: unknown) => typeof part === 'object' && part !== null && 'op' in part && mentionsRowIndexOrRoot(part as Node),
  );
}

function reachedBy(nodes: readonly Node[]): readonly ElementType[] {
  return nodes.flatMap((node) => elementOf(node) ?? []);
}
