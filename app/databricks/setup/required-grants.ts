import { quoteName, quoteNames } from '../../rows/sql-quoting.ts';
import { quoteWord } from './shell-quoting.ts';

/** Values of `writeMode`. */
export type Mode = 'managed-zerobus' | 'managed-sql' | 'external-direct';
export const MODES: readonly Mode[] = ['managed-zerobus', 'managed-sql', 'external-direct'];

/** Privileges on one object. */
export interface Grant {
  readonly privileges: readonly string[];
  readonly kind: 'CATALOG' | 'SCHEMA' | 'TABLE' | 'EXTERNAL LOCATION';
  /** The parts of its name. */
  readonly object: readonly string[];
  readonly purpose: string;
}

export interface GrantObjects {
  /** catalog, schema, table */
  readonly table: readonly [string, string, string];
  /** catalog, schema; absent when there is no initial export. */
  readonly stagingSchema?: readonly [string, string];
  /** The one that holds the staging path, or the table of external-direct. */
  readonly externalLocation?: string;
}

/** What the service principal needs in Unity Catalog, and nothing more (S0.80): never CREATE SCHEMA, CREATE MANAGED STORAGE or MANAGE. */
export function requiredGrants(mode: Mode, { table, stagingSchema, externalLocation }: GrantObjects): readonly Grant[] {
  const [catalog, schema] = table;
  const files: readonly Grant[] =
    externalLocation === undefined
      ? []
      : [
          {
            privileges: ['READ FILES', 'WRITE FILES', 'CREATE EXTERNAL TABLE'],
            kind: 'EXTERNAL LOCATION',
            object: [externalLocation],
            purpose:
              mode === 'external-direct' ? 'write the files of the table' : 'write the staging table of the initial export',
          },
        ];
  const staging: readonly Grant[] =
    stagingSchema === undefined
      ? []
      : [
          {
            privileges: ['USE SCHEMA', 'EXTERNAL USE SCHEMA', 'CREATE TABLE'],
            kind: 'SCHEMA',
            object: stagingSchema,
            purpose: 'make the staging table of the initial export and get credentials for its files',
          },
          ...files,
        ];
  const isExternal = mode === 'external-direct';
  return [
    { privileges: ['USE CATALOG'], kind: 'CATALOG', object: [catalog], purpose: 'reach what is in the catalog' },
    {
      privileges: isExternal ? ['USE SCHEMA', 'EXTERNAL USE SCHEMA'] : ['USE SCHEMA'],
      kind: 'SCHEMA',
      object: [catalog, schema],
      purpose: isExternal ? 'reach the table and get credentials for its files' : 'reach the table',
    },
    { privileges: ['SELECT', 'MODIFY'], kind: 'TABLE', object: table, purpose: 'read its columns, write its rows' },
    ...(isExternal ? files : staging),
  ];
}

/** ``GRANT SELECT, MODIFY ON TABLE `c`.`s`.`t` TO `principal`;`` */
export function makeGrantStatement({ privileges, kind, object }: Omit<Grant, 'purpose'>, principal: string): string {
  return `GRANT ${privileges.join(', ')} ON ${kind} ${quoteNames(object)} TO ${quoteName(principal)};`;
}

/** The line of the Databricks CLI that lets the principal use a SQL warehouse; SQL has none. */
export function makeWarehouseGrant(warehouseId: string, principal: string): string {
  const json = { access_control_list: [{ service_principal_name: principal, permission_level: 'CAN_USE' }] };
  return `databricks warehouses update-permissions ${quoteWord(warehouseId)} --json ${quoteWord(JSON.stringify(json))}`;
}
