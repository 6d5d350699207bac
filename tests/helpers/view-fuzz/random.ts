/** Numbers in [0, 1). */
export type Random = () => number;

export function chance(random: Random, share: number): boolean {
  return random() < share;
}

export function wholeBelow(random: Random, end: number): number {
  return Math.floor(random() * end);
}

/** One of the items; undefined when there is none. */
export function pickOne<T>(random: Random, list: readonly T[]): T {
  return list[wholeBelow(random, list.length)] as T;
}
