import type { Action, MetaData, Protocol } from '../../app/delta/actions.ts';
import { makeCommit } from '../../app/delta/commit.ts';
import { firstSnapshot, type Snapshot } from '../../app/delta/snapshot.ts';
import type { TableColumn, TableType } from '../../app/rows/table-type.ts';

/** 2024-05-06T07:08:09Z. */
export const NOW_MS = 1_714_979_289_000;

export const STRING: TableType = { kind: 'string' };

export function column(name: string, type: TableType = STRING, nullable = true): TableColumn {
  return { name, type, nullable };
}

export interface FieldSpec {
  readonly name: string;
  readonly type?: unknown;
  readonly nullable?: boolean;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface TableSpec {
  readonly fields?: readonly FieldSpec[];
  readonly protocol?: Protocol;
  readonly metaData?: Partial<MetaData>;
  readonly configuration?: Readonly<Record<string, string>>;
  readonly more?: readonly Action[];
}

export const LEGACY: Protocol = { minReaderVersion: 1, minWriterVersion: 2 };

/** A protocol with explicit features, all of them for readers too. */
export function featureProtocol(...features: string[]): Protocol {
  return { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: features, writerFeatures: features };
}

/** The actions of a first commit that make the table described. */
export function tableActions({
  fields = [{ name: 'id' }],
  protocol = LEGACY,
  metaData,
  configuration = {},
  more = [],
}: TableSpec = {}): Action[] {
  const full = fields.map(({ name, type = 'string', nullable = true, metadata = {} }) => ({ name, type, nullable, metadata }));
  return [
    { commitInfo: { timestamp: NOW_MS, operation: 'CREATE TABLE' } },
    { protocol },
    {
      metaData: {
        id: 'c0ffee00-0000-4000-8000-000000000000',
        format: { provider: 'parquet', options: {} },
        schemaString: JSON.stringify({ type: 'struct', fields: full }),
        partitionColumns: [],
        configuration,
        ...metaData,
      },
    },
    ...more,
  ];
}

/** Version 0 of the table described. */
export function aSnapshot(spec?: TableSpec): Snapshot {
  return firstSnapshot(makeCommit(0, tableActions(spec)));
}
