import type { DBSQLClient } from '@databricks/sql';
import { AppError } from '../../errors/app-error.ts';
import { authorities, type TrustOptions } from '../authorities.ts';
import { chooseProxy } from '../proxy.ts';
import { GarbledAnswer } from './driver-failure.ts';

/** Where a warehouse is, and how to get there. */
export interface DriverOptions extends TrustOptions {
  /** `https://<workspace>`, with a port if it is not 443. */
  readonly workspaceUrl: string;
  readonly warehouseId: string;
  /** Called before each request, so it must be quick when the token is still good. */
  readonly getToken: () => Promise<string>;
  /** For HTTPS_PROXY, ALL_PROXY and NO_PROXY. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Goes into the User-Agent: `product/version`. */
  readonly userAgentEntry: string;
  /** How long one request may take. */
  readonly requestTimeoutMs: number;
}

export type Session = Awaited<ReturnType<DBSQLClient['openSession']>>;
export type Operation = Awaited<ReturnType<Session['executeStatement']>>;

/** The official driver, set up so that it keeps to itself: no telemetry, no log, no login of its own, results as texts. */
export interface Driver {
  openSession(configuration: Record<string, string>): Promise<Session>;
  /** Sends a statement; its end is to be awaited by `finished()`. All parameters are texts. */
  execute(session: Session, sql: string, parameters: Readonly<Record<string, string>>): Promise<Operation>;
  /** Rows of a finished query. @throws AppError SQL_ANSWER_UNEXPECTED when a column is not text */
  fetchTexts(operation: Operation): Promise<Record<string, string | null>[]>;
  /** Ends the sessions. */
  close(): Promise<void>;
  /** Ends the connections, at once. */
  destroy(): void;
}

/**
 * Checks the address of a warehouse.
 *
 * @throws AppError WAREHOUSE_ADDRESS_WRONG
 */
export function parseWarehouseAddress(workspaceUrl: string, warehouseId: string): URL {
  const url = URL.canParse(workspaceUrl) ? new URL(workspaceUrl) : undefined;
  if (url === undefined || url.protocol !== 'https:' || url.pathname !== '/' || url.search !== '' || url.username !== '') {
    throw new AppError('WAREHOUSE_ADDRESS_WRONG', 'the workspace URL must be https:// and a host, without a path');
  }
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(warehouseId)) {
    throw new AppError('WAREHOUSE_ADDRESS_WRONG', 'the warehouse id must be letters and digits, as in /sql/1.0/warehouses/<id>');
  }
  return url;
}

/** Loads the driver (half a second, 50 MB) and sets it up; nothing is sent yet. */
export async function loadDriver(options: DriverOptions): Promise<Driver> {
  const url = parseWarehouseAddress(options.workspaceUrl, options.warehouseId);
  const proxy = chooseProxy(url, options.environment ?? {});
  const { DBSQLClient, DBSQLParameter, DBSQLParameterType, thrift } = await import('@databricks/sql');
  const client = new DBSQLClient({ logger: { log: () => undefined } });
  await client.connect({
    host: url.hostname,
    port: url.port === '' ? 443 : Number(url.port),
    path: `/sql/1.0/warehouses/${options.warehouseId}`,
    authType: 'custom',
    provider: { authenticate: async () => ({ Authorization: `Bearer ${await options.getToken()}` }) },
    telemetryEnabled: false,
    userAgentEntry: options.userAgentEntry,
    socketTimeout: options.requestTimeoutMs,
    // Only calls that are safe to repeat are repeated by the driver (polling, closing).
    retryMaxAttempts: 4,
    retriesTimeout: options.requestTimeoutMs,
    retryDelayMax: 5_000,
    preserveBigNumericPrecision: true,
    ...(proxy === undefined ? {} : { proxy }),
  });
  const provider = await client.getConnectionProvider();
  const agent = await provider.getAgent();
  trust(agent, authorities(options));
  refuseForeignBodies(await provider.getThriftConnection());
  const { STRING_TYPE, VARCHAR_TYPE, CHAR_TYPE } = thrift.TCLIService_types.TTypeId;
  const texts: readonly (number | undefined)[] = [STRING_TYPE, VARCHAR_TYPE, CHAR_TYPE];

  return {
    openSession: (configuration) => client.openSession({ configuration }),
    execute: (session, sql, parameters) =>
      session.executeStatement(sql, {
        namedParameters: Object.fromEntries(
          Object.entries(parameters).map(([name, value]) => [
            name,
            new DBSQLParameter({ type: DBSQLParameterType.STRING, value }),
          ]),
        ),
        // Results would come from storage of the cloud, past the proxy; ours are small.
        useCloudFetch: false,
        useLZ4Compression: false,
      }),
    fetchTexts: async (operation) => {
      const columns = (await operation.getSchema())?.columns ?? [];
      for (const { columnName, typeDesc } of columns) {
        const type = typeDesc.types[0]?.primitiveEntry?.type;
        if (!texts.includes(type)) {
          throw new AppError(
            'SQL_ANSWER_UNEXPECTED',
            `column "${columnName}" of the result is of type ${String(type)}, not text; the query must cast it`,
          );
        }
      }
      return (await operation.fetchAll()) as Record<string, string | null>[];
    },
    close: () => client.close(),
    destroy: () => agent?.destroy(),
  };
}

/** The driver takes authorities for direct connections only, not for those through a proxy, nor for the one to a proxy by https. */
function trust(agent: unknown, ca: string[] | undefined): void {
  if (ca === undefined) return;
  const { options, connectOpts } = agent as { options: { ca?: string[] }; connectOpts?: { ca?: string[] } };
  options.ca = ca;
  if (connectOpts !== undefined) connectOpts.ca = ca;
}

/** The driver waits for ever for the rest of a body that is no Thrift message, such as a login page. Messages begin with 0x80. */
function refuseForeignBodies(connection: unknown): void {
  interface Transport {
    receiver(onData: unknown, seqId: number): (body: Uint8Array) => void;
  }
  const target = connection as { transport: Transport };
  const { transport } = target;
  if (typeof transport?.receiver !== 'function')
    throw new Error('@databricks/sql is of another version than this code was written for');
  const receiver: Transport['receiver'] = (onData, seqId) => {
    const receive = transport.receiver(onData, seqId);
    return (body) => {
      if (body[0] !== 0x80) throw new GarbledAnswer();
      receive(body);
    };
  };
  // The class itself, with one function replaced: it is also called with `new`.
  target.transport = new Proxy(transport, {
    get: (from, name) => (name === 'receiver' ? receiver : (Reflect.get(from, name) as unknown)),
  });
}
