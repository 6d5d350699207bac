import { describe, expect, it } from '@jest/globals';
import type { SeenCommit } from '../../../app/writers/external-direct/commit-record.ts';
import {
  CLOCK_ALLOWANCE_MS,
  makeWindow,
  OWN_CLOCK_ALLOWANCE_MS,
  type Window,
} from '../../../app/writers/external-direct/window.ts';

const START_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;

/** Version `n` of a log in which each commit of ours writes one event, born and committed in minute `n`; version 1 is the first of the incarnation. */
function commit(version: number, { isOurs = true, atMs = START_MS + version * MINUTE_MS } = {}): SeenCommit {
  return {
    version,
    timestampMs: atMs,
    ownTransaction: isOurs ? version : undefined,
    otherIncarnation: false,
    record: isOurs
      ? { commitId: `c${version}`, written: [`k${version}`], quarantined: [], highWaterMicros: bornMicros(version) }
      : undefined,
  };
}

function bornMicros(version: number): bigint {
  return BigInt(START_MS + version * MINUTE_MS) * 1000n;
}

const since = (version: number) => ({ kind: 'since', lastUpdatedMicros: bornMicros(version) }) as const;

/** Reads backwards until the coverage is there. Returns how many commits that took. */
function read(window: Window, isCovered: () => boolean, wanted: readonly string[]): number {
  let read = 0;
  for (; !isCovered(); read += 1) window.extendBack(commit(window.reachesTo), new Set(wanted));
  return read;
}

describe('the window', () => {
  it('answers for every event down to where it reaches', () => {
    const window = makeWindow(100, 1_000);
    expect(read(window, () => window.covers(since(91)), [])).toBe(11);
    expect(window.settled('k91')).toBe('written');
    expect(window.settled('k90')).toBe('written');
    expect(window.settled('k89')).toBeUndefined();
  });

  it('keeps of what lies beyond its bound only what is asked for, until it is trimmed', () => {
    const window = makeWindow(100, 10);
    read(window, () => window.covers(since(31)), ['k40']);
    expect(window.settled('k95')).toBe('written');
    expect(window.settled('k40')).toBe('written');
    expect(window.settled('k41')).toBeUndefined();
    expect(window.covers(since(31))).toBe(true);

    window.trim();
    expect(window.settled('k95')).toBe('written');
    expect(window.settled('k40')).toBeUndefined();
    expect(window.covers(since(31))).toBe(false);
    expect(window.covers(since(92))).toBe(true);
    expect(window.reachesTo).toBe(90);
    read(window, () => window.covers(since(31)), ['k41']);
    expect(window.settled('k41')).toBe('written');
  });

  it('lets its oldest commits go when newer ones come, and knows that it did', () => {
    const window = makeWindow(1, 10);
    read(window, () => window.covers(since(2)), []);
    for (let version = 2; version <= 30; version += 1) window.append(commit(version));
    expect(window.covers({ kind: 'ever' })).toBe(true);
    window.trim();
    expect(window.settled('k30')).toBe('written');
    expect(window.settled('k15')).toBeUndefined();
    expect(window.covers({ kind: 'ever' })).toBe(false);
    expect(window.covers(since(22))).toBe(true);
    expect(window.covers(since(15))).toBe(false);
    read(window, () => window.covers(since(15)), ['k15']);
    expect(window.settled('k15')).toBe('written');
  });

  it('covers a delivery as soon as a commit of ours is older by more than our clocks may differ', () => {
    const window = makeWindow(1_000, 10_000);
    const receivedAtMs = START_MS + 1_000 * MINUTE_MS;
    const coverage = { kind: 'delivery', receivedAtMs } as const;
    const commits = read(window, () => window.covers(coverage), []);
    expect(commits).toBe(OWN_CLOCK_ALLOWANCE_MS / MINUTE_MS + 2);
  });

  it('trusts the clocks of other engines less', () => {
    const window = makeWindow(10, 100);
    window.extendBack(commit(10, { isOurs: false, atMs: START_MS }), new Set());
    const coverage = (afterMs: number) => ({ kind: 'delivery', receivedAtMs: START_MS + afterMs }) as const;
    expect(window.covers(coverage(OWN_CLOCK_ALLOWANCE_MS + 1))).toBe(false);
    expect(window.covers(coverage(CLOCK_ALLOWANCE_MS + 1))).toBe(true);
  });

  it('knows all of an event only as far as whole commits reach, and when it was born after the destination', () => {
    const window = makeWindow(1_000, 100);
    expect(window.knowsAll(since(990))).toBe(false);
    read(window, () => window.covers(since(990)), []);
    expect(window.knowsAll(since(990))).toBe(true);
    read(window, () => window.covers(since(500)), []);
    expect(window.knowsAll(since(500))).toBe(false);

    const young = makeWindow(500, 1_000);
    read(young, () => young.covers(since(1)), []);
    expect(young.covers(since(-100))).toBe(true);
    expect(young.knowsAll(since(-100))).toBe(false);
    expect(young.knowsAll(since(2 + OWN_CLOCK_ALLOWANCE_MS / MINUTE_MS))).toBe(true);
  });
});
