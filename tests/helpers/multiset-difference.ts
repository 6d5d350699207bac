import { asMultiset, type DeltaRow } from './services/delta-reader.ts';

const SHOWN = 5;

/** How many rows differ, and the first of them. Equal multisets give `NO_DIFFERENCE`. */
export interface MultisetDifference {
  readonly missing: number;
  readonly surplus: number;
  readonly examples: readonly string[];
}

export const NO_DIFFERENCE: MultisetDifference = { missing: 0, surplus: 0, examples: [] };

/** Compares rows that were read with those expected, in any order, repetitions counted; quick and short also for many rows. */
export function findDifference(actual: readonly DeltaRow[], expected: readonly DeltaRow[]): MultisetDifference {
  const surplus = new Map<string, number>();
  for (const row of asMultiset(actual)) surplus.set(row, (surplus.get(row) ?? 0) + 1);
  const missing: string[] = [];
  for (const row of asMultiset(expected)) {
    const count = surplus.get(row) ?? 0;
    if (count === 0) missing.push(row);
    else surplus.set(row, count - 1);
  }
  const extra = [...surplus].flatMap(([row, count]) => Array.from({ length: count }, () => row));
  return {
    missing: missing.length,
    surplus: extra.length,
    examples: [
      ...missing.slice(0, SHOWN).map((row) => `missing ${row}`),
      ...extra.slice(0, SHOWN).map((row) => `surplus ${row}`),
    ],
  };
}
