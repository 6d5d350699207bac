import type { DatabricksLab } from './lab.ts';
import type { ObjectKind, Privilege } from './registry/grants.ts';
import type { NewTable } from './registry/registry.ts';
import type { ColumnText } from './registry/table.ts';
import type { Warehouse } from './workspace/warehouses.ts';

/** What a workspace holds, as JSON: for the process's `--setup` and `POST /_lab/setup`. Parts are made in this order. */
export interface LabSetup {
  readonly principals?: readonly { readonly clientId: string; readonly secret: string; readonly scopes?: readonly string[] }[];
  readonly personalTokens?: readonly { readonly token: string; readonly principal: string }[];
  readonly externalLocations?: readonly { readonly name: string; readonly url: string; readonly owner?: string }[];
  readonly catalogs?: readonly { readonly name: string; readonly owner?: string; readonly storageRoot?: string }[];
  /** `name`: `catalog.schema`. */
  readonly schemas?: readonly { readonly name: string; readonly owner?: string; readonly storageRoot?: string }[];
  readonly tables?: readonly (NewTable & { readonly name: string })[];
  readonly addColumns?: readonly { readonly table: string; readonly columns: readonly ColumnText[] }[];
  readonly dropTables?: readonly string[];
  readonly warehouses?: readonly (Partial<Warehouse> & { readonly id: string })[];
  readonly grants?: readonly SetupGrant[];
  readonly revokes?: readonly SetupGrant[];
  /** All grants that an insert into the table needs (1.3). */
  readonly zerobusGrants?: readonly { readonly principal: string; readonly table: string }[];
}

export interface SetupGrant {
  readonly principal: string;
  readonly kind: ObjectKind;
  readonly name: string;
  readonly privileges: readonly Privilege[];
}

/** @throws Error for what does not fit, after what came before it was made */
export async function applySetup(lab: DatabricksLab, setup: LabSetup): Promise<void> {
  const { registry, principals, warehouses } = lab;
  for (const { clientId, secret, scopes } of setup.principals ?? []) principals.add(clientId, secret, scopes);
  for (const { token, principal } of setup.personalTokens ?? []) principals.addPersonalToken(token, principal);
  for (const { name, url, owner } of setup.externalLocations ?? []) registry.createExternalLocation(name, url, owner);
  for (const { name, ...options } of setup.catalogs ?? []) registry.createCatalog(name, options);
  for (const { name, ...options } of setup.schemas ?? []) registry.createSchema(name, options);
  for (const { name, ...options } of setup.tables ?? []) registry.createTable(name, options);
  for (const { table, columns } of setup.addColumns ?? []) await registry.addColumns(table, columns);
  for (const name of setup.dropTables ?? []) registry.dropTable(name);
  for (const { id, ...options } of setup.warehouses ?? []) warehouses.add(id, options);
  for (const { principal, kind, name, privileges } of setup.grants ?? [])
    registry.grants.grant(principal, kind, name, ...privileges);
  for (const { principal, kind, name, privileges } of setup.revokes ?? [])
    registry.grants.revoke(principal, kind, name, ...privileges);
  for (const { principal, table } of setup.zerobusGrants ?? []) grantForZerobus(lab, principal, table);
}

/** The direct grants on catalog, schema and table that an insert needs (1.3, 2.8). */
export function grantForZerobus({ registry }: Pick<DatabricksLab, 'registry'>, principal: string, table: string): void {
  const [catalog = '', schema = ''] = table.split('.');
  registry.grants.grant(principal, 'CATALOG', catalog, 'USE CATALOG');
  registry.grants.grant(principal, 'SCHEMA', `${catalog}.${schema}`, 'USE SCHEMA');
  registry.grants.grant(principal, 'TABLE', table, 'SELECT', 'MODIFY');
}
