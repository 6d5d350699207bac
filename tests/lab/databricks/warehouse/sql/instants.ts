const DAY_MICROS = 86_400_000_000n;

/** `yyyy[-[m]m[-[d]d]]`, with anything behind a space or T. */
const DATE = /^\s*([+-]?\d{4,7})(?:-(\d{1,2})(?:-(\d{1,2})(?:[ T].*)?)?)?\s*$/;
const TIMESTAMP =
  /^\s*([+-]?\d{4,6})(?:-(\d{1,2})(?:-(\d{1,2})(?:[ T](?:(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{0,}))?)?\s*(Z|UTC|GMT|[+-]\d{1,2}(?::?\d{1,2})?)?)?)?)?)?\s*$/;

/** Days since 1970-01-01 of a date as Spark casts it; undefined for what is no date. */
export function parseDate(text: string): number | undefined {
  const [, year, month = '1', day = '1'] = DATE.exec(text) ?? [];
  return year === undefined ? undefined : daysOf(Number(year), Number(month), Number(day));
}

/**
 * Microseconds since 1970-01-01T00:00Z of an instant as Spark casts it: without a zone the session's zone, UTC, is meant. For `wall-clock`
 * (TIMESTAMP_NTZ) a zone is read over. Undefined for what is no timestamp.
 */
export function parseTimestamp(text: string, kind: 'zoned' | 'wall-clock'): bigint | undefined {
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const [, year, month = '1', day = '1', hour = '0', minute = '0', second = '0', fraction = '', zone] = match;
  const days = daysOf(Number(year), Number(month), Number(day));
  if (days === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const seconds = (BigInt(hour) * 60n + BigInt(minute)) * 60n + BigInt(second);
  const micros = BigInt(days) * DAY_MICROS + seconds * 1_000_000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'));
  const offset = kind === 'wall-clock' ? 0n : offsetMicros(zone);
  return offset === undefined ? undefined : micros - offset;
}

function offsetMicros(zone: string | undefined): bigint | undefined {
  if (zone === undefined || /^[ZUG]/.test(zone)) return 0n;
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d{1,2}):?(\d{1,2})?$/.exec(zone) ?? [];
  const total = BigInt(hours) * 60n + BigInt(minutes);
  if (total > 18n * 60n || BigInt(minutes) > 59n) return undefined;
  return (sign === '-' ? -total : total) * 60_000_000n;
}

function daysOf(year: number, month: number, day: number): number | undefined {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isReal = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isReal ? Math.floor(date.getTime() / 86_400_000) : undefined;
}

/** `2024-01-02` */
export function formatDate(days: number): string {
  const date = new Date(days * 86_400_000);
  return `${formatYear(date.getUTCFullYear())}-${pad(date.getUTCMonth() + 1)}-${pad(date.getUTCDate())}`;
}

/** `2024-01-02 03:04:05.123456`, in UTC, without zeros at the end of the fraction. */
export function formatTimestamp(micros: bigint): string {
  const time = ((micros % DAY_MICROS) + DAY_MICROS) % DAY_MICROS;
  const days = Number((micros - time) / DAY_MICROS);
  const seconds = Number(time / 1_000_000n);
  const fraction = (time % 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '');
  const clock = `${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
  return `${formatDate(days)} ${clock}${fraction === '' ? '' : `.${fraction}`}`;
}

function formatYear(year: number): string {
  const digits = String(Math.abs(year)).padStart(4, '0');
  return year < 0 ? `-${digits}` : year > 9999 ? `+${digits}` : digits;
}

function pad(number: number): string {
  return String(number).padStart(2, '0');
}
