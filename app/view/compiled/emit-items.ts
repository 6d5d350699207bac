import { elementOf, isValue, type Node } from './ir.ts';
import type { Item, Source } from './source.ts';
import { emitBoolean, emitValue } from './emit-value.ts';

/** What an expression is generated in. */
export interface Frame {
  readonly source: Source;
  /** JavaScript of the items that slots hold. */
  readonly slots: ReadonlyMap<number, string>;
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
}

const COUNT: Care = { metadata: 'count' };

/** For items that are counted or tested before the code around sees them. */
function counting({ metadata }: Care): Care {
  return { metadata: metadata === 'data' ? 'data' : 'count' };
}

/** Generates code that runs `use` for each item of an expression, in order; inside of it `break` and `continue` are not allowed. */
export function emitItems(frame: Frame, node: Node, care: Care, use: (item: Item) => void): void {
  const { source } = frame;
  if (isValue(node)) {
    const value = emitValue(frame, node);
    emitBlock(source, `if (${value} !== null)`, () => use({ js: value }));
    return;
  }
  switch (node.op) {
    case 'slot':
      use({ js: frame.slots.get(node.slot) ?? missingSlot(), element: node.element });
      return;
    case 'child':
      emitItems(frame, node.input, COUNT, (parent) => emitChild(frame, node, parent.js, care, use));
      return;
    case 'choice':
      emitItems(frame, node.input, COUNT, (parent) => emitChoice(frame, node, parent.js, care, use));
      return;
    case 'absent':
      emitItems(frame, node.input, COUNT, ({ js }) => {
        const property = source.property(node.name);
        source.write(
          `if (${js}${property} !== undefined || ${js}${source.property(`_${node.name}`)} !== undefined) throw DEOPT;`,
        );
      });
      return;
    case 'where':
      emitItems(frame, node.input, counting(care), (item) => {
        const holds = emitBoolean(withSlot(frame, node.slot, item.js), node.criterion);
        emitBlock(source, `if (${holds} === true)`, () => use(item));
      });
      return;
    case 'select':
      emitItems(frame, node.input, COUNT, (item) => emitItems(withSlot(frame, node.slot, item.js), node.body, care, use));
      return;
    case 'pick':
      emitPick(frame, node, care, use);
      return;
    case 'range': {
      const index = source.name('i');
      source.write(`let ${index} = 0;`);
      emitItems(frame, node.input, counting(care), (item) => {
        const upper = node.to === Infinity ? '' : ` && ${index} < ${node.to}`;
        emitBlock(source, `if (${index} >= ${node.from}${upper})`, () => use(item));
        source.write(`${index}++;`);
      });
      return;
    }
    case 'extension':
      emitExtension(frame, node, use);
      return;
    case 'resourceKey':
      emitItems(frame, node.input, COUNT, ({ js }) => {
        const key = source.name('v');
        source.write(`const ${key} = ${js}.id;`);
        emitBlock(source, `if (typeof ${key} === 'string')`, () => use({ js: key }));
      });
      return;
    case 'referenceKey':
      emitItems(frame, node.input, COUNT, ({ js }) => emitReferenceKey(frame, node.resourceType, js, use));
      return;
    case 'iif': {
      const condition = emitBoolean(frame, node.condition);
      emitBlock(source, `if (${condition} === true)`, () => emitItems(frame, node.then, counting(care), use));
      const { otherwise } = node;
      if (otherwise !== undefined) emitBlock(source, 'else', () => emitItems(frame, otherwise, counting(care), use));
      return;
    }
  }
}

/** A frame in which a slot holds an item. */
export function withSlot(frame: Frame, slot: number, js: string): Frame {
  return { ...frame, slots: new Map(frame.slots).set(slot, js), isNested: true };
}

export function emitBlock(source: Source, head: string, body: () => void): void {
  source.write(`${head} {`);
  body();
  source.write('}');
}

function missingSlot(): never {
  throw new Error('a slot that no code fills');
}

function emitChild(frame: Frame, node: Node & { op: 'child' }, parent: string, care: Care, use: (item: Item) => void): void {
  const { source } = frame;
  const metadata = `${parent}${source.property(`_${node.name}`)} != null`;
  const isObject = node.kind === 'object';
  if (isObject || care.metadata === 'data' || (node.repeats && care.metadata === 'count'))
    source.write(`if (${metadata}) throw DEOPT;`);
  const value = source.name('v');
  source.write(`const ${value} = ${parent}${source.property(node.name)};`);
  if (!node.repeats) {
    emitBlock(source, `if (${value} != null)`, () => {
      emitGuard(source, value, isObject, care);
      use({ js: value, element: node.element });
    });
    if (!isObject && care.metadata === 'count') source.write(`else if (${metadata}) throw DEOPT;`);
    return;
  }
  emitBlock(source, `if (${value} != null)`, () => {
    source.write(`if (!isArray(${value})) throw DEOPT;`);
    emitLoop(frame, node, value, (item) => {
      const needsValue = isObject || care.metadata !== 'none';
      if (needsValue) source.write(`if (${item} == null) throw DEOPT;`);
      const body = (): void => {
        emitGuard(source, item, isObject, care);
        use({ js: item, element: node.element });
      };
      if (needsValue) body();
      else emitBlock(source, `if (${item} != null)`, body);
    });
  });
}

/** A loop over an array. What stands on `%resource` again and again, inside of other loops, counts its steps. */
function emitLoop(frame: Frame, node: Node & { op: 'child' }, array: string, body: (item: string) => void): void {
  const { source } = frame;
  const index = source.name('i');
  const item = source.name('v');
  emitBlock(source, `for (let ${index} = 0; ${index} < ${array}.length; ${index}++)`, () => {
    if (frame.isNested && standsOnRoot(node)) source.write('if (++steps > MAX_STEPS) throw DEOPT;');
    source.write(`const ${item} = ${array}[${index}];`);
    body(item);
  });
}

function standsOnRoot(node: Node): boolean {
  if (node.op === 'slot') return node.slot === 0;
  return 'input' in node && standsOnRoot(node.input);
}

/** An object must be one, and no resource: fhirpath.js would take its type from `resourceType`. A primitive must not be an object. */
function emitGuard(source: Source, js: string, isObject: boolean, care: Care): void {
  if (isObject) source.write(`if (typeof ${js} !== 'object' || isArray(${js}) || ${js}.resourceType !== undefined) throw DEOPT;`);
  else if (care.checksType !== true) source.write(`if (typeof ${js} === 'object') throw DEOPT;`);
}

/** Up to this many other properties are looked at one by one, more by a loop over what the object has. */
const FEW = 3;

function emitChoice(frame: Frame, node: Node & { op: 'choice' }, parent: string, care: Care, use: (item: Item) => void): void {
  const { source } = frame;
  const [only] = node.variants;
  const value = source.name('v');
  if (only === undefined || node.variants.length > 1) {
    const wanted = new Set(node.variants.map(({ property }) => property));
    const properties = new Map(
      node.all.flatMap((property) => [
        [property, wanted.has(property)],
        [`_${property}`, false],
      ]),
    );
    source.write(`const ${value} = readChoice(${parent}, ${source.constant(properties)});`);
    emitBlock(source, `if (${value} != null)`, () => {
      // Which of the variants it is, and so whether objects are right, is not known here.
      if (node.kind === 'mixed') source.write(`if (isArray(${value})) throw DEOPT;`);
      else emitGuard(source, value, node.kind === 'object', care);
      use({ js: value });
    });
    return;
  }
  const isObject = node.kind === 'object';
  const metadata = `${parent}${source.property(`_${only.property}`)} != null`;
  if (isObject || care.metadata === 'data') source.write(`if (${metadata}) throw DEOPT;`);
  source.write(`const ${value} = ${parent}${source.property(only.property)};`);
  emitBlock(source, `if (${value} != null)`, () => {
    // fhirpath.js takes the first property that is there.
    const earlier = node.all.slice(0, node.all.indexOf(only.property)).flatMap((property) => [property, `_${property}`]);
    if (earlier.length > 2 * FEW) source.write(`if (hasAny(${parent}, ${source.constant(new Set(earlier))})) throw DEOPT;`);
    else for (const property of earlier) source.write(`if (${parent}${source.property(property)} !== undefined) throw DEOPT;`);
    emitGuard(source, value, isObject, care);
    use({ js: value, element: only.type });
  });
  if (!isObject && care.metadata === 'count') source.write(`else if (${metadata}) throw DEOPT;`);
}

function emitPick(frame: Frame, node: Node & { op: 'pick' }, care: Care, use: (item: Item) => void): void {
  const { source } = frame;
  const { input, at } = node;
  if (!input.many && (at === 'first' || at === 'last' || at === 'single' || at === 0)) {
    emitItems(frame, input, { ...counting(care), checksType: care.checksType === true }, use);
    return;
  }
  if (at === 'last' || at === 'single') {
    const found = source.name('v');
    source.write(`let ${found} = null;`);
    emitItems(frame, input, counting(care), ({ js }) => {
      if (at === 'single') source.write(`if (${found} !== null) throw DEOPT;`);
      source.write(`${found} = ${js};`);
    });
    emitBlock(source, `if (${found} !== null)`, () => use({ js: found, element: elementOf(node) }));
    return;
  }
  const wanted = at === 'first' ? 0 : at;
  const index = source.name('i');
  const label = source.name('L');
  source.write(`let ${index} = 0;`);
  emitBlock(source, `${label}:`, () => {
    emitItems(frame, input, { ...counting(care), checksType: care.checksType === true }, (item) => {
      emitBlock(source, `if (${index}++ === ${wanted})`, () => {
        use(item);
        if (!input.mayFail) source.write(`break ${label};`);
      });
    });
  });
}

function emitExtension(frame: Frame, node: Node & { op: 'extension' }, use: (item: Item) => void): void {
  const { source } = frame;
  const { input } = node;
  const url = source.constant(node.url);
  const onOwner = (owner: string): void => {
    const list = source.name('v');
    const index = source.name('i');
    const item = source.name('v');
    source.write(`const ${list} = ${owner}.extension;`);
    emitBlock(source, `if (${list} != null)`, () => {
      source.write(`if (!isArray(${list})) throw DEOPT;`);
      emitBlock(source, `for (let ${index} = 0; ${index} < ${list}.length; ${index}++)`, () => {
        source.write(`const ${item} = ${list}[${index}];`);
        source.write(`if (${item} == null) throw DEOPT;`);
        emitBlock(source, `if (${item}.url === ${url})`, () => {
          emitGuard(source, item, true, COUNT);
          use({ js: item, element: node.element });
        });
      });
    });
  };
  if (input.kind === 'object') {
    emitItems(frame, input, COUNT, ({ js }) => onOwner(js));
    return;
  }
  if (input.op !== 'child') throw new Error('extensions of something that has none');
  emitItems(frame, input.input, COUNT, ({ js }) => {
    const metadata = source.name('v');
    const value = `${js}${source.property(input.name)}`;
    source.write(`const ${metadata} = ${js}${source.property(`_${input.name}`)};`);
    source.write(`if (typeof ${value} === 'object' && ${value} !== null) throw DEOPT;`);
    emitBlock(source, `if (${metadata} != null)`, () => {
      source.write(`if (isArray(${metadata})) throw DEOPT;`);
      onOwner(metadata);
    });
  });
}

function emitReferenceKey(frame: Frame, resourceType: string | undefined, js: string, use: (item: Item) => void): void {
  const { source } = frame;
  const reference = source.name('v');
  const key = source.name('v');
  const type = source.constant(resourceType);
  source.write(`const ${reference} = ${js}.reference;`);
  emitBlock(source, `if (typeof ${reference} === 'string')`, () => {
    const plain = resourceType === undefined ? '' : `readPlainKey(${reference}, ${source.constant(`${resourceType}/`)}) ?? `;
    source.write(`const ${key} = ${plain}readReferenceKey(${reference}, ${type});`);
    emitBlock(source, `if (${key} !== undefined)`, () => use({ js: key }));
  });
}
