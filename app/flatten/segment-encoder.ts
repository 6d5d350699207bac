import type { RowGroup } from '../parquet/row-group.ts';
import type { FlatValue } from '../view/compiled-view.ts';

/** The rows of one segment in the form of the output. */
export interface EncodedRows {
  readonly bytes: Uint8Array;
  /** Row groups that stand in `bytes` one behind the other; Parquet only. */
  readonly groups: readonly RowGroup[];
}

/** Encodes the rows of segments, each segment by itself. */
export interface SegmentEncoder {
  /** True when resources should be read with `parseExactly`, so that decimals keep their digits. */
  readonly needsExactDecimals: boolean;
  /**
   * Adds the rows of one resource, all or none of them.
   * @throws AppError VALUE_NOT_CONVERTIBLE naming the column, never the value
   */
  add(rows: readonly (readonly FlatValue[])[]): void;
  /** What was added since the last call; the bytes are valid until the next one. */
  finish(): EncodedRows;
}
