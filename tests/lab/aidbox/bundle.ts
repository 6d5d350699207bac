import { formatRules, type Box, type LabRequest, type LabResponse } from './box.ts';
import { findBuiltIn, readCorrelationId, splitPath } from './built-in.ts';
import { toFhirForm } from './formats.ts';
import { makeOutcome, Refusal, refuse } from './outcome.ts';
import { callApp, findOverride, type Override } from './overrides.ts';
import { isObject, objectsOf, stringOf, textOf, type Json, type JsonObject, type Resource } from './resource.ts';

interface Step {
  readonly request: LabRequest;
  readonly override: Override | undefined;
}

/** Order of a FHIR transaction: deletes, creates, updates, patches, reads. */
const ORDER = ['DELETE', 'POST', 'PUT', 'PATCH', 'GET', 'HEAD'];

/**
 * POST /fhir or / with a batch or transaction.
 *
 * @param usesOverrides false for the init bundle, which never reaches an App
 * @throws Refusal when the Bundle cannot be read or a transaction fails: then nothing was written
 */
export async function runBundle(box: Box, request: LabRequest, usesOverrides: boolean): Promise<LabResponse> {
  const bundle = readBundle(box, request);
  const prefix = splitPath(request.segments).format === 'fhir' ? ['fhir'] : [];
  const resolved = bundle['type'] === 'transaction' ? resolveUuids(bundle) : bundle;
  const steps = objectsOf(resolved['entry']).map((entry, index): Step => {
    const entryRequest = makeEntryRequest(request, entry, prefix, index);
    return { request: entryRequest, override: usesOverrides ? findOverride(box, entryRequest) : undefined };
  });
  const answers = bundle['type'] === 'transaction' ? await runTransaction(box, request, steps) : await runBatch(box, steps);
  const body = { resourceType: 'Bundle', type: `${textOf(bundle['type'])}-response`, entry: answers.map(makeAnswer) };
  return { status: 200, body };
}

function readBundle(box: Box, request: LabRequest): Resource {
  const { body } = request;
  if (!isObject(body) || body['resourceType'] !== 'Bundle') throw refuse(400, 'invalid', 'the body must be a Bundle');
  const given: Resource = { ...body, resourceType: 'Bundle' };
  const bundle = splitPath(request.segments).format === 'fhir' ? given : toFhirForm(given, formatRules(box));
  if (bundle['type'] !== 'transaction' && bundle['type'] !== 'batch') {
    throw refuse(422, 'value', 'Bundle.type must be batch or transaction', 'Bundle.type');
  }
  return bundle;
}

async function runBatch(box: Box, steps: readonly Step[]): Promise<LabResponse[]> {
  const answers: LabResponse[] = [];
  for (const step of steps) {
    try {
      answers.push(step.override ? await callApp(box, step.override, step.request) : runBuiltIn(box, step.request));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      answers.push({ status: error.status, body: makeOutcome(error.problems) });
    }
  }
  return answers;
}

/** Entries that an App takes go first and one by one; the rest is written together. */
async function runTransaction(box: Box, request: LabRequest, steps: readonly Step[]): Promise<LabResponse[]> {
  const answers = new Map<Step, LabResponse>();
  for (const step of steps) {
    if (step.override === undefined) continue;
    const answer = await callApp(box, step.override, step.request);
    if (answer.status >= 300) throw refuse(answer.status, 'processing', 'an entry of the transaction was refused by its app');
    answers.set(step, answer);
  }
  const own = steps.filter((step) => step.override === undefined);
  const ordered = own.toSorted((a, b) => ORDER.indexOf(a.request.method) - ORDER.indexOf(b.request.method));
  const targets = own
    .filter(({ request: { method } }) => method !== 'GET')
    .map(({ request: { segments } }) => segments.join('/'));
  const named = targets.filter((target) => target.split('/').length > (target.startsWith('fhir/') ? 2 : 1));
  if (new Set(named).size < named.length) throw refuse(400, 'invalid', 'a transaction must not change a resource twice');
  box.store.transaction(readCorrelationId(box, request), () => {
    for (const step of ordered) answers.set(step, runBuiltIn(box, step.request));
  });
  return steps.map((step) => answers.get(step) ?? { status: 500 });
}

function runBuiltIn(box: Box, request: LabRequest): LabResponse {
  const builtIn = findBuiltIn(box, request);
  if (builtIn === undefined) throw refuse(404, 'not-found', `${request.method} ${request.uri} is no operation`);
  return builtIn.run();
}

function makeEntryRequest(outer: LabRequest, entry: JsonObject, prefix: readonly string[], index: number): LabRequest {
  const given = isObject(entry['request']) ? entry['request'] : {};
  const method = stringOf(given['method']);
  const url = stringOf(given['url']);
  if (method === undefined || url === undefined) {
    throw refuse(422, 'required', 'request.method and request.url are required', `Bundle.entry[${index}].request`);
  }
  const target = new URL(url.replace(/^\/?(fhir\/)?/, '/'), 'http://bundle');
  const segments = [...prefix, ...target.pathname.split('/').filter((part) => part !== '')];
  const headers: Record<string, string> = { ...outer.headers, 'content-type': 'application/json' };
  for (const [key, name] of Object.entries({ ifNoneExist: 'if-none-exist', ifMatch: 'if-match', ifNoneMatch: 'if-none-match' })) {
    const value = stringOf(given[key]);
    if (value !== undefined) headers[name] = value;
  }
  const body = entry['resource'];
  const text = body === undefined ? '' : JSON.stringify(body);
  const uri = `/${segments.join('/')}`;
  return {
    ...outer,
    method: method.toUpperCase(),
    uri,
    segments,
    query: target.searchParams,
    headers,
    body,
    text,
    isBundleEntry: true,
  };
}

/** Creates that others of the transaction refer to by `urn:uuid:` get their id first. */
function resolveUuids(bundle: Resource): Resource {
  const ids = new Map<string, string>();
  const entries = objectsOf(bundle['entry']).map((entry) => {
    const fullUrl = stringOf(entry['fullUrl']);
    const { resource, request } = entry;
    if (!fullUrl?.startsWith('urn:uuid:') || !isObject(resource)) return entry;
    const path = isObject(request) && request['method'] === 'PUT' ? stringOf(request['url'])?.split('/').at(-1) : undefined;
    const id = stringOf(resource['id']) ?? path ?? fullUrl.slice('urn:uuid:'.length);
    ids.set(fullUrl, `${textOf(resource['resourceType'])}/${id}`);
    return { ...entry, resource: { ...resource, id } };
  });
  return { ...bundle, entry: replaceTexts(entries, ids) };
}

function replaceTexts(value: Json, texts: ReadonlyMap<string, string>): Json {
  if (typeof value === 'string') return texts.get(value) ?? value;
  if (Array.isArray(value)) return value.map((item) => replaceTexts(item, texts));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, k === 'fullUrl' ? v : replaceTexts(v ?? null, texts)]));
}

function makeAnswer({ status, headers = {}, body, raw }: LabResponse): JsonObject {
  const shown = raw === undefined || raw.length === 0 ? body : (JSON.parse(raw.toString()) as Json);
  const isOutcome = isObject(shown) && shown['resourceType'] === 'OperationOutcome';
  return {
    ...(shown !== undefined && !isOutcome && { resource: shown }),
    response: {
      status: String(status),
      ...(typeof headers['location'] === 'string' && { location: headers['location'] }),
      ...(typeof headers['etag'] === 'string' && { etag: headers['etag'] }),
      ...(isOutcome && { outcome: shown }),
    },
  };
}
