import type { Row } from '../rows/table-type.ts';
import type { ByteSink } from './byte-sink.ts';
import { ColumnChunkEncoder, type ColumnChunk } from './column-chunk.ts';
import type { FileColumn } from './parquet-schema.ts';

/**
 * What the footer says of a row group. Says nothing of its place in a file, so that groups can be encoded side by side and put together
 * afterwards. Can be cloned from thread to thread.
 */
export interface RowGroup {
  readonly rowCount: number;
  /** In the order of the columns, which is that of their bytes. */
  readonly chunks: readonly ColumnChunk[];
}

/** Encodes rows as row groups, one after the other. */
export class RowGroupEncoder {
  readonly #columns: readonly ColumnChunkEncoder[];
  rowCount = 0;

  constructor(columns: readonly FileColumn[]) {
    this.#columns = columns.map((column) => new ColumnChunkEncoder(column));
  }

  /** @param row values in the order of the columns and in the shape of their types: nothing is checked here */
  add(row: Row): void {
    for (let at = 0; at < this.#columns.length; at++) (this.#columns[at] as ColumnChunkEncoder).add(row[at] ?? null);
    this.rowCount++;
  }

  /** Bytes held for the group so far. */
  get heldBytes(): number {
    return this.#columns.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  /** Adds the group to `sink` and begins the next one. */
  finish(sink: ByteSink): RowGroup {
    const { rowCount } = this;
    this.rowCount = 0;
    return { rowCount, chunks: this.#columns.map((column) => column.finish(sink)) };
  }
}
