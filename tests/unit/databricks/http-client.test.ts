import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, createServer as createSocketServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { makeHttpClient } from '../../../app/databricks/http-client.ts';
import { makeCertificate } from '../../lab/databricks/tls/certificate.ts';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function listen<S extends Server>(server: S): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(
    () =>
      new Promise((resolve) => (server.close(resolve), (server as { closeAllConnections?: () => void }).closeAllConnections?.())),
  );
  return (server.address() as AddressInfo).port;
}

function client(options: Parameters<typeof makeHttpClient>[0] = {}): ReturnType<typeof makeHttpClient> {
  const made = makeHttpClient(options);
  closing.push(() => made.close());
  return made;
}

const get = (url: string) => ({ method: 'GET', url, headers: {} }) as const;
const post = (url: string) => ({ method: 'POST', url, headers: { 'content-type': 'text/plain' }, body: 'rows' }) as const;
const serve = (listener: RequestListener): Promise<number> => listen(createServer(listener));

describe('the HTTP client', () => {
  it('returns any answer as it is', async () => {
    const port = await serve((request, response) =>
      response.writeHead(418, { 'X-Request-Id': 'r1' }).end(`saw ${request.method}`),
    );
    const answer = await client().send(post(`http://127.0.0.1:${port}/path?secret=1`));
    expect(answer).toMatchObject({ status: 418, text: 'saw POST', headers: { 'x-request-id': 'r1' } });
  });

  it('says that nothing was sent when no connection could be opened', async () => {
    const port = await serve(() => undefined);
    await closing.shift()!();
    await expect(client().send(post(`http://127.0.0.1:${port}/`))).rejects.toMatchObject({ code: 'DATABRICKS_UNREACHABLE' });
    await expect(client().send(get('http://no-such-host.invalid/'))).rejects.toMatchObject({ code: 'DATABRICKS_UNREACHABLE' });
  });

  it('says that the outcome is unknown when the connection ends after sending, or the time is over', async () => {
    const cutting = await serve((request) => request.on('end', () => request.socket.destroy()).resume());
    await expect(client().send(post(`http://127.0.0.1:${cutting}/`))).rejects.toMatchObject({ code: 'DATABRICKS_ANSWER_LOST' });
    const silent = await serve(() => undefined);
    await expect(client({ timeoutMs: 100 }).send(post(`http://127.0.0.1:${silent}/`))).rejects.toMatchObject({
      code: 'DATABRICKS_ANSWER_LOST',
    });
    const half = await serve((_request, response) => void response.writeHead(200, { 'content-length': '100' }).write('half'));
    await expect(client({ timeoutMs: 100 }).send(post(`http://127.0.0.1:${half}/`))).rejects.toMatchObject({
      code: 'DATABRICKS_ANSWER_LOST',
    });
  });

  it('trusts the authorities of the user beside the usual ones, and no others', async () => {
    const { key, cert } = makeCertificate();
    const port = await listen(createTlsServer({ key, cert }, (_request, response) => response.end('secure')));
    const url = `https://localhost:${port}/`;
    await expect(client().send(get(url))).rejects.toMatchObject({ code: 'DATABRICKS_TLS_FAILED', retry: 'never' });
    expect(await client({ caPem: cert }).send(get(url))).toMatchObject({ status: 200, text: 'secure' });
  });

  it('trusts what NODE_EXTRA_CA_CERTS names beside what CA_FILE names', async () => {
    const [one, other] = [makeCertificate(), makeCertificate()];
    const made = client({ caPem: one.cert, extraCaPem: other.cert });
    for (const { key, cert } of [one, other]) {
      const port = await listen(createTlsServer({ key, cert }, (_request, response) => response.end('secure')));
      expect(await made.send(get(`https://localhost:${port}/`))).toMatchObject({ text: 'secure' });
    }
  });

  it('trusts them for a proxy by https as well', async () => {
    const { key, cert } = makeCertificate();
    const target = await listen(createTlsServer({ key, cert }, (_request, response) => response.end('through')));
    const ofProxy = makeCertificate();
    const proxy = createTlsServer({ key: ofProxy.key, cert: ofProxy.cert });
    proxy.on('connect', (_request, socket) => {
      const upstream = connect(target, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
    });
    const port = await listen(proxy);
    const environment = { HTTPS_PROXY: `https://localhost:${port}` };
    const url = `https://localhost:${target}/`;
    expect(await client({ environment, caPem: cert, extraCaPem: ofProxy.cert }).send(get(url))).toMatchObject({
      text: 'through',
    });
    await expect(client({ environment, caPem: cert }).send(get(url))).rejects.toMatchObject({ code: 'DATABRICKS_TLS_FAILED' });
  });

  it('goes through the proxy of the environment, and names it when it refuses', async () => {
    const { key, cert } = makeCertificate();
    const target = await listen(createTlsServer({ key, cert }, (_request, response) => response.end('through')));
    const seen: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (request, socket) => {
      seen.push(request.url ?? '');
      if (request.headers['proxy-authorization'] === undefined)
        return socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      const upstream = connect(target, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
    });
    const port = await listen(proxy);
    const url = `https://localhost:${target}/`;
    const through = (environment: Record<string, string>): Promise<unknown> =>
      client({ caPem: cert, environment }).send(get(url));
    await expect(through({ HTTPS_PROXY: `http://127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'DATABRICKS_PROXY_REFUSED',
    });
    expect(await through({ HTTPS_PROXY: `http://user:pass@127.0.0.1:${port}` })).toMatchObject({ text: 'through' });
    expect(await through({ all_proxy: `user@127.0.0.1:${port}` })).toMatchObject({ text: 'through' });
    expect(seen).toEqual([`localhost:${target}`, `localhost:${target}`, `localhost:${target}`]);
    const nowhere = 'http://127.0.0.1:1';
    const unused: Record<string, string>[] = [{ HTTP_PROXY: nowhere }, { HTTPS_PROXY: nowhere, NO_PROXY: `localhost:${target}` }];
    for (const environment of unused) expect(await through(environment)).toMatchObject({ text: 'through' });
    await expect(through({ HTTPS_PROXY: 'ftp://user:canary@p' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.not.stringContaining('canary'),
    });
  });

  it('goes through a proxy by SOCKS 5, with user and password', async () => {
    const { key, cert } = makeCertificate();
    const target = await listen(createTlsServer({ key, cert }, (_request, response) => response.end('through')));
    const seen: string[] = [];
    const proxy = createSocketServer((socket) => {
      const steps = [
        (): unknown => socket.write(Buffer.from([5, 2])), // by user and password
        (words: Buffer): unknown => (seen.push(words.subarray(2).toString('latin1')), socket.write(Buffer.from([1, 0]))),
        (): unknown => {
          const upstream = connect(target, '127.0.0.1', () => {
            socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
            upstream.pipe(socket).pipe(upstream);
          });
          return upstream;
        },
      ];
      const take = (bytes: Buffer): void => {
        steps.shift()?.(bytes);
        if (steps.length === 0) socket.off('data', take);
      };
      socket.on('data', take).on('error', () => socket.destroy());
    });
    const port = await listen(proxy);
    const environment = { ALL_PROXY: `socks5://us%40er:pass@127.0.0.1:${port}` };
    const made = client({ caPem: cert, environment });
    expect(await made.send(get(`https://localhost:${target}/`))).toMatchObject({ text: 'through' });
    expect(seen).toEqual(['us@er\x04pass']);
  });

  it('shows neither query nor headers in messages', async () => {
    const port = await serve((request) => request.socket.destroy());
    const sent = client().send({
      ...get(`http://127.0.0.1:${port}/p?token=canary`),
      headers: { authorization: 'Bearer canary' },
    });
    await expect(sent).rejects.toThrow(expect.not.stringContaining('canary'));
  });
});
