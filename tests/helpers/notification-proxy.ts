import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A notification as JSON; may be changed in place. */
export interface Bundle {
  entry: BundleEntry[];
}

export interface BundleEntry {
  request?: { method: string };
  resource?: {
    resourceType: string;
    id: string;
    meta?: { versionId?: string; [element: string]: unknown };
    [element: string]: unknown;
  };
  extension?: { url: string; valueId?: string }[];
}

/** Stands before the service and changes notifications: what another version of Aidbox might send. Everything else passes as it is. */
export async function startNotificationProxy(
  target: string,
  rewrite: (bundle: Bundle) => Bundle,
): Promise<{ url: string; close(): Promise<void> }> {
  const { hostname, port } = new URL(target);
  const forward = (incoming: IncomingMessage, body: Buffer, answer: ServerResponse): void => {
    const isNotification = incoming.url?.startsWith('/webhooks/') === true;
    const sent = isNotification ? Buffer.from(JSON.stringify(rewrite(JSON.parse(body.toString('utf8')) as Bundle))) : body;
    const headers = { ...incoming.headers, 'content-length': sent.length };
    const outgoing = request({ hostname, port, method: incoming.method, path: incoming.url, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
    });
    outgoing.on('error', () => answer.destroy());
    outgoing.end(sent);
  };
  const server = createServer((incoming, answer) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => forward(incoming, Buffer.concat(chunks), answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
