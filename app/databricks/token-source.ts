import { AppError } from '../errors/app-error.ts';
import type { Clock } from '../lib/clock.ts';
import type { HttpClient } from './http-client.ts';
import { findTokenRefusal, readToken } from './token-answer.ts';

/** Who acts in the workspace: a service principal, or the holder of a personal access token (SQL and Unity Catalog only). */
export type Credentials =
  | { readonly kind: 'principal'; readonly clientId: string; readonly clientSecret: string }
  | { readonly kind: 'access-token'; readonly token: string };

/** The rights for which Zerobus wants a token of its own (contract §1.3). */
export interface ZerobusScope {
  /** Numeric id of the workspace. */
  readonly workspaceId: string;
  /** catalog, schema, table */
  readonly table: readonly [string, string, string];
}

/** Gives bearer tokens for one workspace and one use of it. */
export interface TokenSource {
  /** A token with at least five minutes to live, or as long as there is. @throws AppError DATABRICKS_… */
  get(): Promise<string>;
  /** Forgets `token`, which was refused, so that the next `get` mints a new one. A newer one stays. */
  drop(token: string): void;
}

export interface TokenSourceOptions {
  readonly http: HttpClient;
  /** `https://<workspace host>` */
  readonly workspaceUrl: string;
  readonly credentials: Credentials;
  /** Absent: a token for SQL and Unity Catalog. */
  readonly zerobus?: ZerobusScope;
  readonly clock: Clock;
}

/** S0.30. */
const REFRESH_BEFORE_MS = 5 * 60_000;

interface Held {
  readonly token: string;
  /** Epoch ms. */
  readonly expiresAtMs: number;
  /** From then on a new one is asked for. */
  readonly refreshAtMs: number;
}

/** Tokens by OAuth M2M (contract §1): kept until five minutes before their end, one request at a time however many ask. */
export function makeTokenSource(options: TokenSourceOptions): TokenSource {
  const { credentials, clock } = options;
  if (credentials.kind === 'access-token') return { get: async () => credentials.token, drop: () => undefined };
  let held: Held | undefined;
  let minting: Promise<Held> | undefined;
  const mint = async (): Promise<Held> => {
    const askedAtMs = clock.now();
    const { token, lifetimeMs } = await requestToken(options, credentials);
    // Of a token that lives for less than ten minutes the second half is the time to renew it.
    const refreshAfterMs = Math.max(lifetimeMs - REFRESH_BEFORE_MS, lifetimeMs / 2);
    return { token, expiresAtMs: askedAtMs + lifetimeMs, refreshAtMs: askedAtMs + refreshAfterMs };
  };
  return {
    async get() {
      if (held !== undefined && clock.now() < held.refreshAtMs) return held.token;
      minting ??= mint().finally(() => (minting = undefined));
      try {
        held = await minting;
      } catch (error) {
        // The one at hand is still good for a while; whoever asks next tries again.
        const isUsable = held !== undefined && clock.now() < held.expiresAtMs - 30_000;
        if (!isUsable || !(error instanceof AppError) || error.retry === 'never') throw error;
      }
      return held!.token;
    },
    drop(token) {
      if (held?.token === token) held = undefined;
    },
  };
}

async function requestToken(
  { http, workspaceUrl, zerobus }: TokenSourceOptions,
  { clientId, clientSecret }: Extract<Credentials, { kind: 'principal' }>,
): Promise<{ readonly token: string; readonly lifetimeMs: number }> {
  const form = new URLSearchParams({ grant_type: 'client_credentials', scope: 'all-apis' });
  if (zerobus !== undefined) {
    form.set('resource', `api://databricks/workspaces/${zerobus.workspaceId}/zerobusDirectWriteApi`);
    form.set('authorization_details', JSON.stringify(authorizationDetails(zerobus.table)));
  }
  const answer = await http.send({
    method: 'POST',
    url: `${workspaceUrl}/oidc/v1/token`,
    headers: {
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`, 'utf8').toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    },
    body: form.toString(),
  });
  const token = readToken(answer);
  if (token !== undefined) return token;
  throw findTokenRefusal(answer, workspaceUrl, zerobus?.table);
}

function authorizationDetails([catalog, schema, table]: ZerobusScope['table']): unknown {
  const entry = (objectType: string, path: string, ...privileges: string[]): unknown => ({
    type: 'unity_catalog_privileges',
    privileges,
    object_type: objectType,
    object_full_path: path,
  });
  return [
    entry('CATALOG', catalog, 'USE CATALOG'),
    entry('SCHEMA', `${catalog}.${schema}`, 'USE SCHEMA'),
    entry('TABLE', `${catalog}.${schema}.${table}`, 'SELECT', 'MODIFY'),
  ];
}
