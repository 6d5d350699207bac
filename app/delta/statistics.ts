import type { PrimitiveType, TableValue } from '../rows/table-type.ts';
import { readIndexedColumnCount, readStatsColumns } from './properties.ts';
import { MAX_MICROS } from './row-check.ts';
import type { SchemaField } from './schema.ts';
import type { Snapshot } from './snapshot.ts';
import { compareUtf8 } from '../lib/utf8-order.ts';

/** Longest text bound in UTF-16 units before it is cut, as in Spark. */
const MAX_TEXT_BOUND = 32;

/** Statistics of one column as JSON texts; a bound that cannot be stated safely is undefined. */
export interface ColumnStatistics {
  readonly min: string | undefined;
  readonly max: string | undefined;
  readonly nullCount: number;
}

/**
 * The columns that get statistics: those the table names, else the first `delta.dataSkippingNumIndexedCols` leaves of the schema,
 * and always the columns that the table is clustered by, for which the protocol demands them.
 */
export function selectIndexedFields(table: Pick<Snapshot, 'schema' | 'metaData' | 'domains'>): ReadonlySet<SchemaField> {
  const named = readStatsColumns(table.metaData);
  const clustered = clusteringColumns(table);
  let left = readIndexedColumnCount(table.metaData);
  const selected = table.schema.fields.filter((field) => {
    const isIndexed = named === undefined ? left > 0 : named.includes(field.name.toLowerCase());
    left -= field.leafCount;
    return isIndexed || clustered.has(field.physicalName);
  });
  return new Set(selected);
}

/** Physical names of the top-level columns in the domain `delta.clustering`. */
function clusteringColumns(table: Pick<Snapshot, 'domains'>): ReadonlySet<string> {
  const text = table.domains.get('delta.clustering')?.configuration;
  if (text === undefined) return new Set();
  try {
    const { clusteringColumns } = JSON.parse(text) as { clusteringColumns?: unknown };
    const paths: unknown[] = Array.isArray(clusteringColumns) ? clusteringColumns : [];
    return new Set(paths.flatMap((path) => (Array.isArray(path) && path.length === 1 ? [String(path[0])] : [])));
  } catch {
    return new Set();
  }
}

/** Statistics of a column of checked values; `type` is undefined for arrays, which have no bounds. */
export function describeColumn(type: PrimitiveType | undefined, values: readonly TableValue[]): ColumnStatistics {
  const nullCount = values.reduce<number>((count, value) => (value === null ? count + 1 : count), 0);
  const bounds = type === undefined ? undefined : findBounds(type, values);
  return { nullCount, min: bounds?.min, max: bounds?.max };
}

type Bounds = Pick<ColumnStatistics, 'min' | 'max'>;

function findBounds(type: PrimitiveType, values: readonly TableValue[]): Bounds | undefined {
  switch (type.kind) {
    case 'boolean':
    case 'binary':
      return undefined;
    case 'string':
      return format(minMax(values as readonly (string | null)[], compareUtf8), textLowerBound, textUpperBound);
    case 'byte':
    case 'short':
    case 'integer':
    case 'float':
    case 'double':
      // Engines disagree on where NaN stands: no bounds beside it.
      if (values.some((value) => Number.isNaN(value))) return undefined;
      return format(minMax(values as readonly (number | null)[], compareNumbers), formatNumber, formatNumber);
    case 'date':
      return format(minMax(values as readonly (number | null)[], compareNumbers), formatDate, formatDate);
    case 'long':
      return format(minMax(values as readonly (bigint | null)[], compareNumbers), String, String);
    case 'decimal': {
      const toText = (value: bigint): string => formatDecimal(value, type.scale);
      return format(minMax(values as readonly (bigint | null)[], compareNumbers), toText, toText);
    }
    case 'timestamp':
    case 'timestamp_ntz': {
      const zone = type.kind === 'timestamp' ? 'Z' : '';
      return format(
        minMax(values as readonly (bigint | null)[], compareNumbers),
        (value) => formatMillis(floorToMillis(value), zone),
        (value) => (value > MAX_MICROS - 999n ? undefined : formatMillis(floorToMillis(value + 999n), zone)),
      );
    }
  }
}

function minMax<T>(values: readonly (T | null)[], compare: (a: T, b: T) => number): { min: T; max: T } | undefined {
  let min: T | null = null;
  let max: T | null = null;
  for (const value of values) {
    if (value === null) continue;
    if (min === null || compare(value, min) < 0) min = value;
    if (max === null || compare(value, max) > 0) max = value;
  }
  return min === null || max === null ? undefined : { min, max };
}

function format<T>(
  range: { readonly min: T; readonly max: T } | undefined,
  formatMin: (value: T) => string | undefined,
  formatMax: (value: T) => string | undefined,
): Bounds | undefined {
  return range && { min: formatMin(range.min), max: formatMax(range.max) };
}

function compareNumbers<T extends number | bigint>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Infinity has no spelling in JSON. */
function formatNumber(value: number): string | undefined {
  return Number.isFinite(value) ? JSON.stringify(value) : undefined;
}

function formatDate(days: number): string {
  return `"${new Date(days * 86_400_000).toISOString().slice(0, 10)}"`;
}

/** The exact digits, as a JSON number. */
function formatDecimal(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : '';
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${sign}${digits.slice(0, point)}${scale === 0 ? '' : `.${digits.slice(point)}`}`;
}

function floorToMillis(micros: bigint): bigint {
  const millis = micros / 1000n;
  return micros < 0n && micros % 1000n !== 0n ? millis - 1n : millis;
}

function formatMillis(millis: bigint, zone: string): string {
  return `"${new Date(Number(millis)).toISOString().slice(0, -1)}${zone}"`;
}

/** A prefix is never greater than the text. */
function textLowerBound(text: string): string {
  return JSON.stringify(text.slice(0, cutPosition(text)));
}

/** A prefix with a greater character after it; the whole text when no character is greater. */
function textUpperBound(text: string): string {
  let at = cutPosition(text);
  for (; at < text.length; at += 2) {
    const next = text.codePointAt(at) ?? 0;
    if (next < 0x7f) return JSON.stringify(`${text.slice(0, at)}\u007f`);
    if (next < 0x10ffff) return JSON.stringify(`${text.slice(0, at)}\u{10ffff}`);
  }
  return JSON.stringify(text);
}

/** Where the text is cut: at most `MAX_TEXT_BOUND` units, never inside a surrogate pair. */
function cutPosition(text: string): number {
  if (text.length <= MAX_TEXT_BOUND) return text.length;
  return (text.codePointAt(MAX_TEXT_BOUND - 1) ?? 0) > 0xffff ? MAX_TEXT_BOUND - 1 : MAX_TEXT_BOUND;
}
