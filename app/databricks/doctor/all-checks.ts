import type { Check } from './check.ts';
import { columnsCheck } from './checks/columns.ts';
import { credentialsCheck } from './checks/credentials.ts';
import { externalAccessCheck } from './checks/external-access.ts';
import { makeExternalSchemaCheck } from './checks/external-schema.ts';
import { locationGrantsCheck } from './checks/location-grants.ts';
import { maintenanceCheck } from './checks/maintenance.ts';
import { parametersCheck } from './checks/parameters.ts';
import { makePrivilegeCheck } from './checks/privilege.ts';
import { regionCheck } from './checks/region.ts';
import { secretCheck } from './checks/secret.ts';
import { stagingExistsCheck } from './checks/staging-exists.ts';
import { stagingPathCheck } from './checks/staging-path.ts';
import { storageCheck } from './checks/storage.ts';
import { tableExistsCheck } from './checks/table-exists.ts';
import { tableKindCheck } from './checks/table-kind.ts';
import { warehouseCheck } from './checks/warehouse.ts';
import { workspaceCheck } from './checks/workspace.ts';
import { workspaceIdCheck } from './checks/workspace-id.ts';
import { zerobusEndpointCheck } from './checks/zerobus-endpoint.ts';
import { zerobusLimitsCheck } from './checks/zerobus-limits.ts';
import { zerobusTokenCheck } from './checks/zerobus-token.ts';
import { stagingSchemaOf, type DoctorTarget } from './target.ts';

const catalogOf = ({ table }: DoctorTarget): readonly string[] | undefined => table?.slice(0, 1);
const schemaOf = ({ table }: DoctorTarget): readonly string[] | undefined => table?.slice(0, 2);
const tableOf = ({ table }: DoctorTarget): readonly string[] | undefined => table;
const stagingOf = ({ table, mode, stagingTablePath }: DoctorTarget): readonly string[] | undefined =>
  table === undefined || mode === 'external-direct' || stagingTablePath === undefined ? undefined : stagingSchemaOf(table);
const externalSchemaOf = ({ table, mode }: DoctorTarget): readonly string[] | undefined =>
  mode === 'external-direct' ? table?.slice(0, 2) : undefined;

/** Every check, each after those that it builds on: what is named first is what must be cured first. */
export const ALL_CHECKS: readonly Check[] = [
  parametersCheck,
  workspaceCheck,
  secretCheck,
  workspaceIdCheck,
  regionCheck,
  warehouseCheck,
  makePrivilegeCheck({
    id: 'use-catalog',
    needs: ['secret'],
    privilege: 'USE CATALOG',
    kind: 'CATALOG',
    objectOf: catalogOf,
    forZerobus: true,
  }),
  makePrivilegeCheck({
    id: 'use-schema',
    needs: ['use-catalog'],
    privilege: 'USE SCHEMA',
    kind: 'SCHEMA',
    objectOf: schemaOf,
    forZerobus: true,
  }),
  tableExistsCheck,
  makePrivilegeCheck({ id: 'select', needs: ['table'], privilege: 'SELECT', kind: 'TABLE', objectOf: tableOf, forZerobus: true }),
  makePrivilegeCheck({ id: 'modify', needs: ['table'], privilege: 'MODIFY', kind: 'TABLE', objectOf: tableOf, forZerobus: true }),
  tableKindCheck,
  storageCheck,
  columnsCheck,
  zerobusLimitsCheck,
  zerobusTokenCheck,
  zerobusEndpointCheck,
  externalAccessCheck,
  stagingExistsCheck,
  makePrivilegeCheck({
    id: 'staging-use-schema',
    needs: ['staging-exists'],
    privilege: 'USE SCHEMA',
    kind: 'SCHEMA',
    objectOf: stagingOf,
  }),
  makeExternalSchemaCheck('staging'),
  makePrivilegeCheck({
    id: 'staging-external-use-schema',
    needs: ['staging-schema'],
    privilege: 'EXTERNAL USE SCHEMA',
    kind: 'SCHEMA',
    objectOf: stagingOf,
  }),
  makePrivilegeCheck({
    id: 'staging-create-table',
    needs: ['staging-schema'],
    privilege: 'CREATE TABLE',
    kind: 'SCHEMA',
    objectOf: stagingOf,
  }),
  stagingPathCheck,
  makeExternalSchemaCheck('target'),
  makePrivilegeCheck({
    id: 'external-use-schema',
    needs: ['external-schema'],
    privilege: 'EXTERNAL USE SCHEMA',
    kind: 'SCHEMA',
    objectOf: externalSchemaOf,
  }),
  locationGrantsCheck,
  credentialsCheck,
  maintenanceCheck,
];
