import type { FlatValue, ViewColumn } from '../view/compiled-view.ts';
import type { SegmentEncoder } from './segment-encoder.ts';

/** An encoder of rows that become lines of text. */
export function makeTextEncoder(
  columns: readonly ViewColumn[],
  formatRow: (row: readonly FlatValue[]) => string,
): SegmentEncoder {
  let lines: string[] = [];
  let blocks: Buffer[] = [];
  const flush = (): void => {
    blocks.push(Buffer.from(lines.join('')));
    lines = [];
  };
  return {
    needsExactDecimals: columns.some(({ fhirType }) => fhirType === 'decimal'),
    add: (rows) => {
      for (const row of rows) lines.push(formatRow(row));
      if (lines.length >= 1_000) flush();
    },
    finish: () => {
      flush();
      const bytes = Buffer.concat(blocks);
      blocks = [];
      return { bytes, groups: [] };
    },
  };
}

/** A decimal as it was sent; a value of the view is a text when no JavaScript number has its digits. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** The JSON of a value: decimals with the digits of the source, as numbers. */
export function toJson(value: FlatValue, { fhirType }: ViewColumn): string {
  if (typeof value === 'object' && value !== null) return `[${value.map((item) => itemToJson(item, fhirType)).join(',')}]`;
  return itemToJson(value, fhirType);
}

function itemToJson(value: string | number | boolean | null, fhirType: string): string {
  return fhirType === 'decimal' && typeof value === 'string' && NUMBER.test(value) ? value : JSON.stringify(value);
}
