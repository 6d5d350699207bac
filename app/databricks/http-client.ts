import { request as send, type Dispatcher } from 'undici';
import { AppError } from '../errors/app-error.ts';
import { authorities, type TrustOptions } from './authorities.ts';
import { makeDispatchers } from './dispatchers.ts';
import type { ProxyEnvironment } from './proxy.ts';
import { findTransportFault } from './transport-fault.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** At most 1 MiB of it. */
  readonly text: string;
}

/** The one way to Databricks' REST interfaces: bounded in time, through the proxies of the environment, with the user's own authorities. */
export interface HttpClient {
  /** Any answer is returned. @throws AppError DATABRICKS_UNREACHABLE, DATABRICKS_ANSWER_LOST, DATABRICKS_TLS_FAILED, DATABRICKS_PROXY_REFUSED */
  send(request: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
}

export interface HttpClientOptions extends TrustOptions {
  /** For one call, from its sending to the end of the answer. Default 60 s. */
  readonly timeoutMs?: number;
  /** For HTTPS_PROXY, ALL_PROXY, HTTP_PROXY and NO_PROXY; absent: no proxies. */
  readonly environment?: ProxyEnvironment;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 1024 * 1024;
/** Tokens with many authorization details make large headers (contract §1.3). */
const MAX_HEADER_BYTES = 64 * 1024;

export function makeHttpClient({
  timeoutMs = DEFAULT_TIMEOUT_MS,
  environment = {},
  ...trust
}: HttpClientOptions = {}): HttpClient {
  const ca = authorities(trust);
  const connect = { timeout: CONNECT_TIMEOUT_MS, ...(ca === undefined ? {} : { ca }) };
  const dispatchers = makeDispatchers({
    environment,
    connect,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  return {
    async send(request) {
      const { method, url, headers, body } = request;
      const dispatcher = dispatchers.of(new URL(url));
      const ending = endingOf(request.signal, timeoutMs); // AbortSignal.any would stay with a signal that lives long
      try {
        const { signal } = ending;
        const response = await send(url, { dispatcher, method, headers, signal, ...(body === undefined ? {} : { body }) });
        return { status: response.statusCode, headers: plainHeaders(response), text: await readText(response.body) };
      } catch (cause) {
        const { code, reason } = findTransportFault(cause);
        throw new AppError(code, `${describeRequest(request)}: ${reason}`, { cause });
      } finally {
        ending.release();
      }
    },
    close: () => dispatchers.close(),
  };
}

/** A signal for one call: aborts with `outer`, or when the time is over. */
function endingOf(outer: AbortSignal | undefined, timeoutMs: number): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = setTimeout(abort, timeoutMs);
  outer?.addEventListener('abort', abort, { once: true });
  if (outer?.aborted === true) abort();
  return {
    signal: controller.signal,
    release() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', abort);
    },
  };
}

/** `POST https://host/path`, without the query. */
export function describeRequest({ method, url }: Pick<HttpRequest, 'method' | 'url'>): string {
  const { origin, pathname } = new URL(url);
  return `${method} ${origin}${pathname}`;
}

function plainHeaders({ headers }: Dispatcher.ResponseData): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, [value].flat().join(', ')]])),
  );
}

/** The rest of a larger answer is not read: nothing that we ask for is so large. */
async function readText(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8').slice(0, MAX_ANSWER_BYTES);
}
