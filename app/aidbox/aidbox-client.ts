import { AppError } from '../errors/app-error.ts';
import { parseRetryAfterMs } from '../lib/retry-after.ts';

/** One HTTP call to Aidbox. */
export interface AidboxRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Begins with `/`, query included; ids in it are percent-encoded already. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Beside `accept`, `content-type` and the authorization. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Replaces the client's own `Authorization`. */
  readonly authorization?: string;
}

/** An answer of Aidbox; header names are lower case, `body` is parsed when it is JSON and else text (undefined when empty). */
export interface AidboxResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Headers of an end user's request that carry their authority and their conditions. */
export type CallerHeaders = Readonly<Record<string, string>>;

export interface AidboxClient {
  /** Address without a slash at its end. */
  readonly baseUrl: string;
  /**
   * Calls Aidbox as the app. 2xx, 304 and the 4xx that a caller may expect are returned.
   *
   * @throws AppError AIDBOX_UNAVAILABLE (no answer, 5xx, 408, 429, redirect), AIDBOX_REFUSED (401, 403)
   */
  request(request: AidboxRequest): Promise<AidboxResponse>;
  /**
   * Passes a user's request on: with the authority in `caller` and never with the app's own. Any answer is returned as it is.
   *
   * @throws AppError AIDBOX_UNAVAILABLE when there is no answer
   */
  forward(request: Omit<AidboxRequest, 'headers' | 'authorization'>, caller: CallerHeaders): Promise<AidboxResponse>;
}

export interface AidboxClientOptions {
  readonly baseUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** For one call, body included. */
  readonly timeoutMs: number;
}

/** What is handed on of a user's request; a cookie carries the authority of people who work in the Aidbox console. */
const FORWARDED_HEADERS = ['authorization', 'cookie', 'if-match', 'if-none-match', 'if-none-exist', 'prefer'];
/** Larger answers are refused rather than held in memory. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** A client of one Aidbox. It keeps nothing, retries nothing, and logs nothing. */
export function makeAidboxClient(options: AidboxClientOptions): AidboxClient {
  const baseUrl = options.baseUrl.replace(/\/+$/, '');
  const own = `Basic ${Buffer.from(`${options.clientId}:${options.clientSecret}`, 'utf8').toString('base64')}`;
  const send = (request: AidboxRequest): Promise<AidboxResponse> => sendOnce(baseUrl, options.timeoutMs, request);
  return {
    baseUrl,
    request: async (request) => classify(request, await send({ ...request, authorization: request.authorization ?? own })),
    forward: (request, caller) => {
      const headers = Object.fromEntries(
        FORWARDED_HEADERS.flatMap((name) => (caller[name] === undefined ? [] : [[name, caller[name]]])),
      );
      return send({ ...request, headers });
    },
  };
}

/** The answer when its status is one of `expected`. @throws AppError AIDBOX_ANSWER_UNEXPECTED naming call and status */
export function expectStatus(request: AidboxRequest, response: AidboxResponse, ...expected: number[]): AidboxResponse {
  if (expected.includes(response.status)) return response;
  throw new AppError(
    'AIDBOX_ANSWER_UNEXPECTED',
    `Aidbox answered ${response.status} to ${describeCall(request)}; ${expected.join(' or ')} was expected`,
    {
      facts: { status: response.status },
    },
  );
}

/** `GET /fhir/Basic/{id}`: method and path template, without query and ids, so that it can be shown and matched with a policy. */
export function describeCall(request: Pick<AidboxRequest, 'method' | 'path'>): string {
  const segments = request.path.split('?')[0]!.split('/').slice(1);
  const isName = (segment: string, index: number): boolean =>
    index === 0 || /^[$_]/.test(segment) || (index === 1 && (segments[0] === 'fhir' || segments[0] === 'lakehouse'));
  return `${request.method} /${segments.map((segment, index) => (isName(segment, index) ? segment : '{id}')).join('/')}`;
}

async function sendOnce(baseUrl: string, timeoutMs: number, request: AidboxRequest): Promise<AidboxResponse> {
  const headers: Record<string, string> = { accept: 'application/json', ...request.headers };
  if (request.authorization !== undefined) headers['authorization'] = request.authorization;
  if (request.body !== undefined) headers['content-type'] = 'application/json';
  try {
    const response = await fetch(`${baseUrl}${request.path}`, {
      method: request.method,
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    });
    const text = await readText(response, request);
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: parseBody(text, response.headers.get('content-type') ?? ''),
    };
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const reason = isTimeout(cause) ? `within ${timeoutMs} ms` : 'the connection failed';
    throw new AppError('AIDBOX_UNAVAILABLE', `no answer of Aidbox to ${describeCall(request)}: ${reason}`, { cause });
  }
}

async function readText(response: Response, request: AidboxRequest): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  let sizeBytes = 0;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > MAX_ANSWER_BYTES) {
      throw new AppError(
        'AIDBOX_ANSWER_UNEXPECTED',
        `the answer of Aidbox to ${describeCall(request)} is larger than ${MAX_ANSWER_BYTES} bytes`,
      );
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parseBody(text: string, contentType: string): unknown {
  if (text === '') return undefined;
  if (!/\bjson\b/.test(contentType)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function classify(request: AidboxRequest, response: AidboxResponse): AidboxResponse {
  const { status } = response;
  if (status === 401 || status === 403) {
    throw new AppError(
      'AIDBOX_REFUSED',
      `Aidbox answered ${status} to ${describeCall(request)}: the app's client is not known there or lacks a grant for it`,
      {
        facts: { status },
      },
    );
  }
  if (status >= 300 && status < 400 && status !== 304) {
    throw new AppError(
      'AIDBOX_UNAVAILABLE',
      `Aidbox answered ${describeCall(request)} with a redirect (${status}), as it does before it is activated`,
      {
        facts: { status },
      },
    );
  }
  if (status >= 500 || status === 408 || status === 429) {
    const retryAfterMs = parseRetryAfterMs(response.headers['retry-after']);
    throw new AppError('AIDBOX_UNAVAILABLE', `Aidbox answered ${status} to ${describeCall(request)}`, {
      facts: { status },
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }
  return response;
}

function isTimeout(error: unknown): boolean {
  return typeof error === 'object' && error !== null && (error as { name?: unknown }).name === 'TimeoutError';
}
