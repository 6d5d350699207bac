import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { makeBucketPolicy, makeTrustPolicy } from '../../../../app/databricks/setup/aws-policies.ts';
import type { Mode } from '../../../../app/databricks/setup/required-grants.ts';
import { renderSetup } from '../../../../app/databricks/setup/render-setup.ts';
import { makeSetupSteps, type SetupRequest } from '../../../../app/databricks/setup/setup-steps.ts';
import { checkRequest } from '../../../../app/destinations/destination-request.ts';
import { DESTINATION_KIND, DESTINATION_PROFILE } from '../../../../app/destinations/destination.ts';
import type { Json } from '../../../../app/lib/json.ts';
import { describeWith, type Availability } from '../../../helpers/services/availability.ts';

const CLIENT_ID = '11111111-2222-3333-4444-555555555555';

function request(mode: Mode, changes: Partial<SetupRequest> = {}): SetupRequest {
  return {
    mode,
    table: ['aidbox_export', 'fhir', 'patients'],
    columns: [
      { name: 'id', type: { kind: 'string' }, nullable: true },
      { name: "o'clock", type: { kind: 'timestamp' }, nullable: true },
      { name: 'is_deleted', type: { kind: 'integer' }, nullable: true },
    ],
    viewName: 'patient_flat',
    bucket: 'my-bucket',
    region: 'eu-central-1',
    awsAccountId: '123456789012',
    roleName: 'lakehouse-role',
    credentialName: 'lakehouse_cred',
    locationName: 'lakehouse_loc',
    clientId: CLIENT_ID,
    workspaceUrl: 'https://dbc-1.cloud.databricks.com',
    workspaceId: '1234567890123456',
    warehouseId: 'abc123',
    skipsInitialExport: false,
    destinationId: 'patient-flat',
    topic: 'http://example.org/subscriptions/patient-updates',
    secretName: 'databricks-client-secret',
    kind: DESTINATION_KIND,
    profile: DESTINATION_PROFILE,
    ...changes,
  };
}

describe('the policies of the role', () => {
  it('let Unity Catalog and the role itself assume it, under the external id', () => {
    expect(makeTrustPolicy('ext-1', 'arn:aws:iam::123456789012:role/lakehouse-role')).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: {
            AWS: [
              'arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL',
              'arn:aws:iam::123456789012:role/lakehouse-role',
            ],
          },
          Action: 'sts:AssumeRole',
          Condition: { StringEquals: { 'sts:ExternalId': 'ext-1' } },
        },
      ],
    });
  });

  it('let it use the bucket and nothing else', () => {
    expect(makeBucketPolicy('my-bucket')).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: [
            's3:GetObject',
            's3:PutObject',
            's3:DeleteObject',
            's3:ListBucket',
            's3:GetBucketLocation',
            's3:GetLifecycleConfiguration',
            's3:PutLifecycleConfiguration',
          ],
          Resource: ['arn:aws:s3:::my-bucket', 'arn:aws:s3:::my-bucket/*'],
        },
      ],
    });
  });
});

const titles = (mode: Mode, changes: Partial<SetupRequest> = {}): string[] =>
  makeSetupSteps(request(mode, changes)).map(({ title }) => title);

describe('the steps', () => {
  it('come in the order in which each finds what it needs', () => {
    const managed = [
      'Service principal and its secret',
      'Bucket, in the region of the workspace',
      'IAM role that Unity Catalog assumes',
      'Storage credential, and its external id in the trust policy',
      'External location at the root of the bucket',
      'Catalog, with a storage root',
      'Schema of the table',
      'Target table, with the columns of the view',
      'Schema for the staging table of the initial export',
      'Grants to the service principal',
      'The destination: check it, then POST it to /fhir/AidboxTopicDestination of Aidbox',
    ];
    expect(titles('managed-zerobus')).toEqual(managed);
    expect(titles('managed-sql')).toEqual(managed);
    expect(titles('managed-sql', { skipsInitialExport: true })).toEqual(managed.filter((title) => !title.includes('staging')));
    expect(titles('external-direct')).toEqual(
      managed
        .filter((title) => !title.includes('staging'))
        .map((title) => (title === 'Schema of the table' ? `${title}, with a storage root` : title)),
    );
  });

  it.each([
    ['us-east-1', ''],
    ['eu-central-1', ' --create-bucket-configuration LocationConstraint=eu-central-1'],
  ])('make the bucket in %s as AWS wants it', (region, constraint) => {
    expect(renderSetup(request('managed-sql', { region }))).toContain(
      `aws s3api create-bucket --bucket my-bucket --region ${region}${constraint}\n`,
    );
  });
});

// What the shell makes of the script: programs that note their words stand in the place of both CLIs.
const shell: Availability<true> = ['bash', 'jq'].every((program) => spawnSync(program, ['--version']).status === 0)
  ? { name: 'bash and jq', found: true }
  : { name: 'bash and jq', enableBy: 'apt-get install bash jq' };
const directory = mkdtempSync(join(tmpdir(), 'render-setup-'));
afterAll(() => rmSync(directory, { recursive: true }));

const NOTER = (answers: string): string => `#!/usr/bin/env bash
words=("$@")
for i in "\${!words[@]}"; do [ "\${words[$i]}" = @statement.json ] && words[$i]=$(cat statement.json); done
jq -cn '$ARGS.positional' --args -- "$(basename "$0")" "\${words[@]}" >> "$NOTES"
${answers}
`;
const DATABRICKS_ANSWERS = `case "$1 $2" in
  'storage-credentials create') echo '{"aws_iam_role":{"external_id":"ext-42"}}' ;;
  'storage-credentials validate') echo '{"results":[{"operation":"READ","result":"PASS"}]}' ;;
  'api post') echo '{"status":{"state":"'"\${STATE:-SUCCEEDED}"'","error":{"message":"no"}}}' ;;
esac`;

function play(
  mode: Mode,
  environment: Readonly<Record<string, string>> = {},
): { status: number | null; calls: string[][]; folder: string } {
  const folder = mkdtempSync(join(directory, 'run-'));
  for (const [name, answers] of [
    ['aws', ''],
    ['databricks', DATABRICKS_ANSWERS],
  ] as const) {
    writeFileSync(join(folder, name), NOTER(answers));
    chmodSync(join(folder, name), 0o755);
  }
  writeFileSync(join(folder, 'setup.sh'), renderSetup(request(mode)));
  const notes = join(folder, 'notes');
  writeFileSync(notes, '');
  const { status } = spawnSync('bash', ['setup.sh'], {
    cwd: folder,
    env: { ...process.env, ...environment, PATH: `${folder}:${process.env['PATH']}`, NOTES: notes },
  });
  const calls = readFileSync(notes, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as string[]);
  return { status, calls, folder };
}

describeWith(shell, 'the script, run by a shell', () => {
  it('gives the CLIs exactly the policies, statements and names', () => {
    const { status, calls } = play('managed-zerobus');
    expect(status).toBe(0);
    const find = (...words: string[]): string[] => calls.find((call) => words.every((word) => call.includes(word))) ?? [];
    const json = (call: readonly string[], option: string): unknown => JSON.parse(call[call.indexOf(option) + 1] ?? '');
    expect(json(find('create-role'), '--assume-role-policy-document')).toEqual(makeTrustPolicy('0000'));
    expect(json(find('put-role-policy'), '--policy-document')).toEqual(makeBucketPolicy('my-bucket'));
    expect(json(find('update-assume-role-policy'), '--policy-document')).toEqual(
      makeTrustPolicy('ext-42', 'arn:aws:iam::123456789012:role/lakehouse-role'),
    );
    expect(find('storage-credentials', 'create')).toContain('--skip-validation');
    expect(find('external-locations')).toEqual([
      'databricks',
      'external-locations',
      'create',
      'lakehouse_loc',
      's3://my-bucket/',
      'lakehouse_cred',
    ]);
    expect(find('catalogs')).toEqual([
      'databricks',
      'catalogs',
      'create',
      'aidbox_export',
      '--storage-root',
      's3://my-bucket/managed/',
    ]);
    expect(find('schemas')).toEqual([
      'databricks',
      'schemas',
      'create',
      'fhir_staging',
      'aidbox_export',
      '--storage-root',
      's3://my-bucket/staging/',
    ]);
    const statements = calls
      .filter((call) => call.includes('/api/2.0/sql/statements'))
      .map((call) => json(call, '--json') as Json);
    expect(statements[0]).toEqual({
      warehouse_id: 'abc123',
      wait_timeout: '50s',
      statement: 'CREATE SCHEMA `aidbox_export`.`fhir`',
    });
    expect(statements[1]?.['statement']).toBe(
      "CREATE TABLE `aidbox_export`.`fhir`.`patients` (\n  `id` STRING,\n  `o'clock` TIMESTAMP,\n  `is_deleted` INT\n)\nUSING DELTA\n" +
        "TBLPROPERTIES (\n  'delta.autoOptimize.optimizeWrite' = 'true',\n  'delta.autoOptimize.autoCompact' = 'true',\n  'delta.enableRowTracking' = 'false'\n)",
    );
    expect(statements.slice(2).map(({ statement }) => statement)).toEqual([
      `GRANT USE CATALOG ON CATALOG \`aidbox_export\` TO \`${CLIENT_ID}\``,
      `GRANT USE SCHEMA ON SCHEMA \`aidbox_export\`.\`fhir\` TO \`${CLIENT_ID}\``,
      `GRANT SELECT, MODIFY ON TABLE \`aidbox_export\`.\`fhir\`.\`patients\` TO \`${CLIENT_ID}\``,
      `GRANT USE SCHEMA, EXTERNAL USE SCHEMA, CREATE TABLE ON SCHEMA \`aidbox_export\`.\`fhir_staging\` TO \`${CLIENT_ID}\``,
      `GRANT READ FILES, WRITE FILES, CREATE EXTERNAL TABLE ON EXTERNAL LOCATION \`lakehouse_loc\` TO \`${CLIENT_ID}\``,
    ]);
    expect(json(find('update-permissions'), '--json')).toEqual({
      access_control_list: [{ service_principal_name: CLIENT_ID, permission_level: 'CAN_USE' }],
    });
  });

  it('stops at a statement that failed, although its answer has status 200', () => {
    const { status, calls } = play('managed-sql', { STATE: 'FAILED' });
    expect(status).not.toBe(0);
    expect(calls.filter((call) => call.includes('/api/2.0/sql/statements'))).toHaveLength(1);
  });

  it.each(['managed-zerobus', 'managed-sql', 'external-direct'] as const)(
    'leaves a destination of %s that this product takes',
    (mode) => {
      const { status, folder, calls } = play(mode);
      expect(status).toBe(0);
      const destination = JSON.parse(readFileSync(join(folder, 'destination.json'), 'utf8')) as Json;
      const { issues, warnings } = checkRequest(destination);
      expect(issues.filter((issue) => issue.details?.coding[0]?.code !== 'DESTINATION_NOT_IN_BUILD')).toEqual([]);
      expect(warnings).toEqual([]);
      expect(calls.some((call) => call.includes('CAN_USE') || call.join(' ').includes('CAN_USE'))).toBe(
        mode !== 'external-direct',
      );
    },
  );
});
