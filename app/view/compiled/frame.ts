import type { Node, ValueNode } from './ir.ts';
import type { Item, Source } from './source.ts';

/** What an expression is generated in. */
export interface Frame {
  /** Generates code that runs `use` for each item of an expression, in order (emit-items.ts). */
  readonly items: (frame: Frame, node: Node, care: Care, use: (item: Item) => void) => void;
  /** Generates code for a value; gives the JavaScript that holds it, null standing for nothing (emit-value.ts). */
  readonly value: (frame: Frame, node: ValueNode) => string;
  readonly source: Source;
  readonly slots: ReadonlyMap<number, Item>;
  /** Variables that hold what several expressions begin with (null: nothing), by `keyOf`. */
  readonly shared: ReadonlyMap<string, string>;
  /** JavaScript of %rowIndex. */
  readonly rowIndex: string;
  /** True inside of loops that go over items already. */
  readonly isNested: boolean;
}

/** What the code around cares for. */
export interface Care {
  /**
   * `count`: an element without a value (only a `_property`, or null in a list) is an item like others, which the compiled code does not
   * represent; `data`: so is a `_property` beside a value; `none`: only values are of interest.
   */
  readonly metadata: 'none' | 'count' | 'data';
  /** True when the code around tests that a primitive is no object. */
  readonly checksType?: boolean;
  /** True when the code around runs the test `notObject` of an item where it finds nothing in it. */
  readonly checksObject?: boolean;
}

export const COUNT: Care = { metadata: 'count' };

/** What is no object may have properties of its prototype, which JSON does not have. */
const PROTOTYPES: readonly object[] = [Array.prototype, String.prototype, Number.prototype, Boolean.prototype];

/** For objects of which this property is read next: only where it is missing can they be something else, as nothing else has it. */
export function readingOf(name: string): Care {
  return PROTOTYPES.some((prototype) => name in prototype) ? COUNT : { ...COUNT, checksObject: true };
}

/** For items that are counted or tested before the code around sees them. */
export function counting({ metadata }: Care): Care {
  return { metadata: metadata === 'data' ? 'data' : 'count' };
}

/** A frame in which a slot holds an item. */
export function withSlot(frame: Frame, slot: number, item: Item): Frame {
  return { ...frame, slots: new Map(frame.slots).set(slot, item), isNested: true };
}

export function emitBlock(source: Source, head: string, body: () => void): void {
  source.write(`${head} {`);
  body();
  source.write('}');
}

/** Generates code that stores the item of an expression with at most one in a new variable (null: none); gives its name. */
export function emitVariable(frame: Frame, node: Node): string {
  const { source } = frame;
  const name = source.name('s');
  source.write(`let ${name} = null;`);
  frame.items(frame, node, COUNT, (item) => store(source, name, item));
  return name;
}

/** A variable forgets where its item stood, so metadata beside it are looked for here. */
export function store(source: Source, name: string, { js, metadata }: Item): void {
  if (metadata !== undefined) source.write(`if (${metadata}) throw DEOPT;`);
  source.write(`${name} = ${js};`);
}

/**
 * An object must be one, and no resource: fhirpath.js would take its type from `resourceType`. A primitive must not be an object.
 * Gives the item that is left: with a test, if that is still to be done.
 */
export function emitGuard(source: Source, js: string, isObject: boolean, care: Care): Item {
  const notObject = `typeof ${js} !== 'object' || isArray(${js})`;
  const isResource = `${js}.resourceType !== undefined`;
  if (!isObject) {
    if (care.checksType !== true) source.write(`if (typeof ${js} === 'object') throw DEOPT;`);
    return { js };
  }
  source.write(`if (${care.checksObject === true ? '' : `${notObject} || `}${isResource}) throw DEOPT;`);
  return care.checksObject === true ? { js, notObject } : { js };
}

/** Code for the place where nothing was found in an item, if there are tests to do. */
export function emitMissing(source: Source, tests: readonly (string | undefined)[]): void {
  const left = tests.filter((test) => test !== undefined);
  if (left.length > 0) source.write(`else if (${left.join(' || ')}) throw DEOPT;`);
}
