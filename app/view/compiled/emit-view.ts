import { nullValue } from '../evaluate-view.ts';
import { MAX_REPEAT_DEPTH, MAX_ROUNDS, MAX_ROWS, MAX_TEXT_LENGTH } from '../limits.ts';
import type { ViewExpression } from '../view-definition.ts';
import type { PlannedColumn } from '../view-plan.ts';
import { emitItems } from './emit-items.ts';
import { emitSingle } from './emit-single.ts';
import { emitBlock, withSlot, type Frame } from './frame.ts';
import { emitValue } from './emit-value.ts';
import type { ElementType } from './element-type.ts';
import { elementOf, isComputed, isValue, type ItemKind, type Node } from './ir.ts';
import { shareBeginnings } from './share-beginnings.ts';
import type { LoweredColumn, LoweredIteration, LoweredSelect, LoweredView, Walk } from './lower-view.ts';
import { makeSource, RESOURCE, ROOT_PROPERTY, type Source } from './source.ts';

/** Makes functions of the interpreter for what is left to it; what they give goes into the constants of the generated code. */
export interface FallbackMaker {
  readonly condition: (expression: ViewExpression) => unknown;
  readonly column: (column: PlannedColumn) => unknown;
  readonly items: (expression: ViewExpression) => unknown;
  readonly repeated: (expressions: readonly ViewExpression[]) => unknown;
  /** Turns an element of this type into a node of fhirpath.js. */
  readonly toNode: (type: ElementType) => unknown;
}

/** Names that the generated code takes from runtime.ts. */
export const RUNTIME_NAMES = [
  'DEOPT',
  'TOO_MANY_ROWS',
  'readValue',
  'readChoice',
  'ID_CHARACTERS',
  'readReferenceKey',
  'compareNumbers',
] as const;

export interface GeneratedView {
  /**
   * Body of a function of `K` (constants), `R` (RUNTIME_NAMES), `begin` (resource → its node), `end` (after `begin`) and `recover`
   * (resource, what was thrown → rows) that returns the function of one resource.
   */
  readonly code: string;
  readonly constants: readonly unknown[];
}

/** Where rows are made: the item of the nearest iteration, and its node for expressions that fhirpath.js evaluates. */
interface Place {
  readonly frame: Frame;
  /** The item that bare names stand on. */
  readonly self: string;
  readonly node: string;
}

interface Generation {
  readonly source: Source;
  readonly fallbacks: FallbackMaker;
  /** False when no expression needs fhirpath.js, so that no nodes are made. */
  readonly needsNodes: boolean;
  readonly resourceType: string;
}

type Continue = () => void;

/**
 * Generates the function of a view: nested loops, a local variable for each column, one array for each row.
 * The code grows with the size of the view only, as products of several loops are made over lists of partial rows.
 * @throws SourceTooLong
 */
export function generateView(
  view: LoweredView,
  resourceType: string,
  columnCount: number,
  maxRows: number,
  fallbacks: FallbackMaker,
): GeneratedView {
  const source = makeSource();
  const generation: Generation = { source, fallbacks, needsNodes: view.fallbacks.length > 0, resourceType };
  source.write(`if (${source.read(RESOURCE, 'resourceType')} !== ${source.constant(resourceType)}) return [];`);
  source.write('let rows = NONE;');
  if (generation.needsNodes) source.write(`const root = begin(${RESOURCE});`);
  const place: Place = {
    frame: { ...makeFrame(source, 0, RESOURCE), isNested: false },
    self: RESOURCE,
    node: 'root',
  };
  for (const condition of view.conditions) {
    const holds =
      'node' in condition
        ? emitSingle(place.frame, condition.node)
        : `${source.constant(fallbacks.condition(condition.fallback))}(root, 0)`;
    source.write(`if (${holds} !== true) return [];`);
  }
  const columns = Array.from({ length: columnCount }, (_, index) => columnVariable(index));
  if (columns.length > 0) source.write(`let ${columns.map((name) => `${name} = null`).join(', ')};`);
  emitSelects(generation, view.selects, place, () => {
    // Most resources give one row, for which V8 need not make room for more.
    source.write(`if (rows === NONE) rows = [[${columns.join(', ')}]];`);
    source.write(`else if (rows.push([${columns.join(', ')}]) > ${maxRows}) throw TOO_MANY_ROWS;`);
  });
  source.write('return rows === NONE ? [] : rows;');
  const head = [
    "'use strict';",
    `const { ${RUNTIME_NAMES.join(', ')} } = R;`,
    `const isArray = Array.isArray, NONE = [], MAX_ROUNDS = ${MAX_ROUNDS}, MAX_TEXT_LENGTH = ${MAX_TEXT_LENGTH};`,
    ...source.constants.map((_, index) => `const k${index} = K[${index}];`),
    ...source.functions(),
  ];
  const text = source.text();
  const body = [
    `return function flatten(${RESOURCE}) {`,
    'let steps = 0;',
    'try {',
    ...readRoot(text),
    text,
    `} catch (error) { return recover(${RESOURCE}, error); }`,
    ...(generation.needsNodes ? ['finally { end(); }'] : []),
    '};',
  ];
  return { code: [...head, ...body].join('\n'), constants: source.constants };
}

/**
 * Code that reads all properties of the resource that are needed. Resources come in many shapes, for which V8 looks up each property anew;
 * a loop over those that are there costs one look at the shape, and nothing for what is missing.
 */
function readRoot(text: string): readonly string[] {
  const reads = new Map([...text.matchAll(ROOT_PROPERTY)].map(([variable, name]) => [variable, name ?? '']));
  const cases = [...reads].map(([variable, name]) => `case '${name}': ${variable} = ${RESOURCE}[name]; break;`);
  return [`let ${[...reads.keys()].join(', ')};`, `for (const name in ${RESOURCE}) switch (name) {`, ...cases, '}'];
}

function makeFrame(source: Source, slot: number, js: string): Frame {
  return {
    source,
    items: emitItems,
    value: emitValue,
    slots: new Map([[slot, { js }]]),
    shared: new Map(),
    rowIndex: '0',
    isNested: true,
  };
}

function columnVariable(index: number): string {
  return `c${index}`;
}

/** Rows of selects beside each other: all combinations, the first varies slowest. */
function emitSelects(generation: Generation, selects: readonly LoweredSelect[], place: Place, then: Continue): void {
  emitParts(generation, selects.flatMap(partsOf), place, then);
}

/** What makes rows: columns of the place itself, or something that may give any number of rows. */
type Part =
  | { readonly columns: readonly LoweredColumn[] }
  | {
      readonly index: number;
      readonly count: number;
      readonly emit: (generation: Generation, place: Place, then: Continue) => void;
    };

/** A select without iteration is no more than its parts. */
function partsOf(select: LoweredSelect): readonly Part[] {
  const { index, count, iteration } = select;
  if (iteration.kind === 'none') return bodyOf(select);
  return [{ index, count, emit: (generation, place, then) => emitIteration(generation, select, iteration, place, then) }];
}

function bodyOf({ columns, selects, unionAll, output, index }: LoweredSelect): readonly Part[] {
  const parts: Part[] = [{ columns }, ...selects.flatMap(partsOf)];
  const [first] = unionAll;
  if (first === undefined) return parts;
  const emit = (generation: Generation, place: Place, then: Continue): void => {
    for (const branch of unionAll) emitBlock(generation.source, '', () => emitSelects(generation, [branch], place, then));
  };
  return [...parts, { index: index + output.length - first.count, count: first.count, emit }];
}

function emitParts(generation: Generation, parts: readonly Part[], outer: Place, then: Continue): void {
  const { source } = generation;
  const rowMakers = parts.flatMap((part) => ('emit' in part ? [part] : []));
  const columns = parts.flatMap((part) => ('columns' in part ? part.columns : []));
  const place = { ...outer, frame: shareBeginnings(outer.frame, columns) };
  for (const column of columns) emitColumn(generation, column, place);
  const [first, ...others] = rowMakers;
  if (first === undefined) return then();
  const lists = others.map(({ index, count, emit }) => {
    const list = source.name('m');
    const columns = Array.from({ length: count }, (_, offset) => columnVariable(index + offset));
    source.write(`const ${list} = [];`);
    emitBlock(source, '', () =>
      emit(generation, place, () => source.write(`if (${list}.push([${columns.join(', ')}]) > ${MAX_ROWS}) throw DEOPT;`)),
    );
    return { list, columns };
  });
  const combine = lists.reduceRight<Continue>((inner, { list, columns }) => {
    return () => {
      const row = source.name('q');
      emitBlock(source, `for (const ${row} of ${list})`, () => {
        source.write('if (++steps > MAX_ROUNDS) throw DEOPT;');
        columns.forEach((column, index) => source.write(`${column} = ${row}[${index}];`));
        inner();
      });
    };
  }, then);
  first.emit(generation, place, combine);
}

function emitIteration(
  generation: Generation,
  select: LoweredSelect,
  iteration: Exclude<LoweredIteration, { kind: 'none' }>,
  place: Place,
  then: Continue,
): void {
  const { source, fallbacks } = generation;
  const count = source.name('n');
  source.write(`let ${count} = 0;`);
  const onItem = (js: string, element: ElementType | undefined): void => {
    const rowIndex = source.name('x');
    source.write(`const ${rowIndex} = ${count}++;`);
    const frame: Frame = { ...withSlot(place.frame, iteration.slot, { js }), rowIndex };
    emitParts(generation, bodyOf(select), { frame, self: js, node: emitNode(generation, js, element) }, then);
  };
  const onNodes = (items: unknown): void => {
    const node = source.name('v');
    const list = `${source.constant(items)}(${place.node}, ${place.frame.rowIndex})`;
    emitBlock(source, `for (const ${node} of ${list})`, () => onItem(node, undefined));
  };
  if (iteration.kind === 'repeat') {
    const { walk } = iteration;
    if (walk === undefined) return onNodes(fallbacks.repeated(iteration.expressions));
    const item = source.name('v');
    emitBlock(source, `for (const ${item} of ${emitWalk(source, walk)}(${place.self}, [], 1))`, () => onItem(item, walk.item));
    return;
  }
  const { items, orNull } = iteration;
  if ('node' in items) emitItems(place.frame, items.node, { metadata: 'data' }, ({ js }) => onItem(js, elementOf(items.node)));
  else onNodes(fallbacks.items(items.fallback));
  if (!orNull) return;
  emitBlock(source, `if (${count} === 0)`, () => {
    select.output.forEach((column, offset) =>
      source.write(`${columnVariable(select.index + offset)} = ${String(nullValue(column))};`),
    );
    then();
  });
}

/** Code for the node of an item, which is made when an expression first needs it. Items of fhirpath.js are nodes already. */
function emitNode({ source, needsNodes, fallbacks }: Generation, js: string, element: ElementType | undefined): string {
  if (element === undefined || !needsNodes) return js;
  const node = source.name('d');
  source.write(`let ${node};`);
  return `(${node} ??= ${source.constant(fallbacks.toNode(element))}(${js}))`;
}

/** Generates the functions that collect the items of a `repeat`, parents before their children; gives the name of the one that begins. */
function emitWalk(source: Source, walk: Walk): string {
  const next = source.name('w');
  const emit = (name: string, steps: readonly Node[]): string => {
    source.define(`function ${name}(v, found, depth)`, () => {
      source.write(`let steps = 0;`);
      source.write(`if (depth > ${MAX_REPEAT_DEPTH}) throw DEOPT;`);
      const frame = makeFrame(source, walk.slot, 'v');
      for (const step of steps) {
        emitItems(frame, step, { metadata: 'data' }, ({ js }) => {
          source.write(`if (found.push(${js}) > ${MAX_ROWS}) throw DEOPT;`);
          source.write(`${next}(${js}, found, depth + 1);`);
        });
      }
      source.write('return found;');
    });
    return name;
  };
  emit(next, walk.next);
  return emit(source.name('w'), walk.first);
}

/** A test for values of this kind that readValue gives as they are. */
function isUsual(kind: ItemKind, js: string): string {
  if (kind === 'number') return `typeof ${js} === 'number' && ${js} !== 0`;
  return kind === 'boolean' ? `typeof ${js} === 'boolean'` : `typeof ${js} === 'string'`;
}

function emitColumn({ source, fallbacks }: Generation, { column, index, value }: LoweredColumn, { frame, node }: Place): void {
  const name = columnVariable(index);
  if ('fallback' in value) {
    source.write(`${name} = ${source.constant(fallbacks.column(value.fallback))}(${node}, ${frame.rowIndex});`);
    return;
  }
  const expression = value.node;
  if (isValue(expression) && !column.collection) {
    source.write(`${name} = ${emitValue(frame, expression)};`);
    return;
  }
  source.write(`${name} = ${column.collection ? '[]' : 'null'};`);
  emitItems(frame, expression, { metadata: 'none', checksType: true }, ({ js }) => {
    const read = isComputed(expression) ? js : `${isUsual(expression.kind, js)} ? ${js} : readValue(${js})`;
    if (column.collection) {
      source.write(`${name}.push(${read});`);
      return;
    }
    if (expression.many) source.write(`if (${name} !== null) throw DEOPT;`);
    source.write(`${name} = ${read};`);
  });
}
