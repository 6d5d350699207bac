/** Codes of system errors after which nothing can have been sent (contract §7.1). */
export const NOT_SENT: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** True for the code of an error of TLS: a certificate that is not trusted, or no TLS at all. */
export function isTlsCode(code: string): boolean {
  return /^(CERT_|CRL_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|PATH_LENGTH_|INVALID_CA$|INVALID_PURPOSE$|EPROTO$)/.test(
    code,
  );
}
