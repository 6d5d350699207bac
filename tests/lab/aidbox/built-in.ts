import { formatRules, type Box, type Format, type LabRequest, type LabResponse } from './box.ts';
import { createResource, deleteResource, patchResource, readResource, readVersion, updateResource, type Call } from './crud.ts';
import { toAidboxForm, toFhirForm } from './formats.ts';
import { refuse } from './outcome.ts';
import { dumpResources, materializeView, readHistory, searchResources } from './read-routes.ts';
import { isObject, type Resource } from './resource.ts';

type Handler = (box: Box, call: Call) => LabResponse;

/** A route of Aidbox itself that fits a request. */
export interface BuiltInMatch {
  /** Id as AccessPolicies see it: `FhirRead`, `Search` … */
  readonly operationId: string;
  /** See `rankOf`. */
  readonly rank: string;
  readonly run: () => LabResponse;
}

/** Method, path under the format prefix (`:type` a resource type, `:id` neither `_…` nor `$…`), operation name, handler. */
const ROUTES: readonly (readonly [method: string, path: string, operation: string, handler: Handler, only?: Format])[] = [
  [
    'GET',
    'AidboxTopicDestination/:id/$status',
    'TopicDestinationStatus',
    (box, { id }) => ({ status: 200, body: box.senders.status(id) }),
  ],
  ['POST', 'ViewDefinition/$materialize', 'Materialize', materializeView],
  ['POST', 'ViewDefinition/:id/$materialize', 'Materialize', materializeView],
  ['POST', '$to-format/aidbox', 'ToFormat', (box, call) => convert(box, call, 'aidbox'), 'aidbox'],
  ['POST', '$to-format/fhir', 'ToFormat', (box, call) => convert(box, call, 'fhir'), 'aidbox'],
  ['GET', ':type/$dump', 'Dump', dumpResources, 'aidbox'],
  ['GET', ':type/_history', 'HistoryType', readHistory],
  ['POST', ':type/_search', 'Search', searchResources],
  ['GET', ':type/:id/_history', 'HistoryInstance', readHistory],
  ['GET', ':type/:id/_history/:vid', 'Vread', readVersion],
  ['GET', ':type', 'Search', searchResources],
  ['POST', ':type', 'Create', createResource],
  ['PUT', ':type', 'ConditionalUpdate', updateResource],
  ['GET', ':type/:id', 'Read', readResource],
  ['PUT', ':type/:id', 'Update', updateResource],
  ['PATCH', ':type/:id', 'Patch', patchResource],
  ['DELETE', ':type/:id', 'Delete', deleteResource],
];

/** The built-in route for a request, if there is one. Org-scoped routes are the same routes under a prefix. */
export function findBuiltIn(box: Box, request: LabRequest): BuiltInMatch | undefined {
  const { format, rest } = splitPath(request.segments);
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  for (const [routeMethod, path, operation, handler, only] of ROUTES) {
    if (routeMethod !== method || (only !== undefined && only !== format)) continue;
    const parts = path.split('/');
    const values = matchPath(parts, rest);
    if (values === undefined) continue;
    const type = values.get(':type') ?? parts[0] ?? '';
    if (type === 'App' && format === 'fhir' && !request.isBundleEntry && !box.switches.fhirAppRoute) continue;
    const call: Call = { format, type, id: values.get(':id') ?? '', versionId: values.get(':vid') ?? '', request };
    return {
      operationId: `${format === 'fhir' ? 'Fhir' : ''}${operation}`,
      rank: rankOf([...(format === 'fhir' ? [true] : []), ...parts.map((part) => !part.startsWith(':'))]),
      run: () => box.store.transaction(readCorrelationId(box, request), () => handler(box, call)),
    };
  }
  return undefined;
}

/** Precedence of a route by which of its parts are literal: the smaller text wins. */
export function rankOf(isLiteral: readonly boolean[]): string {
  return isLiteral.map((literal) => (literal ? 'a' : 'b')).join('');
}

/** The correlation id that a request gives to its events (§3.4). */
export function readCorrelationId(box: Box, request: LabRequest): string | undefined {
  return request.headers[box.options.correlationHeader.toLowerCase()];
}

/** Format by the first part; what is left is the path of the route. */
export function splitPath(segments: readonly string[]): { format: Format; rest: readonly string[]; isOrgScoped: boolean } {
  const isOrgScoped =
    segments[0] === 'Organization' && segments.length > 3 && (segments[2] === 'fhir' || segments[2] === 'aidbox');
  const own = isOrgScoped ? segments.slice(2) : segments;
  const isFhir = own[0] === 'fhir';
  return { format: isFhir ? 'fhir' : 'aidbox', rest: isFhir || isOrgScoped ? own.slice(1) : own, isOrgScoped };
}

function matchPath(parts: readonly string[], segments: readonly string[]): Map<string, string> | undefined {
  if (parts.length !== segments.length) return undefined;
  const values = new Map<string, string>();
  for (const [index, part] of parts.entries()) {
    const segment = decodeSegment(segments[index] ?? '');
    if (!part.startsWith(':')) {
      if (part !== segment) return undefined;
    } else if (part === ':type' ? !/^[A-Z][A-Za-z]*$/.test(segment) : /^[_$]/.test(segment)) {
      return undefined;
    } else {
      values.set(part, segment);
    }
  }
  return values;
}

/** Percent-decoded; text that is no valid encoding stays as it is. */
export function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function convert(box: Box, call: Call, to: Format): LabResponse {
  const { body } = call.request;
  if (!isObject(body) || typeof body['resourceType'] !== 'string') throw refuse(400, 'invalid', 'the body must be a resource');
  const given = body as Resource;
  const resource = to === 'aidbox' ? toAidboxForm(given, formatRules(box)) : toFhirForm(given, formatRules(box));
  const isBare = call.request.query.get('include-transform') === 'false';
  return { status: 200, body: isBare ? { resource } : { resource, transform: {} } };
}
