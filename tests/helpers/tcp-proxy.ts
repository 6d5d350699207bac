import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * What goes wrong on the way.
 * `refuse`: nobody listens. `cut-request`: the connection is reset when the request begins, the server sees nothing.
 * `cut-answer`: the server carries the request out, the connection is reset when its answer begins. `cut-inside-answer`: after the first
 * bytes of it. `swallow-answer`: the answer never comes, the connection stays open.
 */
export type TcpFault = 'refuse' | 'cut-request' | 'cut-answer' | 'cut-inside-answer' | 'swallow-answer';

export interface TcpProxy {
  /** `http://127.0.0.1:port` */
  readonly endpoint: string;
  /** How often a fault has struck since it was set. */
  readonly hits: number;
  /**
   * From now on, or never again when undefined. Open connections are closed first; with `keepOpen` they stay and the fault strikes
   * on them too, so that the next request surely meets it and not a closed connection.
   */
  setFault(fault: TcpFault | undefined, options?: { readonly keepOpen: boolean }): Promise<void>;
  /** Holds every chunk back for `delayMs`, both ways. */
  setDelay(delayMs: number): void;
  close(): Promise<void>;
}

/** Passes bytes on to `target` (`http://host:port`) and does harm on the way as told. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port: targetPort } = new URL(target);
  const sockets = new Set<Socket>();
  let fault: TcpFault | undefined;
  let hits = 0;
  let delayMs = 0;

  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  };
  const later = (work: () => void): void => void (delayMs === 0 ? work() : setTimeout(work, delayMs));

  const server = createServer((client) => {
    const upstream = connect(Number(targetPort), hostname);
    keep(client);
    keep(upstream);
    const reset = (): void => {
      hits += 1;
      client.resetAndDestroy();
      upstream.destroy();
    };
    client.on('data', (chunk) => {
      if (fault === 'cut-request') return reset();
      later(() => upstream.write(chunk));
    });
    upstream.on('data', (chunk: Buffer) => {
      // "100 Continue" only asks for the body: the answer is still to come.
      const isAnswer = !chunk.subarray(0, 12).equals(Buffer.from('HTTP/1.1 100'));
      if (isAnswer && fault === 'cut-answer') return reset();
      if (isAnswer && fault === 'swallow-answer') return void (hits += 1);
      if (isAnswer && fault === 'cut-inside-answer') {
        client.write(chunk.subarray(0, chunk.length - 1), reset);
        return;
      }
      later(() => client.write(chunk));
    });
    client.once('close', () => later(() => upstream.destroy()));
    upstream.once('close', () => later(() => client.destroy()));
  });

  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', () => resolve()));
  const cutAll = (): void => sockets.forEach((socket) => socket.destroy());
  const stopListening = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      cutAll();
    });

  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    get hits() {
      return hits;
    },
    setFault: async (next, { keepOpen } = { keepOpen: false }) => {
      hits = 0;
      fault = next;
      if (next === 'refuse' && server.listening) await stopListening();
      if (next !== 'refuse' && !server.listening) await listen(port);
      if (!keepOpen) cutAll();
    },
    setDelay: (ms) => {
      delayMs = ms;
    },
    close: async () => {
      if (server.listening) await stopListening();
    },
  };
}
