/**
 * The pause that a `Retry-After` header asks for, in milliseconds; undefined when there is none. Seconds form only: the date form would need a
 * common clock.
 *
 * @param maxMs longest pause that the other side may ask for
 */
export function parseRetryAfterMs(value: string | undefined, maxMs = Infinity): number | undefined {
  return value !== undefined && /^\d{1,6}$/.test(value) ? Math.min(Number(value) * 1000, maxMs) : undefined;
}
