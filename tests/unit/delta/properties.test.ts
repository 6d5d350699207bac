import { describe, expect, it } from '@jest/globals';
import { readLogRetentionMs, readTransactionRetentionMs } from '../../../app/delta/properties.ts';
import { aSnapshot } from '../../helpers/delta-table.ts';

const DAY_MS = 86_400_000;
const metaData = (configuration: Record<string, string>) => aSnapshot({ configuration }).metaData;

describe('durations of a table', () => {
  it.each([
    ['interval 7 days', 7 * DAY_MS],
    ['INTERVAL 1 Day 12 hours', 1.5 * DAY_MS],
    ['2 weeks', 14 * DAY_MS],
    ['interval 1 month', undefined],
    ['soon', undefined],
    ['', undefined],
  ])('are read from %p', (text, expected) => {
    expect(readLogRetentionMs(metaData({ 'delta.logRetentionDuration': text }))).toBe(expected);
  });

  it('have the defaults of the protocol', () => {
    expect(readLogRetentionMs(metaData({}))).toBe(30 * DAY_MS);
    expect(readTransactionRetentionMs(metaData({}))).toBe('never');
  });
});
