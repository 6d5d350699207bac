import { createHash } from 'node:crypto';
import { makeTokenSource, type TokenSource, type TokenSourceOptions } from './token-source.ts';

/** The token sources of a process: destinations with the same workspace, principal and use share one token. */
export class TokenSources {
  private readonly shared: Pick<TokenSourceOptions, 'http' | 'clock'>;
  private readonly sources = new Map<string, TokenSource>();

  constructor(shared: Pick<TokenSourceOptions, 'http' | 'clock'>) {
    this.shared = shared;
  }

  of(options: Omit<TokenSourceOptions, 'http' | 'clock'>): TokenSource {
    const { workspaceUrl, credentials, zerobus } = options;
    const key = createHash('sha256')
      .update(JSON.stringify([workspaceUrl, credentials, zerobus]))
      .digest('hex');
    const source = this.sources.get(key) ?? makeTokenSource({ ...this.shared, ...options });
    this.sources.set(key, source);
    return source;
  }
}
