const DATE = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/;
const DATE_TIME = /^(\d{4}-\d\d-\d\d)T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?(Z|[+-]\d\d:\d\d)?$/;

const MS_PER_DAY = 86_400_000;
const MICROS_PER_MINUTE = 60_000_000n;
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z: what SQL engines can express. */
const MIN_MICROS = -62_135_596_800_000_000n;
const MAX_MICROS = 253_402_300_799_999_999n;
/** FHIR's range of zones. */
const MAX_OFFSET_MINUTES = 14 * 60;

/**
 * Days since 1970-01-01 of a FHIR date, or of the date part of a dateTime as it is written (no shift by its zone), or undefined.
 * A year or a month stands for its first day, as `CAST('2020-06' AS DATE)` does in Spark. Years 0001 to 9999.
 */
export function parseDays(text: string): number | undefined {
  const dateTime = DATE_TIME.exec(text);
  if (dateTime !== null && parseMicros(text) === undefined) return undefined;
  const found = DATE.exec(dateTime?.[1] ?? text);
  if (found === null) return undefined;
  const [year, month, day] = [Number(found[1]), Number(found[2] ?? 1), Number(found[3] ?? 1)];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // An overflowing day (31 April) would slip into the next month.
  const isReal = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isReal && year >= 1 ? date.getTime() / MS_PER_DAY : undefined;
}

/**
 * Microseconds since the epoch (UTC) of a FHIR dateTime, instant or date, or undefined.
 * Without a zone it is UTC; a partial value is the start of its period; digits after the sixth are cut off; second 60 is the start of the
 * next minute; hour 24 does not exist. The result lies in the years 0001 to 9999.
 */
export function parseMicros(text: string): bigint | undefined {
  const found = DATE_TIME.exec(text);
  const days = parseDays(found?.[1] ?? text);
  if (days === undefined) return undefined;
  const [hour, minute, second] = [Number(found?.[2] ?? 0), Number(found?.[3] ?? 0), Number(found?.[4] ?? 0)];
  const offsetMinutes = parseOffset(found?.[6]);
  if (hour > 23 || minute > 59 || second > 60 || offsetMinutes === undefined) return undefined;
  const seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
  // The leap second itself has no place in UTC microseconds; its fraction would run past the next second's start.
  const fraction = second === 60 ? 0n : BigInt((found?.[5] ?? '').slice(0, 6).padEnd(6, '0'));
  const micros = BigInt(seconds) * 1_000_000n + fraction - BigInt(offsetMinutes) * MICROS_PER_MINUTE;
  return micros >= MIN_MICROS && micros <= MAX_MICROS ? micros : undefined;
}

/** Minutes east of UTC; undefined when no place on earth has it. */
function parseOffset(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(4, 6))];
  const offset = hours * 60 + minutes;
  if (minutes > 59 || offset > MAX_OFFSET_MINUTES) return undefined;
  return zone.startsWith('-') ? -offset : offset;
}
