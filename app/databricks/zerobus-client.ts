import { AppError, isAppError } from '../errors/app-error.ts';
import { describeRequest, type HttpClient } from './http-client.ts';
import type { TokenSource } from './token-source.ts';
import { findRefusal } from './zerobus-refusal.ts';

/** Puts rows into one table by Zerobus Ingest over REST (contract §2.2). */
export interface ZerobusClient {
  /**
   * One request: all of its rows are durable on return, or none when it throws anything but DATABRICKS_ANSWER_LOST and
   * DATABRICKS_UNAVAILABLE, after which either may be true.
   *
   * @param rows JSON objects as `encodeZerobusRow` makes them
   * @throws AppError DATABRICKS_…
   */
  insert(rows: readonly string[], signal: AbortSignal): Promise<void>;
  /** The next request goes with a new token: an old one may know only the columns of its time. */
  renew(): void;
}

export interface ZerobusClientOptions {
  readonly http: HttpClient;
  /** `https://<workspace id>.zerobus.<region>.cloud.databricks.com` */
  readonly endpoint: string;
  /** catalog, schema, table */
  readonly table: readonly [string, string, string];
  readonly tokens: TokenSource;
}

export function makeZerobusClient({ http, endpoint, table, tokens }: ZerobusClientOptions): ZerobusClient {
  const url = `${endpoint}/zerobus/v1/tables/${table.map(encodeURIComponent).join('.')}/insert`;
  const attempt = async (rows: readonly string[], token: string, signal: AbortSignal): Promise<void> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json' };
    const request = { method: 'POST', url, headers, body: `[${rows.join(',')}]`, signal } as const;
    const refusal = findRefusal(await http.send(request), describeRequest(request), table);
    if (refusal !== undefined) throw refusal;
  };
  let used = '';
  return {
    async insert(rows, signal) {
      const token = await tokens.get();
      used = token;
      try {
        await attempt(rows, token, signal);
      } catch (error) {
        // A new grant, or a table that was made again, is only in a new token; an expired one is the same case.
        if (!isAppError(error, 'DATABRICKS_TOKEN_REFUSED', 'DATABRICKS_FORBIDDEN')) throw error;
        tokens.drop(token);
        const fresh = await tokens.get();
        await attempt(rows, fresh, signal).catch((again: unknown) => {
          if (again instanceof AppError && again.retry === 'never') tokens.drop(fresh);
          throw again;
        });
      }
    },
    renew: () => tokens.drop(used),
  };
}

/** The host of Zerobus in the cloud that the workspace belongs to (contract §2.1). */
export function zerobusEndpoint(workspaceUrl: string, workspaceId: string, region: string): string {
  const { hostname } = new URL(workspaceUrl);
  const domain = hostname.endsWith('.azuredatabricks.net')
    ? 'azuredatabricks.net'
    : hostname.endsWith('.gcp.databricks.com')
      ? 'gcp.databricks.com'
      : 'cloud.databricks.com';
  return `https://${workspaceId}.zerobus.${region}.${domain}`;
}
