import { readExactJson } from '../../../scripts/generator/exact-json.ts';
import { authenticate, authorize } from './access.ts';
import type { Box, LabRequest, LabResponse } from './box.ts';
import { findBuiltIn } from './built-in.ts';
import { runBundle } from './bundle.ts';
import { makeOutcome, Refusal, refuse } from './outcome.ts';
import { callApp, findOverride } from './overrides.ts';
import type { Json } from './resource.ts';

/** A request as it came over the wire. */
export interface RawRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly remoteAddress: string;
}

/** Answer one request: health, login redirect, authentication, policies, then the App or Aidbox itself. */
export async function dispatch(box: Box, raw: RawRequest): Promise<LabResponse> {
  try {
    return await answer(box, raw);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.problems.length === 0 ? { status: error.status } : { status: error.status, body: makeOutcome(error.problems) };
  }
}

async function answer(box: Box, raw: RawRequest): Promise<LabResponse> {
  const [uri = '/', queryText = ''] = splitOnce(raw.target, '?');
  if (raw.method === 'GET' && uri === '/health') return { status: 200, body: makeHealth(box) };
  if (!box.switches.activated) return { status: 302, headers: { location: `${box.baseUrl}/auth/login` } };
  if (raw.method === 'GET' && uri === '/$version') return { status: 200, body: { version: box.options.version } };

  const caller = authenticate(box, raw.headers['authorization']);
  const request: LabRequest = {
    method: raw.method,
    uri,
    segments: uri.split('/').filter((part) => part !== ''),
    query: new URLSearchParams(queryText),
    headers: raw.headers,
    text: raw.text,
    ...readBody(box, raw),
    remoteAddress: raw.remoteAddress,
    client: caller.client,
    isBundleEntry: false,
  };
  const isBundle = request.method === 'POST' && (request.segments.length === 0 || request.segments.join('/') === 'fhir');
  if (isBundle) {
    authorize(box, caller, request, 'Transaction');
    return runBundle(box, request, !box.switches.bundlesBypassOverrides);
  }
  const override = findOverride(box, request);
  if (override !== undefined) {
    authorize(box, caller, request, override.operation.id ?? '');
    return callApp(box, override, request);
  }
  const builtIn = findBuiltIn(box, request);
  authorize(box, caller, request, builtIn?.operationId ?? '');
  if (builtIn === undefined) throw refuse(404, 'not-found', `${request.method} ${request.uri} is no operation`);
  return builtIn.run();
}

/** Run the init bundle (§8.1): a batch with failures goes through, a failing transaction does not. @throws Refusal */
export async function runInitBundle(box: Box, bundle: Json): Promise<void> {
  const request: LabRequest = {
    method: 'POST',
    uri: '/fhir',
    segments: ['fhir'],
    query: new URLSearchParams(),
    headers: {},
    text: '',
    body: bundle,
    form: undefined,
    remoteAddress: '127.0.0.1',
    client: undefined,
    isBundleEntry: false,
  };
  await runBundle(box, request, false);
}

function makeHealth(box: Box): Json {
  return { status: 'pass', about: { version: box.options.version, channel: 'stable' }, checks: {} };
}

function readBody(box: Box, raw: RawRequest): Pick<LabRequest, 'body' | 'form'> {
  if (raw.text === '') return { body: undefined, form: undefined };
  const contentType = raw.headers['content-type'] ?? 'application/json';
  if (contentType.startsWith('application/x-www-form-urlencoded'))
    return { body: undefined, form: new URLSearchParams(raw.text) };
  if (!contentType.includes('json')) throw refuse(415, 'not-supported', 'the content type must be JSON');
  try {
    const body = box.switches.keepDecimalDigits ? readExactJson(raw.text) : (JSON.parse(raw.text) as Json);
    return { body, form: undefined };
  } catch {
    throw refuse(400, 'structure', 'the body is not valid JSON');
  }
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
