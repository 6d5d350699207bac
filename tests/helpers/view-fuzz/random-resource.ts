import type { Resource } from '../../../app/view/compiled-view.ts';
import { childrenOf, kindOf, type ModelChild } from './fhir-model.ts';
import { chance, pickOne, wholeBelow, type Random } from './random.ts';

/** Texts that resources and expressions share, so that comparisons find something. */
export const TEXTS = ['a', 'b', 'official', 'Ann Bea', ' x ', '', 'http://a.example', 'urn:u', "it's", 'ß\u2028', 'constructor'];
export const URLS = ['http://a.example', 'urn:u', 'https://aidbox.app/ex/createdAt'];
const REFERENCES = [
  'Patient/p1',
  'Organization/o-1',
  'https://example.org/fhir/Patient/p2/_history/3',
  'urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7',
  '#c',
  'Patient/p 1',
  'Patient/',
];
const TEMPORALS = [
  '2020-01-31',
  '2020',
  '1999-12',
  '2020-01-31T10:00:00Z',
  '2020-01-31T10:00:00.123456+01:00',
  '10:00:00',
  'never',
];
const NUMBERS = [0, 1, 2, 3, -1, 1.5, 0.1, 100, 5.5, 5.500000001, 1.500000001, 2.000000001, 1e-7, 1e21, 12345678901234567000, -0];
const MAX_DEPTH = 5;

type Json = Record<string, unknown>;

/** A resource that fits the model: some of the elements of its type, several levels deep. */
export function randomResource(random: Random, type: string): Resource {
  const resource = randomObject(random, type, 0);
  return { ...resource, resourceType: type, id: `id-${wholeBelow(random, 100)}` };
}

function randomObject(random: Random, path: string, depth: number): Json {
  const children = childrenOf(path);
  const share = depth === 0 ? 0.6 : Math.min(0.5, 4 / (children.length + 1));
  const object: Json = {};
  for (const child of children) {
    if (chance(random, child.name === 'extension' || child.name === 'modifierExtension' ? 0.15 : share))
      addChild(random, object, child, depth);
  }
  if (path === 'Extension') object['url'] = pickOne(random, URLS);
  if (path === 'Reference' && chance(random, 0.8)) object['reference'] = pickOne(random, REFERENCES);
  return object;
}

function addChild(random: Random, object: Json, child: ModelChild, depth: number): void {
  const { property, type } =
    child.variants === undefined ? { property: child.name, type: child.type } : pickOne(random, child.variants);
  const kind = kindOf(type);
  if (kind === 'resource' || (kind === 'object' && depth >= MAX_DEPTH)) return;
  const make = (): unknown => (kind === 'object' ? randomObject(random, type, depth + 1) : randomPrimitive(random, kind));
  object[property] = child.repeats ? Array.from({ length: 1 + wholeBelow(random, 3) }, make) : make();
  if (kind !== 'object' && chance(random, 0.05)) addMetadata(random, object, property);
}

function randomPrimitive(random: Random, kind: 'text' | 'number' | 'boolean' | 'temporal'): unknown {
  switch (kind) {
    case 'text':
      return pickOne(random, TEXTS);
    case 'temporal':
      return pickOne(random, TEMPORALS);
    case 'number':
      return chance(random, 0.6) ? wholeBelow(random, 4) : pickOne(random, NUMBERS);
    case 'boolean':
      return chance(random, 0.5);
  }
}

/** Adds a `_property`, and sometimes takes the value, or a part of it, away. */
function addMetadata(random: Random, object: Json, property: string): void {
  const value = object[property];
  const makeOne = (beside: unknown): unknown => {
    // fhirpath.js looks into the metadata of objects for what these lack.
    if (typeof beside === 'object' && beside !== null && chance(random, 0.6)) return structuredClone(beside);
    return chance(random, 0.3)
      ? { id: 'x' }
      : { extension: [{ url: pickOne(random, URLS), valueString: pickOne(random, TEXTS) }] };
  };
  if (Array.isArray(value)) {
    const items = value as unknown[];
    const metadata = [...items.map((item) => (chance(random, 0.5) ? null : makeOne(item))), makeOne(items[0])];
    object[`_${property}`] = metadata.slice(0, wholeBelow(random, metadata.length + 1));
  } else object[`_${property}`] = makeOne(value);
  if (chance(random, 0.3)) delete object[property];
  else if (typeof value === 'object' && value !== null && chance(random, 0.5)) {
    const inside = (Array.isArray(value) ? value[0] : value) as Json | null | undefined;
    const name = typeof inside === 'object' && inside !== null ? Object.keys(inside)[0] : undefined;
    if (name !== undefined) delete inside?.[name];
  }
}

/** A copy with `count` faults such as no server should send: missing, of the wrong type, empty, null, doubled. */
export function mutate(random: Random, resource: Resource, count: number): Resource {
  const copy = structuredClone(resource) as Json;
  for (let done = 0; done < count; done++) {
    const holder = chance(random, 0.4) ? copy : pickOne(random, objectsIn(copy));
    const names = Object.keys(holder).filter((name) => name !== 'resourceType');
    if (names.length > 0) spoil(random, holder, pickOne(random, names));
  }
  return copy as Resource;
}

function objectsIn(value: unknown): Json[] {
  if (typeof value !== 'object' || value === null) return [];
  const inside = Object.values(value).flatMap(objectsIn);
  return Array.isArray(value) ? inside : [value as Json, ...inside];
}

const WRONG: readonly unknown[] = [
  null,
  [],
  {},
  'text',
  '',
  7,
  true,
  false,
  [null],
  [[]],
  [['a']],
  ['a', 'b'],
  [{}],
  { resourceType: 'Patient', id: 'n' },
];

function isListOfObjects(value: unknown): value is unknown[] {
  return Array.isArray(value) && typeof value[0] === 'object' && value[0] !== null;
}

function spoil(random: Random, holder: Json, name: string): void {
  const value = holder[name];
  switch (wholeBelow(random, 8)) {
    case 0:
      delete holder[name];
      return;
    case 1:
      holder[name] = Array.isArray(value) ? value[0] : [value];
      return;
    case 2:
      if (isListOfObjects(value) && chance(random, 0.7)) {
        // A spoilt item behind a good one, which code that stops at the good one must not overlook.
        const item = structuredClone(value[0]) as Json;
        for (const property of Object.keys(item))
          if (chance(random, 0.5)) item[property] = structuredClone(pickOne(random, WRONG));
        value.push(item);
        return;
      }
      holder[name] = Array.isArray(value) ? [...(value as unknown[]), pickOne(random, WRONG)] : [value, structuredClone(value)];
      return;
    case 3:
      if (!name.startsWith('_')) addMetadata(random, holder, name);
      return;
    case 4: {
      // Another variant of a choice, or an element that is not known.
      const prefix = /^([a-z]+)[A-Z]/.exec(
        pickOne(
          random,
          Object.keys(holder).filter((each) => /^[a-z]+[A-Z]/.test(each)),
        ) ?? '',
      )?.[1];
      const suffix = pickOne(random, ['Base64Binary', 'Quantity', 'Boolean', 'DateTime', 'String', 'Code', 'Age']);
      const added = prefix === undefined ? pickOne(random, ['item', 'answer', 'contact', 'valueString']) : prefix + suffix;
      holder[chance(random, 0.2) ? `_${added}` : added] = structuredClone(pickOne(random, [...WRONG, value]));
      return;
    }
    case 5:
      holder['resourceType'] = pickOne(random, ['Patient', 'Observation', 'family', 'Quantity']);
      return;
    default:
      holder[name] = structuredClone(pickOne(random, WRONG));
  }
}
