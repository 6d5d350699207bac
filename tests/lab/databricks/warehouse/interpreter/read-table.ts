import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetMetadataAsync, parquetReadObjects, type FileMetaData, type SchemaElement } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { Cell, Row } from '../../registry/cells.ts';
import type { DataType, StructField } from '../../registry/data-type.ts';
import type { DeltaTable } from '../../registry/delta-table.ts';

interface AddFile {
  readonly path: string;
  readonly deletionVector?: unknown;
}

/**
 * All rows of the newest version, in no particular order.
 *
 * @throws Error for partitioned tables and deletion vectors, which the lab does not read
 */
export async function readRows(table: DeltaTable): Promise<Row[]> {
  const { columns, partitionColumns } = table.read();
  if (partitionColumns.length > 0) throw new Error('the lab does not read partitioned tables');
  const rows: Row[] = [];
  for (const { path, deletionVector } of listFiles(table.directory)) {
    if (deletionVector !== undefined) throw new Error('the lab does not read deletion vectors');
    for (const row of await readFile(join(table.directory, decodeURIComponent(path)), columns)) rows.push(row);
  }
  return rows;
}

/** Files of the newest version: the log is replayed from its first commit. */
function listFiles(directory: string): AddFile[] {
  const folder = join(directory, '_delta_log');
  const files = new Map<string, AddFile>();
  for (const name of readdirSync(folder)
    .filter((file) => /^\d{20}\.json$/.test(file))
    .sort()) {
    for (const line of readFileSync(join(folder, name), 'utf8').split('\n')) {
      if (line === '') continue;
      const { add, remove } = JSON.parse(line) as { add?: AddFile; remove?: AddFile };
      if (remove !== undefined) files.delete(remove.path);
      if (add !== undefined) files.set(add.path, add);
    }
  }
  return [...files.values()];
}

async function readFile(path: string, columns: readonly StructField[]): Promise<Row[]> {
  if (!existsSync(path)) throw new Error(`the log names ${path}, which does not exist`);
  const bytes = readFileSync(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const metadata = await parquetMetadataAsync({ byteLength: file.byteLength, slice: (start, end) => file.slice(start, end) });
  const present = new Set(metadata.schema.map((element) => element.name));
  const rows = await parquetReadObjects({
    file,
    metadata: withoutAnnotations(metadata),
    columns: columns.map((column) => column.name).filter((name) => present.has(name)),
    compressors,
    utf8: false,
    parsers: RAW_PARSERS,
  });
  return rows.map((row) => Object.fromEntries(columns.map(({ name, type }) => [name, toCell(row[name], type)])));
}

/** INT96 holds nanoseconds. */
const RAW_PARSERS = { timestampFromNanoseconds: (nanos: bigint) => nanos / 1000n } as never;

/** What hyparquet would read with loss (decimals as doubles, instants as Date) is read raw. */
function withoutAnnotations(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map((element): SchemaElement => {
    const isText = element.converted_type === 'UTF8' || element.logical_type?.type === 'STRING';
    const isGroup = element.num_children !== undefined;
    if (isText || isGroup) return element;
    const { converted_type: _, logical_type: __, ...raw } = element;
    return raw;
  });
  return { ...metadata, schema };
}

function toCell(value: unknown, type: DataType): Cell {
  if (value === undefined || value === null) return null;
  switch (type.kind) {
    case 'decimal':
      return value instanceof Uint8Array ? readBigEndian(value) : BigInt(value as number | bigint);
    case 'long':
    case 'timestamp':
    case 'timestamp_ntz':
      return BigInt(value as number | bigint);
    case 'binary':
      return value as Uint8Array;
    case 'array':
      return (value as unknown[]).map((item) => toCell(item, type.element));
    case 'map':
      return toEntries(value).map(([key, item]) => [toCell(key, type.key), toCell(item, type.value)]);
    case 'struct': {
      const fields = value as Readonly<Record<string, unknown>>;
      return Object.fromEntries(type.fields.map((field) => [field.name, toCell(fields[field.name], field.type)]));
    }
    case 'string':
    case 'boolean':
    case 'byte':
    case 'short':
    case 'integer':
    case 'float':
    case 'double':
    case 'date':
    case 'variant':
      return value as Cell;
  }
}

function toEntries(value: unknown): [unknown, unknown][] {
  if (Array.isArray(value)) return value.map((entry: { key: unknown; value: unknown }) => [entry.key, entry.value]);
  return Object.entries(value as Record<string, unknown>);
}

function readBigEndian(bytes: Uint8Array): bigint {
  const unsigned = BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);
  return BigInt.asIntN(8 * bytes.length, unsigned);
}
