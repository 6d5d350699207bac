import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chooseProxy } from '../../../../app/databricks/proxy.ts';
import { openWarehouse } from '../../../../app/databricks/warehouse/warehouse.ts';
import { systemClock } from '../../../../app/lib/clock.ts';
import { makeCertificate } from '../../../lab/databricks/tls/certificate.ts';
import { startScriptedWarehouse, type ScriptedWarehouse } from '../../../helpers/scripted-warehouse.ts';

const WORKSPACE = new URL('https://dbc-1.cloud.databricks.com');

describe('the proxy of the environment', () => {
  it.each<[Record<string, string>, unknown]>([
    [{}, undefined],
    [{ HTTP_PROXY: 'http://p:1' }, undefined],
    [{ HTTPS_PROXY: 'http://p:3128' }, { protocol: 'http', host: 'p', port: 3128 }],
    [{ HTTPS_PROXY: 'p.example.com' }, { protocol: 'http', host: 'p.example.com', port: 80 }],
    [
      { HTTPS_PROXY: 'http://a:1', https_proxy: 'http://b:2' },
      { protocol: 'http', host: 'b', port: 2 },
    ],
    [{ all_proxy: 'socks5://s' }, { protocol: 'socks5', host: 's', port: 1080 }],
    [
      { HTTPS_PROXY: 'https://us%40er:pa%3Ass@p' },
      { protocol: 'https', host: 'p', port: 443, auth: { username: 'us%40er', password: 'pa%3Ass' } },
    ],
  ])('%j is %j', (environment, proxy) => expect(chooseProxy(WORKSPACE, environment)).toEqual(proxy));

  it('for an address by http is HTTP_PROXY alone', () => {
    const plain = new URL('http://plain.example.com');
    expect(chooseProxy(plain, { HTTPS_PROXY: 'http://p:1', ALL_PROXY: 'http://p:1' })).toBeUndefined();
    expect(chooseProxy(plain, { http_proxy: 'q.example.com:3128' })).toEqual({
      protocol: 'http',
      host: 'q.example.com',
      port: 3128,
    });
    expect(chooseProxy(plain, { HTTP_PROXY: 'q:1', no_proxy: 'example.com:80' })).toBeUndefined();
    expect(chooseProxy(plain, { HTTP_PROXY: 'q:1', no_proxy: 'example.com:443' })).toBeDefined();
  });

  it.each<[string, boolean]>([
    ['*', false],
    ['cloud.databricks.com', false],
    ['.cloud.databricks.com', false],
    ['*.databricks.com', false],
    ['localhost, DBC-1.cloud.databricks.com', false],
    ['databricks.com:443', false],
    ['databricks.com:8443', true],
    ['bricks.com', true],
    ['other.example.com', true],
  ])('with NO_PROXY=%s is used: %s', (NO_PROXY, isUsed) => {
    expect(chooseProxy(WORKSPACE, { HTTPS_PROXY: 'http://p:1', NO_PROXY }) !== undefined).toBe(isUsed);
  });

  it.each(['ftp://p:1', 'socks4://p:1', 'http://:1', 'http://user:secret@', 'http://user:secret%zz@p'])(
    '%s is none, and is not repeated',
    (HTTPS_PROXY) => {
      expect(() => chooseProxy(WORKSPACE, { HTTPS_PROXY })).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.not.stringContaining('secret') }),
      );
    },
  );
});

describe('a warehouse behind a proxy', () => {
  let server: ScriptedWarehouse;
  let proxy: Server;
  let asked: string[];
  let refuses = false;

  beforeEach(async () => {
    [asked, refuses] = [[], false];
    server = await startScriptedWarehouse();
    proxy = await startProxy(createServer());
  });
  const startProxy = async (started: Server): Promise<Server> => {
    started.on('connect', (request, socket) => {
      asked.push(`${request.url} ${request.headers['proxy-authorization']}`);
      if (refuses) return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
      const port = Number(new URL(server.url).port);
      const upstream = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      for (const end of [upstream, socket]) end.on('error', () => void upstream.destroy());
    });
    await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
    return started;
  };
  afterEach(async () => {
    await server.stop();
    proxy.close();
    proxy.closeAllConnections();
  });

  interface Way {
    readonly trust?: { readonly caPem?: string; readonly extraCaPem?: string };
    readonly environment?: Readonly<Record<string, string>>;
  }
  const run = async ({ trust = { caPem: server.caPem }, environment }: Way = {}): Promise<void> => {
    const nothing = (): void => undefined;
    const warehouse = openWarehouse({
      workspaceUrl: server.url,
      warehouseId: 'abc',
      getToken: async () => 'token',
      dropToken: nothing,
      ...trust,
      environment: environment ?? { HTTPS_PROXY: `http://us%40er:pass@127.0.0.1:${(proxy.address() as AddressInfo).port}` },
      userAgentEntry: 'p/1',
      clock: systemClock,
      log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    });
    await warehouse.execute('SELECT 1', { context: { what: 'probe' }, repeatable: true }).finally(() => warehouse.close());
  };

  it('is reached through it, with the certificate authority that was named', async () => {
    await run();
    expect(asked[0]).toBe(`localhost:${new URL(server.url).port} Basic ${Buffer.from('us@er:pass').toString('base64')}`);
    expect(server.methods()).toEqual(['OpenSession', 'ExecuteStatement']);
  });

  it.each(['through it', 'without it'])('is trusted by NODE_EXTRA_CA_CERTS beside CA_FILE, %s', async (way) => {
    const trust = { caPem: makeCertificate().cert, extraCaPem: server.caPem };
    await run({ trust, ...(way === 'without it' ? { environment: {} } : {}) });
    expect(asked).toHaveLength(way === 'without it' ? 0 : 1);
  });

  it('is reached through one by https, which is trusted by the same authorities', async () => {
    const { key, cert } = makeCertificate();
    proxy.close();
    proxy = await startProxy(createTlsServer({ key, cert }));
    const environment = { HTTPS_PROXY: `https://localhost:${(proxy.address() as AddressInfo).port}` };
    await run({ trust: { caPem: server.caPem, extraCaPem: cert }, environment });
    expect(asked).toEqual([`localhost:${new URL(server.url).port} undefined`]);
    await expect(run({ environment })).rejects.toMatchObject({ code: 'WAREHOUSE_TLS_FAILED' });
  });

  it('that refuses is WAREHOUSE_PROXY_REFUSED', async () => {
    refuses = true;
    await expect(run()).rejects.toMatchObject({ code: 'WAREHOUSE_PROXY_REFUSED', retry: 'never' });
  });
});
