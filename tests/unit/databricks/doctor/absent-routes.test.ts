import { describe, expect, it } from '@jest/globals';
import type { CheckResult } from '../../../../app/databricks/doctor/check.ts';
import { AppError } from '../../../../app/errors/app-error.ts';
import type { DatabricksLab } from '../../../lab/databricks/lab.ts';
import type { LabSwitches } from '../../../lab/databricks/options.ts';
import { CLIENT, cureOf, examine, missingIn, MODES, NAME, start } from './ready-workspace.ts';

type Routes = Exclude<LabSwitches['absentRoutes'], 'none'>;
const ROUTES: readonly Routes[] = ['surroundings', 'all but tables'];
const ANSWERS: readonly LabSwitches['absentRouteAnswer'][] = ['ENDPOINT_NOT_FOUND', 'empty', 'page'];
const CASES = ROUTES.flatMap((routes) =>
  ANSWERS.flatMap((answer) =>
    MODES.map((mode): [Routes, (typeof ANSWERS)[number], (typeof MODES)[number]] => [routes, answer, mode]),
  ),
);

function takeAway({ switches }: DatabricksLab, routes: Routes, answer: LabSwitches['absentRouteAnswer'] = 'empty'): void {
  switches.absentRoutes = routes;
  switches.absentRouteAnswer = answer;
}
const statusOf = (results: readonly CheckResult[], id: string): string | undefined =>
  results.find((result) => result.id === id)?.status;

describe('a workspace without the calls around its tables', () => {
  it.each(CASES)('(%s, %s) is ready for %s, and what it does not tell is unknown', async (routes, answer, mode) => {
    const { lab, target } = await start(mode);
    takeAway(lab, routes, answer);
    const results = await examine(target, true);
    expect(missingIn(results)).toEqual([]);
    for (const id of ['use-catalog', 'select', 'region', 'location-grants'])
      expect([id, statusOf(results, id)]).toEqual([id, 'unknown']);
    expect(statusOf(results, 'table')).toBe('ok');
    if (mode === 'managed-zerobus') expect(statusOf(results, 'zerobus-token')).toBe('ok');
    if (mode === 'managed-zerobus') expect(statusOf(results, 'storage')).toBe(routes === 'surroundings' ? 'ok' : 'unknown');
    if (mode === 'external-direct') expect(statusOf(results, 'credentials')).toBe('ok');
  });

  it('without any storage root that is told may still have one in its metastore', async () => {
    const { lab, target } = await start('managed-zerobus');
    takeAway(lab, 'surroundings');
    lab.registry.createCatalog('main');
    const results = await examine(target, true);
    expect(statusOf(results, 'storage')).toBe('unknown');
  });

  it.each(MODES)('still has a wrong secret named for %s', async (mode) => {
    const { lab, target } = await start(mode);
    takeAway(lab, 'all but tables');
    lab.principals.get(CLIENT.clientId)!.secret = 'a newer secret';
    expect(missingIn(await examine(target))).toEqual(['secret']);
  });

  it.each(ROUTES.flatMap((routes) => MODES.map((mode) => [routes, mode] as const)))(
    '(%s) still has a missing table named for %s',
    async (routes, mode) => {
      const { lab, target } = await start(mode);
      takeAway(lab, routes);
      lab.registry.dropTable(NAME);
      const results = await examine(target);
      expect(missingIn(results)).toEqual(['table']);
      expect(cureOf(results, 'table')).toContain('CREATE TABLE `main`.`fhir`.`patients`');
    },
  );

  it.each([
    ['surroundings', 'CATALOG', 'main', 'USE CATALOG', 'use-catalog'],
    ['surroundings', 'SCHEMA', 'main.fhir', 'USE SCHEMA', 'use-schema'],
    ['surroundings', 'TABLE', NAME, 'MODIFY', 'zerobus-token'],
    ['all but tables', 'CATALOG', 'main', 'USE CATALOG', 'table'],
    ['all but tables', 'SCHEMA', 'main.fhir', 'USE SCHEMA', 'table'],
    ['all but tables', 'TABLE', NAME, 'MODIFY', 'zerobus-token'],
  ] as const)('(%s) still has a missing grant on %s %s named: %s', async (routes, kind, object, privilege, check) => {
    const { lab, target } = await start('managed-zerobus');
    takeAway(lab, routes);
    lab.registry.grants.revoke(CLIENT.clientId, kind, object, privilege);
    const results = await examine(target);
    expect(missingIn(results)).toEqual([check]);
    expect(results.at(-1)?.id).toBe(check);
    expect(cureOf(results, check)).toMatch(new RegExp(`GRANT .*${privilege}.* ON ${kind} `));
  });

  it('has its SQL warehouse tried by a statement, whose failure counts', async () => {
    const { lab, target } = await start('managed-sql');
    takeAway(lab, 'surroundings');
    expect(statusOf(await examine(target, true), 'warehouse')).toBe('unknown');
    let tries = 0;
    const worked = await examine(target, true, async () => void tries++);
    expect([tries, statusOf(worked, 'warehouse')]).toEqual([1, 'ok']);
    const refused = await examine(target, false, async () => {
      throw new AppError('WAREHOUSE_NOT_FOUND', 'no such warehouse');
    });
    expect(missingIn(refused)).toEqual(['warehouse']);
  });

  it('has a personal access token tried on the table', async () => {
    const { lab, target } = await start('managed-sql');
    takeAway(lab, 'all but tables');
    const { clientId: _id, clientSecret: _secret, ...rest } = target;
    expect(missingIn(await examine({ ...rest, accessToken: 'dapi-unknown' }))).toEqual(['secret']);
    const accessToken = 'dapi-known';
    lab.principals.addPersonalToken(accessToken, CLIENT.clientId);
    const results = await examine({ ...rest, accessToken }, true);
    expect([missingIn(results), statusOf(results, 'secret')]).toEqual([[], 'ok']);
  });
});
