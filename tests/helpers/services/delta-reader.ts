import type { TableLocation } from '../../../app/storage/table-location.ts';

/** A value as tests/helpers/python/json_rows.py writes it: equal values are equal text, whichever engine read them. */
export type DeltaValue = string | number | boolean | null | DeltaValue[] | { [name: string]: DeltaValue };
export type DeltaRow = Record<string, DeltaValue>;

/** An engine that reads Delta tables and shares no code with us. */
export interface DeltaReader {
  readonly name: string;
  /** All rows of the table, now or as of `version`, in no particular order. */
  readDeltaRows(table: TableLocation, options?: { version?: number }): Promise<DeltaRow[]>;
  close(): Promise<void>;
}

export function parseRows(text: string): DeltaRow[] {
  // Only \n ends a line: JSON text may hold U+2028, which other ways of splitting would take for an end.
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as DeltaRow);
}

/** Rows as sorted text, to compare two readings as multisets: `expect(asMultiset(a)).toEqual(asMultiset(b))`. Absent and null are the same. */
export function asMultiset(rows: readonly DeltaRow[]): string[] {
  return rows.map((row) => JSON.stringify(sortNames(row))).sort();
}

function sortNames(value: DeltaValue): DeltaValue {
  if (Array.isArray(value)) return value.map(sortNames);
  if (value === null || typeof value !== 'object') return value;
  const fields = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, item]) => [name, sortNames(item)]));
}
