import type { Box } from './box.ts';
import { refuse } from './outcome.ts';
import { isObject, objectsOf, stringOf, textOf, type Json, type JsonObject, type Resource, type Version } from './resource.ts';

type Match = (resource: Resource, wanted: string) => boolean;

/** Parameters that shape the answer instead of choosing resources. */
const RESULT_PARAMETERS = new Set(['_count', '_page', '_sort', '_total', '_format', '_elements', '_summary']);

const MATCHERS: Readonly<Record<string, Match>> = {
  _id: (resource, wanted) => resource.id === wanted,
  _lastUpdated: (resource, wanted) => compareTime(textOf(resource.meta?.['lastUpdated']), wanted),
  name: (resource, wanted) => namesOf(resource['name']).some((name) => name.toLowerCase().startsWith(wanted.toLowerCase())),
  url: equals('url'),
  topic: equals('topic'),
  kind: equals('kind'),
  status: equals('status'),
  gender: equals('gender'),
  identifier: (resource, wanted) =>
    objectsOf(resource['identifier']).some((item) => fitsToken(item['system'], item['value'], wanted)),
  code: (resource, wanted) => codingsOf(resource['code']).some((coding) => fitsToken(coding['system'], coding['code'], wanted)),
  subject: refersTo('subject'),
  patient: (resource, wanted) => refersTo('subject')(resource, wanted) || refersTo('patient')(resource, wanted),
  encounter: refersTo('encounter'),
};

/**
 * Newest versions of one type that fit every search parameter, in the order of `_sort` (creation without it).
 *
 * @throws Refusal 400 for a parameter the stand-in does not know
 */
export function findMatches(box: Box, type: string, query: URLSearchParams): Version[] {
  const filters = [...query].filter(([name]) => !RESULT_PARAMETERS.has(name));
  for (const [name] of filters) {
    const isRefused = box.switches.refusedSearchParameters.includes(`${type}.${name}`);
    if (!(name in MATCHERS) || isRefused) throw refuse(400, 'not-supported', `search parameter ${name} of ${type} is not known`);
  }
  const fits = ({ resource }: Version): boolean =>
    filters.every(([name, value]) => value.split(',').some((wanted) => MATCHERS[name]?.(resource, wanted)));
  return sortVersions(box.store.allVersions(type).filter(fits), query.get('_sort'));
}

/** `_count` and `_page` as numbers. @throws Refusal 400 */
export function readPaging(box: Box, query: URLSearchParams): { count: number; page: number } {
  const read = (name: string, otherwise: number): number => {
    const text = query.get(name) ?? String(otherwise);
    if (!/^\d{1,9}$/.test(text)) throw refuse(400, 'value', `${name} must be a whole number`);
    return Number(text);
  };
  return { count: Math.min(read('_count', 100), box.switches.maxSearchCount), page: Math.max(1, read('_page', 1)) };
}

function sortVersions(versions: Version[], sort: string | null): Version[] {
  for (const key of (sort ?? '').split(',').reverse()) {
    const sign = key.startsWith('-') ? -1 : 1;
    const name = key.replace(/^-/, '');
    if (name === '') continue;
    if (name !== '_lastUpdated' && name !== '_id') throw refuse(400, 'not-supported', `_sort by ${name} is not known`);
    const keyOf = (version: Version): string => (name === '_id' ? version.id : version.lastUpdated);
    versions.sort((a, b) => sign * (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
  }
  return versions;
}

function compareTime(value: string, condition: string): boolean {
  const [, prefix = 'eq', wanted = ''] = /^(eq|gt|ge|lt|le)?(.*)$/.exec(condition) ?? [];
  const [a, b] = [normalTime(value), normalTime(wanted)];
  switch (prefix) {
    case 'gt':
      return a > b;
    case 'ge':
      return a >= b;
    case 'lt':
      return a < b;
    case 'le':
      return a <= b;
    default:
      return value.startsWith(wanted.replace(/Z$/, ''));
  }
}

/** A UTC instant with six digits of fraction, so that texts compare like times. */
function normalTime(text: string): string {
  const [, seconds = text, fraction = ''] = /^([^.]*?)(?:\.(\d+))?Z?$/.exec(text) ?? [];
  return `${seconds}.${fraction.padEnd(6, '0')}`;
}

function equals(element: string): Match {
  return (resource, wanted) => resource[element] === wanted;
}

function refersTo(element: string): Match {
  return (resource, wanted) => {
    const target = resource[element];
    const reference = isObject(target) ? stringOf(target['reference']) : undefined;
    return reference !== undefined && (reference === wanted || reference.endsWith(`/${wanted}`));
  };
}

function namesOf(name: Json | undefined): string[] {
  if (typeof name === 'string') return [name];
  return objectsOf(name).flatMap((item) =>
    [item['family'], item['text'], ...(Array.isArray(item['given']) ? item['given'] : [])].filter(isText),
  );
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string';
}

function codingsOf(concept: Json | undefined): JsonObject[] {
  return isObject(concept) ? objectsOf(concept['coding']) : [];
}

function fitsToken(system: Json | undefined, code: Json | undefined, wanted: string): boolean {
  const bar = wanted.indexOf('|');
  if (bar < 0) return code === wanted;
  return code === wanted.slice(bar + 1) && (bar === 0 ? system === undefined : system === wanted.slice(0, bar));
}
