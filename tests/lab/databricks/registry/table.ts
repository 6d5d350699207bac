import { DeltaTable } from './delta-table.ts';
import { parseType, type StructField } from './data-type.ts';

/** `table_type` of Unity Catalog (4.1). */
export type TableType =
  | 'MANAGED'
  | 'EXTERNAL'
  | 'VIEW'
  | 'MATERIALIZED_VIEW'
  | 'STREAMING_TABLE'
  | 'FOREIGN'
  | 'MANAGED_SHALLOW_CLONE'
  | 'EXTERNAL_SHALLOW_CLONE'
  | 'METRIC_VIEW';

/** A column as tests write it: `['birth_date', 'DATE']`, `['id', 'STRING NOT NULL']`. */
export type ColumnText = readonly [name: string, type: string, comment?: string];

export interface TableFacts {
  /** `catalog.schema.table`. */
  readonly fullName: string;
  /** A new one for each creation, also under an old name. */
  readonly tableId: string;
  readonly type: TableType;
  readonly format: string;
  readonly owner: string;
  /** `file:///…` or `s3://…`; undefined for views. */
  readonly storageLocation?: string;
  readonly comment?: string;
  readonly createdAtMs: number;
  /** Lives in storage that Databricks owns (2.8, 4024). */
  readonly isInDefaultStorage: boolean;
  /** Commits go through the catalog (4.7). */
  readonly isCatalogManaged: boolean;
  /** Row filter or column mask (4.2). */
  readonly hasRowFilter: boolean;
  /** CHECK constraints by name (2.8): `delta.constraints.<name>` in the log. */
  readonly checkConstraints: Readonly<Record<string, string>>;
}

/** A table, view or the like that the registry knows. */
export class Table {
  readonly facts: TableFacts;
  /** The table's files on this machine; undefined for views and for tables whose location is an object store. */
  readonly delta?: DeltaTable;
  private readonly declared: readonly StructField[];
  private readonly declaredProperties: Readonly<Record<string, string>>;

  constructor(
    facts: TableFacts,
    columns: readonly StructField[],
    properties: Readonly<Record<string, string>>,
    directory?: string,
  ) {
    this.facts = facts;
    this.declared = columns;
    this.declaredProperties = properties;
    if (directory !== undefined) this.delta = new DeltaTable(directory);
  }

  /** From the newest `metaData` of the Delta log when it is on this machine, else as declared. */
  get columns(): readonly StructField[] {
    return this.delta?.exists() === true ? this.delta.read().columns : this.declared;
  }

  /** The columns as they were at a time, and at a `schemaVersion`: what a service that lags behind sees. */
  columnsAsOf(timeMs: number, schemaVersion?: number): readonly StructField[] {
    return this.delta?.exists() === true ? this.delta.readAsOf(timeMs, schemaVersion).columns : this.declared;
  }

  /** Grows with each change of the schema. */
  get schemaVersion(): number {
    return this.delta?.exists() === true ? this.delta.read().schemaVersion : 0;
  }

  get properties(): Readonly<Record<string, string>> {
    return { ...this.declaredProperties, ...(this.delta?.exists() === true && this.delta.read().configuration) };
  }
}

/** @throws Error for a text that is no type */
export function toField([name, text, comment]: ColumnText): StructField {
  const notNull = /\s+NOT\s+NULL\s*$/i.exec(text);
  const type = parseType(notNull === null ? text : text.slice(0, notNull.index));
  return { name, type, nullable: notNull === null, ...(comment !== undefined && { comment }) };
}
