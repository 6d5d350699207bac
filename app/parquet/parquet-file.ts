import type { RowGroup as RowGroupMetaData, SchemaElement } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { makeParquetSchema, type FileColumn } from './parquet-schema.ts';
import type { Row } from '../rows/table-type.ts';
import { ByteSink } from './byte-sink.ts';
import { RowGroupEncoder, type RowGroup } from './row-group.ts';

/** In the form `<name> version <version> (build <hash>)` that the readers on the JVM parse. */
const CREATED_BY = 'aidbox-data-lakehouse version 1 (build 1)';

/** The bytes that a Parquet file begins and ends with. */
export const PARQUET_MAGIC = new TextEncoder().encode('PAR1');

/**
 * Collects what the footer of a file must say while its row groups are written one behind the other, after `PARQUET_MAGIC`.
 * Holds no data of the rows but the bounds of columns.
 */
export class ParquetFooter {
  readonly #schema: SchemaElement[];
  readonly #paths: string[][];
  readonly #leaves: SchemaElement[];
  readonly #groups: RowGroupMetaData[] = [];
  #offset = PARQUET_MAGIC.length;
  #rowCount = 0;

  constructor(columns: readonly FileColumn[]) {
    this.#schema = makeParquetSchema(columns);
    this.#paths = columns.map(({ physicalName, type }) =>
      type.kind === 'array' ? [physicalName, 'list', 'element'] : [physicalName],
    );
    this.#leaves = this.#schema.filter(({ type }) => type !== undefined);
  }

  /** Notes a group that is written next. */
  add(group: RowGroup): void {
    const fileOffset = this.#offset;
    const columns = group.chunks.map((chunk, at) => {
      const start = this.#offset;
      this.#offset += chunk.sizeBytes;
      return {
        file_offset: BigInt(start),
        meta_data: {
          type: this.#leaves[at]?.type ?? 'BYTE_ARRAY',
          encodings: [...chunk.encodings],
          path_in_schema: this.#paths[at] ?? [],
          codec: 'SNAPPY' as const,
          num_values: BigInt(chunk.valueCount),
          total_uncompressed_size: BigInt(chunk.uncompressedBytes),
          total_compressed_size: BigInt(chunk.sizeBytes),
          data_page_offset: BigInt(start + chunk.dataOffset),
          ...(chunk.dataOffset > 0 && { dictionary_page_offset: BigInt(start) }),
          statistics: {
            null_count: BigInt(chunk.nullCount),
            ...(chunk.bounds !== undefined && { min_value: chunk.bounds.min, max_value: chunk.bounds.max }),
          },
        },
      };
    });
    this.#rowCount += group.rowCount;
    this.#groups.push({
      columns,
      total_byte_size: columns.reduce((sum, { meta_data }) => sum + meta_data.total_uncompressed_size, 0n),
      num_rows: BigInt(group.rowCount),
      file_offset: BigInt(fileOffset),
      total_compressed_size: BigInt(this.#offset - fileOffset),
    });
  }

  /** Everything that stands behind the row groups, `PARQUET_MAGIC` at the end included. */
  encode(): Uint8Array {
    const writer = new ByteWriter();
    writeMetadata(writer, {
      version: 2,
      schema: this.#schema,
      num_rows: BigInt(this.#rowCount),
      row_groups: this.#groups,
      created_by: CREATED_BY,
      metadata_length: 0,
    });
    writer.appendBytes(PARQUET_MAGIC);
    return writer.getBytes();
  }
}

/** A row group is closed with this many rows or bytes: what readers take into memory at a time. */
const GROUP_ROWS = 100_000;
const GROUP_BYTES = 64 << 20;

/** True when the next row should begin a new row group. */
export function isGroupFull({ rowCount, heldBytes }: RowGroupEncoder): boolean {
  return rowCount >= GROUP_ROWS || (rowCount % 1_000 === 0 && heldBytes >= GROUP_BYTES);
}

/**
 * Encodes rows as one whole file.
 *
 * @param rows values in the order of the columns and in the shape of their types: nothing is checked here
 */
export function encodeParquetFile(columns: readonly FileColumn[], rows: readonly Row[]): Uint8Array {
  const parts = encodeParquetParts(columns, rows, Infinity);
  for (;;) {
    const part = parts.next();
    if (part.done === true) return part.value;
  }
}

/** The same in parts of so many rows, for whoever has other work to do in between. */
export function* encodeParquetParts(
  columns: readonly FileColumn[],
  rows: readonly Row[],
  rowsPerPart: number,
): Generator<void, Uint8Array> {
  const sink = new ByteSink(64 * 1024);
  const footer = new ParquetFooter(columns);
  sink.addBytes(PARQUET_MAGIC);
  const encoder = new RowGroupEncoder(columns);
  let left = rowsPerPart;
  for (const row of rows) {
    encoder.add(row);
    if (isGroupFull(encoder)) footer.add(encoder.finish(sink));
    if (--left > 0) continue;
    left = rowsPerPart;
    yield;
  }
  if (encoder.rowCount > 0) footer.add(encoder.finish(sink));
  sink.addBytes(footer.encode());
  return sink.view();
}
