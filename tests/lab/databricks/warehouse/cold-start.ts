import { setTimeout as sleep } from 'node:timers/promises';
import type { Warehouse, Warehouses } from '../workspace/warehouses.ts';
import { HttpRefusal } from './http-refusal.ts';
import type { WarehouseSwitches } from './options.ts';
import { SqlError } from './sql/sql-error.ts';

const POLL_MS = 5;

/**
 * What a call meets while the warehouse does not run (3.7). A call starts a stopped warehouse when it starts by itself.
 *
 * @returns an error when it will not start
 * @throws HttpRefusal 503 or 429 by switch
 */
export async function waitForWarehouse(
  parts: { readonly warehouses: Warehouses; readonly switches: WarehouseSwitches },
  warehouse: Warehouse,
  call: 'OpenSession' | 'ExecuteStatement',
): Promise<SqlError | undefined> {
  if (warehouse.state === 'STOPPED' && warehouse.startsByItself) parts.warehouses.start(warehouse);
  if (warehouse.state === 'RUNNING') return undefined;
  if (!warehouse.startsByItself && warehouse.state !== 'STARTING') {
    const text = `The SQL warehouse ${warehouse.id} is stopped and auto-start is disabled. Start it and try again. SQLSTATE: 57P03`;
    return new SqlError('WAREHOUSE_STOPPED', '57P03', text);
  }
  const { coldStart, retryAfterSeconds } = parts.switches;
  if (coldStart === '503' || coldStart === '429') {
    throw new HttpRefusal(
      Number(coldStart),
      'TEMPORARILY_UNAVAILABLE',
      `The SQL warehouse ${warehouse.id} is starting.`,
      retryAfterSeconds,
    );
  }
  if (coldStart === 'pending' && call === 'OpenSession') return undefined;
  await untilRunning(warehouse);
  return undefined;
}

async function untilRunning(warehouse: Warehouse): Promise<void> {
  while (warehouse.state === 'STARTING' || warehouse.state === 'STOPPING') await sleep(POLL_MS);
}
