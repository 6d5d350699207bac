import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startServiceUnderTest, type ServiceUnderTest } from '../helpers/service-under-test.ts';
import { bothOf, describeWith, type Availability } from '../helpers/services/availability.ts';
import { CACHED, canImport, INSTALL, pythonOf } from '../helpers/services/cache.ts';
import { findDeltaRs } from '../helpers/services/delta-rs.ts';
import { findMinio, type Minio } from '../helpers/services/minio.ts';
import { asMultiset } from '../helpers/services/delta-reader.ts';
import { PRINCIPAL, startWorkspace, WAREHOUSE, type WorkspaceUnderTest } from '../helpers/workspace-under-test.ts';
import type { ColumnText } from '../lab/databricks/registry/table.ts';
import { findSourceDocument, type DocumentedDestination, type DocumentedResource } from '../helpers/source-document.ts';

const QUERY_SCRIPT = fileURLToPath(new URL('../helpers/python/query_delta.py', import.meta.url));

/** What a reader puts in for each placeholder of the examples with Databricks. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  $DATABRICKS_HOST: 'https://dbc-1.cloud.databricks.com',
  '<workspace-id>': '1234567890123456',
  $AWS_REGION: 'us-east-1',
  $SP_CLIENT_ID: 'sp-1',
  $SP_CLIENT_SECRET: 'dose-1',
  $CATALOG: 'aidbox_export',
  $TARGET_SCHEMA: 'fhir',
  $TARGET_TABLE: 'patients',
  $WAREHOUSE_ID: 'abc123',
  $STAGING_BUCKET: 'my-bucket',
};

/** The table of the document's tutorial. */
const TARGET_COLUMNS: readonly ColumnText[] = [
  ['id', 'STRING'],
  ['gender', 'STRING'],
  ['birth_date', 'DATE'],
  ['family_name', 'STRING'],
  ['given_name', 'STRING'],
  ['is_deleted', 'INT'],
];

function addressesOf({ lab }: WorkspaceUnderTest): Readonly<Record<string, string>> {
  return {
    $DATABRICKS_HOST: lab.workspaceUrl,
    '<workspace-id>': lab.workspaceId,
    $SP_CLIENT_ID: PRINCIPAL.clientId,
    $SP_CLIENT_SECRET: PRINCIPAL.secret,
    $CATALOG: 'main',
    $TARGET_SCHEMA: 'fhir',
    $WAREHOUSE_ID: WAREHOUSE,
  };
}

interface Outcome {
  readonly issue: readonly { readonly code: string; readonly diagnostics: string; readonly expression?: readonly string[] }[];
}

/** The Python that the tests with delta-rs use, for queries. */
async function findPython(): Promise<Availability<string>> {
  const python = process.env['TEST_PYTHON'] ?? pythonOf(CACHED.deltaRs);
  const name = 'delta-rs';
  return (await canImport(python, 'deltalake', 'pyarrow')) ? { name, found: python } : { name, enableBy: INSTALL };
}

const documentAndReader = bothOf(findSourceDocument(), bothOf(await findDeltaRs(), await findPython()));

describeWith(bothOf(documentAndReader, await findMinio()), 'who follows the source document', (parts) => {
  const [[document, [deltaRs, python]], startMinio] = parts;
  const payloads = document.bodiesOf('/fhir/AidboxTopicDestination') as readonly DocumentedDestination[];
  const [view] = document.bodiesOf('/fhir/ViewDefinition');
  let service: ServiceUnderTest;
  let minio: Minio;
  let workspace: WorkspaceUnderTest;

  beforeAll(async () => {
    minio = await startMinio();
    workspace = await startWorkspace();
    service = await startServiceUnderTest({ env: workspace.env });
    await service.api.call('POST', '/fhir/AidboxSubscriptionTopic', {
      body: document.bodiesOf('/fhir/AidboxSubscriptionTopic')[0]!,
    });
    await service.api.call('POST', '/fhir/ViewDefinition', { body: view! });
    const [materialize] = document.bodiesOf('/fhir/ViewDefinition/patient_flat/$materialize');
    await service.api.call('POST', '/fhir/ViewDefinition/patient_flat/$materialize', { body: materialize! });
  }, 60_000);
  afterAll(async () => {
    await service.close();
    await workspace.close();
    await minio.stop();
  }, 30_000);

  const create = (body: object, expected: readonly number[]) =>
    service.api.call('POST', '/fhir/AidboxTopicDestination', { body, expected });
  const activeDestinations = async (): Promise<unknown[]> => {
    const { body } = await service.api.call('GET', '/fhir/AidboxTopicDestination');
    const { body: basics } = await service.api.call('GET', '/fhir/Basic');
    return [body, basics].flatMap((bundle) => (bundle as { entry?: unknown[] }).entry ?? []);
  };

  it.each(payloads.slice(0, 2).map((payload) => [payload.id, payload] as const))(
    'gets rows for create, update and delete in the table of %s, whose payload needs nothing but addresses',
    async (id, payload) => {
      const name = id.replaceAll('-', '_');
      workspace.createTable(name, TARGET_COLUMNS);
      const filled = fill(payload, { ...PLACEHOLDERS, ...addressesOf(workspace), $TARGET_TABLE: name });
      const isZerobus = id === 'patient-databricks';
      const endpoint = { name: 'zerobusEndpoint', valueString: workspace.lab.zerobusUrl };
      const { body: created } = await create(isZerobus ? withParameters(filled, endpoint) : filled, [201]);
      expect(JSON.stringify(created)).not.toContain(PRINCIPAL.secret);
      const [johnSmith] = document.bodiesOf('/fhir/Patient');
      const { body } = await service.api.call('POST', '/fhir/Patient', { body: { resourceType: 'Patient', ...johnSmith } });
      const { id: patient = '' } = body as DocumentedResource;
      await service.api.call('PUT', `/fhir/Patient/${patient}`, {
        body: { resourceType: 'Patient', id: patient, ...johnSmith, gender: 'other' },
      });
      await service.api.call('DELETE', `/fhir/Patient/${patient}`);
      await service.waitForDelivery([id]);
      expect(await service.status(id)).toMatchObject({
        status: 'active',
        messagesDelivered: 3,
        initialExportStatus: 'not_started',
      });
      const row = { id: patient, birth_date: '1990-01-15', family_name: 'Smith', given_name: 'John' };
      expect(asMultiset(await deltaRs.readDeltaRows(await workspace.filesOf(`main.fhir.${name}`)))).toEqual(
        asMultiset([
          { ...row, gender: 'male', is_deleted: 0 },
          { ...row, gender: 'other', is_deleted: 0 },
          { ...row, gender: 'other', is_deleted: 1 },
        ]),
      );
      await service.api.call('DELETE', `/fhir/AidboxTopicDestination/${id}`);
    },
    30_000,
  );

  it.each(payloads.slice(2, 3).map((payload) => [payload.id, payload] as const))(
    'is told for %s that this build has no vended credentials yet, and nothing is left behind',
    async (_id, payload) => {
      const { body } = await create(fill(payload, PLACEHOLDERS), [422]);
      const { issue } = body as Outcome;
      expect(issue).toHaveLength(1);
      expect(issue[0]).toMatchObject({ code: 'not-supported', diagnostics: expect.stringContaining('not in this build yet') });
      expect(await activeDestinations()).toEqual([]);
    },
  );

  it.each(payloads.map((payload) => [payload.id, payload] as const))(
    'is told for %s every placeholder that was left, at once and where it stands',
    async (_id, payload) => {
      const { body } = await create(payload, [422]);
      const left = payload.parameter.flatMap(({ valueString = '' }, index) =>
        /[$<]/.test(valueString) ? [`AidboxTopicDestination.parameter[${index}].valueString`] : [],
      );
      const told = (body as Outcome).issue
        .filter(({ diagnostics }) => diagnostics.includes('placeholder'))
        .flatMap(({ expression = [] }) => expression);
      expect(told.toSorted()).toEqual(left.toSorted());
      expect(left.length).toBeGreaterThan(0);
      expect(await activeDestinations()).toEqual([]);
    },
  );

  it('writes to a bucket with static keys: told how to make the table, then John Smith is in it', async () => {
    const bucket = await minio.createBucket();
    const payload = fill(payloads[3]!, { 'my-bucket': bucket, '<key>': minio.accessKeyId, '<secret>': minio.secretAccessKey });
    const onMinio = withParameters(payload, { name: 's3Endpoint', valueString: minio.endpoint });
    const refused = (await create(onMinio, [422])).body as Outcome;
    expect(refused.issue).toHaveLength(1);
    expect(refused.issue[0]!.diagnostics).toMatch(/createTable/);

    const accepted = await create(withParameters(onMinio, { name: 'createTable', valueBoolean: true }), [201]);
    expect(JSON.stringify(accepted.body)).not.toContain(minio.secretAccessKey);
    const { id } = payloads[3]!;
    expect(await service.status(id)).toMatchObject({
      status: 'active',
      initialExportStatus: 'not_started',
      warning: expect.any(String),
    });

    const [johnSmith] = document.bodiesOf('/fhir/Patient');
    const { body } = await service.api.call('POST', '/fhir/Patient', { body: { resourceType: 'Patient', ...johnSmith } });
    await service.waitForDelivery([id]);
    const rows = await deltaRs.readDeltaRows(minio.locate(bucket, 'patients'));
    expect(rows).toEqual([
      {
        id: (body as DocumentedResource).id,
        gender: 'male',
        birth_date: '1990-01-15',
        family_name: 'Smith',
        given_name: 'John',
        is_deleted: 0,
      },
    ]);
    await service.api.call('DELETE', `/fhir/AidboxTopicDestination/${id}`);
    expect(await deltaRs.readDeltaRows(minio.locate(bucket, 'patients'))).toEqual(rows);
  }, 30_000);

  it('gets the four rows of its example, of which its query for the latest state shows none', async () => {
    const table = service.localTable('four-rows');
    const [first, ...others] = view!['select'] as { column: object[] }[];
    const withTime = {
      ...view!,
      id: 'patient-ts',
      name: 'patient_ts',
      select: [{ column: [...first!.column, { name: 'ts', path: 'meta.lastUpdated', type: 'instant' }] }, ...others],
    };
    await service.api.call('POST', '/fhir/ViewDefinition', { body: withTime });
    await create(
      {
        ...payloads[3]!,
        id: 'four-rows',
        parameter: [
          { name: 'writeMode', valueString: 'external-direct' },
          { name: 'tablePath', valueString: table.tablePath },
          { name: 'viewDefinition', valueString: 'patient_ts' },
          { name: 'batchSize', valueUnsignedInt: 50 },
          { name: 'sendIntervalMs', valueUnsignedInt: 100 },
          { name: 'createTable', valueBoolean: true },
          { name: 'skipInitialExport', valueBoolean: true },
        ],
      },
      [201],
    );
    const patient = (gender: string, family: string): object => ({
      resourceType: 'Patient',
      id: 'p-1',
      gender,
      name: [{ use: 'official', family }],
    });
    await service.api.call('PUT', '/fhir/Patient/p-1', { body: patient('male', 'Smith') });
    await service.api.call('PUT', '/fhir/Patient/p-1', { body: patient('male', 'Smith-Jones') });
    await service.waitForDelivery(['four-rows']);
    const latestState = async (): Promise<unknown> => {
      const sql = document.latestStateQuery.replace('aidbox_export.fhir.patients', 't').replace(';', '');
      const path = fileURLToPath(table.tablePath);
      return JSON.parse((await promisify(execFile)(python, ['-B', QUERY_SCRIPT, 'rows', path, sql])).stdout);
    };
    expect(await latestState()).toMatchObject([{ id: 'p-1', gender: 'male', family_name: 'Smith-Jones' }]);

    await service.api.call('PATCH', '/fhir/Patient/p-1', {
      body: { gender: 'other' },
      contentType: 'application/merge-patch+json',
    });
    await service.api.call('DELETE', '/fhir/Patient/p-1');
    await service.waitForDelivery(['four-rows']);
    const rows = await deltaRs.readDeltaRows(table);
    const times = service.lab.history('Patient', 'p-1').map(({ lastUpdated }) => lastUpdated);
    const inOrder = rows.toSorted((a, b) => times.indexOf(a['ts'] as string) - times.indexOf(b['ts'] as string));
    expect(inOrder.map(({ ts, gender, family_name, is_deleted }) => ({ ts, gender, family_name, is_deleted }))).toEqual([
      { ts: times[0], gender: 'male', family_name: 'Smith', is_deleted: 0 },
      { ts: times[1], gender: 'male', family_name: 'Smith-Jones', is_deleted: 0 },
      { ts: times[2], gender: 'other', family_name: 'Smith-Jones', is_deleted: 0 },
      { ts: times[3], gender: 'other', family_name: 'Smith-Jones', is_deleted: 1 },
    ]);
    expect(await latestState()).toEqual([]);
  }, 30_000);
});

function fill(payload: DocumentedDestination, values: Readonly<Record<string, string>>): DocumentedDestination {
  const fillText = (text: string): string =>
    Object.entries(values).reduce((filled, [name, value]) => filled.replaceAll(name, value), text);
  return {
    ...payload,
    parameter: payload.parameter.map((each) =>
      each.valueString === undefined ? each : { ...each, valueString: fillText(each.valueString) },
    ),
  };
}

function withParameters(
  payload: DocumentedDestination,
  ...added: readonly DocumentedDestination['parameter'][number][]
): DocumentedDestination {
  return { ...payload, parameter: [...payload.parameter, ...added] };
}
