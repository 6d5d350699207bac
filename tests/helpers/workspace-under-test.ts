import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TableLocation } from '../../app/storage/table-location.ts';
import { startDatabricksLab, type DatabricksLab } from '../lab/databricks/lab.ts';
import type { DatabricksLabOptions } from '../lab/databricks/options.ts';
import type { NewTable } from '../lab/databricks/registry/registry.ts';
import { applySetup, grantForZerobus } from '../lab/databricks/setup.ts';

export const PRINCIPAL = { clientId: 'sp-lakehouse', secret: 'dose-lakehouse-secret' };
export const WAREHOUSE = 'warehouse1';
export type ManagedMode = 'managed-zerobus' | 'managed-sql';
export const MANAGED_MODES: readonly ManagedMode[] = ['managed-zerobus', 'managed-sql'];

/** A stand-in of a Databricks workspace with a principal, a warehouse, and the schema `main.fhir` for tables. */
export interface WorkspaceUnderTest {
  readonly lab: DatabricksLab;
  /** Settings by which a service trusts the stand-in. */
  readonly env: Readonly<Record<string, string>>;
  /** Makes `main.fhir.<name>` with the grants that the modes need. Returns its full name. */
  createTable(name: string, columns: NewTable['columns']): string;
  /** Where another engine finds the files of a table. What Zerobus acknowledged is in them when this resolves. */
  filesOf(tableName: string): Promise<TableLocation>;
  /** Parameters of a destination that writes to the table, as the source document names them. */
  parameters(mode: ManagedMode, tableName: string): Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export async function startWorkspace(options: DatabricksLabOptions = {}): Promise<WorkspaceUnderTest> {
  const dir = await mkdtemp(join(tmpdir(), 'workspace-under-test-'));
  const lab = await startDatabricksLab({ tls: true, ...options });
  const caFile = join(dir, 'ca.pem');
  await writeFile(caFile, lab.certificate!.cert);
  await applySetup(lab, {
    principals: [{ clientId: PRINCIPAL.clientId, secret: PRINCIPAL.secret }],
    catalogs: [{ name: 'main', storageRoot: 's3://managed-storage/main' }],
    schemas: [{ name: 'main.fhir' }],
    warehouses: [{ id: WAREHOUSE }],
    grants: [{ principal: PRINCIPAL.clientId, kind: 'WAREHOUSE', name: WAREHOUSE, privileges: ['CAN USE'] }],
  });
  return {
    lab,
    env: { CA_FILE: caFile },
    createTable(name, columns) {
      const fullName = `main.fhir.${name}`;
      lab.registry.createTable(fullName, { columns });
      grantForZerobus(lab, PRINCIPAL.clientId, fullName);
      return fullName;
    },
    async filesOf(tableName) {
      await lab.writeAheadLog.settle();
      return { tablePath: lab.registry.table(tableName).facts.storageLocation! };
    },
    parameters: (mode, tableName) => ({
      writeMode: mode,
      databricksWorkspaceUrl: lab.workspaceUrl,
      databricksClientId: PRINCIPAL.clientId,
      databricksClientSecret: PRINCIPAL.secret,
      tableName,
      databricksWarehouseId: WAREHOUSE,
      ...(mode === 'managed-zerobus'
        ? { databricksWorkspaceId: lab.workspaceId, databricksRegion: 'us-east-1', zerobusEndpoint: lab.zerobusUrl }
        : {}),
    }),
    async close() {
      await lab.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
