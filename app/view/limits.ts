/** Bounds on what one resource may cost. Compiled code needs fewer of them, as its loops end with the resource. */

/** More rows from one resource than any batch should take. */
export const MAX_ROWS = 100_000;
/** Levels that `repeat` follows. */
export const MAX_REPEAT_DEPTH = 500;
/** Steps of the interpreter. */
export const MAX_STEPS = 1_000_000;
/** Items of one collection. */
export const MAX_ITEMS = 100_000;
/** Characters of one computed text. */
export const MAX_TEXT_LENGTH = 16 * 1024 * 1024;
