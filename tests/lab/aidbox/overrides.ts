import { writeExactJson } from '../../../scripts/generator/exact-json.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { inFormat } from './crud.ts';
import { decodeSegment, findBuiltIn, rankOf, splitPath } from './built-in.ts';
import { formatRules, type Box, type LabRequest, type LabResponse } from './box.ts';
import { toAidboxForm } from './formats.ts';
import { sendPost, type PostAnswer, type PostRequest } from './http-post.ts';
import { makeOutcome } from './outcome.ts';
import { isObject, referencedId, stringOf, textOf, type Json, type JsonObject, type Resource } from './resource.ts';

/** An Operation of an App that fits a request. */
export interface Override {
  readonly operation: Resource;
  readonly app: Resource;
  readonly params: Readonly<Record<string, string>>;
}

const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'trailer',
  'te',
  'proxy-authenticate',
];

/**
 * The Operation that takes a request instead of Aidbox (§1.4, §1.5). Of all routes that fit, built-in ones included, the one
 * with the earliest literal part wins; an Operation wins against a built-in route of the same shape.
 */
export function findOverride(box: Box, request: LabRequest): Override | undefined {
  if (splitPath(request.segments).isOrgScoped) return undefined;
  const builtIn = findBuiltIn(box, request);
  let bestRank = builtIn?.rank ?? '~';
  let best: Override | undefined;
  for (const operation of box.store.all('Operation')) {
    const app = box.store.current('App', referencedId(operation['app'], 'App') ?? '');
    const template = operation['request'];
    if (app === undefined || !Array.isArray(template) || operation['action'] !== 'proto.app/endpoint') continue;
    const { appOperationsOverrideBuiltIns, operationsOverrideBuiltIns } = box.switches;
    const mayOverride = isFromAppMap(operation, app) ? appOperationsOverrideBuiltIns : operationsOverrideBuiltIns;
    if (builtIn !== undefined && !mayOverride) continue;
    const params = matchTemplate(box, template, request);
    const rank = rankOf(template.slice(1).map((part) => typeof part === 'string'));
    if (params === undefined || rank > bestRank) continue;
    bestRank = rank;
    best = { operation, app, params };
  }
  return best;
}

function isFromAppMap(operation: Resource, app: Resource): boolean {
  return isObject(app['operations']) && operation.id !== undefined && operation.id in app['operations'];
}

function matchTemplate(box: Box, template: readonly Json[], request: LabRequest): Record<string, string> | undefined {
  const [method, ...parts] = template;
  if (typeof method !== 'string' || method.toUpperCase() !== request.method || parts.length !== request.segments.length)
    return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const segment = request.segments[index] ?? '';
    if (isObject(part)) {
      if (/^([_$]|%24)/.test(segment) && !box.switches.placeholdersTakeSpecials) return undefined;
      params[textOf(part['name'])] = box.switches.decodeRouteParams ? decodeSegment(segment) : segment;
    } else if (part !== decodeSegment(segment)) {
      return undefined;
    }
  }
  return params;
}

/** Hand a request to the App and its answer back to the caller (§1.6, §1.7). */
export async function callApp(box: Box, override: Override, request: LabRequest): Promise<LabResponse> {
  const endpoint = isObject(override.app['endpoint']) ? override.app['endpoint'] : {};
  const credentials = `${override.app.id}:${stringOf(endpoint['secret']) ?? ''}`;
  box.counters.appCalls++;
  try {
    const answer = await sendInTime(box, {
      url: stringOf(endpoint['url']) ?? '',
      headers: {
        'content-type': 'application/json',
        authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
      },
      body: writeExactJson(makeAppBody(box, override, request)),
      timeoutMs: readTimeout(box, override),
    });
    const passed = Object.entries(answer.headers).filter(([name]) =>
      box.switches.appResponseHeaders === 'all' ? !HOP_BY_HOP.includes(name) : name === 'content-type',
    );
    const headers = Object.fromEntries(passed.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
    return { status: answer.status, headers, raw: answer.body };
  } catch (error) {
    box.counters.appFailures++;
    const isTimeout = error instanceof Error && error.name === 'TimeoutError';
    const status = isTimeout ? box.switches.appTimeoutStatus : box.switches.appDownStatus;
    if (status === 'cut') return { status: 0, isCut: true };
    const diagnostics = isTimeout ? 'the operation of the app timed out' : 'the app cannot be reached';
    return { status, body: makeOutcome([{ code: isTimeout ? 'timeout' : 'transient', diagnostics }]) };
  }
}

/** The fault `slowAppMs` holds the answer back: the App has done its work, the caller may be told that time ran out. */
async function sendInTime(box: Box, request: PostRequest): Promise<PostAnswer> {
  const startedMs = performance.now();
  const answer = await sendPost(request);
  const leftMs = request.timeoutMs - (performance.now() - startedMs);
  const { slowAppMs } = box.faults;
  if (slowAppMs > 0) await sleep(Math.min(slowAppMs, leftMs));
  if (slowAppMs <= leftMs) return answer;
  const error = new Error('the answer of the app came too late');
  error.name = 'TimeoutError';
  throw error;
}

function readTimeout(box: Box, { operation, app }: Override): number {
  const operations = isObject(app['operations']) ? app['operations'] : {};
  const definition = operations[operation.id ?? ''];
  const timeout = isObject(definition) ? definition['timeout'] : undefined;
  return typeof timeout === 'number' ? timeout : box.options.appTimeoutMs;
}

function makeAppBody(box: Box, override: Override, request: LabRequest): JsonObject {
  const { operation, app, params } = override;
  const { appBodyForm, oauthInAppBody } = box.switches;
  const form = appBodyForm === 'by-origin' ? (isFromAppMap(operation, app) ? 'A' : 'B') : appBodyForm;
  const details = form === 'A' ? {} : pick(operation, ['action', 'module', 'request']);
  const query: JsonObject = {};
  for (const name of new Set(request.query.keys())) {
    const values = request.query.getAll(name);
    query[name] = values.length === 1 ? values[0] : values;
  }
  const { client } = request;
  return {
    type: 'operation',
    request: {
      ...chooseBody(box, request),
      params: query,
      'route-params': params,
      headers: chooseHeaders(box, request),
      ...(oauthInAppBody && client && { 'oauth/client': inFormat(box, 'aidbox', client) }),
      ...(form === 'C' && { body: request.text === '' ? null : request.text }),
      ...chooseFormFields(box, request, query),
    },
    ...(form !== 'C' && { box: { 'base-url': box.baseUrl } }),
    operation: { id: operation.id, app: { id: app.id, resourceType: 'App' }, ...details },
  };
}

function chooseBody(box: Box, { body, segments }: LabRequest): JsonObject {
  if (body === undefined) return {};
  const isConverted = box.switches.plainRouteBody === 'aidbox' && splitPath(segments).format === 'aidbox';
  const isResource = isObject(body) && typeof body['resourceType'] === 'string';
  return { resource: isConverted && isResource ? toAidboxForm(body as Resource, formatRules(box)) : body };
}

function chooseFormFields(box: Box, { form, text }: LabRequest, query: JsonObject): JsonObject {
  if (form === undefined) return {};
  const fields: JsonObject = Object.fromEntries(form);
  switch (box.switches.formFields) {
    case 'form-params':
      return { 'form-params': fields };
    case 'params':
      return { params: { ...query, ...fields } };
    case 'body':
      return { body: text };
    case 'resource':
      return { resource: fields };
  }
}

function chooseHeaders(box: Box, request: LabRequest): JsonObject {
  const { authorization, ...others } = request.headers;
  switch (box.switches.appRequestHeaders) {
    case 'all':
      return authorization === undefined ? others : { ...others, authorization };
    case 'no-authorization':
      return others;
    case 'content-type':
      return pick(others, ['content-type']);
  }
}

function pick(object: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.filter((key) => object[key] !== undefined).map((key) => [key, object[key]]));
}
