/** A table in a Databricks workspace, and how it is reached. */
export interface DatabricksTable {
  /** `https://<workspace host>`, without a slash at its end. */
  readonly workspaceUrl: string;
  /** `catalog.schema.table` */
  readonly tableName: string;
  readonly warehouseId: string;
  /** Numeric; with `region` part of the Zerobus host. */
  readonly workspaceId?: string;
  readonly region?: string;
  /** Replaces the derived Zerobus host: private links, other clouds, a stand-in. */
  readonly zerobusEndpoint?: string;
  /** The service principal; without it that of the service is used. */
  readonly clientId?: string;
  /** Never shown, never logged. */
  readonly clientSecret?: string;
  /** Instead of a service principal; not for Zerobus. Never shown, never logged. */
  readonly accessToken?: string;
}

/** catalog, schema and table of `catalog.schema.table`, which was checked when it was given. */
export function tableNameParts({ tableName }: Pick<DatabricksTable, 'tableName'>): readonly [string, string, string] {
  const [catalog = '', schema = '', table = ''] = tableName.split('.');
  return [catalog, schema, table];
}
