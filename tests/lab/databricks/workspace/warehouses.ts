import { ok, unityError, type Answer } from '../errors.ts';
import type { Findings } from '../http/exchange.ts';
import type { LabRequest } from '../http/server.ts';
import type { LabSwitches } from '../options.ts';
import type { Registry } from '../registry/registry.ts';
import { readCaller, Refusal } from '../unity/access.ts';
import type { Tokens } from './tokens.ts';

export type WarehouseState = 'STARTING' | 'RUNNING' | 'STOPPING' | 'STOPPED' | 'DELETED';

export interface Warehouse {
  readonly id: string;
  readonly name: string;
  state: WarehouseState;
  /** A statement starts a stopped warehouse (3.7). */
  startsByItself: boolean;
  /** How long a start takes, ms. */
  startMs: number;
}

/** The SQL warehouses of the workspace and their states (3.7). */
export class Warehouses {
  private readonly known = new Map<string, Warehouse>();
  private readonly timers = new Map<string, NodeJS.Timeout>();

  add(id: string, options: Partial<Omit<Warehouse, 'id'>> = {}): Warehouse {
    const warehouse: Warehouse = { name: id, state: 'RUNNING', startsByItself: true, startMs: 0, ...options, id };
    this.known.set(id, warehouse);
    return warehouse;
  }

  get(id: string): Warehouse | undefined {
    return this.known.get(id);
  }

  /** STOPPED → STARTING → RUNNING after `startMs`. */
  start(warehouse: Warehouse): void {
    if (warehouse.state !== 'STOPPED') return;
    warehouse.state = warehouse.startMs === 0 ? 'RUNNING' : 'STARTING';
    if (warehouse.state === 'RUNNING') return;
    const timer = setTimeout(() => (warehouse.state = 'RUNNING'), warehouse.startMs);
    this.timers.set(warehouse.id, timer);
  }

  stop(warehouse: Warehouse): void {
    clearTimeout(this.timers.get(warehouse.id));
    warehouse.state = 'STOPPED';
  }

  close(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
  }
}

export interface WarehouseParts {
  readonly registry: Registry;
  readonly tokens: Tokens;
  readonly switches: LabSwitches;
  readonly warehouses: Warehouses;
}

const ROUTE = /^\/api\/2\.0\/sql\/warehouses\/([^/]+)(?:\/(start|stop))?$/;

/** `GET /api/2.0/sql/warehouses/{id}` and `POST …/start`, `…/stop` (3.7). Whoever has CAN USE may look and start. */
export function answerWarehouses(parts: WarehouseParts, request: LabRequest, findings: Findings): Answer {
  const [, id, verb] = ROUTE.exec(request.path) ?? [];
  try {
    const principal = readCaller(parts, request.headers.authorization, findings);
    const warehouse = id === undefined ? undefined : parts.warehouses.get(id);
    if (warehouse === undefined) return unityError(404, 'RESOURCE_DOES_NOT_EXIST', `SQL warehouse ${id ?? ''} does not exist.`);
    if (!parts.registry.grants.has(principal, 'WAREHOUSE', warehouse.id, 'CAN USE')) {
      return unityError(403, 'PERMISSION_DENIED', `User does not have CAN USE permission on the SQL warehouse ${warehouse.id}.`);
    }
    if (request.method !== (verb === undefined ? 'GET' : 'POST')) return { status: 405 };
    if (verb === undefined) return ok(makeInfo(warehouse));
    if (verb === 'start') parts.warehouses.start(warehouse);
    else parts.warehouses.stop(warehouse);
    return ok({});
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}

function makeInfo({ id, name, state }: Warehouse): Record<string, unknown> {
  return {
    id,
    name,
    state,
    cluster_size: '2X-Small',
    warehouse_type: 'PRO',
    enable_serverless_compute: true,
    auto_stop_mins: 10,
    num_clusters: state === 'RUNNING' ? 1 : 0,
    odbc_params: { path: `/sql/1.0/warehouses/${id}`, protocol: 'https', port: 443 },
  };
}
