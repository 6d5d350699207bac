import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Row } from './cells.ts';
import type { StructField } from './data-type.ts';
import { DeltaTable } from './delta-table.ts';
import { Grants } from './grants.ts';
import { Table, toField, type ColumnText, type TableType } from './table.ts';

export interface Catalog {
  readonly name: string;
  readonly owner: string;
  /** Without one, managed tables of the catalog lie in default storage. */
  readonly storageRoot?: string;
}

export interface Schema {
  /** `catalog.schema`. */
  readonly fullName: string;
  readonly owner: string;
  /** Own storage root: an "external schema", the only kind that takes EXTERNAL USE SCHEMA. */
  readonly storageRoot?: string;
}

export interface ExternalLocation {
  readonly name: string;
  readonly url: string;
  readonly owner: string;
}

/** How to make a table. */
export interface NewTable {
  readonly columns: readonly ColumnText[] | readonly StructField[];
  readonly type?: TableType;
  readonly format?: string;
  readonly owner?: string;
  /** Default: a directory under the registry's data folder. Tables in `s3://…` have no files here. */
  readonly storageLocation?: string;
  readonly properties?: Readonly<Record<string, string>>;
  readonly comment?: string;
  /** Table features of the Delta log (`deletionVectors`, …). */
  readonly features?: readonly string[];
  /** Default: as the schema and catalog say. */
  readonly isInDefaultStorage?: boolean;
  readonly isCatalogManaged?: boolean;
  readonly hasRowFilter?: boolean;
  readonly checkConstraints?: Readonly<Record<string, string>>;
  /** False: no files are made; whoever writes the first commit makes them. Default: true where the location is on this machine. */
  readonly makeFiles?: boolean;
}

/** An object that does not exist, or exists already. */
export class RegistryError extends Error {
  readonly reason: 'CATALOG_DOES_NOT_EXIST' | 'SCHEMA_DOES_NOT_EXIST' | 'TABLE_DOES_NOT_EXIST' | 'TABLE_ALREADY_EXISTS';

  constructor(reason: RegistryError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Catalogs, schemas and tables of a workspace, with the grants on them and the tables' real files. The services stand before it. */
export class Registry {
  readonly grants = new Grants();
  readonly metastoreId = randomUUID();
  readonly dataFolder: string;
  private readonly catalogs = new Map<string, Catalog>();
  private readonly schemas = new Map<string, Schema>();
  private readonly tables = new Map<string, Table>();
  private readonly locations = new Map<string, ExternalLocation>();
  private readonly queues = new Map<string, Promise<unknown>>();

  /** Tables' files are made under `dataFolder`. */
  constructor(dataFolder: string) {
    this.dataFolder = dataFolder;
  }

  createCatalog(name: string, options: { owner?: string; storageRoot?: string } = {}): Catalog {
    const catalog: Catalog = { owner: 'admin', ...options, name };
    this.catalogs.set(name.toLowerCase(), catalog);
    return catalog;
  }

  /** @throws RegistryError without the catalog */
  createSchema(fullName: string, options: { owner?: string; storageRoot?: string } = {}): Schema {
    this.catalogOf(fullName);
    const schema: Schema = { owner: 'admin', ...options, fullName };
    this.schemas.set(fullName.toLowerCase(), schema);
    return schema;
  }

  createExternalLocation(name: string, url: string, owner = 'admin'): ExternalLocation {
    const location = { name, url, owner };
    this.locations.set(name, location);
    return location;
  }

  get externalLocations(): ExternalLocation[] {
    return [...this.locations.values()];
  }

  get allCatalogs(): Catalog[] {
    return [...this.catalogs.values()];
  }

  get allSchemas(): Schema[] {
    return [...this.schemas.values()];
  }

  get allTables(): Table[] {
    return [...this.tables.values()];
  }

  /** @throws RegistryError when the schema is absent or the name taken; Error for types that the lab does not write */
  createTable(fullName: string, options: NewTable): Table {
    const schema = this.schemaOf(fullName);
    if (this.tables.has(fullName.toLowerCase())) {
      throw new RegistryError('TABLE_ALREADY_EXISTS', `Table '${fullName}' already exists.`);
    }
    const { type = 'MANAGED', format = 'DELTA', properties = {}, checkConstraints = {} } = options;
    const columns = options.columns.map((column) => ('name' in column ? column : toField(column)));
    const tableId = randomUUID();
    const hasFiles = format === 'DELTA' && ['MANAGED', 'EXTERNAL', 'STREAMING_TABLE'].includes(type);
    const storageLocation =
      options.storageLocation ?? (hasFiles ? pathToFileURL(join(this.dataFolder, type.toLowerCase(), tableId)).href : undefined);
    const directory = hasFiles && storageLocation?.startsWith('file:') ? fileURLToPath(storageLocation) : undefined;
    const constraints = Object.entries(checkConstraints).map(([name, text]) => [`delta.constraints.${name}`, text] as const);
    const configuration = { ...properties, ...Object.fromEntries(constraints) };
    if (directory !== undefined && options.makeFiles !== false) {
      DeltaTable.create(directory, { columns, configuration, ...(options.features && { features: options.features }) });
    }
    const root = schema.storageRoot ?? this.catalogOf(fullName).storageRoot;
    const facts = {
      fullName,
      tableId,
      type,
      format,
      owner: options.owner ?? schema.owner,
      ...(storageLocation !== undefined && { storageLocation }),
      ...(options.comment !== undefined && { comment: options.comment }),
      createdAtMs: Date.now(),
      isInDefaultStorage: options.isInDefaultStorage ?? (type === 'MANAGED' && root === undefined),
      isCatalogManaged: options.isCatalogManaged ?? properties['delta.feature.catalogManaged'] === 'supported',
      hasRowFilter: options.hasRowFilter ?? false,
      checkConstraints,
    };
    const table = new Table(facts, columns, configuration, directory);
    this.tables.set(fullName.toLowerCase(), table);
    return table;
  }

  /** Forget a table; its files stay. @throws RegistryError without it */
  dropTable(fullName: string): Table {
    const table = this.table(fullName);
    this.tables.delete(fullName.toLowerCase());
    return table;
  }

  /** @throws RegistryError that tells which part of the name does not exist */
  table(fullName: string): Table {
    const table = this.tables.get(fullName.toLowerCase());
    if (table !== undefined) return table;
    this.schemaOf(fullName);
    throw new RegistryError('TABLE_DOES_NOT_EXIST', `Table '${fullName}' does not exist.`);
  }

  findTable(fullName: string): Table | undefined {
    return this.tables.get(fullName.toLowerCase());
  }

  findTableById(tableId: string): Table | undefined {
    return this.allTables.find((table) => table.facts.tableId === tableId);
  }

  /** The schema of `catalog.schema` or `catalog.schema.table`. @throws RegistryError without it */
  schemaOf(fullName: string): Schema {
    this.catalogOf(fullName);
    const name = fullName.split('.').slice(0, 2).join('.');
    const schema = this.schemas.get(name.toLowerCase());
    if (schema === undefined) throw new RegistryError('SCHEMA_DOES_NOT_EXIST', `Schema '${name}' does not exist.`);
    return schema;
  }

  /** @throws RegistryError without it */
  catalogOf(fullName: string): Catalog {
    const name = fullName.split('.')[0] ?? '';
    const catalog = this.catalogs.get(name.toLowerCase());
    if (catalog === undefined) throw new RegistryError('CATALOG_DOES_NOT_EXIST', `Catalog '${name}' does not exist.`);
    return catalog;
  }

  /**
   * Append rows to a table's files. Waits its turn with everything else that runs in `exclusively` for the table.
   *
   * @returns the version of the commit
   * @throws Error for rows that do not fit the newest schema
   */
  async appendRows(fullName: string, rows: readonly Row[], operation?: string): Promise<number> {
    return this.exclusively(fullName, async () => this.filesOf(fullName).append(rows, operation));
  }

  /** `ALTER TABLE … ADD COLUMNS`. @returns the version of the commit */
  async addColumns(fullName: string, columns: readonly ColumnText[]): Promise<number> {
    return this.exclusively(fullName, async () => this.filesOf(fullName).addColumns(columns.map((column) => toField(column))));
  }

  /**
   * Run `work` while no other work of the lab writes this table. An engine whose commits could overwrite others' (Spark on a local disk
   * checks and renames) runs its statements so.
   */
  exclusively<T>(fullName: string, work: () => Promise<T>): Promise<T> {
    const key = fullName.toLowerCase();
    const done = (this.queues.get(key) ?? Promise.resolve()).then(work, work);
    this.queues.set(
      key,
      done.catch(() => undefined),
    );
    return done;
  }

  private filesOf(fullName: string): DeltaTable {
    const { delta } = this.table(fullName);
    if (delta === undefined) throw new Error(`the files of ${fullName} are not on this machine`);
    return delta;
  }
}
