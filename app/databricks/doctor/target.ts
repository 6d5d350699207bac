import type { Mode } from '../setup/required-grants.ts';
import type { UnityColumn } from '../unity-table.ts';

/** What the doctor examines: a destination as it was asked for, not as it was accepted. What is absent makes its checks skip. */
export interface DoctorTarget {
  readonly mode: Mode;
  /** What is wrong with the parameters, from the product's own check. */
  readonly problems: readonly string[];
  readonly workspaceUrl?: string;
  readonly workspaceId?: string;
  readonly region?: string;
  /** Replaces the derived host of Zerobus. */
  readonly zerobusEndpoint?: string;
  readonly clientId?: string;
  /** Never shown. */
  readonly clientSecret?: string;
  /** Instead of a service principal. Never shown. */
  readonly accessToken?: string;
  /** catalog, schema, table */
  readonly table?: readonly [string, string, string];
  readonly warehouseId?: string;
  /** Region of the bucket. */
  readonly awsRegion?: string;
  /** Absent: no initial export. */
  readonly stagingTablePath?: string;
  readonly view?: DoctorView;
}

export interface ColumnComparison {
  /** What keeps the rows of the view out of the table, beside absent columns. */
  readonly problems: readonly string[];
  /** Columns that the table lacks, as `ALTER TABLE … ADD COLUMNS` wants them: `` `city` STRING ``. */
  readonly absent: readonly string[];
}

/** The view of the destination, as far as a table must fit it. */
export interface DoctorView {
  readonly name: string;
  /** Its columns beside those of a table. */
  compare(columns: readonly UnityColumn[]): ColumnComparison;
  /** The statement that makes the table. */
  makeTable(table: readonly string[]): string;
}

/** The schema that holds staging tables, by convention beside that of the table (S0.79). */
export function stagingSchemaOf([catalog, schema]: readonly [string, string, string]): readonly [string, string] {
  return [catalog, `${schema}_staging`];
}
