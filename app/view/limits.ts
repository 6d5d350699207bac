/** Bounds on what one resource may cost. Compiled code needs fewer of them, as its loops end with the resource. */

/** More rows from one resource than any batch should take. */
export const MAX_ROWS = 100_000;
/** Levels that `repeat` follows. */
export const MAX_REPEAT_DEPTH = 500;
/** Rounds of loops in compiled code that multiply, a few ns each. */
export const MAX_ROUNDS = 1_000_000;
/** Characters of one computed text. */
export const MAX_TEXT_LENGTH = 16 * 1024 * 1024;

/** What may be done for one resource. */
export interface Bounds {
  /** Values in all of its rows together: what memory should hold of a wide view. */
  readonly values: number;
  /** Steps of the interpreter, 1 to 2 µs each; every 16 values of a collection count as one more. */
  readonly steps: number;
  /** Values of one collection. */
  readonly items: number;
  /** The same where fhirpath.js compares each with each (`distinct`, `|`, …), about 0.1 µs for each pair. */
  readonly comparedItems: number;
}

/** For whoever may wait some seconds for a resource, since nothing else has to wait for it too. */
export const WIDE_BOUNDS: Bounds = { values: 10_000_000, steps: 20_000_000, items: 1_000_000, comparedItems: 10_000 };

/** For work between which others wait: about 40 ms at most. What goes beyond is no fault of the resource; see `ViewTooSlow`. */
export const QUICK_BOUNDS: Bounds = { values: 100_000, steps: 20_000, items: 20_000, comparedItems: 200 };

/** Thrown where QUICK_BOUNDS are not enough: the resource has to be evaluated where it may take longer. Made once, as its stack says nothing. */
export const VIEW_TOO_SLOW = new Error('the resource needs more time than there is here');

/** Rows that one resource may give to a view of so many columns. */
export function maxRows({ values }: Bounds, columnCount: number): number {
  return Math.min(MAX_ROWS, Math.floor(values / Math.max(1, columnCount)));
}

/** The error for what goes beyond bounds: what is too much for quick work is no failure yet. */
export function goneTooFar(bounds: Bounds, makeError: () => Error): Error {
  return bounds === QUICK_BOUNDS ? VIEW_TOO_SLOW : makeError();
}
