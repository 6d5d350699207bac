import fc from 'fast-check';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Path = readonly (string | number)[];

/** Values of every JSON type, with those that programs stumble over. */
const replacement: fc.Arbitrary<Json | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom<Json>(null, true, 0, -1.5, 1e300, '', ' ', 'Patient', '\u0000', '\ud800', [], {}, [[]], [null], {
    resourceType: 'Bundle',
    entry: [],
  }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
);

/** One to four places of the notification, each with another value in it, or removed. */
export function mutationsOf(notification: object): fc.Arbitrary<{ path: Path; value: Json | undefined }[]> {
  const places = listPaths(notification as Json);
  return fc.array(fc.record({ path: fc.constantFrom(...places), value: replacement }), { minLength: 1, maxLength: 4 });
}

/** The notification with the mutations made in order; those whose place a former one removed do nothing. */
export function mutate(notification: object, mutations: readonly { path: Path; value: Json | undefined }[]): Json | undefined {
  let result: Json | undefined = structuredClone(notification) as Json;
  for (const { path, value } of mutations) {
    if (path.length === 0) {
      result = value;
      continue;
    }
    const parent = path.slice(0, -1).reduce<Json | undefined>((at, key) => memberOf(at, key), result);
    const key = path.at(-1)!;
    if (Array.isArray(parent) && typeof key === 'number') {
      if (value === undefined) parent.splice(key, 1);
      else parent[key] = value;
    } else if (typeof parent === 'object' && parent !== null && !Array.isArray(parent)) {
      if (value === undefined) delete parent[key];
      else parent[key] = value;
    }
  }
  return result;
}

function listPaths(value: Json, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const members: [string | number, Json][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...members.flatMap(([key, member]) => listPaths(member, [...path, key]))];
}

function memberOf(value: Json | undefined, key: string | number): Json | undefined {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string | number, Json>)[key]
    : undefined;
}

/** Events that a notification holds by the contract (§3.4): its entries but for status entries, or itself when it is no such Bundle. */
export function countEvents(notification: Json | undefined): number {
  if (memberOf(notification, 'resourceType') !== 'Bundle') return 1;
  const entries = memberOf(notification, 'entry');
  if (!Array.isArray(entries)) return 1;
  const statusTypes: unknown[] = ['AidboxSubscriptionStatus', 'SubscriptionStatus'];
  return entries.filter((entry) => !statusTypes.includes(memberOf(memberOf(entry, 'resource'), 'resourceType'))).length;
}
