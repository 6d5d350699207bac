import type { Resource } from '../../../app/view/compiled-view.ts';
import { choicesWith } from './fhir-model.ts';
import { addMetadata, type Json } from './random-resource.ts';
import { chance, pickOne, wholeBelow, type Random } from './random.ts';

/**
 * A copy with `count` faults such as no server should send: missing, of the wrong type, empty, null, doubled.
 * @param mentioned names of elements, which get most of the faults
 */
export function spoilResource(random: Random, resource: Resource, count: number, mentioned: readonly string[]): Resource {
  const copy = structuredClone(resource) as Json;
  for (let done = 0; done < count; done++) {
    const places = placesIn(copy);
    const aimed = chance(random, 0.8) ? places.filter(({ name }) => isMentioned(name, mentioned)) : [];
    const place = pickOne(random, aimed.length > 0 ? aimed : places);
    if (place !== undefined) spoil(random, place.holder, place.name, mentioned);
  }
  return copy as Resource;
}

/** True for an element of that name, and for a variant of a choice (`valueString` of `value`). */
function isMentioned(name: string, mentioned: readonly string[]): boolean {
  return mentioned.some((each) => name === each || (name.startsWith(each) && /[A-Z]/.test(name.charAt(each.length))));
}

interface Place {
  readonly holder: Json;
  readonly name: string;
}

function placesIn(root: Json): readonly Place[] {
  return objectsIn(root).flatMap((holder) =>
    Object.keys(holder)
      .filter((name) => name !== 'resourceType')
      .map((name) => ({ holder, name })),
  );
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

/** Values that comparisons of random-expression.ts mention, and how far from them a number may be. */
const COMPARED = [1, 2, 5.5, 1.5, 0];
const APART = [0, 1e-9, -1e-9, 1e-7, 1e-5];

/** Leaves an element of an object only in the metadata beside it, where fhirpath.js finds it. */
function hideChild(random: Random, holder: Json, name: string, mentioned: readonly string[]): void {
  const value = holder[name];
  holder[`_${name}`] = structuredClone(value);
  for (const item of (Array.isArray(value) ? value : [value]) as (Json | null)[]) {
    if (typeof item !== 'object' || item === null) continue;
    const names = Object.keys(item);
    const aimed = names.filter((each) => isMentioned(each, mentioned));
    const hidden = pickOne(random, aimed.length > 0 ? aimed : names);
    if (hidden !== undefined) delete item[hidden];
  }
}

/** Puts a spoilt item behind the good ones, which code that stops at a good one must not overlook. */
function addSpoiltItem(random: Random, list: unknown[], mentioned: readonly string[]): void {
  const item = structuredClone(list[0]) as Json;
  const names = Object.keys(item);
  const aimed = names.filter((property) => isMentioned(property, mentioned));
  const wrong = aimed.length > 0 && chance(random, 0.7) ? [pickOne(random, aimed)] : names.filter(() => chance(random, 0.5));
  for (const property of wrong) if (property !== undefined) item[property] = structuredClone(pickOne(random, WRONG));
  list.push(item);
}

/** Adds a second variant of a choice, or the metadata of one, before or behind the one that is there; sometimes in its place. */
function addVariant(random: Random, holder: Json, name: string, choice: readonly string[]): void {
  const value = holder[name];
  const other = pickOne(random, choice) ?? name;
  const added = chance(random, 0.35) || other === name ? `_${other}` : other;
  const content = added.startsWith('_')
    ? { extension: [{ url: 'urn:u', valueString: 'a' }] }
    : structuredClone(pickOne(random, [value, 'a', 7, true, '2020-01-31', {}]));
  const before = chance(random, 0.5);
  const rest = { ...holder };
  if (chance(random, 0.15)) delete rest[name];
  for (const each of Object.keys(holder)) delete holder[each];
  Object.assign(holder, before ? { [added]: content, ...rest } : { ...rest, [added]: content });
}

function spoil(random: Random, holder: Json, name: string, mentioned: readonly string[]): void {
  const value = holder[name];
  if (typeof value === 'number' && chance(random, 0.5)) {
    holder[name] = chance(random, 0.2) ? -0 : pickOne(random, COMPARED) + pickOne(random, APART);
    return;
  }
  if (!name.startsWith('_') && typeof value === 'object' && value !== null && chance(random, 0.2)) {
    hideChild(random, holder, name, mentioned);
    return;
  }
  if (isListOfObjects(value) && chance(random, 0.35)) {
    addSpoiltItem(random, value, mentioned);
    return;
  }
  const choice = pickOne(random, choicesWith(name));
  if (choice !== undefined && chance(random, 0.5)) {
    addVariant(random, holder, name, choice);
    return;
  }
  switch (wholeBelow(random, 8)) {
    case 0:
      delete holder[name];
      return;
    case 1:
      holder[name] = Array.isArray(value) ? value[0] : [value];
      return;
    case 2:
      holder[name] = Array.isArray(value) ? [...(value as unknown[]), pickOne(random, WRONG)] : [value, structuredClone(value)];
      return;
    case 3:
      if (!name.startsWith('_')) addMetadata(random, holder, name);
      return;
    case 4: {
      // Another variant of a choice, or an element that is not known.
      const variants = Object.keys(holder).filter((each) => /^[a-z]+[A-Z]/.test(each));
      const prefix = /^([a-z]+)[A-Z]/.exec(chance(random, 0.7) ? name : (pickOne(random, variants) ?? ''))?.[1];
      const suffix = pickOne(random, ['Base64Binary', 'Quantity', 'Boolean', 'DateTime', 'String', 'Code', 'Age']);
      const added = prefix === undefined ? pickOne(random, ['item', 'answer', 'contact', 'valueString']) : prefix + suffix;
      holder[chance(random, 0.3) ? `_${added}` : added] = structuredClone(pickOne(random, [...WRONG, value]));
      return;
    }
    case 5:
      holder['resourceType'] = pickOne(random, ['Patient', 'Observation', 'family', 'Quantity']);
      return;
    default:
      holder[name] = structuredClone(pickOne(random, WRONG));
  }
}
