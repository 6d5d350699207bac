import { emitChoice } from './emit-choice.ts';
import { COUNT, counting, emitBlock, emitGuard, store, withSlot, type Care, type Frame } from './frame.ts';
import { emitSingle } from './emit-single.ts';
import { isValue, keyOf, type Node } from './ir.ts';
import type { Item, Source } from './source.ts';

/** Generates code that runs `use` for each item of an expression, in order; inside of it `break` and `continue` are not allowed. */
export function emitItems(frame: Frame, node: Node, care: Care, use: (item: Item) => void): void {
  const { source } = frame;
  const known = frame.shared.size === 0 ? undefined : frame.shared.get(keyOf(node));
  if (known !== undefined) return emitBlock(source, `if (${known} !== null)`, () => use({ js: known }));
  if (isValue(node)) {
    const value = frame.value(frame, node);
    return emitBlock(source, `if (${value} !== null)`, () => use({ js: value }));
  }
  switch (node.op) {
    case 'slot':
      return use(frame.slots.get(node.slot) ?? missingSlot());
    case 'child':
      return emitItems(frame, node.input, COUNT, (parent) => emitChild(frame, node, parent, care, use));
    case 'choice':
      return emitItems(frame, node.input, COUNT, ({ js }) => emitChoice(frame, node, js, care, use));
    case 'absent':
      return emitItems(frame, node.input, { metadata: 'data' }, ({ js }) => {
        const [value, metadata] = [node.name, `_${node.name}`].map((name) => source.read(js, name));
        source.write(`if (${value} !== undefined || ${metadata} !== undefined) throw DEOPT;`);
      });
    case 'where':
      return emitItems(frame, node.input, counting(care), (item) => {
        const holds = emitSingle(withSlot(frame, node.slot, item), node.criterion);
        emitBlock(source, `if (${holds} === true)`, () => use(item));
      });
    case 'select':
      return emitItems(frame, node.input, COUNT, (item) => emitItems(withSlot(frame, node.slot, item), node.body, care, use));
    case 'pick':
      return emitPick(frame, node, care, use);
    case 'range':
      return emitRange(frame, node, care, use);
    case 'extension':
      return emitExtensions(frame, node, use);
    case 'resourceKey':
      return emitItems(frame, node.input, COUNT, ({ js }) => {
        const key = source.name('v');
        source.write(`const ${key} = ${source.read(js, 'id')};`);
        emitBlock(source, `if (typeof ${key} === 'string')`, () => use({ js: key }));
      });
    case 'referenceKey':
      return emitItems(frame, node.input, COUNT, ({ js }) => emitReferenceKey(frame, node.resourceType, js, use));
    case 'iif': {
      const condition = emitSingle(frame, node.condition);
      const { then, otherwise } = node;
      emitBlock(source, `if (${condition} === true)`, () => emitItems(frame, then, counting(care), use));
      if (otherwise !== undefined) emitBlock(source, 'else', () => emitItems(frame, otherwise, counting(care), use));
    }
  }
}

function missingSlot(): Item {
  throw new Error('a slot that no code fills');
}

/**
 * The elements of one parent. fhirpath.js looks for what an element lacks in the `_property` beside it, so metadata of an object count only
 * when one of its children is missing.
 */
function emitChild(frame: Frame, node: Node & { op: 'child' }, parent: Item, care: Care, use: (item: Item) => void): void {
  const { source } = frame;
  const metadata = `${source.read(parent.js, `_${node.name}`)} != null`;
  const isObject = node.kind === 'object';
  const value = source.name('v');
  const counts = isObject || care.metadata !== 'none';
  if (care.metadata === 'data') source.write(`if (${metadata}) throw DEOPT;`);
  source.write(`const ${value} = ${source.read(parent.js, node.name)};`);
  emitBlock(source, `if (${value} != null)`, () => {
    const item: Partial<Item> = isObject && care.metadata !== 'data' ? { metadata } : {};
    if (node.repeats) return emitElements(frame, node, value, care, (js) => use({ ...item, js }));
    emitGuard(source, value, isObject, care);
    use({ ...item, js: value });
  });
  const hidden = [...(counts && !node.repeats ? [metadata] : []), ...(parent.metadata === undefined ? [] : [parent.metadata])];
  if (hidden.length > 0) source.write(`else if (${hidden.join(' || ')}) throw DEOPT;`);
  // Metadata may stand for more elements behind those of the list; who left the loop before does not care.
  if (counts && node.repeats && care.metadata !== 'data') source.write(`if (${metadata}) throw DEOPT;`);
}

function emitElements(frame: Frame, node: Node & { op: 'child' }, list: string, care: Care, use: (js: string) => void): void {
  const { source } = frame;
  const isObject = node.kind === 'object';
  source.write(`if (!isArray(${list})) throw DEOPT;`);
  emitLoop(frame, node, list, (item) => {
    const body = (): void => {
      emitGuard(source, item, isObject, care);
      use(item);
    };
    if (!isObject && care.metadata === 'none') return emitBlock(source, `if (${item} != null)`, body);
    source.write(`if (${item} == null) throw DEOPT;`);
    body();
  });
}

/** A loop over an array. What stands on `%resource` again and again, inside of other loops, counts its steps. */
function emitLoop(frame: Frame, node: Node & { op: 'child' }, array: string, body: (item: string) => void): void {
  const { source } = frame;
  const index = source.name('i');
  const item = source.name('v');
  emitBlock(source, `for (let ${index} = 0; ${index} < ${array}.length; ${index}++)`, () => {
    if (frame.isNested && standsOnRoot(node)) source.write('if (++steps > MAX_ROUNDS) throw DEOPT;');
    source.write(`const ${item} = ${array}[${index}];`);
    body(item);
  });
}

function standsOnRoot(node: Node): boolean {
  if (node.op === 'slot') return node.slot === 0;
  return 'input' in node && standsOnRoot(node.input);
}

function emitPick(frame: Frame, node: Node & { op: 'pick' }, care: Care, use: (item: Item) => void): void {
  const { source } = frame;
  const { input, at } = node;
  const inner: Care = { ...counting(care), checksType: care.checksType === true };
  if (!input.many && (typeof at === 'string' || at === 0)) return emitItems(frame, input, inner, use);
  if (at === 'last' || at === 'single') {
    const found = source.name('s');
    source.write(`let ${found} = null;`);
    emitItems(frame, input, counting(care), (item) => {
      if (at === 'single') source.write(`if (${found} !== null) throw DEOPT;`);
      store(source, found, item);
    });
    return emitBlock(source, `if (${found} !== null)`, () => use({ js: found }));
  }
  const wanted = at === 'first' ? 0 : at;
  if (input.op === 'child' && input.repeats && !input.input.many && !frame.shared.has(keyOf(input))) {
    return emitItems(frame, input.input, COUNT, (parent) => emitElementAt(frame, input, parent, wanted, inner, use));
  }
  const index = source.name('i');
  const label = source.name('L');
  source.write(`let ${index} = 0;`);
  emitBlock(source, `${label}:`, () => {
    emitItems(frame, input, inner, (item) => {
      emitBlock(source, `if (${index}++ === ${wanted})`, () => {
        use(item);
        if (!input.mayFail) source.write(`break ${label};`);
      });
    });
  });
}

/** One element of one list; the others do not matter. */
function emitElementAt(
  frame: Frame,
  list: Node & { op: 'child' },
  parent: Item,
  index: number,
  care: Care,
  use: (item: Item) => void,
): void {
  const { source } = frame;
  const [values, item] = [source.name('v'), source.name('v')];
  const isObject = list.kind === 'object';
  const metadata = `${source.read(parent.js, `_${list.name}`)} != null`;
  source.write(`const ${values} = ${source.read(parent.js, list.name)};`);
  if (care.metadata === 'data') source.write(`if (${metadata}) throw DEOPT;`);
  source.write(`if (${values} != null && !isArray(${values})) throw DEOPT;`);
  emitBlock(source, `if (${values} != null && ${values}.length > ${index})`, () => {
    source.write(`const ${item} = ${values}[${index}];`);
    source.write(`if (${item} == null) throw DEOPT;`);
    emitGuard(source, item, isObject, care);
    use(isObject && care.metadata !== 'data' ? { js: item, metadata } : { js: item });
  });
  source.write(`else if (${[metadata, ...(parent.metadata === undefined ? [] : [parent.metadata])].join(' || ')}) throw DEOPT;`);
}

function emitRange(frame: Frame, node: Node & { op: 'range' }, care: Care, use: (item: Item) => void): void {
  const { source } = frame;
  const index = source.name('i');
  const upper = node.to === Infinity ? '' : ` && ${index} < ${node.to}`;
  source.write(`let ${index} = 0;`);
  emitItems(frame, node.input, counting(care), (item) => {
    emitBlock(source, `if (${index} >= ${node.from}${upper})`, () => use(item));
    source.write(`${index}++;`);
  });
}

function emitExtensions(frame: Frame, node: Node & { op: 'extension' }, use: (item: Item) => void): void {
  const { source } = frame;
  const { input } = node;
  if (input.kind === 'object') {
    return emitItems(frame, input, COUNT, (owner) => emitExtensionsOf(source, owner, node.url, use));
  }
  if (input.op !== 'child') throw new Error('extensions of something that has none');
  // Those of a primitive stand in its metadata.
  emitItems(frame, input.input, { metadata: 'data' }, ({ js }) => {
    const [value, metadata] = [source.read(js, input.name), source.name('v')];
    source.write(`const ${metadata} = ${source.read(js, `_${input.name}`)};`);
    source.write(`if (typeof ${value} === 'object' && ${value} !== null) throw DEOPT;`);
    emitBlock(source, `if (${metadata} != null)`, () => {
      source.write(`if (isArray(${metadata})) throw DEOPT;`);
      emitExtensionsOf(source, { js: metadata }, node.url, use);
    });
  });
}

function emitExtensionsOf(source: Source, owner: Item, url: string, use: (item: Item) => void): void {
  const [list, index, item] = [source.name('v'), source.name('i'), source.name('v')];
  source.write(`const ${list} = ${source.read(owner.js, 'extension')};`);
  emitBlock(source, `if (${list} != null)`, () => {
    source.write(`if (!isArray(${list})) throw DEOPT;`);
    emitBlock(source, `for (let ${index} = 0; ${index} < ${list}.length; ${index}++)`, () => {
      source.write(`const ${item} = ${list}[${index}];`);
      emitBlock(source, `if (${item} != null && ${item}.url === ${source.constant(url)})`, () => {
        emitGuard(source, item, true, COUNT);
        use({ js: item });
      });
    });
  });
  if (owner.metadata !== undefined) source.write(`else if (${owner.metadata}) throw DEOPT;`);
}

function emitReferenceKey(frame: Frame, resourceType: string | undefined, js: string, use: (item: Item) => void): void {
  const { source } = frame;
  const reference = source.name('v');
  const key = source.name('v');
  const type = source.constant(resourceType);
  source.write(`const ${reference} = ${source.read(js, 'reference')};`);
  emitBlock(source, `if (typeof ${reference} === 'string')`, () => {
    const plain = resourceType === undefined ? '' : `readPlainKey(${reference}, ${source.constant(`${resourceType}/`)}) ?? `;
    source.write(`const ${key} = ${plain}readReferenceKey(${reference}, ${type});`);
    emitBlock(source, `if (${key} !== undefined)`, () => use({ js: key }));
  });
}
