import { createRequire } from 'node:module';
import type { DBSQLClient as Client } from '@databricks/sql';
import type { ExecuteStatementOptions } from '@databricks/sql/dist/contracts/IDBSQLSession.js';
import type { Fault } from '../../../lab/databricks/faults.ts';
import { startDatabricksLab, type DatabricksLab } from '../../../lab/databricks/lab.ts';
import type { Warehouse } from '../../../lab/databricks/workspace/warehouses.ts';

const { DBSQLClient } = createRequire(import.meta.url)('@databricks/sql') as { DBSQLClient: new (options: object) => Client };
/** The driver logs to the console otherwise. */
const SILENT = { log: (): void => undefined };

export const PRINCIPAL = 'writer';
export const TABLE = 'main.fhir.patient';

/** A warehouse with one table and one principal who may write it, and the official driver to talk to it. */
export interface Bench {
  readonly lab: DatabricksLab;
  readonly warehouse: Warehouse;
  /** A connected client; closed with the bench. The token is good unless given. */
  connect(options?: { readonly token?: () => string; readonly path?: string }): Promise<Client>;
  /** Run one statement in a session of its own and fetch all of its rows. */
  run(text: string, options?: ExecuteStatementOptions): Promise<Record<string, unknown>[]>;
  /** Strike the warehouse with a fault. */
  strike(fault: Omit<Fault, 'service'>): void;
  close(): Promise<void>;
}

export async function startBench(): Promise<Bench> {
  const lab = await startDatabricksLab({ tls: true });
  const { registry, tokens, warehouses, faults } = lab;
  registry.createCatalog('main', { storageRoot: 'file:///managed' });
  registry.createSchema('main.fhir');
  registry.createTable(TABLE, {
    columns: [
      ['id', 'STRING NOT NULL'],
      ['n', 'INT'],
      ['ts', 'TIMESTAMP'],
    ],
  });
  const warehouse = warehouses.add('w1');
  registry.grants.grant(PRINCIPAL, 'WAREHOUSE', 'w1', 'CAN USE');
  registry.grants.grant(PRINCIPAL, 'CATALOG', 'main', 'USE CATALOG');
  registry.grants.grant(PRINCIPAL, 'SCHEMA', 'main.fhir', 'USE SCHEMA', 'CREATE TABLE');
  registry.grants.grant(PRINCIPAL, 'TABLE', TABLE, 'SELECT', 'MODIFY');
  lab.principals.addPersonalToken('dapi-bench', PRINCIPAL);
  const mint = (): string => tokens.mint({ kind: 'plain', principal: PRINCIPAL, scope: 'all-apis' }).text;
  const clients: Client[] = [];

  const connect: Bench['connect'] = async ({ token = mint, path = '/sql/1.0/warehouses/w1' } = {}) => {
    const client = new DBSQLClient({ logger: SILENT });
    clients.push(client);
    await client.connect({
      authType: 'external-token',
      getToken: async () => token(),
      host: 'localhost',
      port: Number(new URL(lab.workspaceUrl).port),
      path,
      customCaCert: Buffer.from(lab.certificate?.cert ?? ''),
      telemetryEnabled: false,
      retryDelayMin: 10,
      retryDelayMax: 50,
    });
    return client;
  };
  let shared: Promise<Client> | undefined;
  return {
    lab,
    warehouse,
    connect,
    run: async (text, options) => {
      // One connection for all: a handshake takes longer than a statement.
      shared ??= connect({ token: () => 'dapi-bench' });
      const session = await (await shared).openSession({});
      const operation = await session.executeStatement(text, options);
      await operation.finished();
      const rows = (await operation.fetchAll()) as Record<string, unknown>[];
      await session.close();
      return rows;
    },
    strike: (fault) => void faults.add({ service: 'warehouse', ...fault }),
    close: async () => {
      faults.clear();
      for (const client of clients) await client.close().catch(() => undefined);
      await lab.close();
    },
  };
}
