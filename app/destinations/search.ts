import type { AidboxResponse } from '../aidbox/aidbox-client.ts';
import { readAllPages } from '../aidbox/search-pages.ts';
import type { OperationAnswer } from '../fhir/operation-outcome.ts';
import type { Json } from '../lib/json.ts';
import type { Destination } from './destination.ts';
import type { OperationCall, OperationDeps } from './operation-deps.ts';
import { answerFrom, showResource } from './pass-through.ts';
import { isShown } from './read.ts';
import { isDestinationFilter, matchesFilters } from './destination-filters.ts';

const ROUTE = '/AidboxTopicDestination';
/** Parameters that change the form of the answer, not what is found; all but the order is made here. */
const FORM = new Set(['_count', '_page', '_sort', '_total', '_summary', '_elements', '_format', '_pretty']);
const DEFAULT_COUNT = 100;
const MAX_COUNT = 1_000;

/**
 * Searches destinations of all kinds. Aidbox searches with the user's authority; among what it finds, the webhook destinations behind
 * ours are replaced by what the user created. `_id`, `topic`, `kind` and `status` are looked at here, because Aidbox may refuse them as
 * search parameters. There are few destinations, so all are read and the page is cut here.
 *
 * Whoever may call this operation sees ours. Without a grant for Aidbox's plain route, or where Aidbox does not hand the user's
 * authority on, those of other kinds are left out.
 *
 * @throws AppError AIDBOX_…
 */
export async function searchDestinations(deps: OperationDeps, call: OperationCall): Promise<OperationAnswer> {
  const params = new URLSearchParams(
    [...call.params].filter(([name]) => name === '_sort' || !(FORM.has(name) || isDestinationFilter(name))),
  );
  const result = await readAllPages(ROUTE, params, ({ path }): Promise<AidboxResponse> =>
    deps.client.forward({ method: 'GET', path }, call.caller),
  );
  if ('failure' in result) {
    const { status } = result.failure;
    if (status !== 401 && status !== 403) return answerFrom(result.failure);
    const message = 'Aidbox refused the user GET /AidboxTopicDestination';
    deps.log.info({ event: 'search.other-kinds-left-out', status, message });
  }
  const found = 'resources' in result ? result.resources : [];
  const ours = new Map((await deps.repository.list()).map((destination) => [destination.id, destination]));
  return { status: 200, body: makeBundle(call, await mergeResults(deps, call, found, ours)) };
}

async function mergeResults(
  deps: OperationDeps,
  call: OperationCall,
  found: readonly Json[],
  ours: ReadonlyMap<string, Destination>,
): Promise<Json[]> {
  const merged: Json[] = [];
  const seen = new Set<string>();
  for (const resource of found) {
    const own = ours.get(String(resource['id']));
    if (own !== undefined && matches(own, call.params)) {
      seen.add(own.id);
      merged.push(own.resource);
    } else if (own === undefined && !deps.webhooks.isOurs(resource) && matchesFilters(resource, call.params)) {
      merged.push(await showResource(deps, resource, call.caller));
    }
  }
  // Aidbox looked at the webhook destination, whose kind differs; with filters that are not known here its word counts.
  const isUnderstood = [...call.params.keys()].every((name) => FORM.has(name) || isDestinationFilter(name));
  const missed = [...ours.values()].filter((destination) => !seen.has(destination.id) && matches(destination, call.params));
  return isUnderstood ? [...merged, ...missed.map((destination) => destination.resource)] : merged;
}

function matches(destination: Destination, params: URLSearchParams): boolean {
  return isShown(destination) && matchesFilters(destination.resource, params);
}

function makeBundle({ params, baseUrl }: OperationCall, matching: readonly Json[]): Json {
  const count = Math.min(readNumber(params.get('_count'), DEFAULT_COUNT, 0), MAX_COUNT);
  const page = readNumber(params.get('_page'), 1, 1);
  const isCountOnly = params.get('_summary') === 'count' || count === 0;
  const last = isCountOnly ? 1 : Math.max(1, Math.ceil(matching.length / count));
  const link = (relation: string, target: number): Json => {
    const query = new URLSearchParams(params);
    query.set('_page', String(target));
    return { relation, url: `${baseUrl}/fhir${ROUTE}?${query.toString()}` };
  };
  const links = [
    link('first', 1),
    link('self', page),
    ...(page < last ? [link('next', page + 1)] : []),
    ...(page > 1 ? [link('previous', page - 1)] : []),
    link('last', last),
  ];
  const shown = isCountOnly ? [] : matching.slice((page - 1) * count, page * count);
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    total: matching.length,
    link: links,
    entry: shown.map((resource) => ({
      resource,
      search: { mode: 'match' },
      fullUrl: `${baseUrl}/fhir${ROUTE}/${String(resource['id'])}`,
    })),
  };
}

function readNumber(text: string | null, otherwise: number, min: number): number {
  return text !== null && /^\d{1,6}$/.test(text) && Number(text) >= min ? Number(text) : otherwise;
}
