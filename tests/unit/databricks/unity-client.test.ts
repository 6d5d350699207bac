import { afterEach, describe, expect, it } from '@jest/globals';
import { makeHttpClient, type HttpClient } from '../../../app/databricks/http-client.ts';
import { makeTokenSource } from '../../../app/databricks/token-source.ts';
import { makeUnityClient, type UnityClient } from '../../../app/databricks/unity-client.ts';
import { AppError } from '../../../app/errors/app-error.ts';
import type { ErrorCode } from '../../../app/errors/catalogue.ts';
import { systemClock } from '../../../app/lib/clock.ts';
import type { DatabricksLab } from '../../lab/databricks/lab.ts';
import { NAMED_ERRORS } from '../../lab/databricks/taxonomy.ts';
import type { LabSwitches } from '../../lab/databricks/options.ts';
import { CLIENT, startLab, TABLE } from '../lab/databricks/client.ts';

let lab: DatabricksLab;
let isOpen = false;
let http: HttpClient;
afterEach(async () => {
  if (!isOpen) return;
  isOpen = false;
  await http.close();
  await lab.close();
});

async function open(
  switches: Partial<LabSwitches> = {},
  columns: Parameters<typeof startLab>[0] = [['id', 'STRING']],
): Promise<UnityClient> {
  lab = await startLab(columns, switches, { vending: { aws: { accessKeyId: 'A', secretAccessKey: 'S', sessionToken: 'T' } } });
  http = makeHttpClient({ timeoutMs: 10_000 });
  isOpen = true;
  const { workspaceUrl } = lab;
  const credentials = { kind: 'principal', clientId: CLIENT.id, clientSecret: CLIENT.secret } as const;
  const tokens = makeTokenSource({ http, clock: systemClock, workspaceUrl, credentials });
  return makeUnityClient({ http, workspaceUrl, tokens });
}

async function failureOf(call: Promise<unknown>): Promise<AppError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof AppError) return error;
  throw new Error('an AppError was expected', { cause: error });
}

describe('a table in Unity Catalog', () => {
  it.each(['bare', 'field', 'mixed'] as const)(
    'has its columns by position and type, with type_json spelled as %s',
    async (typeJson) => {
      const unity = await open({ typeJson, shuffledColumns: true }, [
        ['id', 'STRING NOT NULL'],
        ['amount', 'DECIMAL(10,2)'],
        ['names', 'ARRAY<STRING>'],
        ['who', 'STRUCT<a: STRING>'],
        ['seen', 'TIMESTAMP_NTZ'],
        ['count', 'BIGINT'],
      ]);
      const table = await unity.getTable(TABLE);
      expect(table).toMatchObject({
        fullName: TABLE,
        tableType: 'MANAGED',
        format: 'DELTA',
        isFiltered: false,
        predictiveOptimization: 'ENABLE',
      });
      expect(table.tableId).toBe(lab.registry.table(TABLE).facts.tableId);
      expect(table.columns.map(({ name, type, nullable }) => [name, type, nullable])).toEqual([
        ['id', { kind: 'string' }, false],
        ['amount', { kind: 'decimal', precision: 10, scale: 2 }, true],
        ['names', { kind: 'array', element: { kind: 'string' }, containsNull: true }, true],
        ['who', undefined, true],
        ['seen', { kind: 'timestamp_ntz' }, true],
        ['count', { kind: 'long' }, true],
      ]);
    },
  );

  it('tells the features of its Delta log', async () => {
    const unity = await open();
    lab.registry.dropTable(TABLE);
    lab.registry.createTable(TABLE, { columns: [['id', 'STRING']], features: ['deletionVectors'] });
    expect((await unity.getTable(TABLE)).properties).toMatchObject({ 'delta.feature.deletionVectors': 'supported' });
  });
});

/** Contract §4.6 and §7.2. */
const MEANINGS: Readonly<Record<string, ErrorCode>> = {
  EXTERNAL_WRITE_NOT_ALLOWED_FOR_TABLE: 'UNITY_EXTERNAL_WRITE_NOT_ALLOWED',
  EXTERNAL_ACCESS_DISABLED_ON_METASTORE: 'UNITY_EXTERNAL_ACCESS_DISABLED',
  'EXTERNAL USE SCHEMA': 'UNITY_EXTERNAL_USE_SCHEMA_MISSING',
  '401 table credentials denied': 'UNITY_EXTERNAL_USE_SCHEMA_MISSING',
  '401 path credentials denied': 'UNITY_EXTERNAL_USE_SCHEMA_MISSING',
  'managed overlap': 'UNITY_LOCATION_OVERLAP',
  LOCATION_OVERLAP: 'UNITY_LOCATION_OVERLAP',
  'EXTERNAL USE SCHEMA is not applicable': 'UNITY_EXTERNAL_USE_SCHEMA_MISSING',
  TABLE_DOES_NOT_EXIST: 'UNITY_NOT_FOUND',
  SCHEMA_DOES_NOT_EXIST: 'UNITY_NOT_FOUND',
  CATALOG_DOES_NOT_EXIST: 'UNITY_NOT_FOUND',
  TABLE_ALREADY_EXISTS: 'UNITY_ALREADY_EXISTS',
  RESOURCE_ALREADY_EXISTS: 'UNITY_ALREADY_EXISTS',
  RESOURCE_CONFLICT: 'DATABRICKS_UNAVAILABLE',
  ABORTED: 'DATABRICKS_UNAVAILABLE',
  PERMISSION_DENIED: 'UNITY_PRIVILEGE_MISSING',
  'IP access list': 'DATABRICKS_FORBIDDEN',
  '401 invalid token': 'DATABRICKS_TOKEN_REFUSED',
  '401 without code': 'DATABRICKS_TOKEN_REFUSED',
  '429': 'DATABRICKS_THROTTLED',
  '429 RESOURCE_EXHAUSTED': 'DATABRICKS_THROTTLED',
  '500': 'DATABRICKS_UNAVAILABLE',
  '503': 'DATABRICKS_UNAVAILABLE',
  '504': 'DATABRICKS_UNAVAILABLE',
};

describe('an error of Unity Catalog', () => {
  const known = Object.entries(NAMED_ERRORS.unity ?? {});
  const own = known.filter(([, { body }]) => typeof body === 'object' || body === undefined).map(([name]) => name);

  it('is known for each that the stand-in can answer in the form of Unity Catalog', () => {
    expect(
      own.filter((name) => MEANINGS[name] === undefined && !/^\d+ empty$/.test(name) && !/proxy|html|408|502|413/.test(name)),
    ).toEqual([]);
  });

  it.each(Object.entries(MEANINGS))('%s means %s, and its text is not shown', async (name, code) => {
    const unity = await open();
    lab.faults.add({ service: 'unity', error: name, count: null });
    const failure = await failureOf(unity.getTable(TABLE));
    expect(failure.code).toBe(code);
    const answer = (NAMED_ERRORS.unity?.[name]?.body ?? {}) as {
      readonly message?: string;
      readonly details?: readonly { request_id?: string }[];
    };
    expect(failure.message).toContain('main.fhir.patient');
    if (answer.message !== undefined) expect(failure.message).not.toContain(answer.message);
    const requestId = answer.details?.find((detail) => detail.request_id !== undefined)?.request_id;
    if (requestId !== undefined && !/^DATABRICKS_(THROTTLED|UNAVAILABLE)$/.test(code))
      expect(failure.message).toContain(requestId);
  });

  it('names the privilege that is missing', async () => {
    const unity = await open();
    lab.registry.grants.revoke(CLIENT.id, 'SCHEMA', 'main.fhir');
    const failure = await failureOf(unity.getTable(TABLE));
    expect(failure).toMatchObject({ code: 'UNITY_PRIVILEGE_MISSING', facts: { status: 403, privilege: 'USE SCHEMA' } });
  });

  it.each([
    ['403', 'older'],
    ['403', 'newer'],
    ['401 with reason', 'older'],
  ] as const)('for credentials is told apart by its reason (%s, %s)', async (credentialsDenied, externalWriteText) => {
    const unity = await open({ credentialsDenied, externalWriteText });
    const { tableId } = lab.registry.table(TABLE).facts;
    expect((await failureOf(unity.proveCredentials(tableId, 'x'))).code).toBe('UNITY_EXTERNAL_USE_SCHEMA_MISSING');
    lab.registry.grants.grant(CLIENT.id, 'SCHEMA', 'main.fhir', 'EXTERNAL USE SCHEMA');
    expect((await failureOf(unity.proveCredentials(tableId, 'x'))).code).toBe('UNITY_EXTERNAL_WRITE_NOT_ALLOWED');
  });
});

describe('the client', () => {
  it('asks once more with a new token when one is refused', async () => {
    const unity = await open();
    await unity.getTable(TABLE);
    lab.tokens.expireAll();
    expect((await unity.getTable(TABLE)).fullName).toBe(TABLE);
    expect(lab.tokens.count).toBe(2);
  });

  it('reads lists to their last page, over empty ones', async () => {
    const unity = await open();
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      lab.registry.createExternalLocation(name, `s3://${name}/`);
      lab.registry.grants.grant(CLIENT.id, 'EXTERNAL LOCATION', name, 'READ FILES');
    }
    expect((await unity.listExternalLocations()).map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('asks for a number of results only when it follows a page', async () => {
    const unity = await open();
    const queries: string[] = [];
    const recording: HttpClient = {
      ...http,
      send: (request) => (queries.push(new URL(request.url).search), http.send(request)),
    };
    const { workspaceUrl } = lab;
    const credentials = { kind: 'principal', clientId: CLIENT.id, clientSecret: CLIENT.secret } as const;
    const tokens = makeTokenSource({ http, clock: systemClock, workspaceUrl, credentials });
    lab.registry.createExternalLocation('a', 's3://a/');
    lab.registry.grants.grant(CLIENT.id, 'EXTERNAL LOCATION', 'a', 'READ FILES');
    await makeUnityClient({ http: recording, workspaceUrl, tokens }).listExternalLocations();
    expect(queries).toEqual(['', '?max_results=0&page_token=1']);
    expect(await unity.listExternalLocations()).toHaveLength(1);
  });

  it.each(['ENDPOINT_NOT_FOUND', 'empty', 'page'] as const)(
    'tells a call that the workspace does not have (%s) from an object that is not there',
    async (absentRouteAnswer) => {
      const unity = await open({ absentRoutes: 'all but tables', absentRouteAnswer });
      for (const call of [
        unity.getMetastore(),
        unity.getCatalog('main'),
        unity.getSchema('main.fhir'),
        unity.listExternalLocations(),
        unity.listPrivileges('table', TABLE, CLIENT.id),
        unity.getWarehouse('abc'),
        unity.getCaller(),
      ])
        expect((await failureOf(call)).code).toBe('UNITY_CALL_ABSENT');
      expect((await failureOf(unity.getTable('main.fhir.none'))).code).toBe('UNITY_NOT_FOUND');
      lab.switches.absentRoutes = 'none';
      expect((await failureOf(unity.getCatalog('none'))).code).toBe('UNITY_NOT_FOUND');
    },
  );

  it('tells direct grants from inherited ones', async () => {
    const unity = await open();
    lab.registry.grants.revoke(CLIENT.id, 'TABLE', TABLE, 'MODIFY');
    lab.registry.grants.grant(CLIENT.id, 'CATALOG', 'main', 'MODIFY');
    expect(await unity.listPrivileges('table', TABLE, CLIENT.id)).toEqual([
      { privilege: 'SELECT', isDirect: true },
      { privilege: 'MODIFY', isDirect: false },
    ]);
  });

  it('says that something answered that is no workspace', async () => {
    const unity = await open();
    lab.faults.add({ service: 'unity', answer: { status: 200, body: 'hello' } });
    expect((await failureOf(unity.getMetastore())).code).toBe('DATABRICKS_WRONG_ADDRESS');
  });
});
