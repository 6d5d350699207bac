import { createServer as createPlain, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificate } from '../tls/certificate.ts';

export interface LabRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** Undefined: longer than the server takes. */
  readonly body: Buffer | undefined;
  readonly requestBytes: number;
}

/** What is sent back; `cut` breaks the connection, `hang` leaves it open. */
export type Reply =
  { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string | Buffer } | 'cut' | 'hang';

export interface HttpServer {
  readonly url: string;
  readonly port: number;
  /** Stop listening and cut every open connection. */
  close(): Promise<void>;
}

export interface HttpServerOptions {
  readonly port: number;
  readonly tls?: Certificate;
  /** Bodies are read up to this size. Asked for each request. */
  readonly maxBodyBytes: () => number;
  readonly answer: (request: LabRequest) => Promise<Reply> | Reply;
}

/** Scoped tokens hold their authorization details: headers are long (1.3). */
const MAX_HEADER_BYTES = 128 * 1024;

/** Listen on 127.0.0.1. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const listener: RequestListener = (incoming, outgoing) => void serve(options, incoming, outgoing);
  const { tls } = options;
  const limits = { maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: 60_000 };
  const server = tls === undefined ? createPlain(limits, listener) : createSecure({ ...limits, ...tls }, listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    // The certificate and the official driver want the name (10.11).
    url: tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(options: HttpServerOptions, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  let reply: Reply;
  try {
    reply = await options.answer(await readRequest(incoming, options.maxBodyBytes()));
  } catch (error) {
    if (incoming.destroyed && !incoming.complete) return; // the client went away
    console.error('databricks lab:', error);
    reply = { status: 500, body: JSON.stringify({ error_code: 'INTERNAL_ERROR', message: `the lab failed: ${String(error)}` }) };
  }
  if (reply === 'hang') return;
  if (reply === 'cut') {
    incoming.socket.destroy();
    return;
  }
  const { status, headers = {}, body = '' } = reply;
  const type = body === '' ? {} : { 'content-type': 'application/json' };
  outgoing.writeHead(status, { ...type, 'content-length': String(Buffer.byteLength(body)), ...headers });
  outgoing.end(body);
}

async function readRequest(incoming: IncomingMessage, maxBytes: number): Promise<LabRequest> {
  const chunks: Buffer[] = [];
  let requestBytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    requestBytes += chunk.length;
    if (requestBytes <= maxBytes) chunks.push(chunk);
  }
  const [path = '', query = ''] = (incoming.url ?? '').split(/\?(.*)/s);
  return {
    method: incoming.method ?? 'GET',
    path,
    query: new URLSearchParams(query),
    headers: incoming.headers,
    body: requestBytes > maxBytes ? undefined : chunks.length === 1 ? chunks[0] : Buffer.concat(chunks),
    requestBytes,
  };
}
