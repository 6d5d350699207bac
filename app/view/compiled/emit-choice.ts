import { COUNT, emitBlock, emitGuard, readingOf, type Care, type Frame } from './frame.ts';
import type { Node } from './ir.ts';
import { RESOURCE, type Item, type Source } from './source.ts';

/** Up to this many other properties are looked at one by one, more by a loop over what the object has. */
const FEW = 5;
/** Up to this many names are compared one by one, which V8 does by their addresses; more are looked up. */
const MAX_CASES = 30;

/** What the code for a choice wants of its parent. */
export function careOfChoice(node: Node & { op: 'choice' }): Care {
  const [only, ...others] = node.variants;
  return only === undefined || others.length > 0 ? COUNT : readingOf(only.property);
}

/** Generates code for the value of a choice element (`value[x]`) of one parent. */
export function emitChoice(
  frame: Frame,
  node: Node & { op: 'choice' },
  { js: parent, notObject }: Item,
  care: Care,
  use: (item: Item) => void,
): void {
  const { source } = frame;
  const [only, ...others] = node.variants;
  if (only === undefined || others.length > 0) return emitOneOfMany(frame, node, parent, care, use);
  const isObject = node.kind === 'object';
  const value = source.name('v');
  const metadata = `${source.read(parent, `_${only.property}`)} != null`;
  if (care.metadata === 'data') source.write(`if (${metadata}) throw DEOPT;`);
  source.write(`const ${value} = ${source.read(parent, only.property)};`);
  emitBlock(source, `if (${value} != null)`, () => {
    // fhirpath.js takes the first property that is there.
    const earlier = node.all.slice(0, node.all.indexOf(only.property)).flatMap((property) => [property, `_${property}`]);
    if (earlier.length > FEW) emitNoneOf(source, parent, only.property, earlier);
    else for (const property of earlier) source.write(`if (${source.read(parent, property)} !== undefined) throw DEOPT;`);
    const guarded = emitGuard(source, value, isObject, care);
    use(isObject && care.metadata !== 'data' ? { ...guarded, metadata } : guarded);
  });
  emitBlock(source, 'else', () => {
    if (notObject !== undefined) source.write(`if (${notObject}) throw DEOPT;`);
    if (isObject || care.metadata === 'count') source.write(`if (${metadata}) throw DEOPT;`);
    emitNoOtherType(
      source,
      parent,
      node.all.filter((property) => property !== only.property),
    );
  });
}

/** Where the wanted variant is missing, another may not say that it is a resource: fhirpath.js would take its type from that. */
function emitNoOtherType(source: Source, parent: string, others: readonly string[]): void {
  const check = (value: string): string => `if (${value} != null && ${value}.resourceType !== undefined) throw DEOPT;`;
  if (parent === RESOURCE || others.length <= 2) {
    for (const property of others) source.write(check(source.read(parent, property)));
    return;
  }
  emitOnEachOf(source, parent, others, check);
}

/** A choice of several properties (`ofType(string)` takes `valueCode`, too): the one that is named after the type is tried first. */
function emitOneOfMany(frame: Frame, node: Node & { op: 'choice' }, parent: string, care: Care, use: (item: Item) => void): void {
  const { source } = frame;
  const value = source.name('v');
  const wanted = new Set(node.variants.map(({ property }) => property));
  const properties = new Map(
    node.all.flatMap((property) => [
      [property, wanted.has(property)],
      [`_${property}`, false],
    ]),
  );
  const read = `readChoice(${parent}, ${source.constant(properties)})`;
  const { likely } = node;
  if (wanted.size === node.all.length && wanted.size <= FEW) emitAnyOfFew(source, parent, node.all, value);
  else if (likely === undefined) source.write(`const ${value} = ${read};`);
  else {
    source.write(`let ${value} = ${source.read(parent, likely)};`);
    source.write(`if (${value} === undefined) ${value} = ${read};`);
    emitBlock(source, 'else', () =>
      emitNoneOf(
        source,
        parent,
        likely,
        [...properties.keys()].filter((property) => property !== likely),
      ),
    );
  }
  emitBlock(source, `if (${value} != null)`, () => {
    // Which of the variants it is, and so whether objects are right, is not always known.
    if (node.kind === 'mixed') source.write(`if (isArray(${value})) throw DEOPT;`);
    use(node.kind === 'mixed' ? { js: value } : emitGuard(source, value, node.kind === 'object', care));
  });
}

/** The value of whichever property of a choice is there; a second one, or a `_property`, breaks an assumption. */
function emitAnyOfFew(source: Source, parent: string, properties: readonly string[], value: string): void {
  source.write(`let ${value} = undefined;`);
  for (const property of properties) {
    const [found, metadata] = [property, `_${property}`].map((name) => source.read(parent, name));
    source.write(`if (${metadata} !== undefined) throw DEOPT;`);
    source.write(`if (${found} !== undefined) { if (${value} !== undefined) throw DEOPT; ${value} = ${found}; }`);
  }
}

/** Beside `there`, an object may not have any of these properties. */
function emitNoneOf(source: Source, object: string, there: string, properties: readonly string[]): void {
  emitOnEachOf(source, object, properties, () => 'throw DEOPT;', there);
}

/**
 * A statement for each of these properties that an object has.
 * @param likely is there and none of them. So is the `url` of extensions, which are most of the objects: for speed, they are told first
 */
function emitOnEachOf(
  source: Source,
  object: string,
  properties: readonly string[],
  statement: (value: string) => string,
  likely?: string,
): void {
  const name = source.name('p');
  const run = statement(`${object}[${name}]`);
  if (properties.length <= MAX_CASES) {
    const cases = properties.map((property) => `case ${source.quote(property)}:`).join(' ');
    source.write(`for (const ${name} in ${object}) switch (${name}) { ${cases} ${run} }`);
    return;
  }
  const isOther = [...(likely === undefined ? [] : [likely]), 'url'].map((other) => `${name} !== ${source.quote(other)}`);
  const list = source.constant(new Set(properties));
  source.write(`for (const ${name} in ${object}) if (${isOther.join(' && ')} && ${list}.has(${name})) ${run}`);
}
