/** Bounds on what one resource may cost. Compiled code needs fewer of them, as its loops end with the resource. */

/** More rows from one resource than any batch should take. */
export const MAX_ROWS = 100_000;
/** Levels that `repeat` follows. */
export const MAX_REPEAT_DEPTH = 500;
/** Steps of the interpreter, about 1 µs each: a resource may keep other destinations of the process waiting for 200 ms. */
export const MAX_STEPS = 200_000;
/** Rounds of loops in compiled code that multiply, a few ns each. */
export const MAX_ROUNDS = 1_000_000;
/** Items of one collection. */
export const MAX_ITEMS = 100_000;
/** The same where fhirpath.js compares each with each (`distinct`, `|`, …). */
export const MAX_COMPARED_ITEMS = 2_000;
/** Characters of one computed text. */
export const MAX_TEXT_LENGTH = 16 * 1024 * 1024;
