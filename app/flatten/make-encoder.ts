import type { ViewColumn } from '../view/compiled-view.ts';
import { makeCsvEncoder } from './csv-encoder.ts';
import { makeNdjsonEncoder } from './ndjson-encoder.ts';
import { makeParquetEncoder } from './parquet-encoder.ts';
import type { SegmentEncoder } from './segment-encoder.ts';
import { makeTableEncoder } from './table-encoder.ts';

export const FORMATS = ['table', 'ndjson', 'csv', 'parquet'] as const;
export type Format = (typeof FORMATS)[number];

export function makeSegmentEncoder(format: Format, columns: readonly ViewColumn[]): SegmentEncoder {
  switch (format) {
    case 'table':
      return makeTableEncoder(columns);
    case 'ndjson':
      return makeNdjsonEncoder(columns);
    case 'csv':
      return makeCsvEncoder(columns);
    case 'parquet':
      return makeParquetEncoder(columns);
  }
}
