import type { FlatValue, ViewColumn } from '../view/compiled-view.ts';
import type { SegmentEncoder } from './segment-encoder.ts';
import { makeTextEncoder, toJson } from './text-encoder.ts';

/** CSV of RFC 4180: null is an empty field, an empty text is `""`, a collection is its JSON. */
export function makeCsvEncoder(columns: readonly ViewColumn[]): SegmentEncoder {
  return makeTextEncoder(columns, (row) => `${columns.map((column, at) => formatField(row[at] ?? null, column)).join(',')}\r\n`);
}

/** The first line: names of the columns, which are letters, digits and underscores. */
export function csvHeader(columns: readonly ViewColumn[]): string {
  return `${columns.map(({ name }) => name).join(',')}\r\n`;
}

function formatField(value: FlatValue, column: ViewColumn): string {
  if (value === null) return '';
  const text = typeof value === 'object' ? toJson(value, column) : String(value);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
