import { AppError } from '../../errors/app-error.ts';

/** A proxy as the driver takes it; user and password are still percent-encoded. */
export interface Proxy {
  readonly protocol: 'http' | 'https' | 'socks' | 'socks4' | 'socks5';
  readonly host: string;
  readonly port: number;
  readonly auth?: { readonly username: string; readonly password: string };
}

const PORTS = { http: 80, https: 443, socks: 1080, socks4: 1080, socks5: 1080 } as const;

/**
 * The proxy for an https address by HTTPS_PROXY (or ALL_PROXY) and NO_PROXY, as curl reads them; names in small letters win. NO_PROXY holds
 * hosts, separated by commas or spaces: each stands for itself and what is below it, with a port for that port only; `*` is everything.
 *
 * @throws AppError WAREHOUSE_ADDRESS_WRONG when the variable is no URL of a proxy; its text is not repeated, as it may hold a password
 */
export function chooseProxy(address: URL, environment: Readonly<Record<string, string | undefined>>): Proxy | undefined {
  const read = (name: string): string => environment[name.toLowerCase()] || environment[name] || '';
  const text = read('HTTPS_PROXY') || read('ALL_PROXY');
  if (text === '' || isExcluded(address, read('NO_PROXY'))) return undefined;
  const parsed = URL.canParse(text.includes('://') ? text : `http://${text}`)
    ? new URL(text.includes('://') ? text : `http://${text}`)
    : undefined;
  const protocol = parsed?.protocol.slice(0, -1) ?? '';
  if (parsed === undefined || !isProtocol(protocol) || parsed.hostname === '') {
    throw new AppError(
      'WAREHOUSE_ADDRESS_WRONG',
      'HTTPS_PROXY is no URL of a proxy; expected for example http://proxy.example.com:3128',
    );
  }
  return {
    protocol,
    host: parsed.hostname,
    port: parsed.port === '' ? PORTS[protocol] : Number(parsed.port),
    ...(parsed.username === '' ? {} : { auth: { username: parsed.username, password: parsed.password } }),
  };
}

function isProtocol(text: string): text is keyof typeof PORTS {
  return Object.hasOwn(PORTS, text);
}

function isExcluded(address: URL, list: string): boolean {
  const host = address.hostname.toLowerCase();
  const port = address.port === '' ? '443' : address.port;
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
