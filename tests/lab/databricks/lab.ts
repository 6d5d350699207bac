import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerControl } from './control.ts';
import { Faults } from './faults.ts';
import { exchange } from './http/exchange.ts';
import { startHttpServer, type LabRequest, type Reply } from './http/server.ts';
import { Journal } from './journal.ts';
import { fillSwitches, type DatabricksLabOptions, type LabSwitches } from './options.ts';
import { Registry } from './registry/registry.ts';
import { makeCertificate, type Certificate } from './tls/certificate.ts';
import { WAREHOUSE_PATH } from './warehouse/caller.ts';
import type { Engine } from './warehouse/engine.ts';
import { makeInterpreter } from './warehouse/interpreter/interpreter.ts';
import { fillWarehouseSwitches } from './warehouse/options.ts';
import { makeWarehouseService, type WarehouseService } from './warehouse/warehouse-service.ts';
import { answerUnity } from './unity/routes.ts';
import { answerAbsentRoute } from './workspace/absent-routes.ts';
import { answerToken } from './workspace/oidc.ts';
import { Principals } from './workspace/principals.ts';
import { Tokens } from './workspace/tokens.ts';
import { answerWarehouses, Warehouses } from './workspace/warehouses.ts';
import { BodyReader } from './zerobus/body-reader.ts';
import { answerInsert, RateLimit } from './zerobus/insert.ts';
import { WriteAheadLog } from './zerobus/write-ahead-log.ts';

/** A running stand-in. What it holds may be changed while it runs. */
export interface DatabricksLab {
  /** Tokens, Unity Catalog, SQL warehouses and their states, `/_lab/…`. */
  readonly workspaceUrl: string;
  readonly zerobusUrl: string;
  readonly workspaceId: string;
  /** With HTTPS: what clients must trust. */
  readonly certificate: Certificate | undefined;
  readonly registry: Registry;
  readonly principals: Principals;
  readonly tokens: Tokens;
  readonly warehouses: Warehouses;
  /** What answers statements for all of them. */
  readonly warehouse: WarehouseService;
  readonly switches: LabSwitches;
  readonly faults: Faults;
  readonly journal: Journal;
  /** Rows between acknowledgement and table. */
  readonly writeAheadLog: WriteAheadLog;
  /** Bring what Zerobus acknowledged into the tables, then stop. */
  close(): Promise<void>;
}

const MAX_WORKSPACE_BODY_BYTES = 16 * 1024 * 1024;

/** Start the stand-in on this machine. @throws Error for a port that is taken or a switch that does not exist */
export async function startDatabricksLab(options: DatabricksLabOptions = {}): Promise<DatabricksLab> {
  const { workspaceId = '1234567890123456', sink = 'delta', vending = {} } = options;
  const switches = fillSwitches(options.switches);
  const dataFolder = options.dataFolder ?? mkdtempSync(join(tmpdir(), 'databricks-lab-'));
  const certificate = options.tls === true ? makeCertificate() : options.tls === false ? undefined : options.tls;
  const registry = new Registry(dataFolder);
  const principals = new Principals();
  const tokens = new Tokens(principals, options.tokenLifetimeMs ?? 3_600_000);
  const warehouses = new Warehouses();
  const faults = new Faults();
  const journal = new Journal(options.journalEntries ?? 100_000);
  const writeAheadLog = new WriteAheadLog(registry, () => switches.visibilityDelayMs);
  const parts = { registry, principals, tokens, warehouses, switches, vending, faults, journal, workspaceId, sink };
  const zerobus = { ...parts, log: writeAheadLog, bodies: new BodyReader(switches), rate: new RateLimit() };

  const answerWorkspace = (request: LabRequest): Promise<Reply> | Reply => {
    const { path } = request;
    const latencyMs = switches.workspaceLatencyMs;
    if (path.startsWith('/_lab/')) return answerControl(lab, request);
    if (path.startsWith('/oidc/')) return exchange(parts, 'token', request, latencyMs, (...call) => answerToken(parts, ...call));
    if (WAREHOUSE_PATH.test(path)) return warehouse.answer(request);
    const absent = answerAbsentRoute(switches, request);
    if (absent !== undefined) return exchange(parts, 'unity', request, latencyMs, () => absent);
    if (path.startsWith('/api/2.0/sql/warehouses/')) {
      return exchange(parts, 'warehouse-state', request, latencyMs, (...call) => answerWarehouses(parts, ...call));
    }
    return exchange(parts, 'unity', request, latencyMs, (...call) => answerUnity(parts, ...call));
  };
  const warehouseSwitches = fillWarehouseSwitches(options.warehouseSwitches);
  const engine: Engine = options.makeEngine?.(registry, warehouseSwitches) ?? makeInterpreter(registry, warehouseSwitches);
  const scopedTokenServes = (): boolean => switches.scopedTokenServesWorkspace;
  const warehouse = makeWarehouseService({ ...parts, scopedTokenServes, engine, switches: warehouseSwitches });
  const tls = certificate && { tls: certificate };
  const workspaceServer = await startHttpServer({
    ...tls,
    port: options.workspacePort ?? 0,
    maxBodyBytes: () => MAX_WORKSPACE_BODY_BYTES,
    answer: answerWorkspace,
  });
  const zerobusServer = await startHttpServer({
    ...tls,
    port: options.zerobusPort ?? 0,
    maxBodyBytes: () => switches.maxRequestBytes,
    answer: (request) =>
      exchange(parts, 'zerobus', request, switches.zerobusLatencyMs, (...call) => answerInsert(zerobus, ...call)),
  });
  const lab: DatabricksLab = {
    workspaceUrl: workspaceServer.url,
    zerobusUrl: zerobusServer.url,
    ...{
      workspaceId,
      certificate,
      registry,
      principals,
      tokens,
      warehouses,
      warehouse,
      switches,
      faults,
      journal,
      writeAheadLog,
    },
    close: async () => {
      await Promise.all([workspaceServer.close(), zerobusServer.close()]);
      warehouses.close();
      await engine.close();
      await writeAheadLog.settle();
      if (options.dataFolder === undefined) rmSync(dataFolder, { recursive: true, force: true });
    },
  };
  return lab;
}
