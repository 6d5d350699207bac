import type { DoctorTarget } from '../../databricks/doctor/target.ts';
import type { TokenSource } from '../../databricks/token-source.ts';
import { openWarehouse, type WarehouseOptions } from '../../databricks/warehouse/warehouse.ts';

/** Long enough for a cold start (S0.111), with room. */
const TIMEOUT_MS = 300_000;

type Shared = Pick<WarehouseOptions, 'caPem' | 'extraCaPem' | 'environment' | 'clock' | 'log'>;

/** Makes what runs the smallest statement on a warehouse: it needs CAN_USE and nothing else. */
export function makeWarehouseUse(shared: Shared): (target: DoctorTarget, tokens: TokenSource) => Promise<void> {
  return async ({ workspaceUrl = '', warehouseId = '' }, tokens) => {
    const warehouse = openWarehouse({
      ...shared,
      workspaceUrl,
      warehouseId,
      getToken: () => tokens.get(),
      dropToken: (token) => tokens.drop(token),
      userAgentEntry: 'aidbox-data-lakehouse',
      statementTimeoutMs: TIMEOUT_MS,
    });
    try {
      await warehouse.execute('SELECT 1', { context: { what: 'try the SQL warehouse' }, repeatable: true });
    } finally {
      await warehouse.close();
    }
  };
}
