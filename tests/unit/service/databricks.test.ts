import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../../app/lib/clock.ts';
import { makeLogger } from '../../../app/log.ts';
import { Databricks } from '../../../app/service/databricks.ts';

const log = makeLogger('error', () => undefined);
const TABLE = {
  workspaceUrl: 'https://dbc-1.cloud.databricks.com',
  tableName: 'a.b.c',
  warehouseId: 'w',
  workspaceId: '1',
  region: 'x',
};
const workspaceUrls = ['https://dbc-1.cloud.databricks.com'];

describe('the service principal of the service', () => {
  let databricks: Databricks;
  afterEach(() => databricks.close());
  const make = (principal: ConstructorParameters<typeof Databricks>[0]['principal']): Databricks => {
    databricks = new Databricks({ principal, trust: {}, environment: {}, clock: systemClock, log });
    return databricks;
  };

  it('is used in the workspaces that it is for', () => {
    expect(() => make({ clientId: 'sp', clientSecret: 'secret-canary', workspaceUrls }).zerobusTokens(TABLE)).not.toThrow();
  });

  it.each([
    ['another workspace', { ...TABLE, workspaceUrl: 'https://evil.example' }],
    ['another host for Zerobus', { ...TABLE, zerobusEndpoint: 'https://evil.example' }],
  ])('never goes to %s that a destination names', (_what, table) => {
    const made = make({ clientId: 'sp', clientSecret: 'secret-canary', workspaceUrls });
    for (const use of [() => made.zerobusTokens(table), () => made.openTable(table)])
      expect(use).toThrow(
        expect.objectContaining({ code: 'DATABRICKS_HOST_NOT_TRUSTED', message: expect.not.stringContaining('canary') }),
      );
  });

  it('is missed where a destination names none', () => {
    expect(() => make(undefined).zerobusTokens(TABLE)).toThrow(expect.objectContaining({ code: 'SECRET_NOT_AVAILABLE' }));
  });
});
