import type { Row } from '../rows/table-type.ts';
import { ByteSink } from './byte-sink.ts';
import { ColumnChunkEncoder, type ColumnChunk } from './column-chunk.ts';
import type { FileColumn } from './parquet-schema.ts';

/** A whole row group. Says nothing of its place in a file, so that groups can be encoded side by side and put together afterwards. */
export interface RowGroup {
  readonly bytes: Uint8Array;
  readonly rowCount: number;
  /** In the order of the columns, which is that of their bytes. */
  readonly chunks: readonly ColumnChunk[];
}

/** Encodes rows as one row group. */
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

  /** The encoder must not be used after it. */
  finish(): RowGroup {
    const sink = new ByteSink(this.heldBytes + 4096);
    const chunks = this.#columns.map((column) => column.finish(sink));
    return { bytes: sink.view(), rowCount: this.rowCount, chunks };
  }
}
