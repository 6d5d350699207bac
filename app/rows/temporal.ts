const DATE = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/;
const DATE_TIME = /^(\d{4}-\d\d-\d\d)T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?(Z|[+-]\d\d:\d\d)?$/;

const ZERO = 0x30;
const DASH = 0x2d;
const PLUS = 0x2b;
const COLON = 0x3a;
const POINT = 0x2e;
const LETTER_T = 0x54;
const LETTER_Z = 0x5a;

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
  if (text.length === 10) {
    const days = readDays(text);
    if (days !== undefined) return days;
  }
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
  return readCommonMicros(text) ?? parseAnyMicros(text);
}

function parseAnyMicros(text: string): bigint | undefined {
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

/*
 * What follows reads the forms that nearly all values have, digit by digit: ten times faster than by regular expressions. Undefined means only
 * that the long way decides.
 */

/** Days of `YYYY-MM-DD` at the beginning of the text, in the proleptic Gregorian calendar. */
function readDays(text: string): number | undefined {
  const [year, month, day] = [readDigits(text, 0, 4), readDigits(text, 5, 2), readDigits(text, 8, 2)];
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return undefined;
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month))) return undefined;
  // The year begins in March here, so that the day that only leap years have is its last.
  const shifted = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return 365 * shifted + Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400) + dayOfYear - 719_468;
}

/** Days of a month, counted from 1. */
function daysOf(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Microseconds of `YYYY-MM-DDThh:mm:ss`, with milliseconds or without, and with a zone, within 250 years of 1970. */
function readCommonMicros(text: string): bigint | undefined {
  const days = readDays(text);
  if (days === undefined || Math.abs(days) > 90_000) return undefined;
  if (text.charCodeAt(10) !== LETTER_T || text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON) return undefined;
  const [hour, minute, second] = [readDigits(text, 11, 2), readDigits(text, 14, 2), readDigits(text, 17, 2)];
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return undefined;
  const hasMillis = text.charCodeAt(19) === POINT;
  const millis = hasMillis ? readDigits(text, 20, 3) : 0;
  const zone = hasMillis ? 23 : 19;
  const offsetMinutes = text.charCodeAt(zone) === LETTER_Z && text.length === zone + 1 ? 0 : readOffset(text, zone);
  const micros = (((days * 24 + hour) * 60 + minute - offsetMinutes) * 60 + second) * 1_000_000 + millis * 1_000;
  return Number.isNaN(micros) ? undefined : BigInt(micros);
}

/** Minutes of `+hh:mm` or `-hh:mm`; NaN for anything else. */
function readOffset(text: string, at: number): number {
  const sign = text.charCodeAt(at) === PLUS ? 1 : text.charCodeAt(at) === DASH ? -1 : Number.NaN;
  const [hours, minutes] = [readDigits(text, at + 1, 2), readDigits(text, at + 4, 2)];
  const isZone = text.length === at + 6 && text.charCodeAt(at + 3) === COLON && hours <= 13 && minutes <= 59;
  return isZone ? sign * (hours * 60 + minutes) : Number.NaN;
}

/** A number of `count` digits; NaN when there is anything else. */
function readDigits(text: string, start: number, count: number): number {
  let value = 0;
  for (let at = start; at < start + count; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = 10 * value + digit;
  }
  return value;
}
