import { rootCertificates } from 'node:tls';

/** Whom connections trust beside Node's own authorities: texts in PEM. */
export interface TrustOptions {
  /** Content of CA_FILE. */
  readonly caPem?: string;
  /** Content of the file that NODE_EXTRA_CA_CERTS names. */
  readonly extraCaPem?: string;
}

/**
 * The authorities for a connection to a workspace or to a proxy before it. Undefined without CA_FILE: Node then takes its own, with
 * NODE_EXTRA_CA_CERTS among them, which a list of ours would switch off.
 */
export function authorities({ caPem, extraCaPem }: TrustOptions): string[] | undefined {
  if (caPem === undefined) return undefined;
  return [...rootCertificates, ...(extraCaPem === undefined ? [] : [extraCaPem]), caPem];
}
