import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { DEFAULT_WAREHOUSE_SWITCHES, fillWarehouseSwitches } from '../../../lab/databricks/warehouse/options.ts';

it('the README of the warehouse names every switch, and none that does not exist', () => {
  const text = readFileSync(new URL('../../../lab/databricks/warehouse/README.md', import.meta.url), 'utf8');
  const rows = text.slice(text.indexOf('| switches')).split('\n').slice(2);
  const named = rows
    .slice(0, rows.findIndex((row) => !row.startsWith('|')))
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([a-z]\w+)`/g)].map(([, name]) => name));
  expect(named.sort()).toEqual(Object.keys(DEFAULT_WAREHOUSE_SWITCHES).sort());
});

it('a switch of the warehouse that does not exist is refused', () => {
  expect(() => fillWarehouseSwitches({ noSuchSwitch: true } as never)).toThrow('there is no switch noSuchSwitch of the warehouse');
});
