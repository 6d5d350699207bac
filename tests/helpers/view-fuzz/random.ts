/** Numbers in [0, 1). */
export type Random = () => number;

export function chance(random: Random, share: number): boolean {
  return random() < share;
}

export function wholeBelow(random: Random, end: number): number {
  return Math.floor(random() * end);
}

export function pickOne<T>(random: Random, list: readonly T[]): T {
  const item = list[wholeBelow(random, list.length)];
  if (item === undefined && list.length === 0) throw new Error('nothing to pick from');
  return item as T;
}
