import { describe, expect, it } from '@jest/globals';
import { readSynthea, runFuzz } from '../helpers/view-fuzz/run-fuzz.ts';

/** Every function and operator that compiled code knows, as the fuzz counts them. */
const KNOWN =
  'where select exists empty all not count hasValue first last single tail skip take [ ofType extension getResourceKey getReferenceKey getAidboxTs getAidboxCts join iif upper lower trim length startsWith endsWith contains indexOf lastIndexOf substring = != < > <= >= and or xor implies in & + $this %resource %rowIndex %text %number %flag repeat unionAll'.split(
    ' ',
  );
const PAIRS = 6_000;

const resources = readSynthea();
const note = resources.size === 0 ? ' (without Synthea: ../shared/data/synthea is missing)' : '';

describe(`compiled views${note}`, () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const result = runFuzz({ pairs: PAIRS, seed, resources });

  it(`give the rows and errors of the interpreter for random views and spoilt resources (seed ${seed})`, () => {
    expect(result.pairs).toBeGreaterThanOrEqual(PAIRS);
    expect(result.differences).toEqual([]);
  });

  it(`evaluate each function that they know, and leave few expressions to fhirpath.js (seed ${seed})`, () => {
    expect(KNOWN.filter((name) => (result.functions.get(name) ?? 0) === 0)).toEqual([]);
    expect(result.fallbackExpressions / result.expressions).toBeLessThan(0.08); // few views: the long run has 0.05
    expect(result.fastPairs / result.pairs).toBeGreaterThan(0.7);
  });
});
