import { expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_SWITCHES, fillSwitches } from '../../../lab/databricks/options.ts';

it('the README names every switch, and none that does not exist', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../lab/databricks/README.md'), 'utf8');
  const section = text.slice(text.indexOf('## Switches'), text.indexOf('## Faults'));
  const cells = section.split('\n').flatMap((line) => (line.startsWith('|') ? [line.split('|')[1] ?? ''] : []));
  const named = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  expect(named.sort()).toEqual(Object.keys(DEFAULT_SWITCHES).sort());
});

it('a switch that does not exist is refused', () => {
  expect(() => fillSwitches({ explicitNul: 'accepted' } as object)).toThrow('there is no switch explicitNul');
});
