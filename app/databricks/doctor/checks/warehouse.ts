import { makeWarehouseGrant } from '../../setup/required-grants.ts';
import { quoteWord } from '../../setup/shell-quoting.ts';
import { missing, ok, skipped, unknown, type Check } from '../check.ts';
import { unlessAbsent } from '../examination.ts';

/** The SQL warehouse exists and may be used (S0.72). That it starts is no fault (S0.111). Its state is told for information; a statement decides. */
export const warehouseCheck: Check = {
  id: 'warehouse',
  title: 'SQL warehouse',
  needs: ['secret'],
  async run(examination) {
    const unity = examination.findUnity();
    const tokens = examination.findTokens();
    const { mode, warehouseId } = examination.target;
    if (unity === undefined || tokens === undefined || warehouseId === undefined) return skipped('none is given');
    if (mode === 'external-direct') return skipped('external-direct uses none');
    const found = await unlessAbsent(unity.getWarehouse(warehouseId));
    const { name, state } = found ?? { name: warehouseId, state: 'in a state that is not told' };
    if (state === 'DELETING' || state === 'DELETED')
      return missing(`${name} is ${state}`, 'a warehouse that can run', [
        '{"name": "databricksWarehouseId", "valueString": "<another one>"}',
      ]);
    if (examination.useWarehouse === undefined && found === undefined)
      return unknown(`${name} is ${state}, and whether it may be used was not tried`);
    if (examination.useWarehouse === undefined)
      return ok(`${name} is ${state}; it may be seen, whether it may be used was not tried`);
    const startedAtMs = examination.clock.monotonic();
    await examination.useWarehouse(examination.target, tokens);
    const seconds = ((examination.clock.monotonic() - startedAtMs) / 1000).toFixed(1);
    return ok(`${name} was ${state} and ran a statement after ${seconds} s`);
  },
  cure: ({ target: { warehouseId = '', clientId = '' } }) => [
    `databricks warehouses get ${quoteWord(warehouseId)}   # does it exist?`,
    makeWarehouseGrant(warehouseId, clientId),
  ],
};
