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
  `Patient/${'x'.repeat(65)}`,
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

export type Json = Record<string, unknown>;

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
export function addMetadata(random: Random, object: Json, property: string): void {
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
    const names = typeof inside === 'object' && inside !== null ? Object.keys(inside) : [];
    if (names.length > 0) delete inside?.[pickOne(random, names)];
  }
}
