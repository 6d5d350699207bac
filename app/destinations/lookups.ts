import { describeCall, type AidboxClient } from '../aidbox/aidbox-client.ts';
import { readHistoryPage } from '../aidbox/resource-history.ts';
import { readAllPages } from '../aidbox/search-pages.ts';
import { AppError, isAppError } from '../errors/app-error.ts';
import { asArray, asObject, asText, type Json } from '../lib/json.ts';
import type { CompiledView } from '../view/compiled-view.ts';
import { quote } from './parameter-checks.ts';

/** The topic with exactly this url, or `url|version` (contract §2). @throws AppError TOPIC_NOT_FOUND, AIDBOX_… */
export async function findTopic(client: AidboxClient, canonical: string): Promise<Json> {
  const [exact] = await findBy(client, 'AidboxSubscriptionTopic', 'url', canonical);
  if (exact !== undefined) return exact;
  const [url, version] = canonical.split('|');
  const versions = version === undefined ? [] : await findBy(client, 'AidboxSubscriptionTopic', 'url', url ?? '');
  const topic = versions.find((each) => each['version'] === version);
  if (topic === undefined) throw new AppError('TOPIC_NOT_FOUND', `no AidboxSubscriptionTopic has the url ${quote(canonical)}`);
  return topic;
}

/** The one ViewDefinition with exactly this name (S0.15: the name, not the id). @throws AppError VIEW_NOT_FOUND, AIDBOX_… */
export async function findView(client: AidboxClient, name: string): Promise<Json> {
  const views = await findBy(client, 'ViewDefinition', 'name', name);
  if (views.length > 1) {
    throw new AppError(
      'VIEW_NOT_FOUND',
      `${views.length} ViewDefinitions have the name ${quote(name)} (ids ${views.map((view) => String(view['id'])).join(', ')}); exactly one was expected`,
    );
  }
  if (views[0] !== undefined) return views[0];
  const byId = await readById(client, name);
  const hint = byId === undefined ? '' : `; a view with this id exists, its name is ${quote(String(byId['name']))}`;
  throw new AppError('VIEW_NOT_FOUND', `no ViewDefinition is found by the name ${quote(name)}${hint}`);
}

/** @throws AppError VIEW_UNSUITABLE when a table cannot be fed from the view */
export function checkView(view: CompiledView): void {
  const names = view.columns.map((column) => column.name);
  if (!names.includes('id'))
    throw new AppError('VIEW_UNSUITABLE', `the view ${view.name} has the columns ${names.join(', ')} and no column id`);
  if (names.includes('is_deleted'))
    throw new AppError(
      'VIEW_UNSUITABLE',
      `the view ${view.name} has a column is_deleted, which marks deletions and is filled by the product`,
    );
}

/** What in a topic will surprise the owner of a destination for resources of `resourceType`. */
export function findTopicWarnings(topic: Json, resourceType: string): string[] {
  const warnings: string[] = [];
  if (topic['status'] !== 'active') warnings.push(`the topic has the status ${String(topic['status'])}, not active`);
  const triggers = asArray(topic['trigger'])
    .map(asObject)
    .filter((trigger) => trigger !== undefined);
  const matching = triggers.filter((trigger) => String(trigger['resource']).split('/').pop() === resourceType);
  if (matching.length === 0)
    warnings.push(`no trigger of the topic is for ${resourceType}, the resource of the view: no row will be written`);
  const interactions = matching.flatMap((trigger) => asArray(trigger['supportedInteraction']));
  if (matching.length > 0 && !interactions.includes('delete'))
    warnings.push(`no trigger of the topic names the interaction delete for ${resourceType}: deletions may not reach the table`);
  const losesDeletes = matching.some(
    (trigger) =>
      asArray(trigger['supportedInteraction']).includes('delete') &&
      (asText(trigger['fhirPathCriteria']) ?? '').includes('%current'),
  );
  if (losesDeletes)
    warnings.push(
      'a trigger of the topic has a fhirPathCriteria on %current, which is empty on delete: deletions may not reach the table',
    );
  return warnings;
}

/** What will go wrong with deletions whose notification carries no content: their last values come from the history. @throws AppError AIDBOX_… */
export async function findHistoryWarnings(client: AidboxClient, resourceType: string): Promise<string[]> {
  try {
    await readHistoryPage(client, resourceType, 'lakehouse-probe', 1);
    return [];
  } catch (error) {
    if (!isAppError(error, 'AIDBOX_REFUSED', 'HISTORY_NOT_READABLE')) throw error;
    return [`${error.message}: a deletion that comes without its last values will go to quarantine`];
  }
}

/**
 * Resources of `type` whose `element` is exactly `value`. The search parameter may be unsupported, or match more than that, so what it
 * gives is filtered here, and without a match the whole list is read.
 */
async function findBy(client: AidboxClient, type: string, element: string, value: string): Promise<readonly Json[]> {
  for (const params of [new URLSearchParams({ [element]: value }), new URLSearchParams()]) {
    const result = await readAllPages(`/fhir/${type}`, params, (request) => client.request(request));
    if ('resources' in result) {
      const matching = result.resources.filter((resource) => resource[element] === value);
      if (matching.length > 0) return matching;
    } else if (params.size === 0) {
      const call = describeCall({ method: 'GET', path: `/fhir/${type}` });
      throw new AppError('AIDBOX_ANSWER_UNEXPECTED', `Aidbox answered ${result.failure.status} to ${call}; 200 was expected`);
    }
  }
  return [];
}

async function readById(client: AidboxClient, id: string): Promise<Json | undefined> {
  if (!/^[A-Za-z0-9.-][A-Za-z0-9._-]{0,63}$/.test(id) || /^\.+$/.test(id)) return undefined;
  const { status, body } = await client.request({ method: 'GET', path: `/fhir/ViewDefinition/${id}` });
  return status === 200 ? asObject(body) : undefined;
}
