import type { MetaData } from './actions.ts';

const DAY_MS = 86_400_000;
const UNIT_MS: Readonly<Record<string, number>> = {
  microsecond: 0.001,
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: DAY_MS,
  week: 7 * DAY_MS,
};

/** True when the table sets the boolean property `key`. */
export function isPropertyTrue(metaData: MetaData, key: string): boolean {
  return metaData.configuration[key]?.trim().toLowerCase() === 'true';
}

/**
 * How long commit files are kept (`delta.logRetentionDuration`), in milliseconds; 30 days when the table does not say.
 * Undefined when the text is not understood.
 */
export function readLogRetentionMs(metaData: MetaData): number | undefined {
  return readDurationMs(metaData, 'delta.logRetentionDuration', 30 * DAY_MS);
}

/** After how long engines may forget a `txn` (`delta.setTransactionRetentionDuration`): milliseconds, `never`, or undefined when not understood. */
export function readTransactionRetentionMs(metaData: MetaData): number | 'never' | undefined {
  return readDurationMs(metaData, 'delta.setTransactionRetentionDuration', 'never');
}

/** Reads an interval as Spark writes it: `interval 7 days`, `interval 1 day 12 hours`. */
function readDurationMs<T>(metaData: MetaData, key: string, unset: T): number | T | undefined {
  const text = metaData.configuration[key]?.trim().toLowerCase();
  if (text === undefined) return unset;
  const words = text.replace(/^interval\s+/, '').split(/\s+/);
  if (words.length === 0 || words.length % 2 !== 0) return undefined;
  let totalMs = 0;
  for (let at = 0; at < words.length; at += 2) {
    const count = Number(words[at]);
    const unitMs = UNIT_MS[(words[at + 1] ?? '').replace(/s$/, '')];
    if (!Number.isFinite(count) || unitMs === undefined) return undefined;
    totalMs += count * unitMs;
  }
  return totalMs;
}

/** Names of `delta.dataSkippingStatsColumns`, logical, lower case; undefined when the table does not set it. */
export function readStatsColumns(metaData: MetaData): readonly string[] | undefined {
  const text = metaData.configuration['delta.dataSkippingStatsColumns'];
  if (text === undefined) return undefined;
  const names = text.match(/`(?:[^`]|``)*`|[^,`\s][^,`]*/g) ?? [];
  return names.map((name) =>
    name
      .trim()
      .replace(/^`([^]*)`$/, '$1')
      .replaceAll('``', '`')
      .toLowerCase(),
  );
}

/** How many leaf columns get statistics (`delta.dataSkippingNumIndexedCols`); Infinity for all, 32 when not set. */
export function readIndexedColumnCount(metaData: MetaData): number {
  const text = metaData.configuration['delta.dataSkippingNumIndexedCols'];
  const count = text === undefined ? 32 : Number(text);
  if (!Number.isInteger(count) || count < -1) return 32;
  return count === -1 ? Infinity : count;
}
