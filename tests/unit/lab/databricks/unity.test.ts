import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DatabricksLab } from '../../../lab/databricks/lab.ts';
import { callUnity, CLIENT, mintPlain, send, STAGING, startUnityLab, TABLE, type Answered } from './client.ts';

/** Section 4: Unity Catalog over REST. */

let lab: DatabricksLab;
let token: string;

beforeEach(async () => {
  lab = await startUnityLab();
  token = await mintPlain(lab);
});
afterEach(() => lab.close());

const call = (method: string, path: string, body?: unknown, version = '2.1'): Promise<Answered> =>
  callUnity(lab, token, method, path, { body, version });

describe('4.1 GET table', () => {
  it('tells identity, kind, location and columns; columns out of order, type_json in both spellings', async () => {
    const answer = await call('GET', `tables/${TABLE}`);
    const facts = lab.registry.table(TABLE).facts;
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      name: 'patient',
      catalog_name: 'main',
      schema_name: 'fhir',
      full_name: TABLE,
      table_id: facts.tableId,
      metastore_id: lab.registry.metastoreId,
      table_type: 'MANAGED',
      data_source_format: 'DELTA',
      storage_location: facts.storageLocation,
      owner: 'admin',
      properties: {},
    });
    const columns = answer.json['columns'] as Record<string, unknown>[];
    expect(columns.map((column) => column['position'])).not.toEqual([0, 1, 2, 3]);
    const sorted = columns.sort((a, b) => Number(a['position']) - Number(b['position']));
    expect(sorted).toMatchObject([
      { name: 'id', type_text: 'string', type_name: 'STRING', type_json: '"string"', nullable: false, comment: 'logical id' },
      { name: 'amount', type_text: 'decimal(10,2)', type_name: 'DECIMAL', type_precision: 10, type_scale: 2, nullable: true },
      { name: 'names', type_text: 'array<struct<a:string,b:bigint>>', type_name: 'ARRAY' },
      { name: 'seen', type_text: 'timestamp_ntz', type_name: 'TIMESTAMP_NTZ' },
    ]);
    expect(JSON.parse(sorted[1]?.['type_json'] as string)).toEqual({
      name: 'amount',
      type: 'decimal(10,2)',
      nullable: true,
      metadata: {},
    });
    lab.switches.shuffledColumns = false;
    lab.switches.typeJson = 'bare';
    const plain = (await call('GET', `tables/${TABLE}`)).json['columns'] as Record<string, unknown>[];
    expect(plain.map((column) => column['type_json'])[1]).toBe('"decimal(10,2)"');
    expect(plain.map((column) => column['position'])).toEqual([0, 1, 2, 3]);
  });

  it('shows a column that was added, and protocol features when asked for', async () => {
    await lab.registry.addColumns(TABLE, [['city', 'STRING']]);
    const answer = await call('GET', `tables/${TABLE}?include_delta_metadata=true&include_manifest_capabilities=true`);
    expect((answer.json['columns'] as { name: string }[]).map((column) => column.name)).toContain('city');
    expect(answer.json['delta_runtime_properties_kvpairs']).toMatchObject({
      delta_runtime_properties: { 'delta.minWriterVersion': '7', 'delta.feature.timestampNtz': 'supported' },
    });
    expect(answer.json['securable_kind_manifest']).toEqual({ securable_kind: 'TABLE_DELTA', capabilities: [] });
  });

  it.each([
    ['CATALOG', 'main', 'USE CATALOG', "User does not have USE CATALOG on Catalog 'main'."],
    ['SCHEMA', 'main.fhir', 'USE SCHEMA', "User does not have USE SCHEMA on Schema 'main.fhir'."],
  ] as const)('without the grant on the %s: 403', async (kind, name, privilege, message) => {
    lab.registry.grants.revoke(CLIENT.id, kind, name, privilege);
    const answer = await call('GET', `tables/${TABLE}`);
    expect([answer.status, answer.json['error_code'], answer.json['message']]).toEqual([403, 'PERMISSION_DENIED', message]);
  });

  it.each([
    ['no.fhir.patient', 'CATALOG_DOES_NOT_EXIST'],
    ['main.no.patient', 'SCHEMA_DOES_NOT_EXIST'],
    ['main.fhir.no', 'TABLE_DOES_NOT_EXIST'],
  ])('%s: 404 %s, or a code for all', async (name, code) => {
    const answer = await call('GET', `tables/${name}`);
    expect([answer.status, answer.json['error_code']]).toEqual([404, code]);
    lab.switches.notFoundCode = 'RESOURCE_DOES_NOT_EXIST';
    expect((await call('GET', `tables/${name}`)).json['error_code']).toBe('RESOURCE_DOES_NOT_EXIST');
  });

  it('exists tells true and false', async () => {
    expect((await call('GET', `tables/${TABLE}/exists`)).json).toEqual({ table_exists: true });
    expect((await call('GET', 'tables/main.fhir.no/exists')).json).toEqual({ table_exists: false });
  });
});

describe('4.6 tokens', () => {
  it.each(['', 'x.y.z'])('the token %j: 401', async (bad) => {
    token = bad;
    expect((await call('GET', `tables/${TABLE}`)).status).toBe(401);
  });

  it('an expired one: 401; a personal one (1.5) is taken', async () => {
    lab.tokens.expireAll();
    const answer = await call('GET', `tables/${TABLE}`);
    expect([answer.status, answer.json['message']]).toEqual([401, 'Token is expired']);
    lab.principals.addPersonalToken('dapi1', CLIENT.id);
    token = 'dapi1';
    expect((await call('GET', `tables/${TABLE}`)).status).toBe(200);
  });
});

describe('permissions', () => {
  it('4.6 EXTERNAL USE SCHEMA is not applicable to a schema without a storage root, and is granted by the owner of the catalog', async () => {
    lab.principals.addPersonalToken('dapi-admin', 'admin');
    token = 'dapi-admin';
    const change = { changes: [{ principal: 'sp-2', add: ['EXTERNAL_USE_SCHEMA'] }] };
    const refused = await call('PATCH', 'permissions/schema/main.fhir', change);
    expect([refused.status, refused.json['message']]).toEqual([
      400,
      'Privilege EXTERNAL USE SCHEMA is not applicable to this entity.',
    ]);
    expect((await call('PATCH', `permissions/schema/${STAGING}`, change)).status).toBe(200);
    const seen = await call('GET', `permissions/schema/${STAGING}?principal=sp-2`);
    expect(seen.json).toEqual({ privilege_assignments: [{ principal: 'sp-2', privileges: ['EXTERNAL_USE_SCHEMA'] }] });
    token = await mintPlain(lab);
    expect((await call('PATCH', `permissions/schema/${STAGING}`, change)).status).toBe(403);
  });

  it('effective permissions hold the inherited ones', async () => {
    lab.registry.grants.grant(CLIENT.id, 'CATALOG', 'main', 'CREATE TABLE');
    const answer = await call('GET', `effective-permissions/schema/main.fhir`);
    expect(answer.json).toEqual({
      privilege_assignments: [
        {
          principal: CLIENT.id,
          privileges: [
            { privilege: 'USE_SCHEMA' },
            { privilege: 'CREATE_TABLE', inherited_from_type: 'CATALOG', inherited_from_name: 'main' },
          ],
        },
      ],
    });
  });

  it('catalogs and schemas tell their storage roots', async () => {
    expect((await call('GET', 'catalogs/main')).json['storage_root']).toBe('s3://bucket/managed');
    expect((await call('GET', 'schemas/main.fhir')).json).not.toHaveProperty('storage_root');
    expect((await call('GET', `schemas/${STAGING}`)).json['storage_root']).toBe('s3://bucket/staging/');
  });
});

describe('3.7 states of warehouses', () => {
  const ask = (method: string, path: string) =>
    send(`${lab.workspaceUrl}/api/2.0/sql/warehouses/${path}`, { method, headers: { authorization: `Bearer ${token}` } });

  it('a warehouse is started by POST and needs CAN USE', async () => {
    lab.warehouses.add('w1', { state: 'STOPPED' });
    expect((await ask('GET', 'w1')).status).toBe(403);
    lab.registry.grants.grant(CLIENT.id, 'WAREHOUSE', 'w1', 'CAN USE');
    expect((await ask('GET', 'w1')).json['state']).toBe('STOPPED');
    expect((await ask('POST', 'w1/start')).status).toBe(200);
    expect((await ask('GET', 'w1')).json['state']).toBe('RUNNING');
    expect((await ask('GET', 'w2')).status).toBe(404);
  });

  it('a start takes its time', async () => {
    const warehouse = lab.warehouses.add('w1', { state: 'STOPPED', startMs: 60_000 });
    lab.registry.grants.grant(CLIENT.id, 'WAREHOUSE', 'w1', 'CAN USE');
    await ask('POST', 'w1/start');
    expect((await ask('GET', 'w1')).json['state']).toBe('STARTING');
    lab.warehouses.stop(warehouse);
    expect((await ask('GET', 'w1')).json['state']).toBe('STOPPED');
  });
});
