import { describe, expect, it } from '@jest/globals';
import { ALL_CHECKS } from '../../../../app/databricks/doctor/all-checks.ts';
import { describeResult } from '../../../../app/databricks/doctor/report.ts';
import { isReady } from '../../../../app/databricks/doctor/run-checks.ts';
import { CLIENT, cureOf, examine, missingIn, MODES, NAME, obey, start } from './ready-workspace.ts';

describe('a workspace that is ready', () => {
  it.each(MODES)('for %s has nothing missing and nothing unknown', async (mode) => {
    const { target } = await start(mode);
    const results = await examine(target, true);
    expect(results.filter(({ status }) => status === 'missing' || status === 'unknown')).toEqual([]);
    expect(results).toHaveLength(ALL_CHECKS.length);
    expect(isReady(results)).toBe(true);
  });

  it.each(MODES)('for %s is found so without a row written or a thing changed', async (mode) => {
    const { target, lab } = await start(mode);
    await examine(target, true);
    const changes = lab.journal
      .entries()
      .filter(
        ({ service, method, path }) => method !== 'GET' && service !== 'token' && !path.endsWith('temporary-table-credentials'),
      );
    expect(changes).toEqual([]);
  });

  it.each(MODES)('for %s is reported without a secret or a token', async (mode) => {
    const { target } = await start(mode);
    const text = (await examine(target, true)).map((result) => describeResult(result) + JSON.stringify(result)).join('\n');
    for (const secret of [CLIENT.secret, 'vended', 'AKIAEXAMPLE', 'eyJ']) expect(text).not.toContain(secret);
  });
});

describe('what cannot be known', () => {
  it('is unknown for inherited grants, and the token of Zerobus decides', async () => {
    const { lab, target } = await start('managed-zerobus');
    lab.registry.grants.revoke(CLIENT.clientId, 'TABLE', NAME);
    lab.registry.grants.grant(CLIENT.clientId, 'CATALOG', 'main', 'SELECT', 'MODIFY');
    const results = await examine(target);
    expect(results.filter(({ status }) => status === 'unknown').map(({ id }) => id)).toEqual(['select', 'modify']);
    expect(missingIn(results)).toEqual(['zerobus-token']);
    expect(results.at(-1)?.found).toContain('DATABRICKS_GRANTS_MISSING');
    expect(obey(lab, cureOf(results, 'zerobus-token'))).toBe(3);
    expect(missingIn(await examine(target, true))).toEqual([]);
  });

  it('counts grants to a group for SQL, which reads them', async () => {
    const { lab, target } = await start('managed-sql');
    lab.switches.groups = ['loaders'];
    lab.registry.grants.revoke(CLIENT.clientId, 'CATALOG', 'main');
    expect(missingIn(await examine(target))).toEqual(['use-catalog']);
    lab.registry.grants.grant('loaders', 'CATALOG', 'main', 'USE CATALOG');
    const results = await examine(target);
    expect(results.find(({ id }) => id === 'use-catalog')?.found).toBe('granted on main by inheritance');
  });

  it('is unknown where a workspace does not tell a principal its grants, as long as it shows the objects', async () => {
    const { lab, target } = await start('managed-sql');
    lab.switches.tellsOwnGrants = false;
    const results = await examine(target, true);
    expect(missingIn(results)).toEqual([]);
    expect(results.filter(({ status }) => status === 'unknown').map(({ id }) => id)).toContain('use-catalog');
    lab.registry.grants.revoke(CLIENT.clientId, 'CATALOG', 'main');
    const after = await examine(target);
    expect(missingIn(after)).toEqual(['use-catalog']);
    expect(cureOf(after, 'use-catalog')).toContain('GRANT USE CATALOG ON CATALOG `main`');
  });

  it('is unknown while the workspace is throttled or away, not missing', async () => {
    const { lab, target } = await start('managed-sql');
    lab.faults.add({ service: 'warehouse-state', answer: { status: 503 } });
    const results = await examine(target, true);
    expect(results.find(({ id }) => id === 'warehouse')?.status).toBe('unknown');
    expect(missingIn(results)).toEqual([]);
  });

  it('is unknown when metastore and workspace tell neither region nor number', async () => {
    const { lab, target } = await start('managed-zerobus');
    lab.switches.metastoreRegion = undefined;
    lab.switches.tellsWorkspaceId = false;
    const results = await examine(target, true);
    expect(results.filter(({ status }) => status === 'unknown').map(({ id }) => id)).toEqual(['workspace-id', 'region']);
  });
});

describe('with --all', () => {
  it('everything that is missing is named, and what needs it is skipped', async () => {
    const { lab, target } = await start('managed-sql');
    lab.registry.grants.revoke(CLIENT.clientId, 'WAREHOUSE', 'abc123');
    lab.registry.grants.revoke(CLIENT.clientId, 'TABLE', NAME, 'MODIFY');
    lab.registry.grants.revoke(CLIENT.clientId, 'SCHEMA', 'main.fhir_staging', 'CREATE TABLE');
    const results = await examine(target, true);
    expect(missingIn(results)).toEqual(['warehouse', 'modify', 'staging-create-table']);
    expect(results.find(({ id }) => id === 'columns')).toMatchObject({ status: 'skipped', found: 'it needs table-kind' });
  });
});
