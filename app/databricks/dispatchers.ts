import { Agent, ProxyAgent, type Dispatcher } from 'undici';
import { chooseProxy, type Proxy, type ProxyEnvironment } from './proxy.ts';

export interface DispatcherOptions extends Omit<Agent.Options, 'connect'> {
  readonly environment: ProxyEnvironment;
  /** For the connection to a host, and for the one to a proxy. */
  readonly connect: { readonly timeout: number; readonly ca?: string[] };
}

/** The pools of connections of one client: one straight, and one for each proxy that is used. */
export interface Dispatchers {
  /** @throws AppError CONFIG_INVALID when the variable of its proxy is malformed */
  of(address: URL): Dispatcher;
  close(): Promise<void>;
}

export function makeDispatchers({ environment, connect, ...options }: DispatcherOptions): Dispatchers {
  const made = new Map<string, Dispatcher>();
  return {
    of(address) {
      const proxy = chooseProxy(address, environment);
      const key = JSON.stringify(proxy ?? 'straight');
      const dispatcher =
        made.get(key) ??
        (proxy === undefined
          ? new Agent({ ...options, connect })
          : new ProxyAgent({ ...options, ...describeProxy(proxy, connect), requestTls: connect }));
      made.set(key, dispatcher);
      return dispatcher;
    },
    close: async () => void (await Promise.all([...made.values()].map((dispatcher) => dispatcher.close()))),
  };
}

interface ProxyOptions {
  readonly uri: string;
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
  readonly proxyTls?: DispatcherOptions['connect'];
}

/** As undici wants it: TLS settings for a proxy by https only, as SOCKS with them would be spoken inside of TLS; users undone of their encoding. */
function describeProxy({ protocol, host, port, auth }: Proxy, connect: DispatcherOptions['connect']): ProxyOptions {
  const uri = `${protocol}://${host}:${port}`;
  const tls = protocol === 'https' ? { proxyTls: connect } : {};
  if (auth === undefined) return { uri, ...tls };
  const [username, password] = [decodeURIComponent(auth.username), decodeURIComponent(auth.password)];
  if (protocol === 'socks' || protocol === 'socks5') return { uri, username, password };
  return { uri, ...tls, token: `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}` };
}
