import { describe, expect, it } from '@jest/globals';
import type { DoctorTarget } from '../../../../app/databricks/doctor/target.ts';
import type { Mode } from '../../../../app/databricks/setup/required-grants.ts';
import type { DatabricksLab } from '../../../lab/databricks/lab.ts';
import { CLIENT, COLUMNS, cureOf, examine, makeTable, MANAGED, missingIn, MODES, NAME, start } from './ready-workspace.ts';

/** What is no grant: how it is taken away, what the cure says, and how it comes back. */
interface Fault {
  readonly check: string;
  readonly modes: readonly Mode[];
  readonly take: (lab: DatabricksLab) => void;
  /** The cure holds it. */
  readonly cure: string;
  readonly change?: (target: DoctorTarget) => DoctorTarget;
  readonly found: string;
}

function replaceTable(lab: DatabricksLab, options: Partial<Parameters<DatabricksLab['registry']['createTable']>[1]>): void {
  lab.registry.dropTable(NAME);
  lab.registry.createTable(NAME, { columns: COLUMNS, storageLocation: 's3://bucket/managed/tables/2', ...options });
}

const FAULTS: readonly Fault[] = [
  {
    check: 'parameters',
    modes: MODES,
    take: () => undefined,
    change: (target) => ({ ...target, problems: ['batchSize is missing'] }),
    found: '1 problem',
    cure: 'batchSize is missing',
  },
  {
    check: 'workspace',
    modes: MODES,
    take: () => undefined,
    change: (target) => ({ ...target, workspaceUrl: 'https://nowhere.invalid' }),
    found: 'DATABRICKS_UNREACHABLE',
    cure: 'databricksWorkspaceUrl',
  },
  {
    check: 'secret',
    modes: MODES,
    take: ({ principals }) => void (principals.get(CLIENT.clientId)!.secret = 'a newer secret'),
    found: 'DATABRICKS_CREDENTIALS_REFUSED',
    cure: 'Generate secret',
  },
  {
    check: 'secret',
    modes: MODES,
    take: ({ principals }) => void (principals.get(CLIENT.clientId)!.scopes = ['sql']),
    found: 'DATABRICKS_SCOPE_MISSING',
    cure: 'without a limit of scopes',
  },
  {
    check: 'workspace-id',
    modes: ['managed-zerobus'],
    take: () => undefined,
    change: (target) => ({ ...target, workspaceId: '42' }),
    found: 'databricksWorkspaceId is 42',
    cure: '{"name": "databricksWorkspaceId", "valueString": "1234567890123456"}',
  },
  {
    check: 'region',
    modes: ['managed-zerobus'],
    take: () => undefined,
    change: (target) => ({ ...target, region: 'eu-west-1' }),
    found: 'databricksRegion is eu-west-1',
    cure: '{"name": "databricksRegion", "valueString": "us-east-1"}',
  },
  {
    check: 'region',
    modes: MODES,
    take: () => undefined,
    change: (target) => ({ ...target, awsRegion: 'eu-west-1' }),
    found: 'awsRegion is eu-west-1',
    cure: '{"name": "awsRegion", "valueString": "us-east-1"}',
  },
  {
    check: 'warehouse',
    modes: MANAGED,
    take: () => undefined,
    change: (target) => ({ ...target, warehouseId: 'gone' }),
    found: 'UNITY_NOT_FOUND',
    cure: 'databricks warehouses get gone',
  },
  {
    check: 'table',
    modes: MODES,
    take: ({ registry }) => void registry.dropTable(NAME),
    found: 'there is no table main.fhir.patients',
    cure: 'CREATE TABLE `main`.`fhir`.`patients` (\n  `id` STRING,\n  `ts` TIMESTAMP,\n  `gender` STRING,\n  `is_deleted` INT\n)',
  },
  {
    check: 'table-kind',
    modes: MANAGED,
    take: (lab) => replaceTable(lab, { type: 'EXTERNAL', storageLocation: 's3://bucket/target/p' }),
    found: 'EXTERNAL DELTA',
    cure: 'Choose writeMode external-direct',
  },
  {
    check: 'table-kind',
    modes: ['external-direct'],
    take: (lab) => replaceTable(lab, {}),
    found: 'MANAGED DELTA',
    cure: 'Choose writeMode managed-zerobus or managed-sql',
  },
  {
    check: 'table-kind',
    modes: MODES,
    take: (lab) => replaceTable(lab, { type: 'VIEW' }),
    found: 'VIEW',
    cure: 'make the table again',
  },
  {
    check: 'table-kind',
    modes: ['managed-zerobus'],
    take: (lab) => replaceTable(lab, { isCatalogManaged: true }),
    found: 'commits go through the catalog (delta.feature.catalogManaged)',
    cure: 'managed-sql',
  },
  {
    check: 'storage',
    modes: ['managed-zerobus'],
    take: ({ registry }) => void registry.createCatalog('main'),
    found: 'default storage (Zerobus error 4024)',
    cure: 'databricks catalogs create main --storage-root',
  },
  {
    check: 'columns',
    modes: MODES,
    take: (lab) =>
      replaceWithColumns(lab, [
        ['id', 'STRING'],
        ['ts', 'BOOLEAN'],
        ['gender', 'STRING'],
        ['is_deleted', 'INT'],
      ]),
    found: 'column "ts"',
    cure: 'Change the columns or the view',
  },
  {
    check: 'columns',
    modes: MODES,
    take: (lab) =>
      replaceWithColumns(lab, [
        ['id', 'STRING'],
        ['ts', 'TIMESTAMP'],
        ['gender', 'STRUCT<a: STRING>'],
        ['is_deleted', 'INT'],
      ]),
    found: 'gender',
    cure: 'Change the columns or the view',
  },
  {
    check: 'columns',
    modes: ['external-direct'],
    take: (lab) =>
      replaceWithColumns(lab, [
        ['id', 'STRING'],
        ['ts', 'TIMESTAMP'],
        ['is_deleted', 'INT'],
      ]),
    found: 'the table lacks `gender` STRING',
    cure: 'ALTER TABLE `main`.`fhir`.`patients` ADD COLUMNS (`gender` STRING);',
  },
  {
    check: 'zerobus-limits',
    modes: ['managed-zerobus'],
    take: (lab) => replaceTable(lab, { columns: [...COLUMNS, ['größe', 'INT']] }),
    found: 'names "größe"',
    cure: 'Rename them',
  },
  {
    check: 'zerobus-endpoint',
    modes: ['managed-zerobus'],
    take: () => undefined,
    change: (target) => ({ ...target, zerobusEndpoint: 'https://42.zerobus.invalid' }),
    found: 'DATABRICKS_UNREACHABLE',
    cure: 'Let 42.zerobus.invalid through the firewall (allow-list, outgoing port 443)',
  },
  {
    check: 'external-access',
    modes: MODES,
    take: ({ switches }) => void (switches.externalAccessEnabled = false),
    found: 'EXTERNAL_ACCESS_DISABLED_ON_METASTORE',
    cure: 'External data access',
  },
  {
    check: 'staging-schema',
    modes: MANAGED,
    take: ({ registry }) => void registry.createSchema('main.fhir_staging'),
    found: 'EXTERNAL USE SCHEMA is not applicable',
    cure: 'databricks schemas create fhir_staging main --storage-root',
  },
  {
    check: 'external-schema',
    modes: ['external-direct'],
    take: ({ registry }) => void registry.createSchema('main.fhir'),
    found: 'main.fhir is a managed schema',
    cure: 'databricks schemas create fhir main --storage-root',
  },
  {
    check: 'staging-path',
    modes: MANAGED,
    take: () => undefined,
    change: (target) => ({ ...target, stagingTablePath: 's3://another/staging/patients/' }),
    found: 'no external location',
    cure: 'databricks external-locations create <name> s3://another/ <storage credential>',
  },
  ...['s3://bucket/', 's3://bucket/staging'].map((path) => ({
    check: 'staging-path',
    modes: MANAGED,
    take: () => undefined,
    change: (target: DoctorTarget) => ({ ...target, stagingTablePath: path }),
    found: 'is a root itself (LOCATION_OVERLAP)',
    cure: '{"name": "stagingTablePath", "valueString": "s3://bucket/staging/patients/"}',
  })),
  {
    check: 'staging-path',
    modes: MANAGED,
    take: () => undefined,
    change: (target) => ({ ...target, stagingTablePath: 's3://bucket/managed/patients/' }),
    found: 'managed storage of the catalog (LOCATION_OVERLAP)',
    cure: '"s3://bucket/staging/patients/"',
  },
];

function replaceWithColumns(lab: DatabricksLab, columns: readonly (readonly [string, string])[]): void {
  const { type, storageLocation = '' } = lab.registry.table(NAME).facts;
  replaceTable(lab, { type, storageLocation, columns });
}

describe('a thing that is not as it must be', () => {
  const table = FAULTS.flatMap((fault) =>
    fault.modes.map((mode): [string, string, Mode, Fault] => [fault.check, fault.found, mode, fault]),
  );
  it.each(table)('is the first thing named (%s: %s, %s), with its cure', async (check, found, mode, fault) => {
    const { lab, target } = await start(mode);
    fault.take(lab);
    const results = await examine(fault.change?.(target) ?? target);
    expect(missingIn(results)).toEqual([check]);
    expect(results.at(-1)?.id).toBe(check);
    expect(results.at(-1)?.found).toContain(found);
    expect(cureOf(results, check)).toContain(fault.cure);
  });

  it('is cured by the statement that is printed for a table that is absent', async () => {
    const { lab, target } = await start('managed-zerobus');
    lab.registry.dropTable(NAME);
    expect(missingIn(await examine(target))).toEqual(['table']);
    makeTable(lab, 'managed-zerobus');
    expect(missingIn(await examine(target, true))).toEqual([]);
  });

  it('that keeps the staging schema from being found names how to make it, by the CLI alone', async () => {
    const { target, lab } = await start('managed-sql');
    const moved = { ...target, table: ['main', 'other', 'patients'] as const };
    lab.registry.createSchema('main.other');
    lab.registry.createTable('main.other.patients', { columns: COLUMNS });
    lab.registry.grants.grant(CLIENT.clientId, 'SCHEMA', 'main.other', 'USE SCHEMA');
    lab.registry.grants.grant(CLIENT.clientId, 'TABLE', 'main.other.patients', 'SELECT', 'MODIFY');
    const results = await examine(moved);
    expect(missingIn(results)).toEqual(['staging-exists']);
    expect(cureOf(results, 'staging-exists')).toContain('databricks schemas create other_staging main --storage-root');
  });
});
