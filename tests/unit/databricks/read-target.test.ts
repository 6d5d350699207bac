import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readStoredTarget, readTarget } from '../../../app/cli/databricks/read-target.ts';
import { aCall, aDestination, makeFixture, type Fixture } from '../../helpers/destination-fixture.ts';

let fixture: Fixture;
beforeEach(async () => {
  fixture = await makeFixture();
});
afterEach(() => fixture.stop());

const NOT_DIRECT = { tablePath: undefined, awsAccessKeyId: undefined, awsSecretAccessKey: undefined };
const MANAGED = {
  ...NOT_DIRECT,
  writeMode: { valueString: 'managed-zerobus' },
  databricksWorkspaceUrl: { valueString: 'https://w.cloud.databricks.com/' },
  databricksWorkspaceId: { valueString: '42' },
  databricksRegion: { valueString: 'us-east-1' },
  databricksClientId: { valueString: 'sp-1' },
  databricksClientSecret: { valueString: 'canary-secret' },
  tableName: { valueString: 'main.fhir.patients' },
  databricksWarehouseId: { valueString: 'abc123' },
  stagingTablePath: { valueString: 's3://bucket/staging/patients/' },
  skipInitialExport: undefined,
};
const EXPECTED = {
  mode: 'managed-zerobus',
  problems: [],
  workspaceUrl: 'https://w.cloud.databricks.com',
  workspaceId: '42',
  region: 'us-east-1',
  awsRegion: 'us-east-1',
  clientId: 'sp-1',
  clientSecret: 'canary-secret',
  table: ['main', 'fhir', 'patients'],
  warehouseId: 'abc123',
  stagingTablePath: 's3://bucket/staging/patients/',
};

describe('what the doctor examines', () => {
  it('is the same for a file and for the destination that was made of it', async () => {
    const resource = aDestination(MANAGED);
    expect(await readTarget(resource, {}, undefined)).toEqual(EXPECTED);
    const { status } = await fixture.operations.create(aCall({ resource }));
    expect(status).toBe(201);
    const stored = await fixture.deps.repository.get(String(resource['id']));
    expect(JSON.stringify(stored!.resource)).not.toContain('canary-secret');
    expect(readStoredTarget(stored!, {}, undefined)).toEqual(EXPECTED);
  });

  it('has no staging path without an initial export', async () => {
    const resource = aDestination({ ...MANAGED, skipInitialExport: { valueBoolean: true } });
    expect((await readTarget(resource, {}, undefined)).stagingTablePath).toBeUndefined();
  });

  it('leaves out values that are malformed, and names them', async () => {
    const changed = { databricksWorkspaceUrl: { valueString: 'w.cloud.databricks.com' }, tableName: { valueString: 'patients' } };
    const target = await readTarget(aDestination({ ...MANAGED, ...changed }), {}, undefined);
    expect(target.workspaceUrl).toBeUndefined();
    expect(target.table).toBeUndefined();
    expect(target.problems).toHaveLength(2);
    expect(target.problems.join()).not.toContain('canary');
  });

  it('uses the principal of the service where the destination names none', async () => {
    const resource = aDestination({ ...MANAGED, databricksClientId: undefined, databricksClientSecret: undefined });
    const environment = { DATABRICKS_CLIENT_ID: 'own', DATABRICKS_CLIENT_SECRET: 'own-secret' };
    expect(await readTarget(resource, environment, undefined)).toMatchObject({
      clientId: 'own',
      clientSecret: 'own-secret',
      problems: [],
    });
    expect((await readTarget(resource, {}, undefined)).problems).toHaveLength(2);
  });

  it('is not held up by what only this build cannot do', async () => {
    const resource = aDestination({ ...MANAGED, writeMode: { valueString: 'external-direct' }, stagingTablePath: undefined });
    const target = await readTarget(resource, {}, undefined);
    expect(target).toMatchObject({ mode: 'external-direct', problems: [] });
  });
});
