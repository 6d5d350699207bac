import type { Box, LabRequest } from './box.ts';
import { decodeSegment, splitPath } from './built-in.ts';
import { hashOf } from './crud.ts';
import { refuse } from './outcome.ts';
import { isObject, objectsOf, referencedId, type Json, type JsonObject, type Resource } from './resource.ts';

/** The client behind an Authorization header. `isRoot`: no policy is asked. */
export interface Caller {
  readonly client: Resource | undefined;
  readonly isRoot: boolean;
}

/** @throws Refusal 401 for credentials that are wrong or of another scheme than Basic */
export function authenticate(box: Box, authorization: string | undefined): Caller {
  if (authorization === undefined) return { client: undefined, isRoot: false };
  const [scheme = '', encoded = ''] = authorization.split(' ');
  const text = Buffer.from(encoded, 'base64').toString();
  const [id, secret] = [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)];
  const { rootClient } = box.options;
  if (scheme.toLowerCase() === 'basic') {
    if (id === rootClient.id && secret === rootClient.secret) return { client: { resourceType: 'Client', id }, isRoot: true };
    const client = box.store.current('Client', id);
    const grants = client?.['grant_types'];
    const mayUseBasic = Array.isArray(grants) && grants.includes('basic');
    if (client && mayUseBasic && client['secret'] === hashOf(secret)) return { client, isRoot: false };
  }
  throw refuse(401, 'login', 'the credentials are not valid');
}

/** @throws Refusal 403 (or 401, by switch) when no policy lets the request pass (§7.2) */
export function authorize(box: Box, caller: Caller, request: LabRequest, operationId: string): void {
  if (caller.isRoot) return;
  const context = makeContext(caller, request, operationId);
  const policies = [...box.store.all('AccessPolicy'), ...policiesOfApps(box)];
  if (policies.some((policy) => isLinked(policy, caller, operationId) && passes(box, policy, context))) return;
  throw refuse(box.switches.deniedStatus, 'forbidden', 'no access policy allows this request');
}

/** Policies that Apps carry inside their operations are linked to those (§1.4). */
function policiesOfApps(box: Box): Resource[] {
  return box.store.all('App').flatMap((app) =>
    Object.entries(isObject(app['operations']) ? app['operations'] : {}).flatMap(([id, operation]) =>
      Object.values(isObject(operation) && isObject(operation['policies']) ? operation['policies'] : {})
        .filter(isObject)
        .map((policy) => ({ ...policy, resourceType: 'AccessPolicy', link: [{ reference: `Operation/${id}` }] })),
    ),
  );
}

/** Links are OR-ed; a policy without one is for every request. */
function isLinked(policy: Resource, caller: Caller, operationId: string): boolean {
  const links = objectsOf(policy['link']);
  const fits = (link: JsonObject): boolean =>
    referencedId(link, 'Operation') === operationId ||
    (caller.client?.id !== undefined && referencedId(link, 'Client') === caller.client.id);
  return links.length === 0 || links.some(fits);
}

function passes(box: Box, policy: Resource, context: JsonObject): boolean {
  if (policy['engine'] === 'allow') return true;
  const pattern = policy['matcho'];
  return (
    policy['engine'] === 'matcho' && pattern !== undefined && matchesPattern(pattern, context, box.switches.policyRegexAnchored)
  );
}

function makeContext(caller: Caller, request: LabRequest, operationId: string): JsonObject {
  const { rest } = splitPath(request.segments);
  const [type, id] = rest.map(decodeSegment);
  return {
    'request-method': request.method.toLowerCase(),
    uri: request.uri,
    'query-string': request.query.toString(),
    params: {
      ...Object.fromEntries(request.query),
      ...(type !== undefined && { 'resource/type': type }),
      ...(id !== undefined && { 'resource/id': id }),
    },
    headers: { ...request.headers },
    'remote-addr': request.remoteAddress,
    operation: { id: operationId },
    ...(request.body !== undefined && { body: request.body, resource: request.body }),
    ...(caller.client && { client: caller.client }),
  };
}

/** matcho as far as §7.2 tells it: `#regex`, `$enum`, `$one-of`, `$not`, `$contains`, `present?`, objects, arrays by index. */
export function matchesPattern(pattern: Json, value: Json | undefined, isAnchored = false): boolean {
  if (typeof pattern === 'string') {
    if (pattern === 'present?') return value !== undefined && value !== null;
    if (!pattern.startsWith('#')) return pattern === value;
    const text = pattern.slice(1);
    return typeof value === 'string' && new RegExp(isAnchored ? `^(?:${text})$` : text).test(value);
  }
  if (Array.isArray(pattern)) {
    return Array.isArray(value) && pattern.every((item, index) => matchesPattern(item, value[index], isAnchored));
  }
  if (!isObject(pattern)) return pattern === value;
  return Object.entries(pattern).every(([key, inner = null]) => {
    switch (key) {
      case '$enum':
        return Array.isArray(inner) && inner.some((item) => item === value);
      case '$one-of':
        return Array.isArray(inner) && inner.some((item) => matchesPattern(item, value, isAnchored));
      case '$not':
        return !matchesPattern(inner, value, isAnchored);
      case '$contains':
        return Array.isArray(value) && value.some((item) => matchesPattern(inner, item, isAnchored));
      default:
        return isObject(value) && matchesPattern(inner, value[key], isAnchored);
    }
  });
}
