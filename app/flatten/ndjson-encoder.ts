import type { ViewColumn } from '../view/compiled-view.ts';
import type { SegmentEncoder } from './segment-encoder.ts';
import { makeTextEncoder, toJson } from './text-encoder.ts';

/** One JSON object a row, with every column, in the order of the view. */
export function makeNdjsonEncoder(columns: readonly ViewColumn[]): SegmentEncoder {
  const named = columns.map((column, at) => ({ column, prefix: `${at === 0 ? '{' : ','}${JSON.stringify(column.name)}:` }));
  return makeTextEncoder(
    columns,
    (row) => `${named.map(({ column, prefix }, at) => prefix + toJson(row[at] ?? null, column)).join('')}}\n`,
  );
}
