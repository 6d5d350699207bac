import type { TrustOptions } from '../databricks/authorities.ts';
import { tableNameParts, type DatabricksTable } from '../databricks/databricks-table.ts';
import { makeHttpClient, type HttpClient } from '../databricks/http-client.ts';
import type { Credentials, TokenSource } from '../databricks/token-source.ts';
import { TokenSources } from '../databricks/token-sources.ts';
import { addColumns, readTableColumns } from '../databricks/warehouse/table-columns.ts';
import { openWarehouse, type Warehouse } from '../databricks/warehouse/warehouse.ts';
import { makeZerobusClient, zerobusEndpoint } from '../databricks/zerobus-client.ts';
import { AppError } from '../errors/app-error.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../log.ts';
import type { ManagedTable, RowSender } from '../writers/managed/row-sender.ts';
import { makeSqlSender } from '../writers/managed/sql-sender.ts';
import { makeZerobusSender } from '../writers/managed/zerobus-sender.ts';

export interface DatabricksOptions {
  /** For tables that name no principal, in these workspaces only: whoever may create a destination must not learn its secret by naming a host of their own. */
  readonly principal:
    { readonly clientId: string; readonly clientSecret: string; readonly workspaceUrls: readonly string[] } | undefined;
  /** Authorities trusted beside the usual ones. */
  readonly trust: TrustOptions;
  /** Proxies, by HTTPS_PROXY and the like. */
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What one process uses to reach workspaces: one HTTP client, and tokens that destinations share. */
export class Databricks {
  private readonly options: DatabricksOptions;
  private readonly http: HttpClient;
  private readonly sources: TokenSources;

  constructor(options: DatabricksOptions) {
    this.options = options;
    this.http = makeHttpClient({ ...options.trust, environment: options.environment });
    this.sources = new TokenSources({ http: this.http, clock: options.clock });
  }

  /** Tokens for the table by Zerobus. */
  zerobusTokens(table: DatabricksTable): TokenSource {
    const scope = { workspaceId: table.workspaceId ?? '', table: tableNameParts(table) };
    return this.sources.of({ workspaceUrl: table.workspaceUrl, credentials: this.credentialsOf(table), zerobus: scope });
  }

  openZerobus(table: DatabricksTable, batchSize: number): RowSender {
    const { workspaceUrl, workspaceId = '', region = '' } = table;
    const client = makeZerobusClient({
      http: this.http,
      endpoint: table.zerobusEndpoint?.replace(/\/+$/, '') ?? zerobusEndpoint(workspaceUrl, workspaceId, region),
      table: tableNameParts(table),
      tokens: this.zerobusTokens(table),
    });
    return makeZerobusSender(client, batchSize);
  }

  openSql(table: DatabricksTable): RowSender {
    return makeSqlSender(this.openWarehouse(table), tableNameParts(table));
  }

  /** @param signal ends statements that wait for a cold warehouse */
  openTable(table: DatabricksTable, signal?: AbortSignal): ManagedTable {
    const warehouse = this.openWarehouse(table);
    const name = tableNameParts(table);
    return {
      readColumns: () => readTableColumns(warehouse, name, signal),
      addColumns: (columns) => addColumns(warehouse, name, columns, signal),
      close: () => warehouse.close(),
    };
  }

  close(): Promise<void> {
    return this.http.close();
  }

  private openWarehouse(table: DatabricksTable): Warehouse {
    const { clock, log, trust, environment } = this.options;
    const { workspaceUrl, warehouseId } = table;
    const tokens = this.sources.of({ workspaceUrl, credentials: this.credentialsOf(table) });
    return openWarehouse({
      workspaceUrl,
      warehouseId,
      getToken: () => tokens.get(),
      dropToken: (token) => tokens.drop(token),
      userAgentEntry: 'aidbox-data-lakehouse',
      environment,
      clock,
      log,
      ...trust,
    });
  }

  private credentialsOf(table: DatabricksTable): Credentials {
    const { workspaceUrl, zerobusEndpoint, clientId, clientSecret, accessToken } = table;
    if (accessToken !== undefined) return { kind: 'access-token', token: accessToken };
    if (clientId !== undefined && clientSecret !== undefined) return { kind: 'principal', clientId, clientSecret };
    const { principal } = this.options;
    if (principal === undefined) {
      throw new AppError(
        'SECRET_NOT_AVAILABLE',
        'the destination names no service principal, and DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET are not set',
      );
    }
    const { workspaceUrls, ...own } = principal;
    const strange = [workspaceUrl, ...(zerobusEndpoint === undefined ? [] : [zerobusEndpoint])].find(
      (url) => !workspaceUrls.includes(new URL(url).origin),
    );
    if (strange === undefined) return { kind: 'principal', ...own };
    throw new AppError(
      'DATABRICKS_HOST_NOT_TRUSTED',
      `the destination names no service principal, and that of the service is not for ${new URL(strange).origin}`,
    );
  }
}
