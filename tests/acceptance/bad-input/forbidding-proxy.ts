import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ForbiddingProxy {
  readonly endpoint: string;
  /** Methods that are answered like a request without the right for it. */
  forbid(...methods: readonly string[]): void;
  close(): Promise<void>;
}

const REFUSAL = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>';

/** An object store whose credentials lack rights: passes requests to `target` as they are, but for the forbidden methods. */
export async function startForbiddingProxy(target: string): Promise<ForbiddingProxy> {
  const { hostname, port } = new URL(target);
  let forbidden: readonly string[] = [];
  const server = createServer((incoming, answer) => {
    if (forbidden.includes(incoming.method ?? '')) {
      incoming.resume();
      incoming.on('end', () => answer.writeHead(403, { 'content-type': 'application/xml' }).end(REFUSAL));
      return;
    }
    // The signature covers the Host header, which stays as the client sent it.
    const outgoing = request(
      { hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers },
      (reply) => {
        answer.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(answer);
      },
    );
    outgoing.on('error', () => answer.destroy());
    incoming.pipe(outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forbid: (...methods) => void (forbidden = methods),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
