import { AppError } from '../errors/app-error.ts';
import { parseProxyUrl, PROXY_PORTS, type ProxyScheme } from '../lib/proxy-url.ts';

/** A proxy as the driver takes it; user and password are still percent-encoded. */
export interface Proxy {
  readonly protocol: ProxyScheme;
  readonly host: string;
  readonly port: number;
  readonly auth?: { readonly username: string; readonly password: string };
}

/** Variables of proxies, in capitals or not. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for an address, for REST and SQL alike: by HTTPS_PROXY, else ALL_PROXY for https, by HTTP_PROXY for http, unless NO_PROXY names
 * the host. Names in small letters win. NO_PROXY holds hosts, separated by commas or spaces: each stands for itself and what is below it, with
 * a port for that port only; `*` is everything.
 *
 * @throws AppError CONFIG_INVALID when the variable is no URL of a proxy; its text is not repeated, as it may hold a password
 */
export function chooseProxy(address: URL, environment: ProxyEnvironment): Proxy | undefined {
  const find = (name: string): readonly [string, string][] =>
    [name.toLowerCase(), name].flatMap((spelled): [string, string][] => {
      const value = environment[spelled];
      return value === undefined || value === '' ? [] : [[spelled, value]];
    });
  const names = address.protocol === 'http:' ? ['HTTP_PROXY'] : ['HTTPS_PROXY', 'ALL_PROXY'];
  const [name, text] = names.flatMap(find)[0] ?? [];
  if (name === undefined || text === undefined || isExcluded(address, find('NO_PROXY')[0]?.[1] ?? '')) return undefined;
  const parsed = parseProxyUrl(text);
  if (parsed === undefined) {
    throw new AppError('CONFIG_INVALID', `${name} is no URL of a proxy; expected for example http://proxy.example.com:3128`);
  }
  const { scheme, url } = parsed;
  return {
    protocol: scheme,
    host: url.hostname,
    port: url.port === '' ? PROXY_PORTS[scheme] : Number(url.port),
    ...(url.username === '' ? {} : { auth: { username: url.username, password: url.password } }),
  };
}

function isExcluded(address: URL, list: string): boolean {
  const host = address.hostname.toLowerCase();
  const port = address.port === '' ? (address.protocol === 'http:' ? '80' : '443') : address.port;
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const found = /^(?:\*?\.)?(\[[^\]]*\]|[^:]+)(?::(\d+))?$/.exec(entry);
      if (found === null || (found[2] !== undefined && found[2] !== port)) return false;
      return host === found[1] || host.endsWith(`.${found[1]}`);
    });
}
