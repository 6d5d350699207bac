import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AppError } from '../../../../app/errors/app-error.ts';
import { isolate } from '../../../../app/writers/managed/isolate.ts';

const REFUSAL = new AppError('DATABRICKS_ROW_REFUSED', 'refused');

/** Plays a server that refuses every request with one of `bad` in it; the whole was refused already. */
async function play(size: number, bad: ReadonlySet<number>): Promise<{ sent: number[]; rejected: number[]; requests: number }> {
  const sent: number[] = [];
  const rejected: number[] = [];
  let requests = 0;
  await isolate(
    Array.from({ length: size }, (_, index) => index),
    REFUSAL,
    async (events) => {
      requests += 1;
      if (events.some((event) => bad.has(event))) return REFUSAL;
      sent.push(...events);
      return undefined;
    },
    (event) => void rejected.push(event),
  );
  return { sent, rejected, requests };
}

describe('isolating refused events', () => {
  it('sends each good event once, in order, and rejects each bad one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 200 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1 })),
        async (size, stream) => {
          const bad = new Set([...Array(size).keys()].filter(() => (stream.next().value as number) < 0.1));
          if (bad.size === 0) bad.add(size - 1);
          const { sent, rejected } = await play(size, bad);
          expect(rejected).toEqual([...bad].sort((left, right) => left - right));
          expect(sent).toEqual([...Array(size).keys()].filter((event) => !bad.has(event)));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('finds one bad event with at most 2·log2(n) further requests, wherever it stands', async () => {
    for (const size of [8, 100, 500, 1_000]) {
      for (let bad = 0; bad < size; bad += Math.ceil(size / 97)) {
        expect((await play(size, new Set([bad]))).requests).toBeLessThanOrEqual(2 * Math.log2(size));
      }
    }
    for (const bad of [0, 1, 4_999, 5_000, 9_998, 9_999])
      expect((await play(10_000, new Set([bad]))).requests).toBeLessThanOrEqual(2 * Math.log2(10_000));
  });

  it('takes what fails only together apart until it passes', async () => {
    const sizes: number[] = [];
    const rejected: number[] = [];
    const tooLarge = new AppError('DATABRICKS_REQUEST_TOO_LARGE', 'too large');
    await isolate(
      [...Array(100).keys()],
      tooLarge,
      async (events) => {
        if (events.length > 10) return tooLarge;
        sizes.push(events.length);
        return undefined;
      },
      (event) => void rejected.push(event),
    );
    expect(rejected).toEqual([]);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(100);
  });
});
