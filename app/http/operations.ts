import { z } from 'zod';
import { isProbeId, probeText } from '../aidbox/probe.ts';
import type { DestinationAction, DestinationOperations } from '../destinations/destination-operations.ts';
import type { OperationCall } from '../destinations/operation-deps.ts';
import { AppError, isAppError } from '../errors/app-error.ts';
import { answerOf, makeOutcome, type OperationAnswer } from '../fhir/operation-outcome.ts';
import { describeCause } from '../lib/describe-cause.ts';
import { asObject } from '../lib/json.ts';
import { isSameSecret } from '../lib/same-secret.ts';
import type { Logger } from '../log.ts';

/** Operation ids of manifests/ (App.operations and operations/*.json) and what they do. */
export const OPERATION_ACTIONS: Readonly<Record<string, DestinationAction>> = {
  'lakehouse-fhir-create': 'create',
  'lakehouse-fhir-read': 'read',
  'lakehouse-fhir-search': 'search',
  'lakehouse-fhir-search-post': 'search',
  'lakehouse-fhir-delete': 'remove',
  'lakehouse-fhir-status': 'status',
  'lakehouse-fhir-history': 'history',
  'lakehouse-fhir-history-type': 'history',
  'lakehouse-fhir-history-version': 'history',
  'lakehouse-create': 'create',
  'lakehouse-read': 'read',
  'lakehouse-search': 'search',
  'lakehouse-search-post': 'search',
  'lakehouse-delete': 'remove',
  'lakehouse-status': 'status',
  'lakehouse-history': 'history',
  'lakehouse-history-type': 'history',
  'lakehouse-history-version': 'history',
};

const Members = z.record(z.string(), z.unknown()).nullish();

/** The three forms in which Aidbox is known to post a call (contract §1.6); members that are not listed are ignored. */
const Envelope = z.object({
  type: z.literal('operation').nullish(),
  operation: z.object({ id: z.string().min(1).max(200) }),
  request: z
    .object({
      resource: z.unknown().optional(),
      params: Members,
      'route-params': Members,
      'form-params': Members,
      headers: Members,
      body: z.string().nullish(),
    })
    .nullish(),
  box: z.object({ 'base-url': z.string().nullish() }).nullish(),
});
type EnvelopeRequest = NonNullable<z.infer<typeof Envelope>['request']>;

export interface OperationHandlerDeps {
  readonly appId: string;
  readonly appSecret: string;
  /** Of Aidbox, for links when the call does not tell it. */
  readonly baseUrl: string;
  readonly destinations: DestinationOperations;
  readonly log: Logger;
}

/** Answers one call that Aidbox forwards; it never throws. */
export type OperationHandler = (body: unknown, authorizationHeader: string | undefined) => Promise<OperationAnswer>;

/** @returns the handler of the endpoint that App.endpoint.url names; `body` is the parsed JSON of the POST */
export function makeOperationHandler(deps: OperationHandlerDeps): OperationHandler {
  return async (body, authorizationHeader) => {
    let operation: string | undefined;
    try {
      requireAidbox(authorizationHeader, deps);
      const envelope = readEnvelope(body);
      const action = Object.hasOwn(OPERATION_ACTIONS, envelope.operation.id)
        ? OPERATION_ACTIONS[envelope.operation.id]
        : undefined;
      if (action === undefined)
        throw new AppError('OPERATION_UNKNOWN', `the operation ${envelope.operation.id.slice(0, 80)} is not one of this app`);
      operation = envelope.operation.id;
      const call = readCall(envelope, action, deps.baseUrl);
      if (action === 'read' && call.id !== undefined && isProbeId(call.id)) return answerProbe(call.id);
      const answer = await deps.destinations[action](call);
      deps.log.debug({ event: 'operation.answered', operation, status: answer.status });
      return answer;
    } catch (error) {
      const answer = answerOf(error);
      logFailure(deps.log, error, operation, answer.status);
      return answer;
    }
  };
}

/** True when the `Authorization` header is that of the App: Basic with its id and secret (contract §1.3). */
export function isAppCall(header: string | undefined, appId: string, appSecret: string): boolean {
  const given = /^Basic +(\S+)$/i.exec(header ?? '')?.[1] ?? '';
  return isSameSecret(given, Buffer.from(`${appId}:${appSecret}`, 'utf8').toString('base64'));
}

function requireAidbox(header: string | undefined, { appId, appSecret }: OperationHandlerDeps): void {
  if (!isAppCall(header, appId, appSecret))
    throw new AppError('OPERATION_UNAUTHORIZED', 'the call does not carry the id and secret of the App');
}

function readEnvelope(body: unknown): z.infer<typeof Envelope> {
  const result = Envelope.safeParse(body);
  if (result.success) return result.data;
  const places = result.error.issues.map((issue) => issue.path.join('.') || 'the whole').join(', ');
  throw new AppError('OPERATION_INVALID', `the body is no operation call as Aidbox posts it; wrong at: ${places}`);
}

function readCall(
  { operation, request, box }: z.infer<typeof Envelope>,
  action: DestinationAction,
  baseUrl: string,
): OperationCall {
  const from = request ?? {};
  return {
    id: readId(from['route-params']?.['id']),
    version: readId(from['route-params']?.['version']),
    resource: action === 'create' ? readResource(from) : undefined,
    isPlainRoute: !operation.id.startsWith('lakehouse-fhir-'),
    params: new URLSearchParams([...readParams(from.params), ...(action === 'search' ? readForm(from) : [])]),
    caller: Object.fromEntries(
      Object.entries(from.headers ?? {}).flatMap(([name, value]) =>
        typeof value === 'string' ? [[name.toLowerCase(), value]] : [],
      ),
    ),
    baseUrl: (box?.['base-url'] ?? baseUrl).replace(/\/+$/, ''),
  };
}

/** It is not documented whether Aidbox decodes route parameters, so both forms are taken; what could be read as another path is refused. */
function readId(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  const id = typeof value === 'string' ? decode(value) : undefined;
  if (id === undefined || !/^[A-Za-z0-9._-]{1,128}$/.test(id) || /^\.+$/.test(id)) {
    throw new AppError('OPERATION_INVALID', 'the id in the path is not one that a resource can have');
  }
  return id;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function readResource({ resource, body }: EnvelopeRequest): unknown {
  if (resource !== undefined && resource !== null) return resource;
  if (typeof body !== 'string' || body.trim() === '') return undefined;
  try {
    return JSON.parse(body) as unknown;
  } catch (cause) {
    throw new AppError('OPERATION_INVALID', 'the body of the request is not JSON', { cause });
  }
}

/** The fields of a `_search` form. It is not documented where Aidbox puts them (contract §1.6), so each known place is looked at. */
function readForm({ 'form-params': form, resource, body }: EnvelopeRequest): URLSearchParams {
  const fields = asObject(resource);
  const places = [
    readParams(form),
    readParams(fields?.['resourceType'] === undefined ? fields : undefined),
    new URLSearchParams(typeof body === 'string' && !body.trimStart().startsWith('{') ? body : ''),
  ];
  return places.find((place) => place.size > 0) ?? new URLSearchParams();
}

/** A repeated key may come as a list. */
function readParams(members: z.infer<typeof Members>): URLSearchParams {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(members ?? {})) {
    for (const item of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
      if (typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean') params.append(name, String(item));
    }
  }
  return params;
}

function answerProbe(id: string): OperationAnswer {
  return { status: 200, body: makeOutcome([{ severity: 'information', code: 'informational', diagnostics: probeText(id) }]) };
}

function logFailure(log: Logger, error: unknown, operation: string | undefined, status: number): void {
  const where = { event: 'operation.failed', status, ...(operation === undefined ? {} : { operation }) };
  if (!isAppError(error)) log.error({ ...where, code: 'INTERNAL', cause: describeCause(error) });
  else
    log.warn({
      ...where,
      code: error.code,
      message: error.message,
      ...(error.cause === undefined ? {} : { cause: describeCause(error.cause) }),
    });
}
