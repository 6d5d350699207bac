import type { Json } from '../lib/json.ts';

const FILTERS: Readonly<Record<string, (resource: Json) => unknown>> = {
  _id: (resource) => resource['id'],
  topic: (resource) => resource['topic'],
  kind: (resource) => resource['kind'],
  status: (resource) => resource['status'] ?? 'active',
};

/** True for a search parameter that is looked at here, without Aidbox. */
export function isDestinationFilter(name: string): boolean {
  return Object.hasOwn(FILTERS, name);
}

/** Whether a destination of any kind fits the filters among `params`: values of one are alternatives, repeated ones must all match. */
export function matchesFilters(resource: Json, params: URLSearchParams): boolean {
  return Object.entries(FILTERS).every(([name, read]) =>
    params.getAll(name).every((value) => value.split(',').includes(String(read(resource)))),
  );
}
