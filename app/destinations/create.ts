import { toFhirMeta } from '../aidbox/aidbox-format.ts';
import { AppError, isAppError } from '../errors/app-error.ts';
import { issueOf, makeOutcome, type OperationAnswer, type OutcomeIssue } from '../fhir/operation-outcome.ts';
import { asArray, asObject, asText, type Json } from '../lib/json.ts';
import { hashSecret } from '../lib/same-secret.ts';
import { nameFhirVersion } from '../view/view-definition.ts';
import type { CompiledView } from '../view/compiled-view.ts';
import { checkRequest, type DestinationRequest, type RequestCheck } from './destination-request.ts';
import { findExisting, requireJson } from './create-conditions.ts';
import { makeTarget } from './make-target.ts';
import {
  DESTINATION_KIND,
  describeTarget,
  makeIncarnation,
  scopeOf,
  TARGET_SECRETS,
  targetKindOf,
  type Destination,
  type DestinationTarget,
  type StoredSecret,
} from './destination.ts';
import { checkView, findHistoryWarnings, findTopic, findTopicWarnings, findView } from './lookups.ts';
import type { OperationCall, OperationDeps } from './operation-deps.ts';
import { answerFrom, convertResource, passThrough } from './pass-through.ts';
import { resourceHeaders } from './resource-headers.ts';
import { maskSecret } from './secret-reference.ts';

const NO_EXPORT =
  'skipInitialExport is not true, but the initial export is not in this build yet: only changes from now on are written';

/**
 * Creates a destination, unless the condition of the request finds one. Other kinds pass through to Aidbox. For ours everything is checked first (all problems in one answer), then
 * configuration, table and webhook destination are made in this order; what was made is taken back when a later step fails.
 *
 * @throws AppError what a step met, when it is not a problem of the request
 */
export async function createDestination(deps: OperationDeps, call: OperationCall): Promise<OperationAnswer> {
  const given = asObject(call.resource);
  if (given === undefined)
    throw new AppError(
      'OPERATION_INVALID',
      'the body is missing or is not a JSON object; an AidboxTopicDestination was expected',
    );
  const inFhir = call.isPlainRoute ? await convertResource(deps, 'fhir', given, call.caller) : { resource: given };
  if ('refused' in inFhir) return answerFrom(inFhir.refused);
  const { resource } = inFhir;
  if (resource['kind'] !== DESTINATION_KIND) return passThrough(deps, call, 'POST', '/AidboxTopicDestination', resource);

  requireJson(call);
  const existing = await findExisting(deps, call);
  if (existing !== undefined) return existing;
  const check = checkRequest(resource, deps.service);
  if (check.issues.length > 0) return refuse(check.issues);
  const id = check.request.id ?? deps.randomBytes(16).toString('hex');
  if ((await deps.repository.has(id)) || (await deps.webhooks.read(id)) !== undefined) {
    throw new AppError('DESTINATION_EXISTS', `there is an AidboxTopicDestination/${id} already`);
  }
  const prepared = await prepare(deps, check, id, resource);
  if ('issues' in prepared) return refuse(prepared.issues);

  const { destination, view, bearerToken } = prepared;
  const active = await install(deps, destination, view, bearerToken);
  for (const message of active.warnings) deps.log.warn({ event: 'destination.warning', destination: id, message });
  deps.log.info({ event: 'destination.created', destination: id, view: active.viewName, table: describeTarget(active.target) });
  return answerCreated(active);
}

interface Prepared {
  readonly destination: Destination;
  readonly view: CompiledView;
  readonly bearerToken: string;
}

/** Looks up topic, view and secrets, compiles the view and checks the table; collects what is wrong with the request. */
async function prepare(
  deps: OperationDeps,
  check: RequestCheck,
  id: string,
  resource: Json,
): Promise<Prepared | { readonly issues: readonly OutcomeIssue[] }> {
  const { request, expressionOf } = check;
  const issues: OutcomeIssue[] = [];
  /** The result of a step; its refusal becomes an issue at `expression`, anything that may pass by itself is thrown. */
  const attempt = async <T>(expression: string, step: () => Promise<T> | T): Promise<T | undefined> => {
    try {
      return await step();
    } catch (error) {
      if (
        !isAppError(error) ||
        error.retry === 'later' ||
        isAppError(error, 'AIDBOX_REFUSED', 'AIDBOX_ANSWER_UNEXPECTED', 'INTERNAL')
      )
        throw error;
      issues.push(issueOf(error, expression));
      return undefined;
    }
  };
  const topic = await attempt('AidboxTopicDestination.topic', () => findTopic(deps.client, request.topic));
  const found = await attempt(expressionOf('viewDefinition'), async () => {
    const viewDefinition = nameFhirVersion(await findView(deps.client, request.values.viewDefinition), deps.fhirVersion);
    const view = deps.compileView(viewDefinition);
    checkView(view);
    return { viewDefinition, view };
  });
  const secrets: Record<string, StoredSecret> = {};
  const resolved: Record<string, string> = {};
  const kind = targetKindOf(request.values.writeMode);
  for (const [name, member] of Object.entries(TARGET_SECRETS[kind])) {
    const given = request.values.secrets[name];
    if (given === undefined) continue;
    await attempt(expressionOf(name), async () => {
      const stored = await deps.secrets.store(id, name, given);
      secrets[name] = stored;
      resolved[member] = await deps.secrets.resolve(id, name, stored);
    });
  }
  if (topic === undefined || found === undefined || issues.length > 0) return { issues };

  const bearerToken = deps.randomBytes(32).toString('base64url');
  const warnings = [
    ...check.warnings,
    ...(request.values.skipInitialExport ? [] : [NO_EXPORT]),
    ...findTopicWarnings(topic, found.view.resourceType),
    ...(await findHistoryWarnings(deps.client, found.view.resourceType)),
  ];
  const draft = makeDestination(deps, request, {
    id,
    resource,
    secrets,
    target: makeTarget(request.values, resolved),
    viewDefinition: found.viewDefinition,
    bearerToken,
  });
  const checked = await attempt(expressionOf(kind === 'path' ? 'tablePath' : 'tableName'), () =>
    deps.tables.check(draft, found.view),
  );
  if (checked === undefined) return { issues };
  return { destination: { ...draft, warnings: [...warnings, ...checked.warnings] }, view: found.view, bearerToken };
}

interface Parts {
  readonly id: string;
  readonly resource: Json;
  readonly secrets: Readonly<Record<string, StoredSecret>>;
  readonly target: DestinationTarget;
  readonly viewDefinition: Json;
  readonly bearerToken: string;
}

function makeDestination(deps: OperationDeps, { topic, values }: DestinationRequest, parts: Parts): Destination {
  const createdAtMs = deps.clock.now();
  return {
    id: parts.id,
    incarnation: makeIncarnation(createdAtMs, deps.randomBytes(4).toString('hex')),
    installation: deps.installation,
    topic,
    viewName: values.viewDefinition,
    viewDefinition: parts.viewDefinition,
    writeMode: values.writeMode,
    batchSize: values.batchSize,
    sendIntervalMs: values.sendIntervalMs,
    targetFileSizeMb: values.targetFileSizeMb,
    initialExportChunkCount: values.initialExportChunkCount,
    target: parts.target,
    secrets: parts.secrets,
    createTable: values.createTable,
    skipInitialExport: values.skipInitialExport,
    webhookSecretHash: hashSecret(parts.bearerToken),
    warnings: [],
    createdAtMs,
    phase: 'creating',
    resource: maskResource({ ...parts.resource, id: parts.id }, values.secrets),
    problem: undefined,
    storedVersion: undefined,
  };
}

/** Stores the configuration, begins the table and creates the webhook destination; takes back what it did when a step fails. */
async function install(deps: OperationDeps, draft: Destination, view: CompiledView, bearerToken: string): Promise<Destination> {
  try {
    const stored = await deps.repository.add(draft);
    await deps.tables.begin(stored, view);
    const webhook = await deps.webhooks.create(stored, bearerToken);
    return await deps.repository.put({
      ...stored,
      phase: 'active',
      resource: { ...stored.resource, meta: makeMeta(stored.resource, webhook, deps.createdAtUrl) },
    });
  } catch (error) {
    await undo(deps, draft);
    throw error;
  }
}

/** Removes what this incarnation left. What cannot be removed now keeps its configuration, by which `repairDestinations` finds it. */
async function undo(deps: OperationDeps, draft: Destination): Promise<void> {
  try {
    const current = await deps.repository.get(draft.id);
    if (current?.incarnation !== draft.incarnation) return;
    await deps.webhooks.remove(draft);
    await deps.queues.drop(scopeOf(draft));
    await deps.repository.remove(draft.id);
  } catch (error) {
    deps.log.error({
      event: 'destination.undo-failed',
      destination: draft.id,
      message: 'what a failed create left is removed by the next repair',
      ...(isAppError(error) ? { code: error.code } : {}),
    });
  }
}

/** `meta` of the user's resource with the times and the version that Aidbox gave its webhook destination. */
function makeMeta(resource: Json, webhook: Json, createdAtUrl: string | undefined): Json {
  const { lastUpdated, versionId, createdAt } = asObject(webhook['meta']) ?? {};
  return toFhirMeta({ ...asObject(resource['meta']), lastUpdated, versionId, createdAt }, createdAtUrl);
}

function maskResource(resource: Json, secrets: DestinationRequest['values']['secrets']): Json {
  const parameter = asArray(resource['parameter']).map((item) => {
    const name = asText(asObject(item)?.['name']) ?? '';
    const secret = secrets[name];
    return secret === undefined ? item : maskSecret(name, secret);
  });
  return { ...resource, parameter };
}

function answerCreated({ id, resource }: Destination): OperationAnswer {
  const meta = asObject(resource['meta']);
  const version = asText(meta?.['versionId']);
  return {
    status: 201,
    headers: {
      ...(version === undefined ? {} : { location: `/AidboxTopicDestination/${id}/_history/${version}` }),
      ...resourceHeaders(resource),
    },
    body: resource,
  };
}

function refuse(issues: readonly OutcomeIssue[]): OperationAnswer {
  return { status: 422, body: makeOutcome(issues) };
}
