import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeType, tableColumnsForView } from '../../app/rows/table-schema.ts';
import { compileView } from '../../app/view/compile-view.ts';
import { startDatabricksLab, type DatabricksLab } from '../../tests/lab/databricks/lab.ts';
import { applySetup } from '../../tests/lab/databricks/setup.ts';
import { VIEW } from './definitions.ts';

export const DEMO_MODES = ['external-direct', 'managed-zerobus', 'managed-sql'] as const;
export type DemoMode = (typeof DEMO_MODES)[number];

/** Where the demo's rows go. */
export interface DemoTable {
  /** For people: a path, or a name in Databricks. */
  readonly address: string;
  /** Folder of the Delta table; in Databricks' place a stand-in keeps it. */
  readonly directory: string;
  /** Parameters of the destination. */
  readonly parameters: readonly object[];
  /** Settings that the service needs for it. */
  readonly env: Readonly<Record<string, string>>;
  /** Resolves when everything that was acknowledged can be read. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** @param dir folder of the run */
export async function prepareTable(mode: DemoMode, dir: string): Promise<DemoTable> {
  return mode === 'external-direct' ? onDisk(join(dir, 'tables', 'patients')) : inWorkspace(mode, dir);
}

function onDisk(directory: string): DemoTable {
  const address = `file://${directory}`;
  return {
    address,
    directory,
    parameters: [
      { name: 'writeMode', valueString: 'external-direct' },
      { name: 'tablePath', valueString: address },
      { name: 'createTable', valueBoolean: true },
    ],
    env: {},
    settle: async () => undefined,
    close: async () => undefined,
  };
}

const PRINCIPAL = { clientId: 'sp-demo', secret: 'demo-secret-of-the-stand-in' };
const WAREHOUSE = 'demo';
const TABLE = 'main.fhir.patients';

/** A managed table in a stand-in of a Databricks workspace. */
async function inWorkspace(mode: Exclude<DemoMode, 'external-direct'>, dir: string): Promise<DemoTable> {
  const lab = await startDatabricksLab({ tls: true, dataFolder: join(dir, 'databricks') });
  const caFile = join(dir, 'databricks-ca.pem');
  await writeFile(caFile, lab.certificate!.cert);
  const columns = tableColumnsForView(compileView(VIEW)).map(({ name, type }) => [name, describeType(type)] as const);
  await applySetup(lab, {
    principals: [PRINCIPAL],
    catalogs: [{ name: 'main', storageRoot: 's3://demo-root/main' }],
    schemas: [{ name: 'main.fhir' }],
    tables: [{ name: TABLE, columns }],
    warehouses: [{ id: WAREHOUSE }],
    grants: [{ principal: PRINCIPAL.clientId, kind: 'WAREHOUSE', name: WAREHOUSE, privileges: ['CAN USE'] }],
    zerobusGrants: [{ principal: PRINCIPAL.clientId, table: TABLE }],
  });
  return {
    address: `${TABLE} at ${lab.workspaceUrl} (stand-in of Databricks)`,
    directory: fileURLToPath(lab.registry.table(TABLE).facts.storageLocation!),
    parameters: makeParameters(mode, lab),
    env: { CA_FILE: caFile },
    settle: () => lab.writeAheadLog.settle(),
    close: () => lab.close(),
  };
}

function makeParameters(mode: DemoMode, { workspaceUrl, zerobusUrl, workspaceId }: DatabricksLab): readonly object[] {
  const values = {
    writeMode: mode,
    databricksWorkspaceUrl: workspaceUrl,
    databricksClientId: PRINCIPAL.clientId,
    databricksClientSecret: PRINCIPAL.secret,
    tableName: TABLE,
    databricksWarehouseId: WAREHOUSE,
    ...(mode === 'managed-zerobus'
      ? { databricksWorkspaceId: workspaceId, databricksRegion: 'us-east-1', zerobusEndpoint: zerobusUrl }
      : {}),
  };
  return Object.entries(values).map(([name, valueString]) => ({ name, valueString }));
}
