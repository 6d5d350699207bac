import { expectStatus, type AidboxClient, type AidboxRequest } from '../aidbox/aidbox-client.ts';
import { readAllPages } from '../aidbox/search-pages.ts';
import { AppError } from '../errors/app-error.ts';
import { asArray, asObject, asText, type Json } from '../lib/json.ts';
import { hashSecret } from '../lib/same-secret.ts';
import { webhookPath, type Destination } from './destination.ts';

const PROFILE = 'http://health-samurai.io/fhir/core/StructureDefinition/aidboxtopicdestination-webhookAtLeastOnceProfile';
const KIND = 'webhook-at-least-once';
const MASKED = { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' }] };

/**
 * The destinations of kind `webhook-at-least-once` through which Aidbox delivers to us: one behind each of ours, with the same id.
 * They are written on the plain route, in Aidbox format, which our own operations do not take over (contract §1.9).
 */
export interface WebhookDestinations {
  /** @returns the resource as Aidbox stored it. @throws AppError DESTINATION_EXISTS, AIDBOX_… */
  create(destination: Destination, bearerToken: string): Promise<Json>;
  /** Any destination with this id, whatever its kind; Aidbox format. @throws AppError AIDBOX_… */
  read(id: string): Promise<Json | undefined>;
  /** Every destination of any kind; Aidbox format. @throws AppError AIDBOX_… */
  list(): Promise<readonly Json[]>;
  /** Removes the one that belongs to this incarnation; another one under the same id stays. @throws AppError AIDBOX_… */
  remove(destination: Pick<Destination, 'id' | 'incarnation'>): Promise<void>;
  /** Removes it by id. @throws AppError AIDBOX_… */
  removeById(id: string): Promise<void>;
  /** True when its endpoint is in this app (either format). */
  isOurs(resource: Json): boolean;
  /** True when it delivers to this incarnation of this destination, at the address that this app has now. */
  servesDestination(resource: Json, destination: Pick<Destination, 'id' | 'incarnation'>): boolean;
}

/** @param publicUrl address under which Aidbox reaches this app */
export function makeWebhookDestinations(client: AidboxClient, publicUrl: string): WebhookDestinations {
  const root = publicUrl.replace(/\/+$/, '');
  const pathOf = (id: string): string => `/AidboxTopicDestination/${encodeURIComponent(id)}`;
  const read = async (id: string): Promise<Json | undefined> => {
    const request: AidboxRequest = { method: 'GET', path: pathOf(id) };
    const { status, body } = expectStatus(request, await client.request(request), 200, 404, 410);
    return status === 200 ? asObject(body) : undefined;
  };
  const removeById = async (id: string): Promise<void> => {
    const request: AidboxRequest = { method: 'DELETE', path: pathOf(id) };
    expectStatus(request, await client.request(request), 200, 204, 404, 410);
  };
  return {
    create: async (destination, bearerToken) => {
      const body = makeResource(destination, `${root}${webhookPath(destination)}`, bearerToken);
      const request: AidboxRequest = { method: 'POST', path: '/AidboxTopicDestination', body };
      const response = await client.request(request);
      if (response.status === 409)
        throw new AppError('DESTINATION_EXISTS', `Aidbox holds an AidboxTopicDestination/${destination.id} already`);
      return asObject(expectStatus(request, response, 200, 201).body) ?? {};
    },
    read,
    list: async () => {
      const result = await readAllPages('/AidboxTopicDestination', new URLSearchParams(), (request) => client.request(request));
      if ('failure' in result) {
        throw new AppError(
          'AIDBOX_ANSWER_UNEXPECTED',
          `Aidbox answered ${result.failure.status} to GET /AidboxTopicDestination; 200 was expected`,
        );
      }
      return result.resources;
    },
    remove: async (destination) => {
      const resource = await read(destination.id);
      if (resource !== undefined && endpointOf(resource)?.endsWith(webhookPath(destination))) await removeById(destination.id);
    },
    removeById,
    isOurs: (resource) => isUnder(resource, root),
    servesDestination: (resource, destination) => endpointOf(resource) === `${root}${webhookPath(destination)}`,
  };
}

/** True when its endpoint is a webhook of this app, under whatever address the app had then. */
export function deliversToApp(resource: Json): boolean {
  return /\/webhooks\/[^/]+\/[0-9a-z]+-[0-9a-f]+$/.test(endpointOf(resource) ?? '');
}

/** The resource without the value of its `header` parameters: the token that authenticates Aidbox to us. */
export function maskHeaders(resource: Json): Json {
  const parameter = asArray(resource['parameter']).map((item) =>
    asObject(item)?.['name'] === 'header' ? { name: 'header', _valueString: MASKED } : item,
  );
  return { ...resource, parameter };
}

/** `hashSecret` of the bearer token in a resource of the plain route; undefined when it holds none in clear. */
export function tokenHashOf(resource: Json): string | undefined {
  const headers = asArray(resource['parameter'])
    .map(asObject)
    .filter((parameter) => parameter?.['name'] === 'header');
  const token = headers
    .map((header) => /^Authorization: Bearer (\S+)$/.exec(String(asObject(header?.['value'])?.['string']))?.[1])
    .find((each) => each !== undefined);
  return token === undefined ? undefined : hashSecret(token);
}

/** `https://app/webhooks/<id>/<incarnation>` of a webhook destination in either format. */
function endpointOf(resource: Json): string | undefined {
  const endpoint = asArray(resource['parameter'])
    .map(asObject)
    .find((parameter) => parameter?.['name'] === 'endpoint');
  return asText(asObject(endpoint?.['value'])?.['url'] ?? endpoint?.['valueUrl']);
}

function isUnder(resource: Json, root: string): boolean {
  return resource['kind'] === KIND && (endpointOf(resource)?.startsWith(`${root}/webhooks/`) ?? false);
}

function makeResource({ id, topic }: Destination, endpoint: string, bearerToken: string): Json {
  return {
    resourceType: 'AidboxTopicDestination',
    id,
    meta: { profile: [PROFILE] },
    status: 'active',
    kind: KIND,
    topic,
    content: 'full-resource',
    includeEntryAction: true,
    includeVersionId: true,
    parameter: [
      { name: 'endpoint', value: { url: endpoint } },
      { name: 'header', value: { string: `Authorization: Bearer ${bearerToken}` } },
    ],
  };
}
