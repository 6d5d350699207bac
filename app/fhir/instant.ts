const INSTANT = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/**
 * Microseconds since the epoch of a FHIR instant; digits after the sixth are cut, a leap second counts as the second before.
 * Undefined when the text is no instant.
 */
export function parseInstantMicros(text: string): bigint | undefined {
  const match = INSTANT.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone] = match;
  const seconds = Math.min(Number(second), 59);
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${String(seconds).padStart(2, '0')}${zone}`);
  if (Number.isNaN(ms)) return undefined;
  return BigInt(ms) * 1000n + BigInt((fraction ?? '').slice(0, 6).padEnd(6, '0'));
}
