import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DatabricksLab } from '../../../lab/databricks/lab.ts';
import type { Privilege } from '../../../lab/databricks/registry/grants.ts';
import type { NewTable } from '../../../lab/databricks/registry/registry.ts';
import type { TableType } from '../../../lab/databricks/registry/table.ts';
import { callUnity, CLIENT, mintPlain, reasonOf, STAGING, startUnityLab, TABLE, type Answered } from './client.ts';

/** Sections 4.2 to 4.5: credentials for external engines, and external tables. */

let lab: DatabricksLab;
let token: string;

beforeEach(async () => {
  lab = await startUnityLab();
  token = await mintPlain(lab);
});
afterEach(() => lab.close());

const call = (method: string, path: string, body?: unknown, version = '2.1'): Promise<Answered> =>
  callUnity(lab, token, method, path, { body, version });

/** The body of 4.5 for a staging table. */
const newTable = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  name: 'patient_staging_ab12',
  catalog_name: 'main',
  schema_name: 'fhir_staging',
  table_type: 'EXTERNAL',
  data_source_format: 'DELTA',
  storage_location: 's3://bucket/staging/patient_ab12',
  columns: [{ name: 'id', type_name: 'STRING', type_text: 'string', type_json: '"string"', position: 0, nullable: true }],
  ...changes,
});

describe('4.2 temporary-table-credentials', () => {
  const make = (options: Partial<NewTable> = {}): string => {
    const name = `${STAGING}.t`;
    const storageLocation = 's3://bucket/staging/t';
    const defaults = { columns: [['id', 'STRING']], type: 'EXTERNAL', storageLocation } as const;
    const table = lab.registry.createTable(name, { ...defaults, ...options });
    lab.registry.grants.grant(CLIENT.id, 'TABLE', name, 'SELECT', 'MODIFY');
    return table.facts.tableId;
  };
  const vend = (table_id: string, operation = 'READ_WRITE', version = '2.1') =>
    call('POST', 'temporary-table-credentials', { table_id, operation }, version);

  it.each(['2.0', '2.1'] as const)('vends keys for an external Delta table on %s', async (version) => {
    const id = make();
    const answer = await vend(id, 'READ_WRITE', version);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      aws_temp_credentials: { access_key_id: 'AKIA', secret_access_key: 'shh', session_token: 'session' },
      expiration_time: expect.any(Number),
      url: 's3://bucket/staging/t',
    });
    expect(Math.abs((answer.json['expiration_time'] as number) - Date.now() - 5_000)).toBeLessThan(60_000);
    lab.switches.credentialPaths = version === '2.0' ? '2.1' : '2.0';
    expect((await vend(id, 'READ', version)).status).toBe(404);
  });

  it('5.4 a table on the local disk: no member with credentials', async () => {
    const answer = await vend(make({ storageLocation: `file://${lab.registry.dataFolder}/t` }));
    expect(Object.keys(answer.json).sort()).toEqual(['expiration_time', 'url']);
  });

  it.each(['older', 'newer'] as const)(
    '4.3 READ_WRITE of a managed table is refused (%s text), READ is not',
    async (externalWriteText) => {
      lab.switches.externalWriteText = externalWriteText;
      const id = make({ type: 'MANAGED' });
      const answer = await vend(id);
      expect([answer.status, answer.json['error_code'], reasonOf(answer)]).toEqual([
        400,
        'INVALID_PARAMETER_VALUE',
        'EXTERNAL_WRITE_NOT_ALLOWED_FOR_TABLE',
      ]);
      expect(answer.json['message']).toContain(
        externalWriteText === 'older' ? 'due to its kind being TABLE_DELTA.' : 'not eligible',
      );
      expect(answer.json['details']).toMatchObject([
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          domain: 'unity-catalog.databricks.com',
          metadata: { securableKind: 'TABLE_DELTA' },
        },
        { request_id: expect.any(String) },
      ]);
      expect((await vend(id, 'READ')).status).toBe(200);
    },
  );

  it.each(['VIEW', 'FOREIGN', 'EXTERNAL_SHALLOW_CLONE'] as TableType[])('refuses a %s', async (type) => {
    expect((await vend(make({ type }), 'READ')).status).toBe(400);
  });

  it('refuses a table with a row filter', async () => {
    expect((await vend(make({ hasRowFilter: true }), 'READ')).status).toBe(400);
  });

  it.each(['403', '401 with reason'] as const)(
    'without EXTERNAL USE SCHEMA: %s; ALL PRIVILEGES and ownership do not imply it',
    async (form) => {
      lab.switches.credentialsDenied = form;
      const id = make({ owner: CLIENT.id });
      lab.registry.grants.revoke(CLIENT.id, 'SCHEMA', STAGING, 'EXTERNAL USE SCHEMA');
      lab.registry.grants.grant(CLIENT.id, 'SCHEMA', STAGING, 'ALL PRIVILEGES');
      const answer = await vend(id);
      if (form === '403') {
        expect([answer.status, answer.json['message']]).toEqual([
          403,
          `User does not have EXTERNAL USE SCHEMA on Schema '${STAGING}'.`,
        ]);
      } else {
        expect([answer.status, reasonOf(answer)]).toEqual([401, 'UNITY_CATALOG_EXTERNAL_GENERATE_TABLE_CREDENTIALS_DENIED']);
      }
    },
  );

  it('with external access switched off: 403 and its text', async () => {
    lab.switches.externalAccessEnabled = false;
    const answer = await vend(make());
    expect([answer.status, answer.json['error_code'], reasonOf(answer)]).toEqual([
      403,
      'PERMISSION_DENIED',
      'EXTERNAL_ACCESS_DISABLED_ON_METASTORE',
    ]);
    expect(answer.json['message']).toContain(
      'External Data Access from non Databricks Compute environment is disabled for metastore',
    );
  });

  it.each<[Privilege, string, number]>([
    ['MODIFY', 'READ_WRITE', 403],
    ['MODIFY', 'READ', 200],
    ['SELECT', 'READ', 403],
  ])('without %s, %s: %i', async (privilege, operation, status) => {
    const id = make();
    lab.registry.grants.revoke(CLIENT.id, 'TABLE', `${STAGING}.t`, privilege);
    expect((await vend(id, operation)).status).toBe(status);
  });

  it('an unknown id: 404; an unknown operation: 400', async () => {
    expect((await vend('00000000-0000-4000-8000-000000000000')).status).toBe(404);
    expect((await vend(make(), 'WRITE')).status).toBe(400);
  });
});

describe('4.4 temporary-path-credentials', () => {
  const vend = (url: string, operation = 'PATH_CREATE_TABLE') => call('POST', 'temporary-path-credentials', { url, operation });

  it('vends inside an external location', async () => {
    const answer = await vend('s3://bucket/new/t');
    expect(answer.json).toMatchObject({ aws_temp_credentials: { access_key_id: 'AKIA' }, url: 's3://bucket/new/t' });
    expect(
      (await call('POST', 'temporary-path-credentials', { url: 's3://bucket/n', operation: 'PATH_READ', dry_run: true })).json,
    ).toEqual({});
  });

  it.each([
    ['s3://other/t', 403],
    ['s3://bucket/managed/t', 400],
    ['s3://bucket/staging/__unitystorage/t', 400],
    ['s3://bucket/staging', 400],
  ])('%s: %i', async (url, status) => {
    expect((await vend(url)).status).toBe(status);
  });

  it('without EXTERNAL USE LOCATION: 403, or 401 in the older form; 10.9 not asked for when switched so', async () => {
    lab.registry.grants.revoke(CLIENT.id, 'EXTERNAL LOCATION', 'bucket', 'EXTERNAL USE LOCATION');
    expect((await vend('s3://bucket/new/t')).json['message']).toBe(
      "User does not have EXTERNAL USE LOCATION on External Location 'bucket'.",
    );
    lab.switches.credentialsDenied = '401 with reason';
    expect(reasonOf(await vend('s3://bucket/new/t'))).toBe('UNITY_CATALOG_EXTERNAL_GENERATE_PATH_CREDENTIALS_DENIED');
    lab.switches.externalUseLocationNeeded = false;
    expect((await vend('s3://bucket/new/t')).status).toBe(200);
  });

  it('inside a table that exists: only that table, and it needs EXTERNAL USE SCHEMA', async () => {
    await call('POST', 'tables', newTable());
    expect((await vend('s3://bucket/staging/patient_ab12/part', 'PATH_READ_WRITE')).status).toBe(200);
    lab.registry.grants.revoke(CLIENT.id, 'SCHEMA', STAGING, 'EXTERNAL USE SCHEMA');
    expect((await vend('s3://bucket/staging/patient_ab12/part', 'PATH_READ_WRITE')).status).toBe(403);
  });
});

describe('4.5 POST and DELETE tables', () => {
  it('registers an external Delta table, which is then found, used and dropped', async () => {
    const made = await call('POST', 'tables', newTable());
    expect(made.status).toBe(200);
    expect(made.json).toMatchObject({ full_name: `${STAGING}.patient_staging_ab12`, owner: CLIENT.id, table_type: 'EXTERNAL' });
    const vended = await call('POST', 'temporary-table-credentials', {
      table_id: made.json['table_id'],
      operation: 'READ_WRITE',
    });
    expect(vended.json['url']).toBe('s3://bucket/staging/patient_ab12');
    expect((await call('DELETE', `tables/${STAGING}.patient_staging_ab12`)).json).toEqual({});
    expect((await call('DELETE', `tables/${STAGING}.patient_staging_ab12`)).status).toBe(404);
  });

  it.each<[string, Record<string, unknown>, number, string]>([
    ['a managed table', { table_type: 'MANAGED' }, 400, 'INVALID_PARAMETER_VALUE'],
    ['another format', { data_source_format: 'PARQUET' }, 400, 'INVALID_PARAMETER_VALUE'],
    ['no location', { storage_location: undefined }, 400, 'INVALID_PARAMETER_VALUE'],
    ['managed storage', { storage_location: 's3://bucket/managed/x' }, 400, 'INVALID_PARAMETER_VALUE'],
    ["the schema's own root", { storage_location: 's3://bucket/staging/' }, 400, 'LOCATION_OVERLAP'],
    ['the root of the external location', { storage_location: 's3://bucket' }, 400, 'LOCATION_OVERLAP'],
    ['no external location', { storage_location: 's3://other/x' }, 403, 'PERMISSION_DENIED'],
    [
      'types that differ',
      { columns: [{ name: 'id', type_name: 'INT', type_text: 'int', type_json: '"string"', position: 0 }] },
      400,
      'INVALID_PARAMETER_VALUE',
    ],
    [
      'positions that do not count up',
      { columns: [{ name: 'id', type_name: 'INT', type_text: 'int', type_json: '"integer"', position: 1 }] },
      400,
      'INVALID_PARAMETER_VALUE',
    ],
    ['no such schema', { schema_name: 'no' }, 404, 'SCHEMA_DOES_NOT_EXIST'],
  ])('%s: refused', async (_, changes, status, code) => {
    const answer = await call('POST', 'tables', newTable(changes));
    expect([answer.status, answer.json['error_code']]).toEqual([status, code]);
  });

  it.each([
    ['SCHEMA', STAGING, 'CREATE TABLE'],
    ['SCHEMA', STAGING, 'EXTERNAL USE SCHEMA'],
    ['SCHEMA', STAGING, 'USE SCHEMA'],
    ['EXTERNAL LOCATION', 'bucket', 'CREATE EXTERNAL TABLE'],
    ['EXTERNAL LOCATION', 'bucket', 'EXTERNAL USE LOCATION'],
  ] as const)('without %s %s %s: 403 that names it', async (kind, name, privilege) => {
    lab.registry.grants.revoke(CLIENT.id, kind, name, privilege);
    const answer = await call('POST', 'tables', newTable());
    expect([answer.status, answer.json['error_code']]).toEqual([403, 'PERMISSION_DENIED']);
    expect(answer.json['message']).toContain(privilege);
  });

  it.each(['400 TABLE_ALREADY_EXISTS', '409 ALREADY_EXISTS', '409 RESOURCE_ALREADY_EXISTS', '409 RESOURCE_CONFLICT'] as const)(
    'a name that is taken: %s',
    async (alreadyExists) => {
      lab.switches.alreadyExists = alreadyExists;
      await call('POST', 'tables', newTable());
      const answer = await call('POST', 'tables', newTable());
      expect(`${answer.status} ${String(answer.json['error_code'])}`).toBe(alreadyExists);
    },
  );

  it.each(['s3://bucket/staging/patient_ab12', 's3://bucket/staging/patient_ab12/sub'])(
    'the place of another table, %s: overlap',
    async (location) => {
      await call('POST', 'tables', newTable());
      const answer = await call('POST', 'tables', newTable({ name: 'second', storage_location: location }));
      expect([answer.status, reasonOf(answer)]).toEqual([400, 'LOCATION_OVERLAP']);
      expect(answer.json['message']).toContain('overlaps with other external tables or volumes');
      const beside = newTable({ name: 'second', storage_location: 's3://bucket/staging/patient_ab123' });
      expect((await call('POST', 'tables', beside)).status).toBe(200);
    },
  );

  it('DELETE needs ownership', async () => {
    expect((await call('DELETE', `tables/${TABLE}`)).status).toBe(403);
  });
});
