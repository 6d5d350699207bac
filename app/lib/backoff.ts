/** Pause before try number `tries` (0 = the first repetition): doubles from `firstMs` to `maxMs`, with ±25 % jitter. */
export function backoffMs(
  tries: number,
  limits: { readonly firstMs: number; readonly maxMs: number },
  random: () => number = Math.random,
): number {
  const base = Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(tries, 30));
  return base * (0.75 + random() * 0.5);
}
