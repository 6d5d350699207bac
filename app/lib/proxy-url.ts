/** Ports of proxies by scheme, where their URL names none. SOCKS is version 5. */
export const PROXY_PORTS = { http: 80, https: 443, socks: 1080, socks5: 1080 } as const;
export type ProxyScheme = keyof typeof PROXY_PORTS;

/** The value of a variable such as HTTPS_PROXY; without a scheme it is http. Undefined when it is no URL of a proxy. */
export function parseProxyUrl(text: string): { readonly scheme: ProxyScheme; readonly url: URL } | undefined {
  const spelled = text.includes('://') ? text : `http://${text}`;
  if (!URL.canParse(spelled)) return undefined;
  const url = new URL(spelled);
  const scheme = url.protocol.slice(0, -1);
  if (!isScheme(scheme) || url.hostname === '' || !isDecodable(url.username) || !isDecodable(url.password)) return undefined;
  return { scheme, url };
}

function isScheme(text: string): text is ProxyScheme {
  return Object.hasOwn(PROXY_PORTS, text);
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
