import { afterEach } from '@jest/globals';
import { makeDoctorView } from '../../../../app/cli/databricks/doctor-view.ts';
import { ALL_CHECKS } from '../../../../app/databricks/doctor/all-checks.ts';
import type { CheckResult } from '../../../../app/databricks/doctor/check.ts';
import { Examination, type ExaminationParts } from '../../../../app/databricks/doctor/examination.ts';
import { runChecks } from '../../../../app/databricks/doctor/run-checks.ts';
import type { DoctorTarget } from '../../../../app/databricks/doctor/target.ts';
import { makeHttpClient } from '../../../../app/databricks/http-client.ts';
import type { Mode } from '../../../../app/databricks/setup/required-grants.ts';
import { systemClock } from '../../../../app/lib/clock.ts';
import { compileView } from '../../../../app/view/compile-view.ts';
import { startDatabricksLab, type DatabricksLab } from '../../../lab/databricks/lab.ts';
import type { ObjectKind, Privilege } from '../../../lab/databricks/registry/grants.ts';

export const CLIENT = { clientId: '11111111-2222-3333-4444-555555555555', secret: 'the secret of the principal' };
export const TABLE = ['main', 'fhir', 'patients'] as const;
export const NAME = TABLE.join('.');
const STAGING_PATH = 's3://bucket/staging/patients/';

const VIEW = makeDoctorView(
  compileView({
    resourceType: 'ViewDefinition',
    name: 'patient_flat',
    resource: 'Patient',
    select: [
      {
        column: [
          { name: 'id', path: 'id' },
          { name: 'ts', path: 'meta.lastUpdated' },
          { name: 'gender', path: 'gender' },
        ],
      },
    ],
  }),
);

/** A workspace that is ready for the mode, as `npm run setup:databricks` makes one. */
async function startReady(mode: Mode): Promise<{ lab: DatabricksLab; target: DoctorTarget }> {
  const vending = { aws: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'vended secret', sessionToken: 'vended session' } };
  const lab = await startDatabricksLab({ sink: 'count', vending });
  const { registry, principals, warehouses } = lab;
  principals.add(CLIENT.clientId, CLIENT.secret);
  warehouses.add('abc123', { name: 'small' });
  registry.createExternalLocation('loc', 's3://bucket/');
  registry.createExternalLocation('other', 's3://elsewhere/');
  registry.createCatalog('main', { storageRoot: 's3://bucket/managed/' });
  const isExternal = mode === 'external-direct';
  registry.createSchema('main.fhir', isExternal ? { storageRoot: 's3://bucket/target/' } : {});
  registry.createSchema('main.fhir_staging', { storageRoot: 's3://bucket/staging/' });
  makeTable(lab, mode);
  grantAll(lab, mode);
  const common = {
    mode,
    problems: [],
    workspaceUrl: lab.workspaceUrl,
    clientId: CLIENT.clientId,
    clientSecret: CLIENT.secret,
    table: TABLE,
    awsRegion: 'us-east-1',
    view: VIEW,
  };
  if (isExternal) return { lab, target: common };
  const zerobus = { workspaceId: lab.workspaceId, region: 'us-east-1', zerobusEndpoint: lab.zerobusUrl };
  return {
    lab,
    target: { ...common, warehouseId: 'abc123', stagingTablePath: STAGING_PATH, ...(mode === 'managed-zerobus' ? zerobus : {}) },
  };
}

export const COLUMNS = [
  ['id', 'STRING'],
  ['ts', 'TIMESTAMP'],
  ['gender', 'STRING'],
  ['is_deleted', 'INT'],
] as const;

export function makeTable({ registry }: DatabricksLab, mode: Mode): void {
  const location =
    mode === 'external-direct'
      ? ({ type: 'EXTERNAL', storageLocation: 's3://bucket/target/patients' } as const)
      : { storageLocation: 's3://bucket/managed/tables/1' };
  registry.createTable(NAME, { columns: COLUMNS, ...location });
}

function grantAll({ registry: { grants } }: DatabricksLab, mode: Mode): void {
  const { clientId } = CLIENT;
  grants.grant(clientId, 'CATALOG', 'main', 'USE CATALOG');
  grants.grant(clientId, 'SCHEMA', 'main.fhir', 'USE SCHEMA');
  grants.grant(clientId, 'TABLE', NAME, 'SELECT', 'MODIFY');
  grants.grant(clientId, 'EXTERNAL LOCATION', 'loc', 'READ FILES', 'WRITE FILES', 'CREATE EXTERNAL TABLE');
  if (mode === 'external-direct') return grants.grant(clientId, 'SCHEMA', 'main.fhir', 'EXTERNAL USE SCHEMA');
  grants.grant(clientId, 'SCHEMA', 'main.fhir_staging', 'USE SCHEMA', 'EXTERNAL USE SCHEMA', 'CREATE TABLE');
  grants.grant(clientId, 'WAREHOUSE', 'abc123', 'CAN USE');
}

let lab: DatabricksLab | undefined;
afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

/** Closed after the test. */
export async function start(mode: Mode): Promise<{ lab: DatabricksLab; target: DoctorTarget }> {
  const started = await startReady(mode);
  lab = started.lab;
  return started;
}

export async function examine(
  target: DoctorTarget,
  all = false,
  useWarehouse?: ExaminationParts['useWarehouse'],
): Promise<readonly CheckResult[]> {
  const http = makeHttpClient({ timeoutMs: 10_000 });
  const parts = { target, http, clock: systemClock };
  const examination = new Examination(useWarehouse === undefined ? parts : { ...parts, useWarehouse });
  try {
    return await runChecks(ALL_CHECKS, examination, { all });
  } finally {
    await http.close();
  }
}

export const missingIn = (results: readonly CheckResult[]): string[] =>
  results.filter(({ status }) => status === 'missing').map(({ id }) => id);
export const cureOf = (results: readonly CheckResult[], id: string): string =>
  (results.find((result) => result.id === id)?.cure ?? []).join('\n');

/** Does what a cure says about grants in the stand-in. @returns how many it found */
export function obey({ registry: { grants } }: DatabricksLab, cure: string): number {
  const statements = [...cure.matchAll(/GRANT (.+) ON (CATALOG|SCHEMA|TABLE|EXTERNAL LOCATION) (\S+) TO `(.+)`;/g)];
  for (const [, privileges = '', kind = '', object = '', principal = ''] of statements)
    grants.grant(principal, kind as ObjectKind, object.replaceAll('`', ''), ...(privileges.split(', ') as Privilege[]));
  const permissions = /update-permissions (\S+) --json '(.+)'/.exec(cure);
  if (permissions === null) return statements.length;
  const [, id = '', json = ''] = permissions;
  const { access_control_list: list } = JSON.parse(json) as {
    access_control_list: { service_principal_name: string; permission_level: string }[];
  };
  for (const { service_principal_name: principal, permission_level: level } of list)
    if (level === 'CAN_USE') grants.grant(principal, 'WAREHOUSE', id, 'CAN USE');
  return statements.length + list.length;
}

export const MODES: readonly Mode[] = ['managed-zerobus', 'managed-sql', 'external-direct'];
export const MANAGED: readonly Mode[] = ['managed-zerobus', 'managed-sql'];
