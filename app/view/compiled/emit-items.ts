import { careOfChoice, emitChoice } from './emit-choice.ts';
import {
  COUNT,
  counting,
  emitBlock,
  emitGuard,
  emitMissing,
  readingOf,
  store,
  withSlot,
  type Care,
  type Frame,
} from './frame.ts';
import { emitSingle } from './emit-single.ts';
import { isValue, keyOf, type Node } from './ir.ts';
import type { Item, Source } from './source.ts';

/** Of an id in FHIR. */
const MAX_ID_LENGTH = 64;

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
      return emitItems(frame, node.input, readingOf(node.name), (parent) => emitChild(frame, node, parent, care, use));
    case 'choice':
      return emitItems(frame, node.input, careOfChoice(node), (parent) => emitChoice(frame, node, parent, care, use));
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
      return emitExtensions(frame, node, care, use);
    case 'resourceKey':
      return emitItems(frame, node.input, COUNT, ({ js }) => {
        const key = source.name('v');
        source.write(`const ${key} = ${source.read(js, 'id')};`);
        emitBlock(source, `if (typeof ${key} === 'string')`, () => use({ js: key }));
      });
    case 'referenceKey':
      return emitItems(frame, node.input, readingOf('reference'), (parent) =>
        emitReferenceKey(frame, node.resourceType, parent, use),
      );
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
    const beside: Partial<Item> = isObject && care.metadata !== 'data' ? { metadata } : {};
    if (node.repeats) return emitElements(frame, node, value, care, (item) => use({ ...beside, ...item }));
    use({ ...beside, ...emitGuard(source, value, isObject, care) });
  });
  emitMissing(source, [counts && !node.repeats ? metadata : undefined, parent.metadata, parent.notObject]);
  // Metadata may stand for more elements behind those of the list; who left the loop before does not care.
  if (counts && node.repeats && care.metadata !== 'data') source.write(`if (${metadata}) throw DEOPT;`);
}

function emitElements(frame: Frame, node: Node & { op: 'child' }, list: string, care: Care, use: (item: Item) => void): void {
  const { source } = frame;
  const isObject = node.kind === 'object';
  source.write(`if (!isArray(${list})) throw DEOPT;`);
  emitLoop(frame, node, list, (item) => {
    const body = (): void => use(emitGuard(source, item, isObject, care));
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
  const checksObject = care.checksObject === true;
  if (!input.many && (typeof at === 'string' || at === 0)) return emitItems(frame, input, { ...inner, checksObject }, use);
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
    return emitItems(frame, input.input, readingOf(input.name), (parent) =>
      emitElementAt(frame, input, parent, wanted, { ...inner, checksObject }, use),
    );
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
    const guarded = emitGuard(source, item, isObject, care);
    use(isObject && care.metadata !== 'data' ? { ...guarded, metadata } : guarded);
  });
  emitMissing(source, [metadata, parent.metadata, parent.notObject]);
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

function emitExtensions(frame: Frame, node: Node & { op: 'extension' }, care: Care, use: (item: Item) => void): void {
  const { source } = frame;
  const { input } = node;
  if (input.kind === 'object') {
    return emitItems(frame, input, readingOf('extension'), (owner) => emitExtensionsOf(source, owner, node.url, care, use));
  }
  if (input.op !== 'child') throw new Error('extensions of something that has none');
  // Those of a primitive stand in its metadata.
  emitItems(frame, input.input, { metadata: 'data' }, ({ js }) => {
    const [value, metadata] = [source.read(js, input.name), source.name('v')];
    source.write(`const ${metadata} = ${source.read(js, `_${input.name}`)};`);
    source.write(`if (typeof ${value} === 'object' && ${value} !== null) throw DEOPT;`);
    emitBlock(source, `if (${metadata} != null)`, () => {
      source.write(`if (isArray(${metadata})) throw DEOPT;`);
      emitExtensionsOf(source, { js: metadata }, node.url, care, use);
    });
  });
}

function emitExtensionsOf(source: Source, owner: Item, url: string, care: Care, use: (item: Item) => void): void {
  const [list, index, item] = [source.name('v'), source.name('i'), source.name('v')];
  source.write(`const ${list} = ${source.read(owner.js, 'extension')};`);
  emitBlock(source, `if (${list} != null)`, () => {
    source.write(`if (!isArray(${list})) throw DEOPT;`);
    emitBlock(source, `for (let ${index} = 0; ${index} < ${list}.length; ${index}++)`, () => {
      source.write(`const ${item} = ${list}[${index}];`);
      emitBlock(source, `if (${item} != null && ${item}.url === ${source.constant(url)})`, () => {
        use(emitGuard(source, item, true, care));
      });
    });
  });
  emitMissing(source, [owner.metadata, owner.notObject]);
}

function emitReferenceKey(frame: Frame, resourceType: string | undefined, parent: Item, use: (item: Item) => void): void {
  const { source } = frame;
  const reference = source.name('v');
  const key = source.name('v');
  source.write(`const ${reference} = ${source.read(parent.js, 'reference')};`);
  emitBlock(source, `if (typeof ${reference} === 'string')`, () => {
    source.write(`let ${key};`);
    if (resourceType !== undefined) emitPlainKey(source, reference, `${resourceType}/`, key);
    source.write(`${key} ??= readReferenceKey(${reference}, ${source.constant(resourceType)});`);
    emitBlock(source, `if (${key} !== undefined)`, () => use({ js: key }));
  });
  emitMissing(source, [parent.notObject]);
}

/**
 * Code for the id in `Type/id`, when the reference is just that; anything else is left to readReferenceKey. The characters are compared one by
 * one in place, which V8 makes less of than of a call of startsWith.
 */
function emitPlainKey(source: Source, reference: string, typeAndSlash: string, key: string): void {
  const from = typeAndSlash.length;
  const at = source.name('i');
  const begins = Array.from(
    typeAndSlash,
    (_, index) => `${reference}.charCodeAt(${index}) === ${typeAndSlash.charCodeAt(index)}`,
  );
  const hasLength = `${reference}.length > ${from} && ${reference}.length <= ${from + MAX_ID_LENGTH}`;
  emitBlock(source, `if (${[hasLength, ...begins].join(' && ')})`, () => {
    source.write(`let ${at} = ${from};`);
    source.write(`while (${at} < ${reference}.length && ID_CHARACTERS[${reference}.charCodeAt(${at})] === 1) ${at}++;`);
    source.write(`if (${at} === ${reference}.length) ${key} = ${reference}.slice(${from});`);
  });
}
