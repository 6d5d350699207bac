import type { FlatValue, ViewColumn } from '../view/compiled-view.ts';
import type { EncodedRows, SegmentEncoder } from './segment-encoder.ts';
import { toJson } from './text-encoder.ts';

/** Rows that decide how wide the columns are; held until then. */
const SAMPLE_ROWS = 1_000;
const MAX_WIDTH = 40;

/** A table for people: columns as wide as the first rows need, longer values cut with `…`. Keeps its widths from segment to segment. */
export function makeTableEncoder(columns: readonly ViewColumn[]): SegmentEncoder {
  let widths: readonly number[] | undefined;
  let waiting: string[][] = [];
  const lines: string[] = [];
  const startTable = (): void => {
    widths = columns.map(({ name }, at) =>
      Math.min(MAX_WIDTH, Math.max(name.length, ...waiting.map((cells) => (cells[at] ?? '').length))),
    );
    lines.push(
      formatLine(
        columns.map(({ name }) => name),
        widths,
      ),
    );
    lines.push(widths.map((width) => '-'.repeat(width)).join('  '));
    for (const cells of waiting) lines.push(formatLine(cells, widths));
    waiting = [];
  };
  return {
    needsExactDecimals: columns.some(({ fhirType }) => fhirType === 'decimal'),
    add: (rows) => {
      for (const row of rows) {
        const cells = columns.map((column, at) => formatCell(row[at] ?? null, column));
        if (widths !== undefined) lines.push(formatLine(cells, widths));
        else if (waiting.push(cells) === SAMPLE_ROWS) startTable();
      }
    },
    finish: (): EncodedRows => {
      if (widths === undefined) startTable();
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      lines.length = 0;
      return { bytes, groups: [] };
    },
  };
}

function formatCell(value: FlatValue, column: ViewColumn): string {
  if (value === null) return '';
  // Control characters could take over the terminal.
  return (typeof value === 'object' ? toJson(value, column) : String(value)).replace(/\p{Cc}/gu, ' ');
}

function formatLine(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map((cell, at) => {
    const width = widths[at] ?? 0;
    return cell.length > width ? `${cell.slice(0, width - 1)}…` : cell.padEnd(width);
  });
  return padded.join('  ').trimEnd();
}
