import { childrenOf, kindOf, type ModelChild } from './fhir-model.ts';
import { TEXTS, URLS } from './random-resource.ts';
import { chance, pickOne, wholeBelow, type Random } from './random.ts';

/** A random FHIRPath expression and what it yields. `type`: a FHIR type, or `boolean`, `string`, `integer` when it is computed. */
export interface Fragment {
  readonly text: string;
  readonly type: string;
}

/** What expressions may use. `texts`: literals that data hold; `exotic`: the share of calls that the compiler leaves to fhirpath.js. */
export interface ExpressionSource {
  readonly random: Random;
  readonly texts: readonly string[];
  readonly exotic: number;
  readonly root: string;
  /** Properties that the resources have, by type (fhir-model.ts); most paths follow them. */
  readonly seen: ReadonlyMap<string, ReadonlySet<string>>;
}

const BOOLEAN_FUNCTIONS = ['startsWith', 'endsWith', 'contains'] as const;
const TEXT_FUNCTIONS = ['upper', 'lower', 'trim'] as const;

/** An expression that gives primitives, as a column needs. */
export function randomColumn(source: ExpressionSource, type: string): Fragment {
  const { random, exotic } = source;
  if (chance(random, exotic)) return { text: pickOne(random, exoticColumns(source, type)), type: 'string' };
  const roll = random();
  if (roll < 0.3) return { text: randomCondition(source, type, 1), type: 'boolean' };
  if (roll > 0.93) {
    const objects = randomPath(source, type, { wanted: 'object' });
    if (objects !== undefined) {
      const call = pickOne(random, ['exists()', 'exists()', `exists(${failingCondition(source, objects.type)})`, 'empty()']);
      return { text: `${objects.text}.where(${failingCondition(source, objects.type)}).${call}`, type: 'boolean' };
    }
  }
  if (roll < 0.33) return { text: '%rowIndex', type: 'integer' };
  if (roll < 0.35) return { text: literal(source), type: 'string' };
  if (roll < 0.38) return { text: pickOne(random, ['getAidboxTs()', 'getAidboxCts()']), type: 'instant' };
  if (roll < 0.41) return iif(source, type);
  if (roll < 0.43 && type === source.root) return { text: 'getResourceKey()', type: 'id' };
  if (roll < 0.5) return wholeChoice(source, type) ?? { text: '%resource.id', type: 'id' };
  const path = randomPath(source, type, { wanted: 'primitive' });
  if (path === undefined) return kindOf(type) === 'object' ? { text: '%resource.id', type: 'id' } : { text: '$this', type };
  if (chance(random, 0.3)) return onText(source, path);
  if (chance(random, 0.1)) return { text: `${path.text}.count()`, type: 'integer' };
  return path;
}

/** A choice element of any type; undefined when there is none. */
export function wholeChoice(source: ExpressionSource, type: string): Fragment | undefined {
  const choices = childrenOf(type).filter(({ variants }) => variants !== undefined);
  const there = choices.filter((child) => isSeen(source, type, child));
  const found = pickOne(source.random, there.length > 0 ? there : choices);
  if (found === undefined) return undefined;
  const isPrimitive = found.variants?.every((variant) => !['object', 'resource'].includes(kindOf(variant.type))) === true;
  return { text: isPrimitive ? found.name : `${found.name}.exists()`, type: 'string' };
}

function iif(source: ExpressionSource, type: string): Fragment {
  const then = pickOne(source.random, [literal(source), randomPath(source, type, { wanted: 'text' })?.text ?? "'t'"]);
  const otherwise = chance(source.random, 0.5) ? `, ${literal(source)}` : '';
  return { text: `iif(${randomCondition(source, type, 1)}, ${then}${otherwise})`, type: 'string' };
}

function onText(source: ExpressionSource, path: Fragment): Fragment {
  const { random } = source;
  const kind = kindOf(path.type);
  if (kind !== 'text') return path;
  switch (wholeBelow(random, 6)) {
    case 0:
      return { text: `${path.text}.join(${pickOne(random, ["','", "' '", ''])})`, type: 'string' };
    case 1:
      return { text: `${path.text}.${pickOne(random, TEXT_FUNCTIONS)}()`, type: 'string' };
    case 2:
      return { text: `${path.text}.first().length()`, type: 'integer' };
    case 3:
      return {
        text: `${path.text}.substring(${wholeBelow(random, 4)}${chance(random, 0.5) ? `, ${wholeBelow(random, 4)}` : ''})`,
        type: 'string',
      };
    case 4:
      return { text: `${path.text}.${pickOne(random, ['indexOf', 'lastIndexOf'])}(${literal(source)})`, type: 'integer' };
    default:
      return { text: `${path.text} ${pickOne(random, ['&', '+'])} ${literal(source)}`, type: 'string' };
  }
}

/** An expression that gives one boolean, when data are as the model says. */
export function randomCondition(source: ExpressionSource, type: string, depth: number): string {
  const { random } = source;
  if (depth > 0 && chance(random, 0.25)) {
    const operator = pickOne(random, ['and', 'or', 'xor', 'implies']);
    return `(${randomCondition(source, type, depth - 1)} ${operator} ${randomCondition(source, type, depth - 1)})`;
  }
  if (chance(random, 0.1)) {
    const number = randomPath(source, type, { wanted: 'number', single: true });
    if (number !== undefined)
      return `${number.text} ${pickOne(random, ['=', '!=', '<', '>', '<=', '>='])} ${pickOne(random, ['1', '2', '5.5'])}`;
  }
  const any = randomPath(source, type, { wanted: 'any' });
  if (any === undefined) return kindOf(type) === 'text' ? `$this = ${literal(source)}` : '$this.exists()';
  switch (wholeBelow(random, 13)) {
    case 0:
      return `${any.text}.${pickOne(random, ['exists', 'empty'])}()`;
    case 1: {
      const objects = randomPath(source, type, { wanted: 'object' });
      const call = pickOne(random, ['exists', 'all']);
      if (objects === undefined || depth === 0) return `${any.text}.exists()`;
      if (chance(random, 0.3)) return `${objects.text}.where(${failingCondition(source, objects.type)}).exists()`;
      return `${objects.text}.${call}(${randomCondition(source, objects.type, depth - 1)})`;
    }
    case 2:
      return `(${randomCondition(source, type, 0)}).not()`;
    case 3: {
      const flag = randomPath(source, type, { wanted: 'boolean' });
      return flag === undefined
        ? `${any.text}.exists()`
        : pickOne(random, [flag.text, `${flag.text}.not()`, `${flag.text} = true`, `${flag.text} != %flag`]);
    }
    case 4: {
      const number = randomPath(source, type, { wanted: 'number' });
      const operator = pickOne(random, ['=', '!=', '<', '>', '<=', '>=']);
      const right = pickOne(random, ['1', '2', '0', '1.5', '5.5', '%number', '-1']);
      return `${number?.text ?? `${any.text}.count()`} ${operator} ${right}`;
    }
    case 5: {
      const text = randomPath(source, type, { wanted: 'text' });
      return text === undefined
        ? `${any.text}.empty()`
        : `${text.text}.${pickOne(random, BOOLEAN_FUNCTIONS)}(${literal(source)})`;
    }
    case 6: {
      const primitive = randomPath(source, type, { wanted: 'primitive' });
      return primitive === undefined ? `${any.text}.empty()` : `${primitive.text}.hasValue()`;
    }
    case 7: {
      const text = randomPath(source, type, { wanted: 'text', single: true });
      return text === undefined ? `${any.text}.empty()` : `${text.text} in (${literal(source)} | ${literal(source)})`;
    }
    case 8: {
      const [left, right] = [
        randomPath(source, type, { wanted: 'text' }),
        randomPath(source, type, { wanted: 'text', single: true }),
      ];
      if (left === undefined || right === undefined) return `${any.text}.exists()`;
      return `${left.text} ${pickOne(random, ['=', '!='])} ${right.text}`;
    }
    default: {
      const text = randomPath(source, type, { wanted: 'text' });
      const right = pickOne(random, [literal(source), literal(source), '%text', '%resource.id']);
      return text === undefined
        ? `${any.text}.exists()`
        : `${text.text} ${pickOne(random, ['=', '=', '!=', '<', '>='])} ${right}`;
    }
  }
}

/** A condition that fails on what is of another form than the model says: the item behind the one that is taken then counts. */
export function failingCondition(source: ExpressionSource, type: string): string {
  const { random } = source;
  if (kindOf(type) === 'text') return `$this >= ${literal(source)}`;
  const kind = pickOne(random, ['text', 'text', 'number', 'boolean'] as const);
  const child = pickOne(
    random,
    childrenOf(type).filter(
      (each) => each.variants === undefined && isUsable(each, true) && kindOf(each.type) === kind && isSeen(source, type, each),
    ),
  );
  if (child === undefined) return randomCondition(source, type, 0);
  if (kind === 'boolean') return pickOne(random, [child.name, `${child.name}.not()`]);
  if (kind === 'number') return `${child.name} ${pickOne(random, ['<', '>='])} ${pickOne(random, ['1', '2', '%number'])}`;
  return pickOne(random, [`${child.name} >= ''`, `${child.name}.contains('e')`, `${child.name} < ${literal(source)}`]);
}

interface PathWish {
  readonly wanted: 'any' | 'object' | 'primitive' | 'text' | 'number' | 'boolean';
  /** True for a path over elements that do not repeat. */
  readonly single?: boolean;
}

const MAX_STEPS = 4;

/** A path down from a type, with functions between its steps; undefined when it ended at something else than was wanted. */
export function randomPath(source: ExpressionSource, type: string, { wanted, single = false }: PathWish): Fragment | undefined {
  for (let attempt = 0; attempt < 6; attempt++) {
    const fromRoot = chance(source.random, 0.04);
    const found = walk(source, fromRoot ? source.root : type, wanted, single);
    if (found === undefined) continue;
    if (fromRoot) return { ...found, text: `%resource.${found.text}` };
    return type === source.root && chance(source.random, 0.05) ? { ...found, text: `${type}.${found.text}` } : found;
  }
  return undefined;
}

function walk(source: ExpressionSource, from: string, wanted: PathWish['wanted'], single: boolean): Fragment | undefined {
  const { random } = source;
  let type = from;
  let text = '';
  for (let step = 0; step < MAX_STEPS; step++) {
    const usable = childrenOf(type).filter((child) => isUsable(child, single));
    if (usable.length === 0) return undefined;
    const there = chance(random, 0.85) ? usable.filter((child) => isSeen(source, type, child)) : usable;
    const ends = (there.length > 0 ? there : usable).filter(
      (child) => child.variants === undefined && kindOf(child.type) === wanted,
    );
    const isRare = wanted === 'number' || wanted === 'boolean';
    const choice = isRare && ends.length > 0 && chance(random, 0.7) ? ends : there.length > 0 ? there : usable;
    const next = addStep(source, type, pickOne(random, choice), single);
    if (next === undefined) return undefined;
    text = text === '' ? next.text : `${text}.${next.text}`;
    type = next.type;
    const kind = kindOf(type);
    const isEnd = kind !== 'object' || chance(random, 0.3);
    if (isEnd && fits(kind, wanted)) return { text, type };
    if (kind !== 'object') return undefined;
  }
  return undefined;
}

/** Whether the resources at hand have this element. */
export function isSeen({ seen }: ExpressionSource, type: string, { name, variants }: ModelChild): boolean {
  const names = seen.get(type);
  return names !== undefined && (names.has(name) || variants?.some(({ property }) => names.has(property)) === true);
}

function isUsable(child: ModelChild, single: boolean): boolean {
  return (!single || !child.repeats) && child.type !== 'Resource' && child.type !== 'xhtml' && child.name !== 'id';
}

function fits(kind: ReturnType<typeof kindOf>, wanted: PathWish['wanted']): boolean {
  if (kind === 'resource') return false;
  if (wanted === 'any') return true;
  if (wanted === 'primitive') return kind !== 'object';
  return kind === wanted;
}

function addStep(source: ExpressionSource, parent: string, child: ModelChild, single: boolean): Fragment | undefined {
  const { random } = source;
  let { name: text, type } = child;
  if (child.variants !== undefined) {
    const there = child.variants.filter(({ property }) => source.seen.get(parent)?.has(property) === true);
    const found = pickOne(random, there.length > 0 && chance(random, 0.85) ? there : child.variants);
    type = found.type;
    if (kindOf(type) === 'resource') return undefined;
    text += `.ofType(${type})`;
  }
  if (child.name === 'extension' && chance(random, 0.8)) text = `extension('${pickOne(random, URLS)}')`;
  if (kindOf(type) !== 'object' && !child.repeats && child.variants === undefined && chance(random, 0.03)) {
    return { text: `${text}.extension('${pickOne(random, URLS)}').value.ofType(string)`, type: 'string' };
  }
  if (type === 'Reference' && chance(random, 0.4))
    return { text: `${text}.getReferenceKey(${pickOne(random, ['', 'Patient', 'Organization'])})`, type: 'string' };
  if (!single && child.repeats && chance(random, 0.5)) text += betweenSteps(source, type);
  return { text, type };
}

function betweenSteps(source: ExpressionSource, type: string): string {
  const { random } = source;
  const roll = random();
  if (roll < 0.25)
    return kindOf(type) === 'object' || kindOf(type) === 'text' ? `.where(${randomCondition(source, type, 1)})` : '';
  if (roll < 0.4) return '.first()';
  if (roll < 0.48) return `[${wholeBelow(random, 3)}]`;
  if (roll < 0.6)
    return pickOne(random, [
      '.last()',
      '.tail()',
      '.single()',
      `.skip(${wholeBelow(random, 3)})`,
      `.take(${wholeBelow(random, 3)})`,
    ]);
  if (roll < 0.68) return `.where(${randomCondition(source, type, 1)}).first()`;
  if (roll < 0.8) return `.where(${failingCondition(source, type)}).first()`;
  if (roll < 0.84 && kindOf(type) === 'object') return '.select($this)';
  return '';
}

function literal({ random, texts }: ExpressionSource): string {
  const text = chance(random, 0.6) ? pickOne(random, texts) : pickOne(random, TEXTS);
  return `'${text.replace(/['\\]/g, (character) => `\\${character}`)}'`;
}

/** What the compiler does not know. */
function exoticColumns(source: ExpressionSource, type: string): readonly string[] {
  const path = randomPath(source, type, { wanted: 'primitive' })?.text ?? '$this';
  const text = randomPath(source, type, { wanted: 'text' })?.text ?? "'t'";
  const number = randomPath(source, type, { wanted: 'number' })?.text ?? '1';
  const temporal = childrenOf(type).find((child) => child.type === 'dateTime' || child.type === 'date')?.name ?? '@2020';
  return [
    `${number} + 1`,
    `${path}.distinct().count()`,
    `${path}.isDistinct()`,
    `(${text} | ${literal(source)}).count()`,
    `${temporal} > @2020-01-01`,
    `${temporal}.lowBoundary()`,
    `${path} is string`,
    `${text}.replace('a', 'b')`,
    `${text}.toChars().count()`,
    `${text}.matches('^[a-z]+$')`,
    `${path}.where($index = 0)`,
    `${path}.toString()`,
    `${text} ~ 'A'`,
  ];
}
