import type { ErrorCode } from '../errors/catalogue.ts';
import { isTlsCode, NOT_SENT } from './connection-codes.ts';

export interface TransportFault {
  readonly code: Extract<
    ErrorCode,
    'DATABRICKS_UNREACHABLE' | 'DATABRICKS_ANSWER_LOST' | 'DATABRICKS_TLS_FAILED' | 'DATABRICKS_PROXY_REFUSED'
  >;
  /** What happened, to end a sentence; holds no text of a third party. */
  readonly reason: string;
}

/** What a call that got no answer means. Everything that is not known to have ended before sending may have been carried out. */
export function findTransportFault(error: unknown): TransportFault {
  const codes = codesOf(error);
  const tls = codes.find(isTlsCode);
  if (tls !== undefined) return { code: 'DATABRICKS_TLS_FAILED', reason: `the connection is not trusted (${tls})` };
  if (codes.includes('PROXY_REFUSED')) return { code: 'DATABRICKS_PROXY_REFUSED', reason: 'the proxy refused the connection' };
  const before = codes.find((code) => NOT_SENT.has(code));
  if (before !== undefined) return { code: 'DATABRICKS_UNREACHABLE', reason: `no connection (${before})` };
  return { code: 'DATABRICKS_ANSWER_LOST', reason: `no answer came (${codes[0] ?? 'unknown'})` };
}

/** Codes of an error, its causes and what it bundles, outermost first. */
function codesOf(error: unknown, depth = 0): string[] {
  if (typeof error !== 'object' || error === null || depth > 5) return [];
  const { name, code, message, cause, errors } = error as Record<string, unknown>;
  const isRefusedTunnel = typeof message === 'string' && /Proxy response \(\d+\) !== 200 when HTTP Tunneling/.test(message);
  return [
    ...(isRefusedTunnel ? ['PROXY_REFUSED'] : []),
    ...(typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? [code] : []),
    ...(Array.isArray(errors) ? errors.flatMap((each) => codesOf(each, depth + 1)) : []),
    ...codesOf(cause, depth + 1),
    ...(name === 'TimeoutError' ? ['TIMEOUT'] : name === 'AbortError' ? ['ABORTED'] : []),
  ];
}
