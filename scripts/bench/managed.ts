import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';
import { describeType, tableColumnsForView } from '../../app/rows/table-schema.ts';
import { compileView } from '../../app/view/compile-view.ts';
import type { LabSetup } from '../../tests/lab/databricks/setup.ts';
import type { BenchOptions, BenchResult } from './bench.ts';
import { measureFloor } from './floor.ts';
import { QUEUE_STORES } from './queue-stores.ts';
import { startStand } from './stand.ts';
import { describeFigure, measureStand } from './sustained.ts';

const LAB = fileURLToPath(new URL('../../tests/lab/databricks/main.ts', import.meta.url));
const OBSERVATION_VIEW = new URL('../../manifests/view-definitions/observation-flat.json', import.meta.url);
const PRINCIPAL = { clientId: 'sp-bench', secret: 'bench-secret' };
const TABLE = 'main.fhir.observations';
const WAREHOUSE = 'bench';
/** What Databricks documents for half of all requests (contract §2.4). */
const ZEROBUS_LATENCY_MS = 150;
const DEFAULT_BATCH = 5_000;

/** Rows per second by Zerobus into a stand-in in another process, which answers after 150 ms and takes at most 500 rows a request. */
export function runZerobusBench(options: BenchOptions): Promise<BenchResult> {
  return runManagedBench('managed-zerobus', options);
}

/** Rows per second by the SQL warehouse of a stand-in in another process, which writes them into a Delta table. */
export function runSqlBench(options: BenchOptions): Promise<BenchResult> {
  return runManagedBench('managed-sql', options);
}

async function runManagedBench(
  mode: 'managed-zerobus' | 'managed-sql',
  { seconds, say, store = 'redis', batchSize = DEFAULT_BATCH }: BenchOptions,
): Promise<BenchResult> {
  say(`floor: parse + flatten + encode, batches of ${batchSize} …`);
  const floor = await measureFloor(Math.min(seconds, 20), batchSize);
  const queue = await QUEUE_STORES[store]?.();
  if (queue === undefined) return { lines: [`skipped: ${store} is not on this machine`], figures: {} };
  const workspace = await startWorkspace();
  const stand = await startStand({
    env: { ...queue.env, CA_FILE: workspace.caFile },
    batchSize,
    sendIntervalMs: 1_000,
    table: workspace.parameters(mode),
  });
  try {
    say(`${mode}: ${seconds} s on ${queue.name} …`);
    const before = await workspace.requests(mode);
    const figure = await measureStand(stand, { seconds, floor, prefix: mode });
    const requests = (await workspace.requests(mode)) - before;
    return {
      lines: [
        `floor            ${String(floor).padStart(7)} rows/s in one process`,
        `${mode.padEnd(16)} ${describeFigure(figure)}  ${requests} requests, batchSize ${batchSize}`,
      ],
      figures: { mode, batchSize, store, floorRowsPerSecond: floor, requests, ...figure },
    };
  } finally {
    await stand.stop();
    await queue.stop();
    await workspace.stop();
  }
}

interface Workspace {
  readonly caFile: string;
  parameters(mode: string): readonly object[];
  /** Requests that carried rows, so far. */
  requests(mode: string): Promise<number>;
  stop(): Promise<void>;
}

async function startWorkspace(): Promise<Workspace> {
  const dir = await mkdtemp(join(tmpdir(), 'lakehouse-bench-databricks-'));
  const view = compileView(JSON.parse(await readFile(OBSERVATION_VIEW, 'utf8')));
  const setup: LabSetup = {
    principals: [PRINCIPAL],
    catalogs: [{ name: 'main', storageRoot: 's3://managed-storage/main' }],
    schemas: [{ name: 'main.fhir' }],
    tables: [{ name: TABLE, columns: tableColumnsForView(view).map(({ name, type }) => [name, describeType(type)] as const) }],
    warehouses: [{ id: WAREHOUSE }],
    grants: [{ principal: PRINCIPAL.clientId, kind: 'WAREHOUSE', name: WAREHOUSE, privileges: ['CAN USE'] }],
    zerobusGrants: [{ principal: PRINCIPAL.clientId, table: TABLE }],
  };
  const setupFile = join(dir, 'setup.json');
  await writeFile(setupFile, JSON.stringify(setup));
  const switches = JSON.stringify({ zerobusLatencyMs: ZEROBUS_LATENCY_MS, maxRequestRows: 500 });
  const args = ['--tls', '--sink', 'count', '--data-folder', join(dir, 'data'), '--switches', switches, '--setup', setupFile];
  const child = spawn(process.execPath, ['--import', 'tsx', LAB, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const started = JSON.parse(line) as { workspaceUrl: string; zerobusUrl: string; workspaceId: string; certificate: string };
  const caFile = join(dir, 'ca.pem');
  await writeFile(caFile, started.certificate);
  const agent = new Agent({ connect: { ca: started.certificate } });
  return {
    caFile,
    parameters: (mode) =>
      Object.entries({
        writeMode: mode,
        databricksWorkspaceUrl: started.workspaceUrl,
        databricksClientId: PRINCIPAL.clientId,
        databricksClientSecret: PRINCIPAL.secret,
        tableName: TABLE,
        databricksWarehouseId: WAREHOUSE,
        ...(mode === 'managed-zerobus'
          ? { databricksWorkspaceId: started.workspaceId, databricksRegion: 'us-east-1', zerobusEndpoint: started.zerobusUrl }
          : {}),
      }).map(([name, valueString]) => ({ name, valueString })),
    async requests(mode) {
      const { body } = await request(`${started.workspaceUrl}/_lab/totals`, { dispatcher: agent });
      const counts = (await body.json()) as { requests: Readonly<Record<string, number>> };
      return counts.requests[mode === 'managed-zerobus' ? 'zerobus' : 'warehouse'] ?? 0;
    },
    async stop() {
      await agent.close();
      await end(child);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
