import { randomBytes } from 'node:crypto';
import type { Principals } from './principals.ts';

/** An entry of `authorization_details` (1.3). */
export interface AuthorizationDetail {
  readonly type: string;
  readonly privileges: readonly string[];
  readonly object_type: string;
  readonly object_full_path: string;
  readonly operations?: readonly string[];
}

export interface Token {
  /** 1, 2, 3 … in the order of minting; 0 for personal access tokens. */
  readonly number: number;
  readonly kind: 'plain' | 'zerobus' | 'personal';
  readonly principal: string;
  readonly scope: string;
  readonly mintedAtMs: number;
  expiresAtMs: number;
  /** Of a Zerobus token. */
  readonly resource?: string;
  readonly details?: readonly AuthorizationDetail[];
  /** The tables as they were, by full name in lower case. */
  readonly tables?: ReadonlyMap<string, { readonly tableId: string; readonly schemaVersion: number }>;
}

export type NewToken = Omit<Token, 'number' | 'mintedAtMs' | 'expiresAtMs'>;

/** What a bearer text turns out to be. */
export type BearerCheck = { readonly token: Token } | { readonly problem: 'missing' | 'unknown' | 'expired' };

/** The tokens that were minted. Texts look like JWTs without a signature, because drivers read `exp` from them. */
export class Tokens {
  private readonly minted = new Map<string, Token>();
  private readonly principals: Principals;
  private last = 0;
  lifetimeMs: number;

  constructor(principals: Principals, lifetimeMs: number) {
    this.principals = principals;
    this.lifetimeMs = lifetimeMs;
  }

  /** @param fillBytes the text is at least so long */
  mint(facts: NewToken, fillBytes = 0): { readonly text: string; readonly token: Token } {
    const mintedAtMs = Date.now();
    const token: Token = { ...facts, number: ++this.last, mintedAtMs, expiresAtMs: mintedAtMs + this.lifetimeMs };
    const claims = {
      sub: facts.principal,
      scope: facts.scope,
      iat: Math.floor(mintedAtMs / 1000),
      exp: Math.ceil(token.expiresAtMs / 1000),
      jti: randomBytes(12).toString('hex'),
      ...(facts.resource !== undefined && { aud: facts.resource }),
      ...(facts.details && { authorization_details: facts.details }),
    };
    const fill = Math.max(0, Math.ceil((fillBytes * 3) / 4) - JSON.stringify(claims).length);
    const parts = [
      { alg: 'none', typ: 'JWT' },
      { ...claims, ...(fill > 0 && { fill: 'x'.repeat(fill) }) },
    ];
    const head = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const text = `${head}.${randomBytes(24).toString('base64url')}`;
    this.minted.set(text, token);
    return { text, token };
  }

  /** Read an `Authorization` header. */
  check(authorization: string | undefined): BearerCheck {
    const text = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
    if (text === undefined) return { problem: 'missing' };
    const token = this.minted.get(text) ?? this.personalToken(text);
    if (token === undefined) return { problem: 'unknown' };
    return token.expiresAtMs <= Date.now() ? { problem: 'expired' } : { token };
  }

  /** All tokens that are out stop being good now. */
  expireAll(): void {
    for (const token of this.minted.values()) token.expiresAtMs = 0;
  }

  /** Those that were minted, for tests that look for leaks. */
  get texts(): readonly string[] {
    return [...this.minted.keys()];
  }

  /** How many were minted. */
  get count(): number {
    return this.last;
  }

  private personalToken(text: string): Token | undefined {
    const principal = this.principals.ownerOfPersonalToken(text);
    if (principal === undefined) return undefined;
    return { number: 0, kind: 'personal', principal, scope: 'all-apis', mintedAtMs: 0, expiresAtMs: Infinity };
  }
}
