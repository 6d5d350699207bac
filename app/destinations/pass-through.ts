import type { AidboxRequest, AidboxResponse, CallerHeaders } from '../aidbox/aidbox-client.ts';
import { toAidboxFormat, toFhirFormat } from '../aidbox/aidbox-format.ts';
import type { OperationAnswer } from '../fhir/operation-outcome.ts';
import { asArray, asObject, type Json } from '../lib/json.ts';
import type { OperationCall, OperationDeps } from './operation-deps.ts';
import { DESTINATION_KIND } from './destination.ts';
import { maskSecrets } from './secret-reference.ts';
import { deliversToApp, maskHeaders } from './webhook-destinations.ts';

type PassThroughDeps = Pick<OperationDeps, 'client' | 'createdAtUrl'>;

/** Headers of Aidbox's answer that belong to the resource; the others are of the connection. */
const ANSWER_HEADERS = ['etag', 'location', 'last-modified', 'retry-after', 'www-authenticate'];

/**
 * Passes a request of another kind to Aidbox's plain route, with the query and the authority of the user, and its answer back: in FHIR
 * format both ways, status and body otherwise untouched.
 *
 * @param path on the plain route, without the query
 */
export async function passThrough(
  deps: PassThroughDeps,
  { caller, params }: Pick<OperationCall, 'caller' | 'params'>,
  method: AidboxRequest['method'],
  path: string,
  given?: Json,
): Promise<OperationAnswer> {
  let body = given;
  if (body !== undefined) {
    const converted = await convertResource(deps, 'aidbox', body, caller);
    if ('refused' in converted) return answerFrom(converted.refused);
    body = converted.resource;
  }
  const response = await deps.client.forward({ method, path: `${path}${queryOf(params)}`, body }, caller);
  const shown = asObject(response.body);
  return answerFrom(shown === undefined ? response : { ...response, body: await showResource(deps, shown, caller) });
}

/**
 * What Aidbox's plain route answered (a destination, its `$status`, or a Bundle of destinations) in FHIR format. The token of a
 * webhook destination of ours never leaves, nor do secrets of our kind. A shape that nobody can convert is shown as it is.
 */
export async function showResource(deps: PassThroughDeps, resource: Json, caller: CallerHeaders): Promise<Json> {
  if (resource['resourceType'] === 'Bundle') {
    const entries = asArray(resource['entry'])
      .map(asObject)
      .filter((entry) => entry !== undefined);
    const shown = entries.map(async (entry) => {
      const inner = asObject(entry['resource']);
      return inner === undefined ? entry : { ...entry, resource: await showResource(deps, inner, caller) };
    });
    return { ...resource, entry: await Promise.all(shown) };
  }
  if (resource['resourceType'] !== 'AidboxTopicDestination' && resource['resourceType'] !== 'Parameters') return resource;
  const safe = hideSecrets(resource);
  const converted = await convertResource(deps, 'fhir', safe, caller);
  return 'refused' in converted ? safe : converted.resource;
}

/** Without the format of the answer: here it is JSON, whatever Aidbox makes of that for the user. */
function queryOf(params: URLSearchParams): string {
  const kept = new URLSearchParams([...params].filter(([name]) => name !== '_format' && name !== '_pretty'));
  return kept.size === 0 ? '' : `?${kept.toString()}`;
}

/**
 * One of our kind is in Aidbox only when it was stored past this app, with its secrets in clear. The kind may be missing: a user may ask
 * for single elements.
 */
function hideSecrets(resource: Json): Json {
  const { kind } = resource;
  const safe = kind === undefined || kind === DESTINATION_KIND ? maskSecrets(resource) : resource;
  return deliversToApp(safe) ? maskHeaders(safe) : safe;
}

/** An answer of Aidbox as the answer of our operation. */
export function answerFrom({ status, headers, body }: AidboxResponse): OperationAnswer {
  return {
    status,
    headers: Object.fromEntries(ANSWER_HEADERS.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]]))),
    body,
  };
}

/** Converts by ourselves what is documented, and asks Aidbox, as the user, for the rest. */
export async function convertResource(
  deps: PassThroughDeps,
  format: 'aidbox' | 'fhir',
  resource: Json,
  caller: CallerHeaders,
): Promise<{ readonly resource: Json } | { readonly refused: AidboxResponse }> {
  const own = format === 'aidbox' ? toAidboxFormat(resource) : toFhirFormat(resource, deps.createdAtUrl);
  if (own !== undefined) return { resource: own };
  const response = await deps.client.forward(
    { method: 'POST', path: `/$to-format/${format}?include-transform=false`, body: resource },
    caller,
  );
  const converted = asObject(asObject(response.body)?.['resource']);
  return response.status === 200 && converted !== undefined ? { resource: converted } : { refused: response };
}
