import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeExactJson } from '../../../scripts/generator/exact-json.ts';
import type { LabResponse } from './box.ts';
import type { RawRequest } from './dispatch.ts';
import { makeOutcome } from './outcome.ts';

export interface HttpServerOptions {
  readonly port: number;
  readonly maxBodyBytes: number;
  /** Pause before each answer, asked anew each time. */
  readonly slowAnswerMs: () => number;
  readonly answer: (request: RawRequest) => Promise<LabResponse>;
  readonly count: (method: string, status: number) => void;
}

export interface HttpServer {
  readonly port: number;
  /** Stop listening and cut every open connection. */
  close(): Promise<void>;
}

/** Listen on 127.0.0.1. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const server = createServer((incoming, outgoing) => void serve(options, incoming, outgoing));
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => closeServer(server) };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function serve(options: HttpServerOptions, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const startedMs = performance.now();
  const method = incoming.method ?? 'GET';
  let response: LabResponse;
  try {
    const text = await readText(incoming, options.maxBodyBytes);
    response =
      text === undefined
        ? {
            status: 413,
            headers: { connection: 'close' },
            body: makeOutcome([{ code: 'too-long', diagnostics: 'the body is too large' }]),
          }
        : await options.answer(toRawRequest(incoming, method, text));
  } catch (error) {
    if (incoming.destroyed && !incoming.complete) return;
    const diagnostics = `Internal server error: ${error instanceof Error ? error.message : String(error)}`;
    response = { status: 500, body: makeOutcome([{ code: 'exception', diagnostics }]) };
  }
  const slowMs = options.slowAnswerMs();
  if (slowMs > 0) await sleep(slowMs);
  options.count(method, response.status);
  if (response.isCut) {
    incoming.socket.destroy();
    return;
  }
  send(incoming, outgoing, response, startedMs);
}

/** The whole body as text; undefined when it is longer than allowed. */
async function readText(incoming: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes <= maxBytes) chunks.push(chunk);
  }
  return sizeBytes > maxBytes ? undefined : Buffer.concat(chunks).toString('utf8');
}

function toRawRequest(incoming: IncomingMessage, method: string, text: string): RawRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  const remoteAddress = incoming.socket.remoteAddress ?? '';
  return { method, target: incoming.url ?? '/', headers, text, remoteAddress };
}

function send(incoming: IncomingMessage, outgoing: ServerResponse, response: LabResponse, startedMs: number): void {
  const accept = incoming.headers.accept ?? '';
  const headers: Record<string, string | readonly string[]> = {
    'x-request-id': String(incoming.headers['x-request-id'] ?? crypto.randomUUID()),
    'x-duration': String(Math.round(performance.now() - startedMs)),
    'license-mode': 'normal',
    'cache-control': 'no-cache',
    ...response.headers,
  };
  for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
  outgoing.statusCode = response.status;
  if (response.chunks !== undefined) {
    for (const chunk of response.chunks) outgoing.write(chunk);
    outgoing.end();
    return;
  }
  if (response.raw === undefined && response.body !== undefined && response.status !== 304) {
    outgoing.setHeader('content-type', accept.includes('application/fhir+json') ? 'application/fhir+json' : 'application/json');
    outgoing.end(writeExactJson(response.body));
    return;
  }
  outgoing.end(response.raw);
}
